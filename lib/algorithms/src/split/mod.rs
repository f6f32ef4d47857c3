//! Splitting a table into rows for training, validation and test, and looking for leaks between the three.

mod assign;
mod report;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use report::{Distribution, DuplicateLeak, PartCounts, PartDistributions, SplitReport, Strata, StratumKind};

use crate::models::Task;
use crate::table::{Table, Values};

/// How rows are given to the three parts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SplitStrategy {
    /// By chance.
    #[default]
    Random,
    /// By chance within each class of the target, so that every part has the same share of each; a target of numbers,
    /// as for regression, is cut into up to ten bins of equal size first.
    Stratified,
    /// By chance, with all rows of the same `key` in the same part.
    Group,
    /// In the order of `key`: the oldest rows for training, the newest for test.
    Time,
}

/// The request for a split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SplitSpec {
    /// The share of the rows for training, above 0 and at most 1. The three shares sum to 1.
    pub train: f64,
    /// The share of the rows for validation, 0 to 1; 0 gives an empty part.
    pub validation: f64,
    /// The share of the rows for test, 0 to 1; 0 gives an empty part.
    pub test: f64,
    /// How rows are given to the parts.
    pub strategy: SplitStrategy,
    /// The target column: `stratified` needs it, and the report shows its distribution in each part.
    pub target: Option<String>,
    /// What the target is for: classes for classification, numbers for regression. When not given, a target of text, of
    /// truth values or of whole numbers that repeat is one of classes for `stratified`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// The column of groups for `group`, or of points in time for `time`.
    pub key: Option<String>,
    /// The seed of every random choice.
    pub seed: u64,
}

impl Default for SplitSpec {
    fn default() -> Self {
        Self {
            train: 0.7,
            validation: 0.15,
            test: 0.15,
            strategy: SplitStrategy::Random,
            target: None,
            task: None,
            key: None,
            seed: 42,
        }
    }
}

/// The rows of the three parts, each row of the table in exactly one of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Split {
    /// The rows for training, counted from 0: ascending, or in the order of time.
    pub train: Vec<usize>,
    /// The rows for validation, likewise.
    pub validation: Vec<usize>,
    /// The rows for test, likewise.
    pub test: Vec<usize>,
    /// What the parts hold, and what was found when they were compared.
    pub report: SplitReport,
}

/// Why a table cannot be split as asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SplitError {
    /// A share is not a finite number from 0 to 1.
    #[error("the share '{field}' is {value}; it must be a number from 0 to 1")]
    Share {
        /// `train`, `validation` or `test`.
        field: &'static str,
        /// The share.
        value: f64,
    },
    /// The shares do not sum to 1.
    #[error("the shares train, validation and test sum to {sum}; they must sum to 1")]
    ShareSum {
        /// Their sum.
        sum: f64,
    },
    /// Nothing is left for training.
    #[error("the share 'train' is 0; a split needs rows for training")]
    NoTraining,
    /// The strategy needs a column that was not given.
    #[error("the strategy '{strategy}' needs '{field}': name the column")]
    Needs {
        /// The strategy.
        strategy: &'static str,
        /// `target` or `key`.
        field: &'static str,
    },
    /// The table has no such column.
    #[error("'{field}' names the column '{column}', which is not in the table{}", hint(.nearest.as_deref()))]
    NoColumn {
        /// `target` or `key`.
        field: &'static str,
        /// The name that was given.
        column: String,
        /// The name that is most like it.
        nearest: Option<String>,
    },
    /// There are too few rows.
    #[error("the table has {rows} rows; a split into {needed} parts needs at least {needed}")]
    TooFewRows {
        /// The rows of the table.
        rows: usize,
        /// The rows that the split needs.
        needed: usize,
    },
    /// There are too few groups.
    #[error(
        "the column '{column}' has {groups} different values; a split by group into {needed} parts needs at least {needed}"
    )]
    TooFewGroups {
        /// The key column.
        column: String,
        /// How many groups it has.
        groups: usize,
        /// How many the split needs.
        needed: usize,
    },
    /// Rows without a time cannot be put in order.
    #[error("{count} of {rows} values of the time column '{column}' are missing; drop those rows first")]
    MissingTime {
        /// The key column.
        column: String,
        /// How many are missing.
        count: usize,
        /// The rows of the table.
        rows: usize,
    },
}

/// The hint after a name that was not found.
pub(crate) fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; did you mean '{nearest}'?"))
}

/// Gives every row of the table to one of the three parts.
///
/// The sizes are the shares of the rows rounded by largest remainder, with at least one row in every part whose share
/// is above 0. `stratified` does so within each class, carrying what rounding left over to the next class, so that the
/// count of every class is within one row of its share. A class with a single row goes to training. `group` gives whole
/// groups, the largest first, to the part that lacks most rows. `time` moves a cut to the nearest change of time, so
/// that rows of one moment stay together.
///
/// The same table, request and seed give the same split.
pub fn split(table: &Table, spec: &SplitSpec) -> Result<Split, SplitError> {
    let shares = shares(spec)?;
    let target = spec.target.as_deref().map(|name| find(table, "target", name)).transpose()?;
    let key = spec.key.as_deref().map(|name| find(table, "key", name)).transpose()?;
    let rows = table.num_rows();
    let needed = shares.iter().filter(|share| **share > 0.0).count();
    if rows < needed || rows == 0 {
        return Err(SplitError::TooFewRows { rows, needed });
    }
    let mut warnings = Vec::new();
    let column = spec.key.clone().unwrap_or_default();
    let (parts, stratified_by) = match spec.strategy {
        SplitStrategy::Random => (assign::random(rows, &shares, spec.seed), None),
        SplitStrategy::Stratified => {
            let target = target.ok_or(SplitError::Needs { strategy: "stratified", field: "target" })?;
            let (parts, kind, count) = assign::stratified(target, spec.task, &shares, spec.seed, &mut warnings);
            (parts, Some(Strata { column: spec.target.clone().unwrap_or_default(), kind, count }))
        }
        SplitStrategy::Group => {
            let key = key.ok_or(SplitError::Needs { strategy: "group", field: "key" })?;
            let parts = assign::group(key, &shares, spec.seed, &mut warnings)
                .map_err(|groups| SplitError::TooFewGroups { column, groups, needed })?;
            (parts, None)
        }
        SplitStrategy::Time => {
            let key = key.ok_or(SplitError::Needs { strategy: "time", field: "key" })?;
            let parts = assign::time(key, &shares, &mut warnings).map_err(|count| SplitError::MissingTime {
                column,
                count,
                rows,
            })?;
            (parts, None)
        }
    };
    let report = report::report(table, spec, &parts, stratified_by, warnings);
    let [train, validation, test] = parts;
    Ok(Split { train, validation, test, report })
}

/// The three shares, checked and divided by their sum.
fn shares(spec: &SplitSpec) -> Result<[f64; 3], SplitError> {
    for (field, value) in [("train", spec.train), ("validation", spec.validation), ("test", spec.test)] {
        if !(0.0..=1.0).contains(&value) {
            return Err(SplitError::Share { field, value });
        }
    }
    let sum = spec.train + spec.validation + spec.test;
    if (sum - 1.0).abs() > 1e-6 {
        // Decimal shares do not sum exactly: 1.1 is shown and not 1.0999999999999999.
        return Err(SplitError::ShareSum { sum: (sum * 1e9).round() / 1e9 });
    }
    if spec.train == 0.0 {
        return Err(SplitError::NoTraining);
    }
    Ok([spec.train / sum, spec.validation / sum, spec.test / sum])
}

fn find<'a>(table: &'a Table, field: &'static str, name: &str) -> Result<&'a Values, SplitError> {
    table.column(name).map(|column| &column.values).ok_or_else(|| SplitError::NoColumn {
        field,
        column: name.to_owned(),
        nearest: table.nearest_name(name).map(str::to_owned),
    })
}
