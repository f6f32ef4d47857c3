//! Walks every execution that somebody has started: what Step Functions does by itself.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use mlops_core::ports::{ExecutionStatus, Workflows as _};
use mlops_local::LocalWorkflows;
use tokio::task::JoinSet;

use crate::output::tell;
use crate::{ROLLBACK_MACHINE, TRAINING_MACHINE};

/// How often executions are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often one that waits is looked at although nothing has happened to it: its time may be over.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// An execution that was walked as far as it went.
struct Seen {
    events: usize,
    at: Instant,
}

/// Walks until it is dropped. An execution that waits for an answer is walked again when it has one.
pub(crate) async fn walk_all(workflows: &LocalWorkflows) {
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    let mut walks: JoinSet<String> = JoinSet::new();
    let mut walked: Vec<String> = Vec::new();
    loop {
        while let Some(ended) = walks.try_join_next() {
            let Ok(name) = ended else { continue };
            walked.retain(|other| *other != name);
            let events = workflows.history(&name).await.map_or(0, |history| history.len());
            seen.insert(name, Seen { events, at: Instant::now() });
        }
        for name in running(workflows).await {
            if walked.contains(&name) || !is_due(workflows, &name, seen.get(&name)).await {
                continue;
            }
            walked.push(name.clone());
            let workflows = workflows.clone();
            walks.spawn(async move {
                if let Err(error) = workflows.run_to_end(&name, |_| {}).await {
                    tell!("{name} cannot be walked ({}): {}", error.kind, error.message);
                }
                name
            });
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn running(workflows: &LocalWorkflows) -> Vec<String> {
    let mut names = Vec::new();
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
    seen.at.elapsed() >= LOOK_AGAIN || workflows.history(name).await.is_ok_and(|history| history.len() != seen.events)
}
