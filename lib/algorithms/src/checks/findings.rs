//! What one check says about one column or the whole table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most rows that a result names.
const EXAMPLES: usize = 5;

/// A check, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Values that are missing.
    Missing,
    /// Infinite numbers, which preprocessing takes as missing.
    Infinite,
    /// Text that reads as numbers, wholly or in part.
    MixedTypes,
    /// Rows that are equal in every column.
    DuplicateRows,
    /// Columns with one value only.
    Constant,
    /// Columns that name the row rather than describe it.
    IdLike,
    /// Numbers far outside the middle half.
    Outliers,
    /// The target's own values: missing, infinite, one class or one number only.
    Target,
    /// How many rows each class has.
    ClassCounts,
    /// Columns that give the target away.
    TargetLeakage,
    /// Columns that are expected and absent, or present and new.
    Columns,
    /// Columns of another type than expected.
    Types,
    /// Missing values where none are expected.
    NotNull,
    /// Repeated values where none are expected.
    Unique,
    /// Numbers outside the expected range.
    Ranges,
    /// Values outside the expected set.
    Categories,
}

impl Check {
    /// The checks that every table gets.
    pub(super) const DEFAULT: [Self; 7] = [
        Self::Missing,
        Self::Infinite,
        Self::MixedTypes,
        Self::DuplicateRows,
        Self::Constant,
        Self::IdLike,
        Self::Outliers,
    ];
    /// The checks of a target, which weigh as the whole table does.
    pub(super) const TARGET: [Self; 3] = [Self::Target, Self::ClassCounts, Self::TargetLeakage];
    /// The checks against a saved schema or expectations.
    pub(super) const SCHEMA: [Self; 6] =
        [Self::Columns, Self::Types, Self::NotNull, Self::Unique, Self::Ranges, Self::Categories];
}

/// How bad a result is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know; nothing to do.
    Info,
    /// Worth a look; a model can be trained.
    Warning,
    /// Training would fail, or its result would mean nothing.
    #[default]
    Error,
}

impl Severity {
    /// What a result takes from its check's worth.
    pub(super) fn weight(self) -> f64 {
        match self {
            Self::Info => 0.0,
            Self::Warning => 0.5,
            Self::Error => 1.0,
        }
    }
}

/// A number or a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Observed {
    /// A finite number.
    Number(f64),
    /// A text.
    Text(String),
}

impl From<f64> for Observed {
    fn from(number: f64) -> Self {
        if number.is_finite() { Self::Number(number) } else { Self::Text(number.to_string()) }
    }
}

impl From<usize> for Observed {
    fn from(count: usize) -> Self {
        Self::Number(count as f64)
    }
}

impl From<String> for Observed {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// What one check says about one column or the whole table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckResult {
    /// The check.
    pub check: Check,
    /// The column; `null` when the result is about the whole table.
    pub column: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// What was measured: a share from 0 to 1, a count, a limit or a value, as `message` says.
    pub observed: Observed,
    /// The limit that the severity depends on; `null` when there is none.
    pub threshold: Option<Observed>,
    /// How many rows fail.
    pub failed_count: usize,
    /// The first rows that fail, counted from 0; at most five.
    pub example_rows: Vec<usize>,
    /// The result as a sentence.
    pub message: String,
}

impl CheckResult {
    pub(super) fn new(
        check: Check,
        column: Option<&str>,
        severity: Severity,
        observed: impl Into<Observed>,
        message: String,
    ) -> Self {
        Self {
            check,
            column: column.map(str::to_owned),
            severity,
            observed: observed.into(),
            threshold: None,
            failed_count: 0,
            example_rows: Vec::new(),
            message,
        }
    }

    /// The result of a check that found nothing.
    pub(super) fn clean(check: Check) -> Self {
        Self::new(check, None, Severity::Info, 0_usize, "nothing found".to_owned())
    }

    pub(super) fn threshold(mut self, threshold: impl Into<Observed>) -> Self {
        self.threshold = Some(threshold.into());
        self
    }

    pub(super) fn failed(mut self, failed: &FailedRows) -> Self {
        self.failed_count = failed.count;
        self.example_rows.clone_from(&failed.examples);
        self
    }
}

/// How many rows fail, and the first of them.
#[derive(Debug, Default)]
pub(super) struct FailedRows {
    pub(super) count: usize,
    examples: Vec<usize>,
}

impl FailedRows {
    /// The first row that fails.
    pub(super) fn first(&self) -> Option<&usize> {
        self.examples.first()
    }
}

impl FromIterator<usize> for FailedRows {
    fn from_iter<I: IntoIterator<Item = usize>>(rows: I) -> Self {
        let mut failed = Self::default();
        for row in rows {
            failed.count += 1;
            if failed.examples.len() < EXAMPLES {
                failed.examples.push(row);
            }
        }
        failed
    }
}
