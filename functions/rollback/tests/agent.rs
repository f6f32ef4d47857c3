//! The agent on real models: one that works stays, one that does not is replaced, and a person's word is carried out.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use agent_rollback::RollbackAgent;
use mlops_algorithms::models::{Algorithm, Hyperparameters, Task, fit};
use mlops_algorithms::preprocess::{PreprocessConfig, Preprocessor};
use mlops_algorithms::probe::Silent;
use mlops_algorithms::target::Target;
use mlops_artifacts::{Artifacts, ModelCard, ReadOptions, Signature};
use mlops_core::values::{ArtifactUri, SupervisedTask, sha256_hex};
use mlops_core::{AgentHandler as _, Call, Error, ErrorKind, ToolCaller};
use mlops_local::{Access, FileStore};
use mlops_model_registry::tools::{RegisterModel, UpdateModelStatus};
use mlops_model_registry::{ModelRegistry, ModelStatus};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

const ROWS: &str = "length,kind\n1,a\n2,a\n3,b\n4,b\n5,a\n6,b\n7,b\n8,a\n";

/// A registry and the agent.
struct World {
    folder: TempDir,
    room: ModelRegistry,
    tools: ToolCaller<ModelRegistry>,
    agent: RollbackAgent,
    call: Call,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        let store = FileStore::new(&home, folder.path(), Access::Anywhere);
        let room = ModelRegistry::new(Artifacts::new(Arc::new(store), ArtifactUri::from_path(&home.join("store"))));
        let tools = ToolCaller::embedded(room.clone());
        std::fs::write(folder.path().join("rows.csv"), ROWS).unwrap();
        Self { folder, room, agent: RollbackAgent::new(tools.clone()), tools, call: Call::new("test").in_run("run-1") }
    }

    fn rows(&self) -> ArtifactUri {
        ArtifactUri::from_path(&self.folder.path().join("rows.csv"))
    }

    /// Registers a tree of that depth as the champion; gives the path of its file.
    async fn promote(&self, depth: u64) -> PathBuf {
        let artifacts = &self.room.artifacts;
        let loaded = artifacts.read_table(&self.rows(), &ReadOptions::default(), &self.call).await.unwrap();
        let answers = Target::classes(&loaded.table.column("kind").unwrap().values, None).unwrap();
        let features = loaded.table.without(&["kind"]);
        let config = PreprocessConfig::default();
        let (preprocessor, made) = Preprocessor::fit_transform(&features, Some(&answers), &config, 1).unwrap();
        let given: Map<String, Value> = json!({"max_depth": depth}).as_object().unwrap().clone();
        let parameters = Hyperparameters::parse(Algorithm::DecisionTree, Task::Classification, &given).unwrap();
        let view = made.features.view();
        let model = fit(Algorithm::DecisionTree, view, &answers, None, &parameters, 7, &Silent).unwrap().model;
        let card = ModelCard {
            format: 1,
            task: SupervisedTask::Classification,
            algorithm: "decision_tree".to_owned(),
            target_column: "kind".to_owned(),
            classes: Some(model.labels().to_vec()),
            feature_names: preprocessor.feature_names(),
            signature: Signature { inputs: Vec::new(), output: "class".to_owned() },
            hyperparameters: given,
            metrics: BTreeMap::new(),
            feature_importance: BTreeMap::new(),
            seed: 7,
            train_sha256: loaded.source.sha256,
            validation_sha256: None,
            preprocessor_sha256: Some(sha256_hex(&serde_json::to_vec(&preprocessor).unwrap())),
            preprocessor: Some(preprocessor),
            weights_sha256: String::new(),
            library_version: "0.1.0".to_owned(),
        };
        let uri = artifacts.root().join("models").join(&format!("{depth}.tar.gz"));
        artifacts.write_model(&uri, card, &model).await.unwrap();
        let register = json!({"model_name": "things", "model_s3_uri": uri, "status": "approved", "aliases": ["champion"],
            "golden_data_s3_uri": self.rows()});
        let register: RegisterModel = serde_json::from_value(register).unwrap();
        self.tools.call(register, &self.call).await.unwrap();
        uri.to_path().unwrap()
    }

    async fn update(&self, change: Value) {
        let change: UpdateModelStatus = serde_json::from_value(change).unwrap();
        self.tools.call(change, &self.call).await.unwrap();
    }

    async fn invoke_in(&self, lang: &str, inputs: Value) -> Result<Value, Error> {
        let config = json!({"task": "classification", "dataset_s3_uri": "rows.csv", "target_column": "kind",
            "algorithm": "auto", "model_name": "things", "seed": 1, "lang": lang});
        let payload = json!({"run_id": "run-1", "config": config, "inputs": inputs, "lang": lang});
        Ok(self.agent.invoke(payload, &self.call).await?["outputs"].clone())
    }

    async fn smoke(&self, version: u64) -> Value {
        self.invoke_in("en", json!({"step": "smoke", "model_name": "things", "version": version})).await.unwrap()
    }

    async fn back(&self, more: Value) -> Result<Value, Error> {
        let mut inputs = json!({"step": "rollback", "model_name": "things", "by": "ada"});
        inputs.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.invoke_in("en", inputs).await
    }

    async fn stands(&self, version: u64) -> (Option<u64>, ModelStatus) {
        let state = self.room.registry.state("things").await.unwrap();
        (state.aliases.get("champion").copied(), state.status(version))
    }
}

#[tokio::test]
async fn a_version_that_works_stays() {
    let world = World::new();
    world.promote(1).await;
    let told = world.smoke(1).await;
    let verification = json!({"version": 1, "sha256_matches": true, "loaded": true, "golden_rows": 8,
        "max_abs_difference": 0.0, "label_flips": 0, "passed": true});
    assert_eq!(
        told,
        json!({"model_name": "things", "version": 1, "healthy": true,
        "reason": "version 1 predicts its 8 golden rows as it did", "verification": verification, "rolled_back": null,
        "champion": 1})
    );
    assert_eq!(world.smoke(1).await, told);
    let inputs = json!({"step": "smoke", "model_name": "things", "version": 1});
    assert!(world.invoke_in("ja", inputs).await.unwrap()["reason"].as_str().unwrap().contains("同じ予測"));
}

#[tokio::test]
async fn a_version_that_does_not_work_is_replaced_by_the_one_before() {
    let world = World::new();
    world.promote(1).await;
    let second = world.promote(2).await;
    world.update(json!({"model_name": "things", "version": 2, "aliases": ["challenger"]})).await;
    std::fs::write(second, "damaged").unwrap();
    let told = world.smoke(2).await;
    assert_eq!((&told["healthy"], &told["champion"]), (&json!(false), &json!(1)));
    assert_eq!(told["rolled_back"], json!({"from": 2, "to": 1}));
    assert_eq!(told["verification"]["sha256_matches"], false);
    let reason = told["reason"].as_str().unwrap();
    assert!(reason.starts_with("version 2 does not work") && reason.ends_with("version 1 is the champion again"));
    assert_eq!(world.stands(2).await, (Some(1), ModelStatus::Rejected));
    assert_eq!(world.smoke(2).await, told, "a repeat of the task gives the same");
}

#[tokio::test]
async fn without_a_version_before_there_is_no_champion_left() {
    let world = World::new();
    let first = world.promote(1).await;
    std::fs::remove_file(first).unwrap();
    let told = world.smoke(1).await;
    assert_eq!((&told["rolled_back"], &told["champion"]), (&json!({"from": 1, "to": null}), &json!(null)));
    assert_eq!(world.stands(1).await, (None, ModelStatus::Rejected));
    assert_eq!(world.smoke(1).await, told);
}

#[tokio::test]
async fn a_version_before_that_does_not_work_either_is_not_taken() {
    let world = World::new();
    for path in [world.promote(1).await, world.promote(2).await] {
        std::fs::write(path, "damaged").unwrap();
    }
    let told = world.smoke(2).await;
    assert_eq!((&told["rolled_back"], &told["champion"]), (&json!({"from": 2, "to": null}), &json!(null)));
    assert!(told["reason"].as_str().unwrap().contains("things version 1 cannot be used"), "{told}");
    assert_eq!(world.stands(2).await, (None, ModelStatus::Rejected));
}

#[tokio::test]
async fn another_champion_stays() {
    let world = World::new();
    let first = world.promote(1).await;
    world.promote(2).await;
    world.promote(3).await;
    std::fs::write(first, "damaged").unwrap();
    let told = world.smoke(1).await;
    assert_eq!((&told["healthy"], &told["rolled_back"], &told["champion"]), (&json!(false), &json!(null), &json!(3)));
    assert_eq!(world.stands(1).await, (Some(3), ModelStatus::Rejected));
    world.update(json!({"model_name": "things", "version": 1, "status": "archived"})).await;
    assert_eq!(world.smoke(1).await["healthy"], false);
    assert_eq!(world.stands(1).await, (Some(3), ModelStatus::Archived), "an archived version stays archived");
}

#[tokio::test]
async fn a_person_rolls_back_once_or_to_a_version() {
    let world = World::new();
    for depth in 1..=3 {
        world.promote(depth).await;
    }
    let told = world.back(json!({"reason": "it is slow"})).await.unwrap();
    assert_eq!((&told["version"], &told["healthy"], &told["champion"]), (&json!(2), &json!(true), &json!(2)));
    assert_eq!(told["rolled_back"], json!({"from": 3, "to": 2}));
    assert_eq!(told["reason"], "the champion went back from version 3 to version 2");
    assert_eq!(world.back(json!({"reason": "it is slow"})).await.unwrap(), told, "a repeat of the task gives the same");
    let told = world.back(json!({"to_version": 1})).await.unwrap();
    assert_eq!(told["rolled_back"], json!({"from": 2, "to": 1}));
    assert_eq!(world.back(json!({"to_version": 1})).await.unwrap(), told);
    let state = world.room.registry.state("things").await.unwrap();
    let last = state.last_move("champion").unwrap();
    assert_eq!((last.actor.as_str(), last.reason.as_deref()), ("ada", Some("ada asked for it")));
}

#[tokio::test]
async fn a_rollback_to_what_cannot_be_used_is_refused_with_the_reason() {
    let world = World::new();
    let first = world.promote(1).await;
    world.promote(2).await;
    let good = std::fs::read(&first).unwrap();
    std::fs::write(&first, "damaged").unwrap();
    let told = world.back(json!({})).await.unwrap();
    assert_eq!((&told["healthy"], &told["rolled_back"], &told["champion"]), (&json!(false), &json!(null), &json!(2)));
    assert!(told["reason"].as_str().unwrap().starts_with("version 1 cannot be used"), "{told}");
    std::fs::write(&first, good).unwrap();
    world.update(json!({"model_name": "things", "version": 1, "status": "rejected"})).await;
    let told = world.back(json!({})).await.unwrap();
    assert_eq!((&told["healthy"], &told["verification"]["passed"]), (&json!(false), &json!(true)));
    assert!(told["reason"].as_str().unwrap().contains("rejected"), "{told}");
    assert_eq!(world.stands(1).await.0, Some(2));
}

#[tokio::test]
async fn what_is_not_there_is_told() {
    let world = World::new();
    world.promote(1).await;
    assert_eq!(world.back(json!({})).await.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(world.back(json!({"to_version": 7})).await.unwrap_err().kind, ErrorKind::NotFound);
    let error = world.back(json!({"by": " "})).await.unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("inputs.by")));
    let unknown = json!({"step": "smoke", "model_name": "things", "version": 9});
    assert_eq!(world.invoke_in("en", unknown).await.unwrap_err().kind, ErrorKind::NotFound);
    let error = world.invoke_in("en", json!({"step": "forward"})).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidInput);
}
