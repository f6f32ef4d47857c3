//! A store in a temporary folder with real tables and real models, for the tests of this crate.

use std::fmt::Write as _;
use std::sync::Arc;

use mlops_algorithms::models::{Algorithm, Hyperparameters, Task, fit};
use mlops_algorithms::preprocess::{PreprocessConfig, Preprocessor};
use mlops_algorithms::probe::Silent;
use mlops_algorithms::table::Table;
use mlops_algorithms::target::Target;
use mlops_artifacts::{Artifacts, ModelCard, ReadOptions, Signature};
use mlops_core::ports::Condition;
use mlops_core::values::{ArtifactUri, SupervisedTask, sha256_hex};
use mlops_core::{Call, ErrorKind, Lang};
use mlops_local::{Access, FileStore};
use serde_json::{Map, json};

use crate::MlEvaluation;

/// A store in a temporary folder.
pub(crate) struct World {
    folder: tempfile::TempDir,
    /// The room.
    pub room: MlEvaluation,
    /// A call.
    pub call: Call,
}

/// Numbers that look random and are the same every time.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::new(folder.path().join("home"), folder.path(), Access::Anywhere);
        let root = ArtifactUri::from_path(&folder.path().join("home/store"));
        let room = MlEvaluation { artifacts: Artifacts::new(Arc::new(store), root) };
        Self { folder, room, call: Call::new("test") }
    }

    /// The call in Japanese.
    pub(crate) fn japanese(&self) -> Call {
        self.call.clone().in_lang(Lang::Ja)
    }

    /// The URI of a file in the folder.
    pub(crate) fn uri(&self, name: &str) -> ArtifactUri {
        ArtifactUri::from_path(&self.folder.path().join("home").join(name))
    }

    /// Writes text to a file.
    pub(crate) async fn write(&self, name: &str, text: &str) -> ArtifactUri {
        let uri = self.uri(name);
        self.room.artifacts.write_bytes(&uri, text.to_owned(), Condition::None).await.unwrap();
        uri
    }

    /// Reads a file as text.
    pub(crate) async fn read(&self, uri: &str) -> String {
        let uri = ArtifactUri::new(uri).unwrap();
        String::from_utf8(self.room.artifacts.read_bytes(&uri, 1 << 26).await.unwrap().to_vec()).unwrap()
    }

    /// Whether there is a file.
    pub(crate) async fn exists(&self, uri: &str) -> bool {
        let uri = ArtifactUri::new(uri).unwrap();
        match self.room.artifacts.store().head(&uri).await {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind, ErrorKind::NotFound);
                false
            }
        }
    }

    /// Fits a model to the table with a preprocessor, and writes it.
    pub(crate) async fn fit(&self, train: &ArtifactUri, target: &str, algorithm: Algorithm, depth: u32) -> ArtifactUri {
        let loaded = self.room.artifacts.read_table(train, &ReadOptions::default(), &self.call).await.unwrap();
        let values = &loaded.table.column(target).unwrap().values;
        let regression = !Target::looks_like_classes(values);
        let (task, kind) = if regression {
            (Task::Regression, SupervisedTask::Regression)
        } else {
            (Task::Classification, SupervisedTask::Classification)
        };
        let answers = if regression { Target::numbers(values) } else { Target::classes(values, None) }.unwrap();
        let features: Table = loaded.table.without(&[target]);
        let config = PreprocessConfig::default();
        let (preprocessor, made) = Preprocessor::fit_transform(&features, Some(&answers), &config, 1).unwrap();
        let given = match algorithm {
            Algorithm::DecisionTree => json!({"max_depth": depth}),
            Algorithm::RandomForest => json!({"n_estimators": 30, "max_depth": depth}),
            _ => json!({}),
        };
        let parameters = Hyperparameters::parse(algorithm, task, given.as_object().unwrap_or(&Map::new())).unwrap();
        let answers = answers.take(&made.kept_rows);
        let fitted = fit(algorithm, made.features.view(), &answers, None, &parameters, 7, &Silent).unwrap();
        let names = preprocessor.feature_names();
        let importance = names.iter().enumerate().map(|(at, name)| (name.clone(), 1.0 / (at as f64 + 1.5))).collect();
        let card = ModelCard {
            format: 1,
            task: kind,
            algorithm: algorithm.as_str().to_owned(),
            target_column: target.to_owned(),
            classes: (!regression).then(|| fitted.model.labels().to_vec()),
            feature_names: names,
            signature: Signature { inputs: Vec::new(), output: "prediction".to_owned() },
            hyperparameters: given.as_object().cloned().unwrap_or_default(),
            metrics: [("train_loss".to_owned(), 0.1)].into(),
            feature_importance: importance,
            seed: 7,
            train_sha256: loaded.source.sha256,
            validation_sha256: None,
            preprocessor_sha256: Some(sha256_hex(&serde_json::to_vec(&preprocessor).unwrap())),
            preprocessor: Some(preprocessor),
            weights_sha256: String::new(),
            library_version: "0.1.0".to_owned(),
        };
        let uri = self.uri(&format!("models/{target}-{algorithm}-{depth}.tar.gz"));
        self.room.artifacts.write_model(&uri, card, &fitted.model).await.unwrap();
        uri
    }
}

/// A table of animals as CSV: `length`, `mass`, `island`, and the column `kind` with that many classes of the given name.
pub(crate) fn animals(rows: usize, names: &[&str], seed: u64) -> String {
    let mut draws = Draws(seed);
    let mut text = "length,mass,island,kind\n".to_owned();
    for row in 0..rows {
        // The first classes are more frequent than the last.
        let class = ((draws.next().powf(1.4)) * names.len() as f64) as usize % names.len();
        let length = 10.0 + 3.0 * class as f64 + 5.0 * draws.next();
        let mass = if row % 17 == 3 {
            String::new()
        } else {
            format!("{:.2}", 100.0 + 40.0 * draws.next() + class as f64 * 9.0)
        };
        let island = ["Torgersen", "Biscoe", "Dream"][(draws.next() * 3.0) as usize];
        let _ = writeln!(text, "{length:.3},{mass},{island},\"{}\"", names[class].replace('"', "\"\""));
    }
    text
}

/// A table of houses as CSV: `area`, `rooms`, `quarter`, and the number `price`.
pub(crate) fn houses(rows: usize, seed: u64) -> String {
    let mut draws = Draws(seed);
    let mut text = "area,rooms,quarter,price\n".to_owned();
    for _ in 0..rows {
        let (area, rooms) = (30.0 + 150.0 * draws.next(), 1.0 + (6.0 * draws.next()).floor());
        let quarter = ["north", "south", "old town", "harbour"][(draws.next() * 4.0) as usize];
        let noise = (draws.next() + draws.next() + draws.next() - 1.5) * 40_000.0;
        let price = area * 2_500.0 + rooms * 12_000.0 + noise + if quarter == "harbour" { 60_000.0 } else { 0.0 };
        let _ = writeln!(text, "{area:.1},{rooms},{quarter},{price:.0}");
    }
    text
}
