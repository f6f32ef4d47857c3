//! The history of real records, on files.

use std::sync::Arc;

use mlops_core::ErrorKind;
use mlops_local::{Access, FileCodeHost, FileRepositories, FileStore};
use mlops_records::RunRecords;
use serde_json::{Value, json};

use super::*;

fn room(folder: &tempfile::TempDir) -> HistoryManagement {
    let store = Arc::new(FileStore::new(folder.path(), folder.path(), Access::Anywhere));
    HistoryManagement {
        runs: RunRecords::new(store, &ArtifactUri::from_path(&folder.path().join("store"))),
        code_host: Arc::new(FileCodeHost::new(folder.path())),
        repositories: Arc::new(FileRepositories::new(folder.path())),
    }
}

fn record(run_id: &str, status: &str) -> Value {
    json!({"run_id": run_id, "status": status, "started_at": "2026-01-02T03:04:05Z", "config": {
        "task": "classification", "dataset_s3_uri": "data/penguins.csv", "target_column": "species",
        "algorithm": "auto", "model_name": "penguins", "hyperparameters": {"n_estimators": 5}, "seed": 42, "lang": "en"},
        "rows": {"train": 10, "test": 5}, "metrics": {"accuracy": 0.9, "f1_score": 0.8},
        "model": {"model_s3_uri": "m.tar.gz", "model_sha256": "ab", "algorithm": "random_forest", "version": 2},
        "decision": {"decision": "promote", "reasons": ["good `enough`\nindeed"]}})
}

async fn format(room: &HistoryManagement, arguments: Value) -> Result<Value> {
    let run = crate::tools::TOOLS[0].run;
    run(room, &Call::new("r"), arguments).await.map(|outcome| outcome.value)
}

#[tokio::test]
async fn a_record_is_kept_once_and_its_page_is_the_same_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let room = room(&folder);
    let first = format(&room, json!({"records": [record("r1", "succeeded")]})).await.unwrap();
    let again = format(&room, json!({"records": [record("r1", "succeeded")]})).await.unwrap();
    assert_eq!(first, again);
    let page = first["markdown"].as_str().unwrap();
    for part in
        ["# penguins – promote", "`random_forest`", "| accuracy | 0.900000 |", "`n_estimators`: `5`", "version: 2"]
    {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert_eq!(format(&room, json!({"run_ids": ["r1"]})).await.unwrap()["markdown"], first["markdown"]);
}

#[tokio::test]
async fn a_run_that_went_on_after_a_failure_has_both_records_and_the_last_counts() {
    let folder = tempfile::tempdir().unwrap();
    let room = room(&folder);
    let mut failed = record("r1", "failed");
    failed["error"] = json!({"stage": "Train", "error": "TimedOut", "cause": "too slow"});
    let first = format(&room, json!({"records": [failed]})).await.unwrap();
    assert!(first["markdown"].as_str().unwrap().contains("> too slow"));
    let second = format(&room, json!({"records": [record("r1", "succeeded")]})).await.unwrap();
    assert_ne!(first["record_uris"], second["record_uris"]);
    assert_eq!(room.runs.latest("r1").await.unwrap().status, mlops_records::RunStatus::Succeeded);
}

#[tokio::test]
async fn several_runs_are_one_page_and_a_dry_run_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let room = room(&folder);
    let records = json!([record("r2", "succeeded"), record("r1", "succeeded")]);
    let result = format(&room, json!({"records": records, "dry_run": true, "lang": "ja"})).await.unwrap();
    assert_eq!(result["run_ids"], json!(["r1", "r2"]));
    assert!(result["markdown"].as_str().unwrap().contains("アルゴリズム"));
    assert_eq!(room.runs.latest("r1").await.unwrap_err().kind, ErrorKind::NotFound);
    let written = format(&room, json!({"records": records})).await.unwrap();
    assert!(written["markdown_uri"].as_str().unwrap().contains("/history/pages/"));
}

#[tokio::test]
async fn who_approved_and_what_the_smoke_prediction_saw_are_in_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let room = room(&folder);
    let mut run = record("r1", "succeeded");
    run["approval"] = json!({"approved": true, "by": "github:an_approver", "reason": "good\nenough",
        "at": "2026-01-02T04:00:00Z"});
    run["smoke"] = json!({"healthy": false, "reason": "2 labels flipped", "rolled_back_from": 2});
    let result = format(&room, json!({"records": [run.clone()]})).await.unwrap();
    let page = result["markdown"].as_str().unwrap().to_owned();
    let said = "- Answer: **approved**\n- Answered by: `github:an_approver`\n- Answered at: 2026-01-02T04:00:00Z\n\
        - Reason: good enough\n- Smoke prediction: **failed**\n- What was seen: 2 labels flipped\n- Rolled back: 2 → none\n";
    assert!(page.contains(said), "{page}");
    let japanese = format(&room, json!({"records": [run], "lang": "ja"})).await.unwrap();
    let page = japanese["markdown"].as_str().unwrap();
    assert!(page.contains("回答: **承認**") && page.contains("スモーク予測: **不合格**"), "{page}");
}

#[tokio::test]
async fn a_run_that_is_not_known_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let room = room(&folder);
    let error = format(&room, json!({"run_ids": ["nope"]})).await.unwrap_err();
    assert_eq!((error.kind, error.message.contains("nope")), (ErrorKind::NotFound, true));
    assert_eq!(format(&room, json!({})).await.unwrap_err().kind, ErrorKind::InvalidInput);
    assert_eq!(format(&room, json!({"run_ids": ["../x"]})).await.unwrap_err().kind, ErrorKind::InvalidInput);
}
