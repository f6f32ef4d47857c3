//! What a training will take, said before it begins, and refused where the memory is not there.

use mlops_algorithms::models::{Algorithm, FitSize, Hyperparameters, two_digits};
use mlops_algorithms::target::Target;
use mlops_artifacts::LoadedTable;
use mlops_core::{Call, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::training_table::{HashedPreprocessor, TrainingTable};

/// Bytes of a number in a matrix.
const NUMBER: f64 = 8.0;
/// Seconds for putting one number into a matrix.
const PER_NUMBER: f64 = 4e-9;
const MEGABYTE: f64 = 1e6;

/// What the fit was expected to take, before it began; as a rule within a factor of two.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct TrainingEstimate {
    /// Seconds from columns in memory to the finished model.
    pub training_time_seconds: f64,
    /// The most memory that fitting takes beside the table, in bytes.
    pub memory_bytes: u64,
}

impl TrainingEstimate {
    /// The estimate for fitting to those rows.
    pub(crate) fn of(table: &TrainingTable, parameters: &Hyperparameters) -> Self {
        let (rows, features) = table.features.dim();
        let outputs = match &table.target {
            Target::Classes { labels, .. } => labels.len(),
            Target::Numbers(_) => 1,
        };
        let cost = parameters.cost(&FitSize { rows, features, outputs });
        let numbers = rows as f64 * features as f64;
        Self {
            training_time_seconds: two_digits(cost.seconds + numbers * PER_NUMBER),
            memory_bytes: two_digits(cost.bytes) as u64,
        }
    }

    /// Says what is about to begin, and refuses it where so many fits at once have no room.
    pub(crate) fn announce(&self, table: &TrainingTable, algorithm: Algorithm, fits: usize, call: &Call) -> Result<()> {
        let (rows, features) = table.features.dim();
        let what = format!("fitting {} to {rows} rows × {features} features", algorithm.as_str());
        let (seconds, megabytes) = (self.training_time_seconds, self.memory_bytes as f64 / MEGABYTE);
        call.progress(0.0, None, format!("{what}: about {seconds} s and {} MB", megabytes.ceil()));
        let needed = self.memory_bytes.saturating_mul(fits as u64);
        let hint = format!("{}, take fewer rows or features, or give it more memory", smaller(algorithm));
        refuse(&what, needed, call).map_err(|error| error.at("hyperparameters").hint(hint))
    }
}

/// Refuses a table whose features have no room as a matrix.
pub(crate) fn check_table(
    data: &LoadedTable,
    preprocessor: Option<&HashedPreprocessor>,
    field: &'static str,
    call: &Call,
) -> Result<()> {
    let rows = data.table.num_rows();
    let made = preprocessor.map(|hashed| hashed.preprocessor.feature_names().len());
    let features = made.unwrap_or_else(|| data.table.num_columns());
    let needed = (rows as f64 * features as f64 * NUMBER) as u64;
    refuse(&format!("a matrix of {rows} rows × {features} features"), needed, call)
        .map_err(|error| error.at(field).hint("take fewer rows or columns, or give it more memory"))
}

fn refuse(what: &str, needed: u64, call: &Call) -> Result<()> {
    match call.memory.free() {
        Some(free) if free < needed => {
            let [needed, free] = [needed, free].map(|bytes| (bytes as f64 / MEGABYTE).ceil());
            Err(Error::invalid_input(format!("{what} takes about {needed} MB of memory, and {free} MB are free")))
        }
        _ => Ok(()),
    }
}

/// What makes a model of that algorithm smaller.
const fn smaller(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::RandomForest | Algorithm::ExtraTrees => "lower n_estimators or max_depth, raise min_samples_leaf",
        Algorithm::DecisionTree => "lower max_depth, raise min_samples_leaf",
        Algorithm::Xgboost => "lower n_estimators, max_depth or max_bin",
        Algorithm::NeuralNetwork => "take smaller hidden_layer_sizes",
        Algorithm::Svm => "lower cache_size",
        _ => "take an algorithm that holds less, such as naive_bayes or xgboost",
    }
}
