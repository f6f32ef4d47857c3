//! The manifest beside a table that we wrote: what the table is and where it comes from.

use mlops_core::values::{ArtifactUri, TaskType};
use mlops_core::{Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Artifacts, ColumnType, Written};

/// The format number of manifests that this version writes.
pub const MANIFEST_FORMAT: u32 = 1;

/// What a table is and where it comes from. It lies beside the table as `<table>.manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// The number of this format: 1.
    pub format: u32,
    /// The column to predict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_column: Option<String>,
    /// The kind of learning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskType>,
    /// The columns in their order.
    pub columns: Vec<ManifestColumn>,
    /// The number of rows.
    pub rows: usize,
    /// Which part of a split the table is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split_role: Option<SplitRole>,
    /// The SHA-256 of the table's bytes.
    pub data_sha256: String,
    /// The SHA-256 of the bytes of the table that it was made from.
    pub source_sha256: String,
    /// Where the preprocessor lies that was applied; absent for raw columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocessor_uri: Option<String>,
    /// The SHA-256 of the preprocessor that was applied; absent for raw columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocessor_sha256: Option<String>,
    /// The classes of the target in the order of their codes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<Vec<String>>,
}

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ManifestColumn {
    /// The column's name.
    pub name: String,
    /// What the column holds.
    pub kind: ColumnType,
}

/// Which part of a split a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SplitRole {
    /// Learnt from.
    Train,
    /// Compared on while learning.
    Validation,
    /// Kept for the end.
    Test,
    /// Everything, not split.
    Full,
}

impl SplitRole {
    /// The name in files and requests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
            Self::Full => "full",
        }
    }
}

impl Artifacts {
    /// The manifest of a table; `None` when it has none.
    pub async fn read_manifest(&self, data: &ArtifactUri) -> Result<Option<Manifest>> {
        let place = place(data);
        let manifest = match self.read_json::<Manifest>(&place).await {
            Ok(manifest) => manifest,
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if manifest.format != MANIFEST_FORMAT {
            let message =
                format!("`{place}` has format {}; this version reads format {MANIFEST_FORMAT}", manifest.format);
            return Err(Error::invalid_input(message).hint("write the table again with this version"));
        }
        Ok(Some(manifest))
    }

    /// Writes the manifest of a table beside it.
    pub async fn write_manifest(&self, data: &ArtifactUri, manifest: &Manifest) -> Result<Written> {
        self.write_json(&place(data), manifest).await
    }
}

/// Where the manifest of a table lies.
fn place(data: &ArtifactUri) -> ArtifactUri {
    data.with_file_name(&format!("{}.manifest.json", data.file_name()))
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use mlops_core::ports::Condition;

    use super::*;
    use crate::memory_store::{artifacts, uri};

    #[test]
    fn a_manifest_lies_beside_its_table() {
        let artifacts = artifacts();
        let data = uri("s3://store/a/train.csv");
        assert_eq!(block_on(artifacts.read_manifest(&data)).unwrap(), None);
        let manifest = Manifest {
            format: 1,
            target_column: Some("y".to_owned()),
            task: Some(TaskType::Regression),
            columns: vec![ManifestColumn { name: "y".to_owned(), kind: ColumnType::Float }],
            rows: 3,
            split_role: Some(SplitRole::Train),
            data_sha256: "a".repeat(64),
            source_sha256: "b".repeat(64),
            preprocessor_uri: None,
            preprocessor_sha256: None,
            classes: None,
        };
        let written = block_on(artifacts.write_manifest(&data, &manifest)).unwrap();
        assert_eq!(written.uri.as_str(), "s3://store/a/train.csv.manifest.json");
        assert_eq!(block_on(artifacts.read_manifest(&data)).unwrap(), Some(manifest.clone()));
        block_on(artifacts.write_manifest(&data, &Manifest { format: 2, ..manifest })).unwrap();
        let error = block_on(artifacts.read_manifest(&data)).unwrap_err();
        assert!(error.message.contains("has format 2"), "{error}");
        block_on(artifacts.write_bytes(&written.uri, "[]", Condition::None)).unwrap();
        assert_eq!(block_on(artifacts.read_manifest(&data)).unwrap_err().kind, ErrorKind::InvalidInput);
    }

    #[test]
    fn roles_are_written_by_their_names() {
        for role in [SplitRole::Train, SplitRole::Validation, SplitRole::Test, SplitRole::Full] {
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
    }
}
