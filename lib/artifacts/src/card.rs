//! The card of a supervised model: what it is, what it takes, how it was made and how good it is.

use std::collections::{BTreeMap, HashSet};

use mlops_algorithms::models::{Model, Task};
use mlops_algorithms::preprocess::Preprocessor;
use mlops_core::values::SupervisedTask;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ColumnType;

/// The format number of models that this version writes.
pub const CARD_FORMAT: u32 = 1;

/// What a supervised model is, what it takes, how it was made and how good it is: the `model.json` of its archive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// The number of this format: 1.
    pub format: u32,
    /// The kind of learning.
    pub task: SupervisedTask,
    /// The algorithm's name, as `random_forest`.
    pub algorithm: String,
    /// The column that it predicts.
    pub target_column: String,
    /// The classes in the order of their codes; absent for regression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<Vec<String>>,
    /// The names of the features in the order of the model's columns.
    pub feature_names: Vec<String>,
    /// The raw columns that go in and what comes out.
    pub signature: Signature,
    /// The hyperparameters, defaults included.
    pub hyperparameters: Map<String, Value>,
    /// Finite metrics by name.
    pub metrics: BTreeMap<String, f64>,
    /// How much each feature contributes, by its name.
    pub feature_importance: BTreeMap<String, f64>,
    /// The seed of everything random in the training.
    pub seed: u64,
    /// The SHA-256 of the training table's bytes.
    pub train_sha256: String,
    /// The SHA-256 of the validation table's bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_sha256: Option<String>,
    /// What makes features of raw columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocessor: Option<Preprocessor>,
    /// The SHA-256 of the preprocessor's file; a table whose manifest has the same one is prepared already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocessor_sha256: Option<String>,
    /// The SHA-256 of the weights; filled in when the model is written.
    pub weights_sha256: String,
    /// The version of this library that made the model.
    pub library_version: String,
}

/// The raw columns that go into a model and what comes out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The columns that go in.
    pub inputs: Vec<SignatureColumn>,
    /// What comes out, in words, as `class` or `number`.
    pub output: String,
}

/// One column that goes into a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureColumn {
    /// The column's name.
    pub name: String,
    /// What the column holds.
    pub kind: ColumnType,
    /// The values that were seen in training, for text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub categories: Option<Vec<String>>,
}

impl ModelCard {
    /// Checks that the card describes that model; the error says what does not agree.
    pub(crate) fn check(&self, model: &Model) -> Result<(), String> {
        let task = match model.task() {
            Task::Classification => SupervisedTask::Classification,
            Task::Regression => SupervisedTask::Regression,
        };
        if self.format != CARD_FORMAT {
            return Err(format!("the format is {}; this version knows format {CARD_FORMAT}", self.format));
        }
        if self.task != task || self.algorithm != model.algorithm().as_str() {
            let (said, found) = (self.task.as_str(), task.as_str());
            let (name, algorithm) = (&self.algorithm, model.algorithm());
            return Err(format!("the card says {name} for {said}, but the weights are {algorithm} for {found}"));
        }
        if self.classes.as_deref().unwrap_or_default() != model.labels() {
            return Err("the classes of the card are not those of the weights".to_owned());
        }
        let (names, features) = (self.feature_names.len(), model.num_features());
        if names != features {
            return Err(format!("the card names {names} features, but the weights have {features}"));
        }
        check_unique("feature", self.feature_names.iter())?;
        check_unique("input column", self.signature.inputs.iter().map(|column| &column.name))?;
        let numbers = self.metrics.iter().chain(&self.feature_importance);
        if let Some((name, value)) = numbers.into_iter().find(|(_, value)| !value.is_finite()) {
            return Err(format!("`{name}` is {value}; the metrics and importances of a card are finite"));
        }
        check_preprocessor(self.preprocessor.as_ref(), self.preprocessor_sha256.as_deref(), &self.feature_names)
    }
}

/// A preprocessor must be whole, give the features that the card names, and have its hash beside it.
pub(crate) fn check_preprocessor(
    preprocessor: Option<&Preprocessor>,
    sha256: Option<&str>,
    feature_names: &[String],
) -> Result<(), String> {
    let Some(preprocessor) = preprocessor else { return Ok(()) };
    preprocessor.validate().map_err(|error| error.to_string())?;
    if preprocessor.feature_names() != feature_names {
        return Err("the preprocessor gives other features than the card names".to_owned());
    }
    match sha256 {
        Some(_) => Ok(()),
        None => Err("the card has a preprocessor without its SHA-256".to_owned()),
    }
}

pub(crate) fn check_unique<'a>(what: &str, names: impl Iterator<Item = &'a String>) -> Result<(), String> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("the {what} `{name}` occurs more than once"));
        }
    }
    Ok(())
}
