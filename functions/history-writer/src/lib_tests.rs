//! What is remembered of a run that ended well and of one that failed.

use std::sync::Arc;

use mlops_core::AgentHandler;
use mlops_core::values::ArtifactUri;
use mlops_local::{Access, FileStore};
use mlops_records::RunRecords;
use serde_json::{Value, json};

use super::*;

fn agent(folder: &tempfile::TempDir) -> (HistoryWriter, RunRecords) {
    let store = Arc::new(FileStore::new(folder.path(), folder.path(), Access::Anywhere));
    let runs = RunRecords::new(store, &ArtifactUri::from_path(&folder.path().join("store")));
    (HistoryWriter { tools: ToolCaller::embedded(HistoryManagement { runs: runs.clone() }) }, runs)
}

fn payload(inputs: &Value) -> Value {
    json!({"run_id": "r1", "issue": {"repo": "owner/name", "number": 7}, "inputs": inputs, "attempt": 2, "config": {
        "task": "regression", "dataset_s3_uri": "a.csv", "target_column": "y", "algorithm": "auto",
        "model_name": "m", "seed": 1, "lang": "en"}})
}

#[tokio::test]
async fn a_run_is_remembered_once_with_its_issue_and_metrics() {
    let folder = tempfile::tempdir().unwrap();
    let (agent, runs) = agent(&folder);
    let inputs = json!({"status": "succeeded", "metrics": {"rmse": 1.5, "mape": null}, "rows": {"train": 3}});
    let first = agent.invoke(payload(&inputs), &Call::new("q")).await.unwrap();
    let again = agent.invoke(payload(&inputs), &Call::new("q")).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(first["artifacts"].as_array().unwrap().len(), 2);
    let record = runs.latest("r1").await.unwrap();
    assert_eq!(record.issue.unwrap().number, 7);
    assert_eq!(record.metrics, BTreeMap::from([("rmse".to_owned(), 1.5)]));
}

#[tokio::test]
async fn a_failure_is_remembered_with_its_step() {
    let folder = tempfile::tempdir().unwrap();
    let (agent, runs) = agent(&folder);
    let error = json!({"stage": "Train", "error": "InvalidInput", "cause": "one class only"});
    agent.invoke(payload(&json!({"status": "failed", "error": error})), &Call::new("q")).await.unwrap();
    assert_eq!(runs.latest("r1").await.unwrap().error.unwrap().stage, "Train");
}
