//! The program on a home of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A home for one test.
pub(crate) struct Fleet {
    pub(crate) folder: TempDir,
}

impl Fleet {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    /// The root of the repository.
    pub(crate) fn repository() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests lies in the repository").to_owned()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the home and gives its path.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("the file is written");
        path.to_str().expect("a readable path").to_owned()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mlops-under-test"));
        command.args(arguments).current_dir(Self::repository()).stdin(Stdio::null());
        for variable in ["MLOPS_STORE", "MLOPS_LANG", "MLOPS_SECRETS_FILE"] {
            command.env_remove(variable);
        }
        command.env("MLOPS_HOME", self.path("home"));
        command
    }

    pub(crate) fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program runs")
    }

    /// What the program prints as JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.output(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        serde_json::from_slice(&output.stdout).expect("JSON on the standard output")
    }

    /// The result of a tool.
    pub(crate) fn tool(&self, name: &str, arguments: &Value) -> Value {
        self.json(&["tool", name, &arguments.to_string()])
    }

    /// The error of a tool, with the exit code.
    pub(crate) fn tool_error(&self, name: &str, arguments: &Value) -> (Value, i32) {
        self.error(&["tool", name, &arguments.to_string()])
    }

    /// The error that the program prints as JSON, with the exit code; nothing is on the standard output.
    pub(crate) fn error(&self, arguments: &[&str]) -> (Value, i32) {
        let output = self.output(arguments);
        let shown = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{arguments:?} should fail: {}", String::from_utf8_lossy(&output.stdout));
        assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
        let line =
            shown.lines().rev().find(|line| line.starts_with('{')).unwrap_or_else(|| panic!("{arguments:?}: {shown}"));
        let error = serde_json::from_str(line).expect("the error is JSON");
        (error, output.status.code().expect("an exit code"))
    }

    /// Every file below the home's store, relative to it.
    pub(crate) fn stored(&self) -> Vec<String> {
        let root = self.path("home/store");
        let mut found = Vec::new();
        collect(&root, &root, &mut found);
        found.sort();
        found
    }
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(root, &path, found);
        } else if let Ok(relative) = path.strip_prefix(root) {
            found.push(relative.display().to_string());
        }
    }
}

/// The path of a file URI.
pub(crate) fn path_of(uri: &Value) -> &Path {
    let text = uri.as_str().unwrap_or_else(|| panic!("no URI: {uri}"));
    Path::new(text.strip_prefix("file://").unwrap_or(text))
}
