//! A store in a folder of its own, and models to put into it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use mlops_algorithms::models::{Algorithm, Hyperparameters, Task, fit};
use mlops_algorithms::preprocess::{PreprocessConfig, Preprocessor};
use mlops_algorithms::probe::Silent;
use mlops_algorithms::target::Target;
use mlops_artifacts::{Artifacts, EncodedModel, ModelCard, ReadOptions, Signature};
use mlops_core::values::{ArtifactUri, SupervisedTask, sha256_hex};
use mlops_core::{Call, Error, Lang, Result};
use mlops_local::{Access, FileStore};
use mlops_model_registry::ModelRegistry;
use mlops_model_registry::tools::TOOLS;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder with a store and a room.
pub(crate) struct Place {
    folder: TempDir,
    pub(crate) room: ModelRegistry,
    pub(crate) call: Call,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        let store = FileStore::new(&home, folder.path(), Access::Anywhere);
        let root = ArtifactUri::from_path(&home.join("store"));
        let room = ModelRegistry::new(Artifacts::new(Arc::new(store), root));
        Self { folder, room, call: Call::new("test").by("tester").in_run("run-1") }
    }

    /// Calls a tool by its name, as front doors do.
    pub(crate) async fn call(&self, name: &str, arguments: Value) -> Result<Value> {
        let entry = TOOLS.iter().find(|entry| entry.name == name).unwrap();
        Ok((entry.run)(&self.room, &self.call, arguments).await?.value)
    }

    /// The one line that people read of a call.
    pub(crate) async fn summary(&self, name: &str, arguments: Value, lang: Lang) -> String {
        let entry = TOOLS.iter().find(|entry| entry.name == name).unwrap();
        (entry.run)(&self.room, &self.call.clone().in_lang(lang), arguments).await.unwrap().summary
    }

    pub(crate) async fn error(&self, name: &str, arguments: Value) -> Error {
        self.call(name, arguments).await.unwrap_err()
    }

    /// Writes a file and gives its path.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// A decision tree of that depth that tells two kinds apart; another depth is another model.
    pub(crate) async fn classifier(&self, depth: u64) -> ArtifactUri {
        self.model("kind", Algorithm::DecisionTree, depth).await
    }

    /// A model of that column.
    pub(crate) async fn model(&self, target: &str, algorithm: Algorithm, depth: u64) -> ArtifactUri {
        let artifacts = &self.room.artifacts;
        let rows = ArtifactUri::new(self.file("train.csv", rows(0, 60)).display().to_string()).unwrap();
        let loaded = artifacts.read_table(&rows, &ReadOptions::default(), &self.call).await.unwrap();
        let values = &loaded.table.column(target).unwrap().values;
        let (task, kind, answers) = if target == "weight" {
            (Task::Regression, SupervisedTask::Regression, Target::numbers(values).unwrap())
        } else {
            (Task::Classification, SupervisedTask::Classification, Target::classes(values, None).unwrap())
        };
        let features = loaded.table.without(&["kind", "weight"]);
        let config = PreprocessConfig::default();
        let (preprocessor, made) = Preprocessor::fit_transform(&features, Some(&answers), &config, 1).unwrap();
        let given = if depth == 0 { json!({}) } else { json!({"max_depth": depth}) };
        let given = given.as_object().unwrap().clone();
        let parameters = Hyperparameters::parse(algorithm, task, &given).unwrap();
        let fitted = fit(algorithm, made.features.view(), &answers, None, &parameters, 7, &Silent).unwrap();
        let card = ModelCard {
            format: 1,
            task: kind,
            algorithm: algorithm.as_str().to_owned(),
            target_column: target.to_owned(),
            classes: (task == Task::Classification).then(|| fitted.model.labels().to_vec()),
            feature_names: preprocessor.feature_names(),
            signature: Signature { inputs: Vec::new(), output: "prediction".to_owned() },
            hyperparameters: given,
            metrics: BTreeMap::from([("train_score".to_owned(), 0.5 + depth as f64 / 100.0)]),
            feature_importance: BTreeMap::new(),
            seed: 7,
            train_sha256: loaded.source.sha256,
            validation_sha256: None,
            preprocessor_sha256: Some(sha256_hex(&serde_json::to_vec(&preprocessor).unwrap())),
            preprocessor: Some(preprocessor),
            weights_sha256: String::new(),
            library_version: "0.1.0".to_owned(),
        };
        let uri = artifacts.root().join("models").join(&format!("{target}-{algorithm}-{depth}.tar.gz"));
        artifacts.write_encoded(&uri, EncodedModel::new(card, &fitted.model).unwrap()).await.unwrap();
        uri
    }

    /// Registers that many different versions of `things`; each has its own depth.
    pub(crate) async fn versions(&self, count: u64) {
        for depth in 1..=count {
            let model = self.classifier(depth).await;
            self.call("register_model", json!({"model_name": "things", "model_s3_uri": model})).await.unwrap();
        }
    }

    /// Registers a model with golden rows; gives the version's number.
    pub(crate) async fn register(&self, model: &ArtifactUri, more: Value) -> u64 {
        let rows = self.file("test.csv", rows(1000, 50)).display().to_string();
        let mut arguments = json!({"model_name": "things", "model_s3_uri": model, "golden_data_s3_uri": rows});
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.call("register_model", arguments).await.unwrap()["version"].as_u64().unwrap()
    }

    /// Two versions of which the second took the alias champion from the first.
    pub(crate) async fn two_champions(&self) -> [ArtifactUri; 2] {
        let models = [self.classifier(1).await, self.classifier(2).await];
        for model in &models {
            self.register(model, json!({"status": "approved", "aliases": ["champion"]})).await;
        }
        models
    }

    /// The version that the champion is.
    pub(crate) async fn champion(&self) -> Option<u64> {
        self.room.registry.state("things").await.unwrap().aliases.get("champion").copied()
    }

    /// Changes the record of a version and the golden rows that it names, as no tool would.
    pub(crate) fn tamper(&self, version: u64, change: impl Fn(&mut Value)) {
        let record = self.folder.path().join(format!("home/store/registry/things/versions/{version:08}.json"));
        let mut told: Value = serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
        let golden = ArtifactUri::new(told["golden"]["uri"].as_str().unwrap()).unwrap().to_path().unwrap();
        let mut document: Value = serde_json::from_slice(&std::fs::read(&golden).unwrap()).unwrap();
        change(&mut document);
        let bytes = serde_json::to_vec(&document).unwrap();
        told["golden"]["sha256"] = json!(sha256_hex(&bytes));
        std::fs::write(golden, bytes).unwrap();
        std::fs::write(record, serde_json::to_vec(&told).unwrap()).unwrap();
    }

    /// Every file below the store with its bytes.
    pub(crate) fn stored(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.folder.path().join("home/store")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.insert(path.clone(), std::fs::read(path).unwrap());
                }
            }
        }
        found
    }
}

/// A length and a colour that tell two kinds apart with some noise, and a weight that grows with the length.
pub(crate) fn rows(first: u64, count: u64) -> String {
    let mut text = "length,colour,kind,weight\n".to_owned();
    for row in first..first + count {
        let draw = row.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        let (kind, noise) = (draw % 2, (draw / 7 % 100) as f64 / 40.0);
        let colour = ["red", "green", "blue"][(draw / 3 % 3) as usize];
        let length = 10.0 + 1.5 * kind as f64 + noise;
        let (kind, weight) = (["no", "yes"][kind as usize], length * 3.0 + noise);
        writeln!(text, "{length},{colour},{kind},{weight}").unwrap();
    }
    text
}
