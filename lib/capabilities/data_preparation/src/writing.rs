//! Artifacts that belong together: all of them are written, or those that were new are taken away again.

use mlops_algorithms::table::Table;
use mlops_artifacts::{Artifacts, Manifest, TableFormat, Written};
use mlops_core::ports::Condition;
use mlops_core::values::ArtifactUri;
use mlops_core::{ErrorKind, Result};
use serde::Serialize;

/// Artifacts that are being written.
pub(crate) struct Writing<'a> {
    artifacts: &'a Artifacts,
    new: Vec<ArtifactUri>,
}

impl<'a> Writing<'a> {
    pub(crate) fn to(artifacts: &'a Artifacts) -> Self {
        Self { artifacts, new: Vec::new() }
    }

    /// Writes a table and, once its hash is known, the manifest beside it.
    pub(crate) async fn table(
        &mut self,
        uri: &ArtifactUri,
        table: &Table,
        format: TableFormat,
        mut manifest: Manifest,
    ) -> Result<Written> {
        let is_new = self.note(uri).await?;
        let written = self.artifacts.write_table(uri, table, format).await?;
        manifest.data_sha256.clone_from(&written.sha256);
        let beside = self.artifacts.write_manifest(uri, &manifest).await?;
        if is_new {
            self.new.push(beside.uri);
        }
        Ok(written)
    }

    /// Writes a value as JSON.
    pub(crate) async fn json<T: Serialize + Sync>(&mut self, uri: &ArtifactUri, value: &T) -> Result<Written> {
        self.note(uri).await?;
        self.artifacts.write_json(uri, value).await
    }

    /// Writes bytes.
    pub(crate) async fn bytes(&mut self, uri: &ArtifactUri, bytes: Vec<u8>) -> Result<Written> {
        self.note(uri).await?;
        self.artifacts.write_bytes(uri, bytes, Condition::None).await
    }

    /// Takes away what was not there before, when the outcome is an error.
    pub(crate) async fn finish<T>(self, outcome: Result<T>) -> Result<T> {
        if outcome.is_err() {
            for uri in &self.new {
                // The error that stopped the writing says more than one of taking the rest away.
                let _ = self.artifacts.store().delete(uri).await;
            }
        }
        outcome
    }

    /// Notes what is about to be written; whether it is new.
    async fn note(&mut self, uri: &ArtifactUri) -> Result<bool> {
        match self.artifacts.store().head(uri).await {
            Ok(_) => Ok(false),
            Err(error) if error.kind == ErrorKind::NotFound => {
                self.new.push(uri.clone());
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }
}
