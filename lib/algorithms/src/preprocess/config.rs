//! What the caller chooses about preprocessing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How raw columns become numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PreprocessConfig {
    /// Whether columns of numbers are scaled, by `scaler`.
    pub normalize: bool,
    /// What happens to missing numbers. A missing text becomes the column's most frequent one, unless rows are dropped.
    pub handle_missing: MissingValues,
    /// Whether columns of text are encoded, by `encoder`; otherwise they are left out and reported.
    pub encode_categorical: bool,
    /// How columns of numbers are scaled.
    pub scaler: Scaler,
    /// How columns of text are encoded.
    pub encoder: Encoder,
    /// What happens to numbers far from the others.
    pub outliers: Outliers,
    /// Columns to leave out, by name.
    pub drop_columns: Vec<String>,
}

impl Default for PreprocessConfig {
    fn default() -> Self {
        Self {
            normalize: true,
            handle_missing: MissingValues::Median,
            encode_categorical: true,
            scaler: Scaler::Standard,
            encoder: Encoder::OneHot,
            outliers: Outliers::None,
            drop_columns: Vec::new(),
        }
    }
}

/// What happens to missing values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissingValues {
    /// Rows with a missing value in any column that is used are left out.
    Drop,
    /// The mean of the column's training values.
    Mean,
    /// The median of the column's training values.
    Median,
    /// The most frequent of the column's training values; the smallest of those when several are.
    Mode,
}

/// How columns of numbers are scaled. A column whose spread is zero is only shifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scaler {
    /// Mean 0 and standard deviation 1 (of the population).
    Standard,
    /// From 0, the smallest training value, to 1, the largest; other data may lie outside.
    #[serde(rename = "minmax")]
    MinMax,
    /// Median 0 and distance between the quartiles 1.
    Robust,
}

/// How columns of text are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encoder {
    /// A column of zeros and ones for each category, in sorted order, and one more for all others: categories unseen in
    /// training, and those beyond the hundred most frequent.
    #[serde(rename = "onehot")]
    OneHot,
    /// The place of the category in sorted order, from 0; -1 for a category unseen in training.
    Ordinal,
    /// The mean of the target among the training rows of the category, drawn towards the overall mean where these are
    /// few or differ much. Training rows are encoded from other training rows only (five folds).
    Target,
}

/// What happens to numbers far from the others. Columns of `false` and `true`, and columns whose two limits are equal,
/// are left as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outliers {
    /// Nothing.
    None,
    /// Numbers further than 1.5 times the distance between the quartiles from the nearer quartile are moved to that
    /// limit.
    ClipIqr,
    /// Numbers below the first or above the last percentile are moved to that percentile.
    ClipQuantile,
}
