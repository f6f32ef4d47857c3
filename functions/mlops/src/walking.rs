//! Walks every execution that somebody has started: what Step Functions does by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mlops_core::ports::{ExecutionStatus, Workflows as _};
use mlops_local::LocalWorkflows;
use tokio::task::{Id, JoinSet};

use crate::output::tell;
use crate::{ROLLBACK_MACHINE, TRAINING_MACHINE};

/// How often executions are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often one that waits is looked at although nothing has happened to it: its time may be over.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// An execution that was walked as far as it went.
struct Seen {
    /// The number of the last event that the walk knew. What was written behind it calls for another walk.
    last: u64,
    at: Instant,
}

/// Walks until it is dropped. An execution that waits for an answer is walked again when it has one, and one that failed
/// when it was told to go on.
pub(crate) async fn walk_all(workflows: &LocalWorkflows) {
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    let mut walks: JoinSet<u64> = JoinSet::new();
    let mut walked: BTreeMap<Id, String> = BTreeMap::new();
    loop {
        while let Some(ended) = walks.try_join_next_with_id() {
            let (id, last) = match ended {
                Ok((id, last)) => (id, Some(last)),
                Err(error) => (error.id(), None),
            };
            let Some(name) = walked.remove(&id) else { continue };
            let last = match last {
                Some(last) => last,
                // It was broken off: it is walked again when there is something new, or after a while.
                None => last_event(workflows, &name).await,
            };
            seen.insert(name, Seen { last, at: Instant::now() });
        }
        let running = running(workflows).await;
        seen.retain(|name, _| running.contains(name));
        for name in running {
            let is_walked = walked.values().any(|other| *other == name);
            if is_walked || !is_due(workflows, &name, seen.get(&name)).await {
                continue;
            }
            let (workflows, own) = (workflows.clone(), name.clone());
            let id = walks.spawn(async move { walk(&workflows, &own).await }).id();
            walked.insert(id, name);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Walks as far as it goes, and gives the number of the last event that this walk knew. An answer that is written after
/// it came to rest is not among them.
async fn walk(workflows: &LocalWorkflows, name: &str) -> u64 {
    let last = AtomicU64::new(last_event(workflows, name).await);
    let walked = workflows.run_to_end(name, |event| last.store(event.id, Ordering::Relaxed)).await;
    if let Err(error) = walked {
        tell!("{name} cannot be walked ({}): {}", error.kind, error.message);
    }
    last.into_inner()
}

async fn running(workflows: &LocalWorkflows) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for machine in [TRAINING_MACHINE, ROLLBACK_MACHINE] {
        match workflows.list(machine, usize::MAX).await {
            Ok(runs) => {
                let running = runs.into_iter().filter(|run| run.status == ExecutionStatus::Running);
                names.extend(running.map(|run| run.name));
            }
            Err(error) => tell!("the runs cannot be listed ({}): {}", error.kind, error.message),
        }
    }
    names
}

async fn is_due(workflows: &LocalWorkflows, name: &str, seen: Option<&Seen>) -> bool {
    let Some(seen) = seen else { return true };
    seen.at.elapsed() >= LOOK_AGAIN || last_event(workflows, name).await != seen.last
}

/// The number of the last event of the history; 0 when there is none.
async fn last_event(workflows: &LocalWorkflows, name: &str) -> u64 {
    let history = workflows.history(name).await.unwrap_or_default();
    history.last().map_or(0, |event| event.id)
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::Arc;

    use mlops_core::ports::{NewExecution, TaskAnswer};
    use mlops_core::{AgentHandler, Call, Error, Result};
    use serde_json::{Value, json};
    use tempfile::TempDir;

    use super::*;

    /// Fails for a number that is negative while there is no file `ready`.
    struct Worker(std::path::PathBuf);

    impl AgentHandler for Worker {
        fn name(&self) -> &'static str {
            "worker"
        }

        fn invoke<'a>(
            &'a self,
            payload: Value,
            _: &'a Call,
        ) -> Pin<Box<dyn Future<Output = Result<Value>> + Send + 'a>> {
            Box::pin(async move {
                if payload["number"].as_i64().is_some_and(|number| number < 0) && !self.0.join("ready").exists() {
                    return Err(Error::not_found("the file is missing"));
                }
                Ok(json!({}))
            })
        }
    }

    /// The function is invoked, or also waited for: the payload says which expression it is told.
    fn workflows(home: &TempDir, invoke: &str, told: &str) -> LocalWorkflows {
        let definition = json!({"QueryLanguage": "JSONata", "StartAt": "A", "States": {
            "A": {"Type": "Task", "Resource": format!("arn:aws:states:::lambda:{invoke}"), "Next": "B",
                "Arguments": {"FunctionName": "worker", "Payload": {"number": format!("{{% {told} %}}")}}},
            "B": {"Type": "Succeed"}}});
        let worker: Arc<dyn AgentHandler> = Arc::new(Worker(home.path().to_owned()));
        LocalWorkflows::new(home.path(), [worker]).machine(TRAINING_MACHINE, &definition.to_string()).unwrap()
    }

    async fn start(workflows: &LocalWorkflows, name: &str, number: i64) {
        let (machine, name) = (TRAINING_MACHINE.to_owned(), name.to_owned());
        workflows.start(NewExecution { machine, name, input: json!({ "number": number }) }).await.unwrap();
    }

    /// Waits until the execution stands so, for less than the time after which everything is looked at again.
    async fn until(workflows: &LocalWorkflows, name: &str, status: ExecutionStatus) {
        let since = Instant::now();
        while workflows.describe(name).await.unwrap().status != status {
            assert!(since.elapsed() < LOOK_AGAIN / 2, "{name} is not {status:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn a_run_goes_on_at_once_however_soon_after_its_rest_it_is_answered() {
        let home = TempDir::new().unwrap();
        let workflows = workflows(&home, "invoke.waitForTaskToken", "$states.context.Task.Token");
        let check = async {
            for round in 0..3 {
                let name = format!("run-{round}");
                start(&workflows, &name, 1).await;
                let since = Instant::now();
                // It has come to rest, and nobody has been told so yet.
                let token = loop {
                    let waiting = workflows.waiting_tasks(&name).await.unwrap();
                    if let (Some(task), false) = (waiting.first(), workflows.is_walked(&name).await.unwrap()) {
                        break task.token.clone();
                    }
                    assert!(since.elapsed() < LOOK_AGAIN / 2, "{name} asks nothing");
                    tokio::time::sleep(Duration::from_millis(1)).await;
                };
                workflows.answer(&token, TaskAnswer::Success(json!({"approved": true}))).await.unwrap();
                until(&workflows, &name, ExecutionStatus::Succeeded).await;
            }
        };
        tokio::select! {
            () = walk_all(&workflows) => {}
            () = check => {}
        }
    }

    #[tokio::test]
    async fn a_run_that_failed_goes_on_when_it_is_told_to() {
        let home = TempDir::new().unwrap();
        let workflows = workflows(&home, "invoke", "$states.input.number");
        let check = async {
            start(&workflows, "run-1", -1).await;
            until(&workflows, "run-1", ExecutionStatus::Failed).await;
            workflows.redrive("run-1").await.unwrap();
            until(&workflows, "run-1", ExecutionStatus::Failed).await;
            std::fs::write(home.path().join("ready"), "").unwrap();
            workflows.redrive("run-1").await.unwrap();
            until(&workflows, "run-1", ExecutionStatus::Succeeded).await;
            start(&workflows, "run-2", 2).await;
            until(&workflows, "run-2", ExecutionStatus::Succeeded).await;
        };
        tokio::select! {
            () = walk_all(&workflows) => {}
            () = check => {}
        }
    }
}
