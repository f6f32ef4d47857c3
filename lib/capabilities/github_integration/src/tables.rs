//! Reading the tables that requests name. The formats of tables are most of a function's size, so that only what asks for
//! the feature `tables` links them.

use async_trait::async_trait;
use mlops_algorithms::table::Table;
use mlops_core::values::ArtifactUri;
use mlops_core::{Call, Result};

/// Reads tables.
#[async_trait]
pub trait Tables: Send + Sync {
    /// At most `limit` rows from the beginning of the table. `NotFound` when there is none, `InvalidInput` when it is no
    /// table; the message names the URI.
    async fn first_rows(&self, uri: &ArtifactUri, limit: usize, call: &Call) -> Result<FirstRows>;
}

/// The beginning of a table.
pub struct FirstRows {
    /// The rows that were read.
    pub table: Table,
    /// The bytes of the whole file.
    pub bytes: u64,
}

#[cfg(feature = "tables")]
#[async_trait]
impl Tables for mlops_artifacts::Artifacts {
    async fn first_rows(&self, uri: &ArtifactUri, limit: usize, call: &Call) -> Result<FirstRows> {
        let options = mlops_artifacts::ReadOptions { limit: Some(limit), ..mlops_artifacts::ReadOptions::default() };
        let loaded = self.read_table(uri, &options, call).await?;
        Ok(FirstRows { table: loaded.table, bytes: loaded.source.bytes })
    }
}
