//! The agent where a request asks for a search of hyperparameters.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::sync::Arc;

use agent_training::TrainingAgent;
use mlops_artifacts::Artifacts;
use mlops_core::values::ArtifactUri;
use mlops_core::{AgentHandler, Call, Error, ErrorKind, ToolCaller};
use mlops_local::{Access, FileStore};
use mlops_ml_training::MlTraining;
use mlops_model_registry::ModelRegistry;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder with tables, and a request.
struct World {
    folder: TempDir,
    config: Value,
}

/// Two numbers that tell three kinds apart, with some rows between them, and a number that grows with both.
fn table(rows: std::ops::Range<usize>) -> String {
    let mut text = "length,width,kind,size\n".to_owned();
    for row in rows {
        let kind = row * 7 % 3;
        let length = kind as f64 * 2.0 + (row * 37 % 23) as f64 / 8.0;
        let width = (row * 13 % 17) as f64 / 4.0;
        let size = 3.0 * length - 0.5 * width + 10.0 + (row * 29 % 7) as f64 / 10.0;
        writeln!(text, "{length},{width},{},{size}", ["rose", "iris", "lily"][kind]).unwrap();
    }
    text
}

impl World {
    fn new(changes: &Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let regression = changes["task"] == "regression";
        for (name, rows) in [("train.csv", 0..90), ("validation.csv", 90..130)] {
            let mut text = table(rows);
            if regression {
                text = text.replace("rose", "0").replace("iris", "1").replace("lily", "2");
            }
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let mut config = json!({"task": "classification", "dataset_s3_uri": "table.csv", "target_column": "kind",
            "algorithm": "decision_tree", "model_name": "flowers", "seed": 42, "lang": "en",
            "hyperparameter_optimization": {"strategy": "bayesian", "max_trials": 6, "metric": "f1_score", "folds": 3}});
        config.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        Self { folder, config }
    }

    async fn train_within(&self, call: &Call) -> Result<Value, Error> {
        let home = self.folder.path().join("home");
        let store = Arc::new(FileStore::new(&home, self.folder.path(), Access::Anywhere));
        let artifacts = Artifacts::new(store, ArtifactUri::from_path(&home.join("store")));
        let training = ToolCaller::embedded(MlTraining { artifacts: artifacts.clone() });
        let agent = TrainingAgent::new(training, ToolCaller::embedded(ModelRegistry::new(artifacts)));
        let path = |name: &str| self.folder.path().join(name);
        let inputs = json!({"step": "train", "train_uri": path("train.csv"), "validation_uri": path("validation.csv")});
        let payload = json!({"run_id": "run-1", "config": self.config, "inputs": inputs, "lang": "en"});
        Ok(agent.invoke(payload, call).await?["outputs"].clone())
    }

    async fn train(&self) -> Result<Value, Error> {
        self.train_within(&Call::new("test")).await
    }

    /// The result without the folder that it lies in.
    fn anywhere(&self, outputs: &Value) -> String {
        let mut outputs = outputs.clone();
        outputs["training_time_seconds"] = Value::Null;
        for candidate in outputs["candidates"].as_array_mut().unwrap() {
            candidate["training_time_seconds"] = Value::Null;
        }
        outputs.to_string().replace(self.folder.path().to_str().unwrap(), "")
    }
}

#[tokio::test]
async fn the_model_is_trained_with_the_best_parameters_and_a_repeat_changes_nothing() {
    let world = World::new(&json!({"hyperparameters": {"min_samples_split": 4}}));
    let outputs = world.train().await.unwrap();
    let search = &outputs["search"];
    assert_eq!((&search["trials"], &search["ended_by"]), (&json!(6), &json!("max_trials")));
    assert_eq!((&search["metric"], &search["folds"], &search["note"]), (&json!("f1_macro"), &json!(3), &Value::Null));
    assert_eq!(search["convergence"].as_array().unwrap().len(), 6);
    let values = search["convergence"].as_array().unwrap().iter().map(|point| point["value"].as_f64().unwrap());
    assert_eq!(search["best_value"].as_f64(), values.reduce(f64::max));
    let place = format!("models/run-1/decision_tree-trial-{}/model.tar.gz", search["best_trial"]);
    assert!(outputs["model_s3_uri"].as_str().unwrap().ends_with(&place), "{}", outputs["model_s3_uri"]);
    assert!(search["study_uri"].as_str().unwrap().ends_with("models/run-1/decision_tree-search"));
    assert!(search["convergence_plot_uri"].as_str().unwrap().ends_with("decision_tree-search/convergence.svg"));
    assert!(search["best_params"].as_object().unwrap().keys().eq(["max_depth", "min_samples_leaf", "criterion"]));
    let candidate = &outputs["candidates"][0];
    assert_eq!((&candidate["algorithm"], &candidate["search"]["trials"]), (&json!("decision_tree"), &json!(6)));
    assert!(candidate["search"]["convergence"].is_null());
    let again = world.train().await.unwrap();
    assert_eq!(world.anywhere(&again), world.anywhere(&outputs));
}

#[tokio::test]
async fn a_task_that_was_cut_off_goes_on_to_the_same_model() {
    let whole = World::new(&json!({}));
    let expected = whole.train().await.unwrap();
    let world = World::new(&json!({}));
    let call = Call::new("test");
    let cancellation = call.cancellation.clone();
    let stop = move |progress: mlops_core::Progress| {
        if progress.message.starts_with("2 of 6") {
            cancellation.cancel();
        }
    };
    let error = world.train_within(&call.reporting_to(stop)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TimedOut);
    let found = world.train().await.unwrap();
    assert_eq!(world.anywhere(&found), whole.anywhere(&expected));
}

#[tokio::test]
async fn every_candidate_is_searched_and_the_metric_of_the_search_chooses() {
    let search = json!({"strategy": "random", "max_trials": 3, "metric": "r2", "folds": 3});
    let changes = json!({"task": "regression", "target_column": "size", "algorithm": "auto", "hyperparameter_optimization": search});
    let outputs = World::new(&changes).train().await.unwrap();
    let candidates = outputs["candidates"].as_array().unwrap();
    assert_eq!(candidates[0]["search"]["trials"], 3);
    let linear = &candidates[1];
    assert_eq!((&linear["algorithm"], &linear["search"]["trials"]), (&json!("linear_regression"), &json!(0)));
    assert!(linear["search"]["note"].as_str().unwrap().contains("nothing left"), "{linear}");
    let r2 = |candidate: &Value| candidate["metrics"]["validation_r2"].as_f64().unwrap();
    let chosen = candidates.iter().find(|candidate| candidate["chosen"] == true).unwrap();
    assert!(candidates.iter().all(|candidate| r2(candidate) <= r2(chosen)));
    assert_eq!(outputs["search"]["algorithm"], chosen["algorithm"]);
}

#[tokio::test]
async fn a_search_that_does_not_fit_stops_and_says_so() {
    let search = json!({"strategy": "random", "max_trials": 2000, "folds": 3, "time_limit_seconds": 1});
    let world = World::new(&json!({"hyperparameter_optimization": search}));
    let outputs = world.train().await.unwrap();
    let search = &outputs["search"];
    let trials = search["trials"].as_u64().unwrap();
    assert!((1..2000).contains(&trials), "{search}");
    assert_eq!(search["ended_by"], "time_limit");
    assert!(search["note"].as_str().unwrap().contains(&format!("after {trials} of 2000 trials")), "{search}");
    assert!(outputs["model_sha256"].is_string());
}

#[tokio::test]
async fn what_is_wrong_is_named_by_its_path_with_what_is_allowed() {
    let error = async |search: Value| {
        let error = World::new(&json!({"hyperparameter_optimization": search})).train().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidInput, "{error}");
        let field = error.field.clone().unwrap_or_default();
        let field = field.strip_prefix("config.hyperparameter_optimization").unwrap_or(&field).to_owned();
        (field, error.to_string())
    };
    let (field, message) = error(json!({"strategy": "genetic"})).await;
    assert!(field == ".strategy" && message.contains("bayesian"), "{field} {message}");
    let (field, message) = error(json!({"metric": "rmse"})).await;
    assert!(field == ".metric" && message.contains("log_loss, accuracy, f1_score"), "{field} {message}");
    let (field, message) = error(json!({"max_trials": 0})).await;
    assert!(field == ".max_trials" && message.contains('1'), "{field} {message}");
    assert_eq!(error(json!({"folds": 60})).await.0, ".folds");
    assert_eq!(error(json!({"search_space": {"max_dept": {"int": [1, 5]}}})).await.0, ".search_space.max_dept");
    assert_eq!(error(json!({"trials": 4})).await.0, ".trials");
}
