//! What the caller expects of single columns.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::findings::FailedRows;
use super::schema::{absent, nulls, outside, unknown, wrong_type};
use super::target::codes;
use super::{Check, CheckResult, Severity};
use crate::parallel;
use crate::table::{Column, ColumnKind, Table};

/// What a column is expected to hold. That the column exists is always expected; every other field narrows it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The column's name.
    pub column: String,
    /// The type of its values.
    #[serde(default, rename = "type")]
    pub kind: Option<ColumnKind>,
    /// Whether no value may be missing.
    #[serde(default)]
    pub not_null: bool,
    /// Whether no value may be repeated; missing values do not count.
    #[serde(default)]
    pub unique: bool,
    /// The smallest number allowed.
    #[serde(default)]
    pub min: Option<f64>,
    /// The largest number allowed.
    #[serde(default)]
    pub max: Option<f64>,
    /// The only values allowed, as a file shows them; missing values do not count.
    #[serde(default)]
    pub in_set: Option<Vec<String>>,
    /// How bad it is when the column is not as expected.
    #[serde(default)]
    pub severity: Severity,
}

/// Where the table is not as expected.
pub(super) fn check(table: &Table, expectations: &[Expectation]) -> Vec<CheckResult> {
    let by_name = table.columns.iter().map(|column| (column.name.as_str(), column));
    let by_name = by_name.collect::<std::collections::HashMap<_, _>>();
    let check = |expected: &Expectation| {
        let severity = expected.severity;
        let Some(column) = by_name.get(expected.column.as_str()) else {
            return vec![absent(table, &expected.column, severity)];
        };
        let findings = [
            expected.kind.and_then(|kind| wrong_type(column, kind, severity)),
            expected.not_null.then(|| nulls(column, severity)).flatten(),
            expected.unique.then(|| repeated(column, severity)).flatten(),
            outside(column, expected.min, expected.max, severity),
            expected.in_set.as_ref().and_then(|set| unknown(column, set, severity)),
        ];
        findings.into_iter().flatten().collect()
    };
    parallel::flat_map(expectations, check)
}

fn repeated(column: &Column, severity: Severity) -> Option<CheckResult> {
    let (codes, _) = codes(&column.values);
    let mut seen = HashSet::new();
    let failed = (0..codes.len()).filter(|&row| codes[row].is_some_and(|code| !seen.insert(code)));
    let failed = failed.collect::<FailedRows>();
    let message = format!("{} values repeat an earlier one where all should be different", failed.count);
    let result = CheckResult::new(Check::Unique, Some(&column.name), severity, failed.count, message);
    (failed.count > 0).then(|| result.threshold(0).failed(&failed))
}
