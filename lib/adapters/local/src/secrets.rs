//! Secrets from the environment and from a file.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use mlops_core::masking;
use mlops_core::ports::{Secrets, check_secret_name, similar_secret};
use mlops_core::settings::SECRETS_FILE;
use mlops_core::{Error, Result};
use secrecy::SecretString;
use serde_json::Value;

use crate::files::{blocking, failure};

type ReadVariable = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Secrets from variables and from a JSON file. `mlops/github-token` is `MLOPS_SECRET_GITHUB_TOKEN`, or the value under
/// that name in the file; the variable is looked at first. The file is read anew each time, so a changed secret counts
/// at once. A file that everybody on the machine can read is refused.
#[derive(Clone)]
pub struct FileSecrets {
    read: Arc<ReadVariable>,
    file: Option<PathBuf>,
}

impl FileSecrets {
    /// Secrets from the variables that `read` gives, and from the file when there is one.
    pub fn new(read: impl Fn(&str) -> Option<String> + Send + Sync + 'static, file: Option<PathBuf>) -> Self {
        Self { read: Arc::new(read), file }
    }

    /// Secrets from the variables of this process, and from the file when there is one.
    pub fn from_environment(file: Option<PathBuf>) -> Self {
        Self::new(|name| std::env::var(name).ok(), file)
    }
}

impl std::fmt::Debug for FileSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileSecrets").field("file", &self.file).finish_non_exhaustive()
    }
}

#[async_trait]
impl Secrets for FileSecrets {
    async fn secret(&self, name: &str) -> Result<SecretString> {
        let variable = variable_of(name)?;
        let given = (self.read)(&variable).filter(|value| !value.is_empty());
        let from_file = match (&given, self.file.clone()) {
            (None, Some(file)) => {
                let name = name.to_owned();
                blocking(move || from_file(&file, &name)).await?
            }
            _ => None,
        };
        let Some(value) = given.or(from_file) else {
            let near = similar_secret(name);
            return Err(Error::not_found(format!("the secret {name} is not set")).hint(format!(
                "set the variable {variable}, or put it into the file that {} names{near}",
                SECRETS_FILE.name
            )));
        };
        let secret = SecretString::from(value);
        masking::register(&secret);
        Ok(secret)
    }
}

/// The variable of a secret: `mlops/github-token` is `MLOPS_SECRET_GITHUB_TOKEN`.
fn variable_of(name: &str) -> Result<String> {
    Ok(format!("MLOPS_SECRET_{}", check_secret_name(name)?.to_ascii_uppercase().replace('-', "_")))
}

fn from_file(path: &Path, name: &str) -> Result<Option<String>> {
    let shown = path.display();
    let failed = |error: std::io::Error| failure(error, "read", format!("the secrets file {shown}"));
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
    if mode & 0o007 != 0 {
        return Err(Error::forbidden(format!("everybody on this machine can reach the secrets file {shown}"))
            .hint(format!("run: chmod 600 '{shown}'")));
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    // The parser's message could repeat a part of a secret, so only the line is told.
    let secrets: BTreeMap<String, Value> = serde_json::from_str(&text).map_err(|error| {
        Error::invalid_input(format!("the secrets file {shown} is not a JSON object, at line {}", error.line()))
            .hint("write {\"mlops/github-token\": \"…\"}")
    })?;
    match secrets.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(value)) => Ok(Some(value.clone()).filter(|value| !value.is_empty())),
        Some(_) => Err(Error::invalid_input(format!("the secret {name} in {shown} is not a text")).at(name)),
    }
}
