//! The walker against `MiniStack`: every machine of `tests/machines` leaves the same history in both.
//!
//! `tests/golden/machines.py` recorded the histories, and `tests/golden/histories.py` tells their normal form.

mod agents;
mod history;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::StreamExt as _;
use mlops_core::ports::{Condition, ExecutionStatus, NewExecution, ObjectStore, TaskAnswer, Workflows as _};
use mlops_core::values::ArtifactUri;
use mlops_local::{Access, FileStore, LocalWorkflows};
use serde_json::{Value, json};

use crate::fleet::Fleet;
use crate::workspace::files;

/// A machine of the corpus with its golden histories.
struct Machine {
    name: String,
    content: Value,
    golden: Value,
}

impl Machine {
    fn all() -> Vec<Self> {
        let folder = Fleet::repository().join("tests/machines");
        let (golden, machines): (Vec<PathBuf>, Vec<PathBuf>) =
            files(&folder, ".json").into_iter().partition(|path| path.to_string_lossy().ends_with(".history.json"));
        let machines: Vec<Self> = machines.iter().map(|path| Self::read(path)).collect();
        assert_eq!(golden.len(), machines.len(), "a history without a machine: record again");
        machines
    }

    fn read(path: &Path) -> Self {
        let json = |path: &Path| -> Value {
            let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        Self { name, content: json(path), golden: json(&path.with_extension("history.json")) }
    }

    fn runs(&self) -> &[Value] {
        self.content["runs"].as_array().unwrap()
    }

    /// What differs in the histories of all runs.
    async fn differences(&self) -> Vec<String> {
        let golden = self.golden["runs"].as_array().unwrap();
        assert_eq!(golden.len(), self.runs().len(), "{}: a run has no history: record again", self.name);
        let walked = futures::future::join_all(self.runs().iter().map(|run| self.walk(run))).await;
        let compared = walked.into_iter().zip(golden).enumerate();
        let found = compared.filter_map(|(number, (walked, golden))| {
            let difference = match walked {
                Ok(history) => history::difference(golden.as_array().unwrap(), &history),
                Err(error) => Some(error),
            };
            difference.map(|difference| format!("{} run {number}: {difference}", self.name))
        });
        found.collect()
    }

    /// Walks the machine once; its history in the normal form, or why there is none.
    async fn walk(&self, run: &Value) -> Result<Vec<Value>, String> {
        let home = tempfile::tempdir().unwrap();
        let store = FileStore::new(home.path(), home.path(), Access::HomeOnly);
        for (key, text) in self.content["objects"].as_object().into_iter().flatten() {
            let uri = ArtifactUri::new(format!("s3://machines/{key}")).unwrap();
            store.put(&uri, text.as_str().unwrap().to_owned().into(), Condition::None).await.unwrap();
        }
        let definition = self.content["definition"].to_string();
        let said = |error: mlops_core::Error| format!("{error} ({})", error.field.as_deref().unwrap_or("no field"));
        let workflows = LocalWorkflows::new(home.path(), agents::all()).waiting(0.0);
        let workflows = workflows.machine("machine", &definition).map_err(said)?;
        let input = run["input"].clone();
        let request = NewExecution { machine: "machine".to_owned(), name: "run".to_owned(), input };
        workflows.start(request).await.map_err(said)?;
        let mut answers = run["answers"].as_array().into_iter().flatten();
        while workflows.run_to_end("run", |_| {}).await.map_err(said)?.status == ExecutionStatus::Running {
            let answer = answers.next().ok_or("it waits for an answer that MiniStack did not ask for")?;
            give(&workflows, answer).await?;
        }
        // Silence is no answer: where a time was over before, there was nothing left to wait for.
        if let Some(answer) = answers.find(|answer| answer.get("silence").is_none()) {
            return Err(format!("{answer} was not asked for"));
        }
        let events = workflows.history("run").await.map_err(said)?;
        Ok(history::normal(&events, &self.content["definition"]))
    }
}

/// Gives the answer to the task that waits for it.
async fn give(workflows: &LocalWorkflows, answer: &Value) -> Result<(), String> {
    let waiting = workflows.waiting_tasks("run").await.map_err(|error| error.to_string())?;
    let state = answer["state"].as_str().unwrap();
    let task = waiting.iter().find(|task| task.state == state);
    let task = task.ok_or_else(|| format!("nothing waits in {state}, only {waiting:?}"))?;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let answered = if let Some(output) = answer.get("success") {
        workflows.answer(&task.token, TaskAnswer::Success(output.clone())).await
    } else if let Some(failure) = answer.get("failure") {
        let (error, cause) = (text(&failure["error"]), text(&failure["cause"]));
        workflows.answer(&task.token, TaskAnswer::Failure { error, cause }).await
    } else if let Some(seconds) = answer.get("heartbeat") {
        tokio::time::sleep(Duration::from_secs_f64(seconds.as_f64().unwrap())).await;
        workflows.answer(&task.token, TaskAnswer::Heartbeat).await
    } else if let Some(stop) = answer.get("stop") {
        workflows.stop("run", &text(&stop["error"]), &text(&stop["cause"])).await
    } else {
        let seconds = answer["silence"].as_f64().unwrap();
        tokio::time::sleep(Duration::from_secs_f64(seconds + 0.1)).await;
        Ok(())
    };
    answered.map_err(|error| format!("{answer}: {error}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_machine_leaves_the_history_that_it_leaves_in_ministack() {
    let machines = Machine::all();
    assert!(machines.len() >= 100, "{} machines", machines.len());
    // A few at a time: some have tasks of a second, which a busy machine would let pass.
    let walks = futures::stream::iter(&machines).map(Machine::differences).buffer_unordered(4);
    let differences = walks.collect::<Vec<_>>().await.concat();
    assert!(
        differences.is_empty(),
        "{} of {} runs differ\n{}",
        differences.len(),
        machines.iter().map(|machine| machine.runs().len()).sum::<usize>(),
        differences.join("\n")
    );
}

#[test]
fn the_corpus_has_every_type_of_state_and_every_kind_of_event() {
    let mut seen = BTreeMap::<String, usize>::new();
    for machine in Machine::all() {
        for event in machine.golden["runs"].as_array().unwrap().iter().flat_map(|run| run.as_array().unwrap()) {
            *seen.entry(event["type"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    for kind in ["Task", "Choice", "Pass", "Succeed", "Wait", "Parallel", "Map"] {
        assert!(seen.contains_key(&format!("{kind}StateExited")), "{kind}: {seen:?}");
    }
    for kind in history::KINDS {
        assert!(seen.contains_key(kind), "{kind}: {seen:?}");
    }
}

#[test]
fn a_difference_is_found_and_told() {
    let golden = [json!({"type": "ExecutionStarted"}), json!({"type": "ExecutionFailed", "error": "A"})];
    assert_eq!(history::difference(&golden, &golden), None);
    let other = [golden[0].clone(), json!({"type": "ExecutionFailed", "error": "B"})];
    let told = history::difference(&golden, &other).unwrap();
    assert!(told.contains("event 2") && told.contains("\"A\"") && told.contains("\"B\""), "{told}");
    assert!(history::difference(&golden, &golden[..1]).unwrap().contains("event 2"));
    assert!(history::difference(&golden[..1], &golden).unwrap().contains("event 2"));
}
