//! What a person decides about a registered version is carried out.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use agent_training::TrainingAgent;
use mlops_artifacts::Artifacts;
use mlops_core::values::ArtifactUri;
use mlops_core::{AgentHandler as _, Call, Error, ErrorKind, ToolCaller};
use mlops_local::{Access, FileStore};
use mlops_ml_training::MlTraining;
use mlops_model_registry::{ModelRegistry, ModelStatus};
use mlops_records::{NewVersion, StateChange};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// A registry in which version 1 is the champion and version 2 the challenger.
struct World {
    _folder: TempDir,
    room: ModelRegistry,
    agent: TrainingAgent,
    call: Call,
}

fn version(sha256: &str) -> NewVersion {
    NewVersion {
        model_s3_uri: "s3://store/model.tar.gz".to_owned(),
        model_sha256: sha256.repeat(64),
        algorithm: "decision_tree".to_owned(),
        task: "classification".to_owned(),
        target_column: Some("kind".to_owned()),
        metrics: BTreeMap::new(),
        hyperparameters: Map::new(),
        signature: Value::Null,
        data_sha256: None,
        run_id: None,
        exports: Vec::new(),
        golden: None,
    }
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::new(folder.path(), folder.path(), Access::Anywhere);
        let artifacts = Artifacts::new(Arc::new(store), ArtifactUri::from_path(&folder.path().join("store")));
        let room = ModelRegistry::new(artifacts.clone());
        let call = Call::new("test");
        for (sha256, alias, status) in
            [("a", "champion", ModelStatus::Approved), ("b", "challenger", ModelStatus::Pending)]
        {
            let now = call.clock.now();
            let known = room.registry.register("flowers", version(sha256), now).await.unwrap().version.version;
            let change = StateChange { status: Some(status), add: vec![alias.to_owned()], ..StateChange::default() };
            room.registry.set(("flowers", known), &change, ("test", now)).await.unwrap();
        }
        let training = ToolCaller::embedded(MlTraining { artifacts });
        let agent = TrainingAgent::new(training, ToolCaller::embedded(room.clone()));
        Self { _folder: folder, room, agent, call }
    }

    async fn decide(&self, version: u64, approved: bool, lang: &str) -> Result<Value, Error> {
        let config = json!({"task": "classification", "dataset_s3_uri": "a.csv", "target_column": "kind",
            "algorithm": "auto", "model_name": "flowers", "seed": 1, "lang": lang});
        let inputs = json!({"step": "decide", "model_name": "flowers", "version": version, "approved": approved,
            "by": "ada", "reason": "looked at it"});
        let payload = json!({"run_id": "run-1", "config": config, "inputs": inputs, "lang": lang});
        self.agent.invoke(payload, &self.call).await
    }

    /// The aliases and the status of a version.
    async fn stands(&self, version: u64) -> (Vec<String>, ModelStatus) {
        let state = self.room.registry.state("flowers").await.unwrap();
        (state.aliases_of(version).cloned().collect(), state.status(version))
    }
}

#[tokio::test]
async fn an_approved_challenger_becomes_the_champion() {
    let world = World::new().await;
    let told = world.decide(2, true, "en").await.unwrap();
    assert_eq!(
        told["outputs"],
        json!({"model_name": "flowers", "version": 2, "approved": true, "by": "ada",
        "reason": "looked at it", "status": "approved", "aliases": ["champion"]})
    );
    assert_eq!(told["next_hint"], "ada approved flowers version 2: it is the champion");
    assert_eq!(world.stands(2).await, (vec!["champion".to_owned()], ModelStatus::Approved));
    assert_eq!(world.stands(1).await, (vec![], ModelStatus::Approved));
    let state = world.room.registry.state("flowers").await.unwrap();
    let last = state.changes.last().unwrap();
    assert_eq!((last.actor.as_str(), last.reason.as_deref()), ("ada", Some("looked at it")));
    assert_eq!(world.decide(2, true, "en").await.unwrap(), told);
    assert_eq!(world.room.registry.state("flowers").await.unwrap(), state, "a repeat changes nothing");
    assert!(world.decide(2, true, "ja").await.unwrap()["next_hint"].as_str().unwrap().contains("承認しました"));
}

#[tokio::test]
async fn a_rejected_challenger_is_one_no_longer() {
    let world = World::new().await;
    let told = world.decide(2, false, "en").await.unwrap();
    assert_eq!((&told["outputs"]["status"], &told["outputs"]["aliases"]), (&json!("rejected"), &json!([])));
    assert_eq!(told["next_hint"], "ada rejected flowers version 2");
    assert_eq!(world.stands(2).await, (vec![], ModelStatus::Rejected));
    assert_eq!(world.stands(1).await, (vec!["champion".to_owned()], ModelStatus::Approved));
    assert_eq!(world.decide(2, false, "en").await.unwrap(), told);
    assert!(world.decide(2, false, "ja").await.unwrap()["next_hint"].as_str().unwrap().contains("却下しました"));
}

#[tokio::test]
async fn the_champion_stays_when_the_same_model_is_not_promoted_again() {
    let world = World::new().await;
    let change = StateChange { add: vec!["challenger".to_owned()], ..StateChange::default() };
    world.room.registry.set(("flowers", 1), &change, ("test", world.call.clock.now())).await.unwrap();
    let told = world.decide(1, false, "en").await.unwrap();
    assert_eq!((&told["outputs"]["status"], &told["outputs"]["aliases"]), (&json!("approved"), &json!(["champion"])));
}

#[tokio::test]
async fn a_version_in_production_stays_there_when_it_is_approved() {
    let world = World::new().await;
    let change =
        StateChange { status: Some(ModelStatus::Production), gates_passed: Some(true), ..StateChange::default() };
    world.room.registry.set(("flowers", 2), &change, ("test", world.call.clock.now())).await.unwrap();
    assert_eq!(world.decide(2, true, "en").await.unwrap()["outputs"]["status"], "production");
}

#[tokio::test]
async fn what_is_not_there_is_told() {
    let world = World::new().await;
    let error = world.decide(9, true, "en").await.unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::NotFound, Some("version")));
    let error = world.decide(9, false, "en").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
}
