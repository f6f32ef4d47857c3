//! What a training will take, said before it begins, and refused where the memory is not there.

use mlops_algorithms::models::{Algorithm, FitCost, FitSize, Hyperparameters, two_digits};
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
        Self::from(FitCost { seconds: cost.seconds + numbers * PER_NUMBER, ..cost })
    }

    /// The same for so many fits side by side.
    pub(crate) const fn at_once(self, fits: usize) -> Self {
        Self { memory_bytes: self.memory_bytes.saturating_mul(fits as u64), ..self }
    }

    /// Says that a model is about to be fitted, and refuses it where it has no room.
    pub(crate) fn announce_fit(&self, table: &TrainingTable, algorithm: Algorithm, call: &Call) -> Result<()> {
        self.announce(&format!("fitting {}", algorithm.as_str()), table.features.dim(), smaller(algorithm), call)
    }

    /// Says what is about to begin with how many rows and features, and refuses it where it has no room.
    pub(crate) fn announce(
        &self,
        what: &str,
        (rows, features): (usize, usize),
        smaller: &str,
        call: &Call,
    ) -> Result<()> {
        let what = format!("{what} to {rows} rows × {features} features");
        let (seconds, megabytes) = (self.training_time_seconds, self.memory_bytes as f64 / MEGABYTE);
        call.progress(0.0, None, format!("{what}: about {seconds} s and {} MB", megabytes.ceil()));
        let hint = format!("{smaller}, take fewer rows or features, or give it more memory");
        refuse(&what, self.memory_bytes, call).map_err(|error| error.at("hyperparameters").hint(hint))
    }
}

impl From<FitCost> for TrainingEstimate {
    fn from(cost: FitCost) -> Self {
        Self { training_time_seconds: two_digits(cost.seconds), memory_bytes: two_digits(cost.bytes) as u64 }
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
