//! The agent on real payloads: trained after data preparation, then registered.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use agent_data_preparation::DataPreparationAgent;
use agent_training::TrainingAgent;
use mlops_artifacts::Artifacts;
use mlops_core::values::ArtifactUri;
use mlops_core::{AgentHandler, Call, Error, ErrorKind, ToolCaller};
use mlops_data_preparation::DataPreparation;
use mlops_local::{Access, FileStore};
use mlops_ml_training::MlTraining;
use mlops_model_registry::ModelRegistry;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder in which a data set was prepared.
struct Prepared {
    folder: TempDir,
    config: Value,
    data: Value,
}

fn artifacts(folder: &Path) -> Artifacts {
    let home = folder.join("home");
    let store = Arc::new(FileStore::new(&home, folder, Access::Anywhere));
    Artifacts::new(store, ArtifactUri::from_path(&home.join("store")))
}

fn table(rows: usize) -> String {
    let mut text = "length,width,colour,kind,size\n".to_owned();
    for row in 0..rows {
        let kind = row * 7 % 3;
        let length = kind as f64 * 2.0 + (row * 37 % 23) as f64 / 10.0;
        let width = (row * 13 % 17) as f64 / 4.0;
        let size = 3.0 * length - 0.5 * width + 10.0 + (row * 29 % 7) as f64 / 10.0;
        let colour = ["red", "blue", "white", "pink"][row * 5 % 4];
        writeln!(text, "{length},{width},{colour},{},{size}", ["rose", "iris", "lily"][kind]).unwrap();
    }
    text
}

impl Prepared {
    async fn new(sections: Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        std::fs::write(&path, table(150)).unwrap();
        let mut config = json!({"task": "classification", "dataset_s3_uri": path, "target_column": "kind",
            "algorithm": "auto", "model_name": "flowers", "seed": 42, "lang": "en"});
        config.as_object_mut().unwrap().extend(sections.as_object().unwrap().clone());
        let artifacts = artifacts(folder.path());
        let tools = ToolCaller::embedded(DataPreparation { artifacts: artifacts.clone() });
        let payload = json!({"run_id": "run-1", "config": config, "inputs": {}});
        let agent = DataPreparationAgent::new(tools, artifacts);
        let data = agent.invoke(payload, &Call::new("test")).await.unwrap()["outputs"].clone();
        Self { folder, config, data }
    }

    async fn invoke(&self, inputs: Value) -> Result<Value, Error> {
        let artifacts = artifacts(self.folder.path());
        let training = ToolCaller::embedded(MlTraining { artifacts: artifacts.clone() });
        let agent = TrainingAgent::new(training, ToolCaller::embedded(ModelRegistry::new(artifacts)));
        let payload = json!({"run_id": "run-1", "config": self.config, "inputs": inputs, "lang": self.config["lang"]});
        agent.invoke(payload, &Call::new("test")).await
    }

    fn train(&self) -> Value {
        let data = &self.data;
        json!({"step": "train", "train_uri": data["processed"]["train"],
            "validation_uri": data["processed"]["validation"], "preprocessor_uri": data["preprocessor_uri"]})
    }
}

#[tokio::test]
async fn the_best_candidate_is_kept_and_all_are_told() {
    let prepared = Prepared::new(json!({})).await;
    let result = prepared.invoke(prepared.train()).await.unwrap();
    let outputs = &result["outputs"];
    let candidates = outputs["candidates"].as_array().unwrap();
    let names = candidates.iter().map(|candidate| candidate["algorithm"].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(names, ["random_forest", "logistic_regression"]);
    let chosen = candidates.iter().filter(|candidate| candidate["chosen"] == true).collect::<Vec<_>>();
    assert_eq!(chosen.len(), 1);
    assert_eq!(chosen[0]["algorithm"], outputs["algorithm"]);
    let f1 = |candidate: &Value| candidate["metrics"]["validation_f1_macro"].as_f64().unwrap();
    assert!(candidates.iter().all(|candidate| f1(candidate) <= f1(chosen[0])));
    assert_eq!(outputs["metrics"], chosen[0]["metrics"]);
    assert_eq!(result["artifacts"][0]["sha256"], outputs["model_sha256"]);
    let again = prepared.invoke(prepared.train()).await.unwrap();
    assert_eq!(again["outputs"]["model_sha256"], outputs["model_sha256"]);
}

#[tokio::test]
async fn a_judged_model_is_registered_once() {
    let prepared = Prepared::new(json!({"algorithm": "decision_tree", "lang": "ja"})).await;
    let trained = prepared.invoke(prepared.train()).await.unwrap();
    assert!(trained["next_hint"].as_str().unwrap().contains("評価します"));
    let register = json!({"step": "register", "model_s3_uri": trained["outputs"]["model_s3_uri"],
        "metrics": {"accuracy": 0.9, "auc_roc": null}, "decision": "needs_human", "data_sha256": prepared.data["data_sha256"],
        "test_uri": prepared.data["test_uri"], "gates": [{"metric": "accuracy", "passed": false}]});
    let waiting = prepared.invoke(register.clone()).await.unwrap();
    let outputs = &waiting["outputs"];
    assert_eq!((&outputs["model_name"], &outputs["version"]), (&json!("flowers"), &json!(1)));
    assert_eq!(outputs["already_registered"], false);
    assert_eq!((&outputs["status"], &outputs["gates_passed"]), (&json!("pending"), &json!(false)));
    let mut promote = register;
    promote["decision"] = json!("promote");
    promote.as_object_mut().unwrap().remove("gates");
    let promoted = prepared.invoke(promote.clone()).await.unwrap();
    assert_eq!(
        (&promoted["outputs"]["version"], &promoted["outputs"]["already_registered"]),
        (&json!(1), &json!(true))
    );
    let outputs = &promoted["outputs"];
    assert_eq!((&outputs["status"], &outputs["gates_passed"]), (&json!("approved"), &json!(true)));
    let registry = ModelRegistry::new(artifacts(prepared.folder.path()));
    let state = registry.registry.state("flowers").await.unwrap();
    assert_eq!((state.aliases["champion"], state.aliases["challenger"]), (1, 1));
    let versions = registry.registry.versions("flowers").await.unwrap();
    assert_eq!(versions[0].model.metrics.len(), 1);
    assert_eq!(versions[0].model.golden.as_ref().unwrap().rows, 20);
    promote["decision"] = json!("reject");
    assert_eq!(prepared.invoke(promote).await.unwrap_err().kind, ErrorKind::InvalidInput);
}

#[tokio::test]
async fn a_regression_is_chosen_by_its_error() {
    let prepared = Prepared::new(json!({"task": "regression", "target_column": "size"})).await;
    let result = prepared.invoke(prepared.train()).await.unwrap();
    assert_eq!(result["outputs"]["algorithm"], "linear_regression");
    assert!(result["metrics"]["validation_rmse"].as_f64().unwrap() < 1.0);
}

#[tokio::test]
async fn without_validation_rows_folds_decide() {
    let split = json!({"split": {"train": 0.8, "validation": 0, "test": 0.2}});
    let prepared = Prepared::new(split).await;
    let result = prepared.invoke(prepared.train()).await.unwrap();
    let candidates = result["outputs"]["candidates"].as_array().unwrap();
    assert!(candidates.iter().all(|candidate| candidate["metrics"]["cross_validation_f1_macro"].is_number()));
}

#[tokio::test]
async fn the_learning_curve_of_the_chosen_model_is_told_once() {
    let prepared = Prepared::new(json!({"algorithm": "xgboost", "hyperparameters": {"n_estimators": 12}})).await;
    let outputs = prepared.invoke(prepared.train()).await.unwrap()["outputs"].clone();
    let curve = &outputs["learning_curve"];
    assert_eq!(curve["points"].as_array().unwrap().len(), 12);
    assert!(curve["diagnosis"].is_string() && curve["plot_uri"].as_str().unwrap().ends_with("learning_curve.svg"));
    assert_eq!(outputs["candidates"][0].get("learning_curve"), None);
    let prepared = Prepared::new(json!({"algorithm": "decision_tree"})).await;
    let outputs = prepared.invoke(prepared.train()).await.unwrap()["outputs"].clone();
    assert_eq!(outputs.get("learning_curve"), None);
}

#[tokio::test]
async fn a_candidate_that_does_not_know_the_hyperparameters_is_left_out() {
    let prepared = Prepared::new(json!({"hyperparameters": {"n_estimators": 5}})).await;
    let outputs = prepared.invoke(prepared.train()).await.unwrap()["outputs"].clone();
    assert_eq!(outputs["algorithm"], "random_forest");
    assert!(outputs["candidates"][1]["left_out"].as_str().unwrap().contains("n_estimators"));
    let prepared = Prepared::new(json!({"hyperparameters": {"no_such": 5}})).await;
    let error = prepared.invoke(prepared.train()).await.unwrap_err();
    assert_eq!(error.field.as_deref(), Some("config.hyperparameters.no_such"));
}

#[tokio::test]
async fn nothing_is_learnt_from_test_rows() {
    let prepared = Prepared::new(json!({"algorithm": "decision_tree"})).await;
    let mut inputs = prepared.train();
    inputs["train_uri"] = prepared.data["processed"]["test"].clone();
    let error = prepared.invoke(inputs).await.unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("train_data_s3_uri")));
}

#[tokio::test]
async fn raw_columns_are_made_into_features_by_the_preprocessor() {
    let prepared = Prepared::new(json!({"algorithm": "decision_tree"})).await;
    let from_features = prepared.invoke(prepared.train()).await.unwrap();
    let mut inputs = prepared.train();
    inputs["train_uri"] = prepared.data["train_uri"].clone();
    inputs["validation_uri"] = prepared.data["validation_uri"].clone();
    let from_raw = prepared.invoke(inputs).await.unwrap();
    assert_eq!(from_raw["metrics"], from_features["metrics"]);
}

#[tokio::test]
async fn an_unknown_algorithm_is_refused_with_the_nearest() {
    let prepared = Prepared::new(json!({"algorithm": "random_forrest"})).await;
    let error = prepared.invoke(prepared.train()).await.unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("config.algorithm")));
    assert!(error.hint.unwrap().contains("random_forest"));
    let error = prepared.invoke(json!({"step": "trian"})).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidInput);
}

#[tokio::test]
async fn clusters_and_maps_are_learnt_from_every_row() {
    let unsupervised =
        |task: &str, algorithm: &str| json!({"task": task, "algorithm": algorithm, "target_column": null});
    let prepared = Prepared::new(unsupervised("clustering", "auto")).await;
    assert_eq!((&prepared.data["test_uri"], &prepared.data["facts"]["rows"]), (&Value::Null, &json!({"all": 150})));
    let learn = json!({"step": "learn_structure", "data_uri": prepared.data["train_uri"],
        "preprocessor_uri": prepared.data["preprocessor_uri"]});
    let result = prepared.invoke(learn.clone()).await.unwrap();
    let outputs = &result["outputs"];
    let candidates = outputs["candidates"].as_array().unwrap();
    assert_eq!(candidates.len(), 3);
    assert_eq!((&candidates[0]["chosen"], &candidates[0]["algorithm"]), (&json!(true), &outputs["algorithm"]));
    assert_eq!((&outputs["rows"], &outputs["reduction_uri"]), (&json!(150), &Value::Null));
    let again = prepared.invoke(learn.clone()).await.unwrap();
    assert_eq!(again["artifacts"], result["artifacts"], "a repeated task gives the same model");
    let hashes = |result: &Value| {
        let tried = result["outputs"]["candidates"].as_array().unwrap().iter();
        tried.map(|one| one["model_sha256"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(hashes(&again), hashes(&result));
    let train = prepared.invoke(prepared.train()).await.unwrap_err();
    assert_eq!(train.field.as_deref(), Some("config.task"));
    let map = Prepared::new(unsupervised("dimensionality_reduction", "pca")).await;
    let learn = json!({"step": "learn_structure", "data_uri": map.data["train_uri"],
        "preprocessor_uri": map.data["preprocessor_uri"]});
    let result = map.invoke(learn.clone()).await.unwrap();
    assert!(result["outputs"]["reduction_uri"].is_string() && result["metrics"]["explained_variance"].is_number());
    let mut wrong = map;
    wrong.config["hyperparameters"] = json!({"n_components": 99});
    let error = wrong.invoke(learn).await.unwrap_err();
    assert_eq!(
        (error.kind, error.field.as_deref()),
        (ErrorKind::InvalidInput, Some("config.hyperparameters.n_components"))
    );
}
