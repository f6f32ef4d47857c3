//! A store in a folder of its own, and tables to put into it.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use mlops_algorithms::preprocess::{PreprocessConfig, Preprocessor};
use mlops_algorithms::table::{Column, NumberKind, Table, Values};
use mlops_algorithms::target::Target;
use mlops_artifacts::{Artifacts, LoadedModel, Manifest, ManifestColumn, ReadOptions, TableFormat};
use mlops_core::values::{ArtifactUri, TaskType};
use mlops_core::{Call, Error, Result};
use mlops_local::{Access, FileStore};
use mlops_ml_training::MlTraining;
use mlops_ml_training::tools::TOOLS;
use serde_json::Value;
use tempfile::TempDir;

/// A folder with a store and a room.
pub(crate) struct Place {
    folder: TempDir,
    pub(crate) room: MlTraining,
    pub(crate) call: Call,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        let store = FileStore::new(&home, folder.path(), Access::Anywhere);
        let root = ArtifactUri::from_path(&home.join("store"));
        let room = MlTraining { artifacts: Artifacts::new(Arc::new(store), root) };
        Self { folder, room, call: Call::new("test") }
    }

    /// Writes a file and gives its path.
    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Calls a tool by its name, as front doors do.
    pub(crate) async fn call(&self, name: &str, arguments: Value) -> Result<Value> {
        let entry = TOOLS.iter().find(|entry| entry.name == name).unwrap();
        Ok((entry.run)(&self.room, &self.call, arguments).await?.value)
    }

    pub(crate) async fn error(&self, name: &str, arguments: Value) -> Error {
        self.call(name, arguments).await.unwrap_err()
    }

    pub(crate) async fn model(&self, trained: &Value) -> LoadedModel {
        let uri = ArtifactUri::new(trained["model_s3_uri"].as_str().unwrap()).unwrap();
        self.room.artifacts.read_model(&uri).await.unwrap()
    }

    /// Every model that the store holds.
    pub(crate) fn models(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.path().join("home/store/models")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { found.push(path) }
            }
        }
        found
    }

    /// A table of text and numbers that was prepared, as data preparation writes it: its URI, the one of the raw table
    /// and the one of the preprocessor.
    pub(crate) async fn prepared(&self) -> [String; 3] {
        let raw = self.file("raw.csv", colours(80));
        let artifacts = &self.room.artifacts;
        let uri = ArtifactUri::new(raw.clone()).unwrap();
        let data = artifacts.read_table(&uri, &ReadOptions::default(), &self.call).await.unwrap();
        let target = data.table.column("kind").unwrap().values.clone();
        let features = data.table.without(&["kind"]);
        let classes = Target::classes(&target, None).unwrap();
        let config = PreprocessConfig::default();
        let (preprocessor, transformed) = Preprocessor::fit_transform(&features, Some(&classes), &config, 42).unwrap();
        let place = artifacts.root().join("processed/run/preprocessor.json");
        let stored = artifacts.write_json(&place, &preprocessor).await.unwrap();
        let feature = |(name, values): (&String, ndarray::ArrayView1<'_, f64>)| Column {
            name: name.clone(),
            values: Values::Number { values: values.to_vec(), kind: NumberKind::Float },
        };
        let columns = transformed.feature_names.iter().zip(transformed.features.columns()).map(feature);
        let target = Column { name: "kind".to_owned(), values: target };
        let table = Table { columns: columns.chain([target]).collect() };
        let uri = artifacts.root().join("processed/run/train.parquet");
        let written = artifacts.write_table(&uri, &table, TableFormat::Parquet).await.unwrap();
        let columns = table.columns.iter();
        let manifest = Manifest {
            format: 1,
            target_column: Some("kind".to_owned()),
            task: Some(TaskType::Classification),
            columns: columns
                .map(|column| ManifestColumn { name: column.name.clone(), kind: column.values.kind() })
                .collect(),
            rows: table.num_rows(),
            split_role: None,
            data_sha256: written.sha256,
            source_sha256: data.source.sha256,
            preprocessor_uri: Some(stored.uri.to_string()),
            preprocessor_sha256: Some(stored.sha256),
            classes: None,
        };
        artifacts.write_manifest(&uri, &manifest).await.unwrap();
        [uri.to_string(), raw, stored.uri.to_string()]
    }
}

/// Two numbers that tell three kinds apart, with some rows between them, and a number that grows with both.
pub(crate) fn numbers(rows: usize, offset: usize) -> String {
    let mut text = "length,width,weight,kind,size\n".to_owned();
    for row in offset..offset + rows {
        let kind = row * 7 % 3;
        let length = kind as f64 * 2.0 + (row * 37 % 23) as f64 / 10.0;
        let width = (row * 13 % 17) as f64 / 4.0;
        let size = 3.0 * length - 0.5 * width + 10.0 + (row * 29 % 7) as f64 / 100.0;
        let name = ["rose", "iris", "lily"][kind];
        writeln!(text, "{length},{width},{},{name},{size}", 1 + row % 2).unwrap();
    }
    text
}

/// A number with gaps and a colour that tells two kinds apart.
pub(crate) fn colours(rows: usize) -> String {
    let mut text = "length,colour,kind\n".to_owned();
    for row in 0..rows {
        let length = if row % 9 == 3 { String::new() } else { (row * 37 % 23).to_string() };
        let colour = ["red", "blue", "white", "pink"][row * 5 % 4];
        let kind = if row * 5 % 4 < 2 { "warm" } else { "cold" };
        writeln!(text, "{length},{colour},{kind}").unwrap();
    }
    text
}
