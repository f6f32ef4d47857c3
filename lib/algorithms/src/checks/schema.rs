//! What the columns of a table hold: inferred from one table, checked on another.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::findings::FailedRows;
use super::{Check, CheckResult, Severity};
use crate::parallel;
use crate::split::hint;
use crate::table::{Column, ColumnKind, NumberKind, Table, Values};

/// The most categories that a schema lists.
const LISTED_CATEGORIES: usize = 50;

/// What the columns of a table hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableSchema {
    /// The columns, in the order of the table.
    pub columns: Vec<ColumnSchema>,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnSchema {
    /// The column's name.
    pub name: String,
    /// What kind of values it holds.
    #[serde(rename = "type")]
    pub kind: ColumnKind,
    /// Whether values may be missing.
    pub nullable: bool,
    /// The smallest finite number; `null` for text.
    #[serde(default)]
    pub min: Option<f64>,
    /// The largest finite number; `null` for text.
    #[serde(default)]
    pub max: Option<f64>,
    /// All texts of the column, sorted, when they are at most 50; otherwise, and for numbers, `null`.
    #[serde(default)]
    pub categories: Option<Vec<String>>,
}

impl TableSchema {
    /// The schema that the table fits.
    pub fn infer(table: &Table) -> Self {
        Self { columns: parallel::map(&table.columns, ColumnSchema::infer) }
    }
}

impl ColumnSchema {
    fn infer(column: &Column) -> Self {
        let (mut min, mut max, mut categories) = (None, None, None);
        match &column.values {
            Values::Number { values, .. } => {
                for &value in values.iter().filter(|value| value.is_finite()) {
                    min = Some(min.map_or(value, |min: f64| min.min(value)));
                    max = Some(max.map_or(value, |max: f64| max.max(value)));
                }
            }
            Values::Text { codes, categories: all } => {
                let used = codes.iter().copied().collect::<HashSet<_>>();
                let used = used.iter().filter_map(|&code| all.get(code as usize)).collect::<HashSet<_>>();
                if used.len() <= LISTED_CATEGORIES {
                    let mut listed = used.into_iter().cloned().collect::<Vec<_>>();
                    listed.sort_unstable();
                    categories = Some(listed);
                }
            }
        }
        let nullable = column.values.missing() > 0;
        Self { name: column.name.clone(), kind: column.values.kind(), nullable, min, max, categories }
    }
}

/// Where the table does not fit the saved schema: an absent column, values of another type and missing values where
/// there were none are errors or warnings by what a fitted preprocessor could do with them; other ranges and categories
/// are warnings; new columns are for information.
pub(super) fn compare(table: &Table, saved: &TableSchema) -> Vec<CheckResult> {
    let known = saved.columns.iter().map(|column| column.name.as_str()).collect::<HashSet<_>>();
    let new = table.columns.iter().filter(|column| !known.contains(column.name.as_str())).map(|column| {
        let message = "the column is not in the saved schema".to_owned();
        CheckResult::new(Check::Columns, Some(&column.name), Severity::Info, column.name.clone(), message)
    });
    let by_name = table.columns.iter().map(|column| (column.name.as_str(), column));
    let by_name = by_name.collect::<std::collections::HashMap<_, _>>();
    let compare = |expected: &ColumnSchema| {
        let Some(column) = by_name.get(expected.name.as_str()) else {
            return vec![absent(table, &expected.name, Severity::Error)];
        };
        let findings = [
            wrong_type(column, expected.kind, Severity::Error),
            (!expected.nullable).then(|| nulls(column, Severity::Warning)).flatten(),
            outside(column, expected.min, expected.max, Severity::Warning),
            expected.categories.as_ref().and_then(|set| unknown(column, set, Severity::Warning)),
        ];
        findings.into_iter().flatten().collect()
    };
    parallel::flat_map(&saved.columns, compare).into_iter().chain(new).collect()
}

/// A column that is expected and not there.
pub(super) fn absent(table: &Table, name: &str, severity: Severity) -> CheckResult {
    let message = format!("the column '{name}' is not in the table{}", hint(table.nearest_name(name)));
    CheckResult::new(Check::Columns, Some(name), severity, "absent".to_owned(), message)
}

/// Values that do not fit the type. Text that reads as numbers fits numbers; numbers in a column of text are a warning
/// at most.
pub(super) fn wrong_type(column: &Column, expected: ColumnKind, severity: Severity) -> Option<CheckResult> {
    let found = column.values.kind();
    let name = Some(column.name.as_str());
    if expected == ColumnKind::Text {
        let message = format!("the column holds values of type {found} where text is expected");
        let result = CheckResult::new(Check::Types, name, severity.min(Severity::Warning), found.to_string(), message);
        let present = (0..column.values.len()).filter(|&row| !column.values.is_missing(row)).collect::<FailedRows>();
        return (found != ColumnKind::Text && present.count > 0)
            .then(|| result.threshold(expected.to_string()).failed(&present));
    }
    let fits = |value: f64| match expected {
        ColumnKind::Integer => value.fract() == 0.0 || !value.is_finite(),
        ColumnKind::Boolean => value == 0.0 || value == 1.0 || value.is_nan(),
        ColumnKind::Float | ColumnKind::Timestamp | ColumnKind::Text => true,
    };
    let failed = match &column.values {
        Values::Number { values, .. } => (0..values.len()).filter(|&row| !fits(values[row])).collect::<FailedRows>(),
        Values::Text { codes, categories } => {
            let numbers = categories.iter().map(|text| text.trim().parse::<f64>().is_ok_and(fits)).collect::<Vec<_>>();
            (0..codes.len()).filter(|&row| numbers.get(codes[row] as usize) == Some(&false)).collect()
        }
    };
    let message = format!("{} values are not of type {expected}; the column is of type {found}", failed.count);
    let result = CheckResult::new(Check::Types, name, severity, found.to_string(), message);
    (failed.count > 0).then(|| result.threshold(expected.to_string()).failed(&failed))
}

/// Missing values.
pub(super) fn nulls(column: &Column, severity: Severity) -> Option<CheckResult> {
    let failed = (0..column.values.len()).filter(|&row| column.values.is_missing(row)).collect::<FailedRows>();
    let message = format!("{} values are missing where none should be", failed.count);
    let result = CheckResult::new(Check::NotNull, Some(&column.name), severity, failed.count, message);
    (failed.count > 0).then(|| result.threshold(0).failed(&failed))
}

/// Numbers below `min` or above `max`.
pub(super) fn outside(column: &Column, min: Option<f64>, max: Option<f64>, severity: Severity) -> Option<CheckResult> {
    let (low, high) = (min.unwrap_or(f64::NEG_INFINITY), max.unwrap_or(f64::INFINITY));
    let numbers = column.values.numbers().ok().filter(|_| min.is_some() || max.is_some())?;
    let out = |row: &usize| numbers[*row] < low || numbers[*row] > high;
    let failed = (0..numbers.len()).filter(out).collect::<FailedRows>();
    let worst = (0..numbers.len()).filter(out).map(|row| numbers[row]);
    let distance = |value: f64| (low - value).max(value - high);
    let worst = worst.max_by(|a, b| distance(*a).total_cmp(&distance(*b)))?;
    let kind = match &column.values {
        Values::Number { kind, .. } => *kind,
        Values::Text { .. } => NumberKind::Float,
    };
    let range = format!("{} to {}", kind.show(low), kind.show(high));
    let message = format!("{} values lie outside {range}; the furthest is {}", failed.count, kind.show(worst));
    let result = CheckResult::new(Check::Ranges, Some(&column.name), severity, worst, message);
    Some(result.threshold(range).failed(&failed))
}

/// Values outside the set, compared as a file shows them.
pub(super) fn unknown(column: &Column, set: &[String], severity: Severity) -> Option<CheckResult> {
    let set = set.iter().map(String::as_str).collect::<HashSet<_>>();
    let failed = match &column.values {
        Values::Text { codes, categories } => {
            let known = categories.iter().map(|category| set.contains(category.as_str())).collect::<Vec<_>>();
            (0..codes.len()).filter(|&row| known.get(codes[row] as usize) == Some(&false)).collect::<FailedRows>()
        }
        Values::Number { .. } => {
            let is_unknown = |row: &usize| column.values.label(*row).is_some_and(|label| !set.contains(label.as_str()));
            (0..column.values.len()).filter(is_unknown).collect()
        }
    };
    let first = column.values.label(*failed.first()?)?;
    let message = format!("{} values are not among the expected ones, the first is '{first}'", failed.count);
    Some(CheckResult::new(Check::Categories, Some(&column.name), severity, first, message).failed(&failed))
}
