//! A version as tools show it, and the difference between two.

use std::collections::BTreeMap;

use mlops_records::{ExportedFile, ModelStatus, ModelVersion, State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A version with its status and aliases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VersionView {
    /// The version's number; 1 is the first.
    pub version: u64,
    /// Where it stands.
    pub status: ModelStatus,
    /// The aliases that point at it.
    pub aliases: Vec<String>,
    /// Whether it passed its gates; null when it was never judged.
    #[serde(default)]
    pub gates_passed: Option<bool>,
    /// How many golden rows a rollback predicts again; 0 when there are none.
    #[serde(default)]
    pub golden_rows: usize,
    /// Where the model lies.
    pub model_s3_uri: String,
    /// SHA-256 of the model's bytes.
    pub model_sha256: String,
    /// The model in other formats.
    #[serde(default)]
    pub exports: Vec<ExportedFile>,
    /// Its algorithm.
    pub algorithm: String,
    /// Its kind of learning.
    pub task: String,
    /// The column that it predicts; null for a model that learnt without a target.
    pub target_column: Option<String>,
    /// Its metrics.
    pub metrics: BTreeMap<String, f64>,
    /// Its hyperparameters.
    pub hyperparameters: Map<String, Value>,
    /// SHA-256 of the data set that it comes from.
    pub data_sha256: Option<String>,
    /// The run that made it.
    pub run_id: Option<String>,
    /// When it was registered, RFC 3339.
    pub registered_at: String,
}

/// What differs between two versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VersionDiff {
    /// The version that the changes are counted from.
    pub from: u64,
    /// The version that they lead to.
    pub to: u64,
    /// The change of each metric that both have.
    pub metrics: BTreeMap<String, f64>,
    /// The hyperparameters that differ: name to [before, after].
    pub hyperparameters: BTreeMap<String, Vec<Value>>,
    /// Whether they come from other data.
    pub other_data: bool,
}

impl VersionView {
    /// The version as it stands under that state.
    pub fn of(version: &ModelVersion, state: &State) -> Self {
        let model = &version.model;
        Self {
            version: version.version,
            status: state.status(version.version),
            aliases: state.aliases_of(version.version).cloned().collect(),
            gates_passed: state.gates.get(&version.version).copied(),
            golden_rows: model.golden.as_ref().map_or(0, |golden| golden.rows),
            model_s3_uri: model.model_s3_uri.clone(),
            model_sha256: model.model_sha256.clone(),
            exports: model.exports.clone(),
            algorithm: model.algorithm.clone(),
            task: model.task.clone(),
            target_column: model.target_column.clone(),
            metrics: model.metrics.clone(),
            hyperparameters: model.hyperparameters.clone(),
            data_sha256: model.data_sha256.clone(),
            run_id: model.run_id.clone(),
            registered_at: version.registered_at.to_string(),
        }
    }
}

impl VersionDiff {
    /// What changed from one version to the other.
    pub fn between(from: &ModelVersion, to: &ModelVersion) -> Self {
        let (before, after) = (&from.model, &to.model);
        let metrics =
            before.metrics.iter().filter_map(|(name, old)| Some((name.clone(), after.metrics.get(name)? - old)));
        let names = before.hyperparameters.keys().chain(after.hyperparameters.keys());
        let changed = names.filter_map(|name| {
            let value = |of: &Map<String, Value>| of.get(name).cloned().unwrap_or(Value::Null);
            let pair = vec![value(&before.hyperparameters), value(&after.hyperparameters)];
            (pair[0] != pair[1]).then(|| (name.clone(), pair))
        });
        Self {
            from: from.version,
            to: to.version,
            metrics: metrics.collect(),
            hyperparameters: changed.collect(),
            other_data: before.data_sha256 != after.data_sha256,
        }
    }
}
