//! What the caller chooses about the checks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Expectation, TableSchema};

/// What is checked, and against what.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CheckOptions {
    /// The target column; without it the checks of the target are left out.
    pub target: Option<String>,
    /// What is to be learnt; without it a target of text, of `false` and `true`, or of at most 20 different whole
    /// numbers is taken as classes.
    pub task: Option<Task>,
    /// The limits of the default checks.
    pub thresholds: Thresholds,
    /// A schema that was inferred before and that the table should fit.
    pub schema: Option<TableSchema>,
    /// What columns are expected to hold.
    pub expectations: Vec<Expectation>,
}

/// What is to be learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Classes.
    Classification,
    /// Numbers.
    Regression,
}

/// The limits of the default checks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Thresholds {
    /// A larger share of missing values in a column is a warning.
    pub missing_share: f64,
    /// A larger share of rows that repeat an earlier row is a warning.
    pub duplicate_share: f64,
    /// A text column of which at least this share, but not all, reads as numbers is a warning.
    pub mixed_type_share: f64,
    /// A text column in which at least this share of the values is different looks like an identifier.
    pub id_distinct_share: f64,
    /// Numbers further than this many distances between the quartiles from the nearer quartile are outliers.
    pub outlier_reach: f64,
    /// A larger share of outliers in a column is a warning.
    pub outlier_share: f64,
    /// A class with fewer rows is a warning.
    pub class_rows: usize,
    /// When the largest class has more than this many times the rows of the smallest, it is a warning.
    pub class_ratio: f64,
    /// A column alone that removes at least this share of a majority guess's errors gives the classes away.
    pub leakage_rule: f64,
    /// A column whose correlation with a target of numbers is at least this, up to sign, gives it away.
    pub leakage_correlation: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            missing_share: 0.3,
            duplicate_share: 0.01,
            mixed_type_share: 0.5,
            id_distinct_share: 0.95,
            outlier_reach: 1.5,
            outlier_share: 0.05,
            class_rows: 5,
            class_ratio: 10.0,
            leakage_rule: 0.98,
            leakage_correlation: 0.999,
        }
    }
}
