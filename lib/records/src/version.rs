//! A version of a model.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What is registered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewVersion {
    /// Where the model lies.
    pub model_s3_uri: String,
    /// SHA-256 of the model's bytes.
    pub model_sha256: String,
    /// Its algorithm.
    pub algorithm: String,
    /// Its kind of learning.
    pub task: String,
    /// The column that it predicts; absent for a model that learnt without a target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_column: Option<String>,
    /// Its metrics.
    pub metrics: BTreeMap<String, f64>,
    /// Its hyperparameters.
    pub hyperparameters: Map<String, Value>,
    /// Its inputs and output.
    pub signature: Value,
    /// SHA-256 of the data set that it comes from.
    pub data_sha256: Option<String>,
    /// The run that made it.
    pub run_id: Option<String>,
    /// The model in other formats.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exports: Vec<ExportedFile>,
    /// The rows that a rollback predicts again; versions that were registered without any have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub golden: Option<GoldenRows>,
}

/// A file of the model in another format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExportedFile {
    /// The format, as `onnx`.
    pub format: String,
    /// Where the file lies.
    pub uri: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

/// Where rows lie that the model has predicted, beside what it predicted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoldenRows {
    /// Where the document lies.
    pub uri: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// How many rows it holds.
    pub rows: usize,
}

/// A version as it stands in the registry. It never changes; status and aliases are kept beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelVersion {
    /// The model's name.
    pub model_name: String,
    /// 1 for the first version.
    pub version: u64,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// What was registered.
    #[serde(flatten)]
    pub model: NewVersion,
}
