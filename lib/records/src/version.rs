//! A version of a model.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Where a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelStatus {
    /// Registered, and nobody has decided yet.
    Pending,
    /// It passed its gates, or a person approved it.
    Approved,
    /// It was decided against.
    Rejected,
}

impl ModelStatus {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }
}

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
    /// The column that it predicts.
    pub target_column: String,
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
