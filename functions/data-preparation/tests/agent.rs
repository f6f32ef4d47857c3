//! The agent on a real payload, from a raw table to prepared parts.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use agent_data_preparation::DataPreparationAgent;
use mlops_artifacts::Artifacts;
use mlops_core::values::ArtifactUri;
use mlops_core::{AgentHandler, Call, Error, ErrorKind, ToolCaller};
use mlops_data_preparation::DataPreparation;
use mlops_local::{Access, FileStore};
use serde_json::{Value, json};

fn agent(folder: &Path) -> DataPreparationAgent {
    let home = folder.join("home");
    let store = Arc::new(FileStore::new(&home, folder, Access::Anywhere));
    let artifacts = Artifacts::new(store, ArtifactUri::from_path(&home.join("store")));
    DataPreparationAgent::new(ToolCaller::embedded(DataPreparation { artifacts: artifacts.clone() }), artifacts)
}

fn table(rows: usize) -> String {
    let mut text = "length,colour,code,kind\n".to_owned();
    for row in 0..rows {
        let length = if row % 9 == 3 { String::new() } else { (row * 37 % 23).to_string() };
        let colour = ["red", "blue", "white"][row % 3];
        let kind = ["warm", "cold"][row * 5 % 2];
        writeln!(text, "{length},{colour},{},{kind}", row * 5 % 2).unwrap();
    }
    text
}

/// The payload of a task whose request has those sections.
fn payload(folder: &Path, text: &str, sections: &Value) -> Value {
    let path = folder.join("table.csv");
    std::fs::write(&path, text).unwrap();
    let mut config = json!({"task": "classification", "dataset_s3_uri": path, "target_column": "kind", "algorithm": "auto",
        "model_name": "kinds", "preprocessing_config": {"drop_columns": ["code"]}, "seed": 42, "lang": "en"});
    config.as_object_mut().unwrap().extend(sections.as_object().unwrap().clone());
    json!({"run_id": "run-1", "config": config, "inputs": {}, "lang": "en"})
}

async fn outcome(text: &str, sections: Value) -> Result<Value, Error> {
    let folder = tempfile::tempdir().unwrap();
    let payload = payload(folder.path(), text, &sections);
    agent(folder.path()).invoke(payload, &Call::new("test")).await
}

#[tokio::test]
async fn a_table_becomes_prepared_parts() {
    let folder = tempfile::tempdir().unwrap();
    let agent = agent(folder.path());
    let payload = payload(folder.path(), &table(60), &json!({}));
    let result = agent.invoke(payload.clone(), &Call::new("test")).await.unwrap();
    assert_eq!((&result["agent"], &result["status"]), (&json!("data_preparation"), &json!("succeeded")));
    let outputs = &result["outputs"];
    assert_eq!((&outputs["rows"], outputs["data_sha256"].as_str().unwrap().len()), (&json!(60), 64));
    assert!(outputs["validation_score"].as_f64().unwrap() > 0.5);
    let read = |uri: &Value| std::fs::read_to_string(uri.as_str().unwrap().strip_prefix("file://").unwrap()).unwrap();
    for (part, rows) in [("train_uri", 42), ("validation_uri", 9), ("test_uri", 9)] {
        let raw = read(&outputs[part]);
        assert!(raw.starts_with("length,colour,code,kind\n"), "{raw}");
        assert_eq!(raw.lines().count(), rows + 1, "{part}");
    }
    let details: Value = serde_json::from_str(&read(&outputs["checks_uri"])).unwrap();
    assert_eq!(details["preprocessing"]["train"]["fit_scope"], "train");
    assert_eq!(details["preprocessing"]["test"]["fit_scope"], "applied");
    assert_eq!(details["validation"]["passed"], true);
    assert_eq!(details["preprocessing"]["test"]["processed_s3_uri"], outputs["processed"]["test"]);
    assert_eq!(result["artifacts"].as_array().unwrap().len(), 5);
    let again = agent.invoke(payload, &Call::new("again")).await.unwrap();
    assert_eq!(again, result, "a repeated task gives the same result");
}

#[tokio::test]
async fn the_sections_of_the_request_hold() {
    let sections = json!({"split": {"train": 0.8, "validation": 0, "test": 0.2, "strategy": "random", "seed": 7},
        "preprocessing_config": {"drop_columns": ["code", "colour"], "normalize": false}, "lang": "ja"});
    let result = outcome(&table(60), sections).await.unwrap();
    assert_eq!(
        (&result["outputs"]["validation_uri"], &result["outputs"]["processed"]["validation"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(result["metrics"]["features"], 1.0);
}

#[tokio::test]
async fn a_table_that_nothing_can_be_learnt_from_is_refused() {
    let renamed = outcome(&table(60), json!({"preprocessing_config": {}})).await.unwrap();
    let notes = renamed["outputs"]["facts"]["notes"].to_string();
    assert!(notes.contains("`code`"), "a column that renames the target is told: {notes}");
    let one = table(60).replace("warm", "cold");
    let error = outcome(&one, json!({})).await.unwrap_err();
    assert!(error.message.contains("only one class"), "{error}");
}

#[tokio::test]
async fn the_task_reaches_the_split() {
    let mut text = "x,level\n".to_owned();
    for row in 0..300 {
        writeln!(text, "{},{}", row * 37 % 101, row % 30).unwrap();
    }
    let sections = json!({"target_column": "level", "preprocessing_config": {}});
    let folder = tempfile::tempdir().unwrap();
    let payload = payload(folder.path(), &text, &sections);
    let result = agent(folder.path()).invoke(payload, &Call::new("test")).await.unwrap();
    let checks = result["outputs"]["checks_uri"].as_str().unwrap().strip_prefix("file://").unwrap();
    let details: Value = serde_json::from_slice(&std::fs::read(checks).unwrap()).unwrap();
    assert_eq!(details["split"]["stratified_by"], json!({"column": "level", "kind": "classes", "count": 30}));
}

#[tokio::test]
async fn a_wrong_request_is_refused_before_anything_is_written() {
    for (sections, field) in [
        (json!({"split": {"train": 0.5}}), "config.split.train"),
        (json!({"split": {"strategy": "stratifid"}}), "config.split.strategy"),
        (json!({"split": {"trian": 0.5}}), "config.split.trian"),
        (json!({"split": {"run_id": "x"}}), "config.split.run_id"),
        (json!({"split": {"train": 0.8, "validation": 0.2, "test": 0}}), "config.split.test"),
        (json!({"preprocessing_config": {"scaler": "none"}}), "config.preprocessing_config.scaler"),
        (json!({"preprocessing_config": {"drop_columns": ["codes"]}}), "config.preprocessing_config.drop_columns"),
        (json!({"target_column": "kinds"}), "config.target_column"),
        (json!({"dataset_s3_uri": "/nowhere.csv"}), "config.dataset_s3_uri"),
    ] {
        let error = outcome(&table(60), sections.clone()).await.unwrap_err();
        assert_eq!(error.field.as_deref(), Some(field), "{sections}: {error}");
    }
    let folder = tempfile::tempdir().unwrap();
    let error = agent(folder.path()).invoke(json!({"run_id": "x"}), &Call::new("test")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidInput);
}
