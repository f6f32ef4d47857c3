//! A store in a folder of its own, and tables to put into it.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use mlops_artifacts::Artifacts;
use mlops_core::values::ArtifactUri;
use mlops_core::{Call, Error, Result};
use mlops_data_preparation::DataPreparation;
use mlops_data_preparation::tools::TOOLS;
use mlops_local::{Access, FileStore};
use serde_json::Value;
use tempfile::TempDir;

/// A folder with a store and a room.
pub(crate) struct Place {
    folder: TempDir,
    pub(crate) room: DataPreparation,
    pub(crate) call: Call,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        let store = FileStore::new(&home, folder.path(), Access::Anywhere);
        let root = ArtifactUri::from_path(&home.join("store"));
        let room = DataPreparation { artifacts: Artifacts::new(Arc::new(store), root) };
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

    /// Every file that the store holds.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.path().join("home/store")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { found.push(path) }
            }
        }
        found.sort();
        found
    }
}

/// The bytes of a `file://` URI.
pub(crate) fn read(uri: &Value) -> Vec<u8> {
    std::fs::read(uri.as_str().unwrap().strip_prefix("file://").unwrap()).unwrap()
}

/// Flowers of three kinds that differ in size, with a text column, missing values and a repeated row.
pub(crate) fn flowers(rows: usize) -> String {
    let mut text = "length,width,colour,kind\n".to_owned();
    for row in 0..rows {
        let kind = row % 3;
        let length = format!("{:.2}", 1.0 + kind as f64 * 2.0 + (row * 7 % 11) as f64 / 10.0);
        let length = if row % 10 == 4 { String::new() } else { length };
        let width = row * 13 % 17;
        let colour = ["red", "blue", "white"][(row / 2) % 3];
        let name = ["rose", "iris", "lily"][kind];
        writeln!(text, "{length},{width},{colour},{name}").unwrap();
    }
    text
}
