//! The checks that every column gets, and the search for repeated rows.

use std::collections::HashSet;

use super::duplicates::row_hashes;
use super::findings::FailedRows;
use super::{Check, CheckResult, Severity, Thresholds};
use crate::preprocess::statistics::Summary;
use crate::table::{Column, NumberKind, Table, Values};

/// Fewer values are too few to call a column an identifier.
const ID_ROWS: usize = 20;

/// Everything found in one column that is not the target.
pub(super) fn check(column: &Column, thresholds: &Thresholds) -> Vec<CheckResult> {
    let findings = [missing(column, thresholds), constant(column)];
    let of_kind = match &column.values {
        Values::Number { values, kind } => {
            [infinite(column, values), number_id(column, values, *kind), outliers(column, values, *kind, thresholds)]
        }
        Values::Text { codes, categories } => {
            [mixed_types(column, codes, categories, thresholds), text_id(column, codes, categories, thresholds), None]
        }
    };
    findings.into_iter().chain(of_kind).flatten().collect()
}

/// Rows that repeat an earlier row in every column.
pub(super) fn check_duplicates(table: &Table, thresholds: &Thresholds) -> Option<CheckResult> {
    let hashes = row_hashes(table, &[])?;
    let mut seen = HashSet::with_capacity(hashes.len());
    let failed = (0..hashes.len()).filter(|&row| !seen.insert(hashes[row])).collect::<FailedRows>();
    let share = failed.count as f64 / hashes.len() as f64;
    let message = format!("{} of {} rows repeat an earlier row", failed.count, hashes.len());
    let severity = above(share, thresholds.duplicate_share);
    let result = CheckResult::new(Check::DuplicateRows, None, severity, share, message);
    (failed.count > 0).then(|| result.threshold(thresholds.duplicate_share).failed(&failed))
}

/// A warning above the threshold, otherwise for information.
fn above(share: f64, threshold: f64) -> Severity {
    if share > threshold { Severity::Warning } else { Severity::Info }
}

fn missing(column: &Column, thresholds: &Thresholds) -> Option<CheckResult> {
    let rows = column.values.len();
    let failed = (0..rows).filter(|&row| column.values.is_missing(row)).collect::<FailedRows>();
    let share = failed.count as f64 / rows as f64;
    let message = format!("{} of {rows} values are missing", failed.count);
    let severity = above(share, thresholds.missing_share);
    let result = CheckResult::new(Check::Missing, Some(&column.name), severity, share, message);
    (failed.count > 0).then(|| result.threshold(thresholds.missing_share).failed(&failed))
}

fn constant(column: &Column) -> Option<CheckResult> {
    let first = (0..column.values.len()).find(|&row| !column.values.is_missing(row))?;
    let constant = match &column.values {
        Values::Number { values, .. } => values.iter().all(|value| value.is_nan() || *value == values[first]),
        Values::Text { codes, categories } => {
            codes.iter().all(|&code| code == codes[first] || code as usize >= categories.len())
        }
    };
    let only = column.values.label(first).filter(|_| constant)?;
    let message = format!("every value is '{only}'; nothing can be learnt from the column");
    Some(CheckResult::new(Check::Constant, Some(&column.name), Severity::Warning, only, message))
}

fn infinite(column: &Column, values: &[f64]) -> Option<CheckResult> {
    let failed = (0..values.len()).filter(|&row| values[row].is_infinite()).collect::<FailedRows>();
    let message = format!("{} values are infinite and count as missing", failed.count);
    let result = CheckResult::new(Check::Infinite, Some(&column.name), Severity::Warning, failed.count, message);
    (failed.count > 0).then(|| result.failed(&failed))
}

fn outliers(column: &Column, values: &[f64], kind: NumberKind, thresholds: &Thresholds) -> Option<CheckResult> {
    if matches!(kind, NumberKind::Boolean | NumberKind::Timestamp) {
        return None;
    }
    let summary = Summary::of(values.iter().copied().filter(|value| value.is_finite()).collect());
    let (first, third) = (summary.quantile(0.25)?, summary.quantile(0.75)?);
    let reach = thresholds.outlier_reach * (third - first);
    if reach <= 0.0 || !reach.is_finite() {
        return None;
    }
    let outside = |value: f64| value.is_finite() && (value < first - reach || value > third + reach);
    let failed = (0..values.len()).filter(|&row| outside(values[row])).collect::<FailedRows>();
    let share = failed.count as f64 / summary.count() as f64;
    let message = format!("{} values lie outside {} to {}", failed.count, first - reach, third + reach);
    let severity = above(share, thresholds.outlier_share);
    let result = CheckResult::new(Check::Outliers, Some(&column.name), severity, share, message);
    (failed.count > 0).then(|| result.threshold(thresholds.outlier_share).failed(&failed))
}

/// All different whole numbers that count the rows, or whose name says that they are an identifier.
fn number_id(column: &Column, values: &[f64], kind: NumberKind) -> Option<CheckResult> {
    let whole = values.iter().all(|value| value.is_finite() && value.fract() == 0.0);
    if !whole || kind == NumberKind::Timestamp || values.len() < ID_ROWS {
        return None;
    }
    let summary = Summary::of(values.to_vec());
    let distinct = values.iter().map(|value| (value + 0.0).to_bits()).collect::<HashSet<_>>().len();
    let counts = summary.max()? - summary.min()? == (values.len() - 1) as f64;
    let name = column.name.to_lowercase();
    let named = ["id", "index", "rownames", "row", "key"].contains(&name.as_str()) || name.ends_with("_id");
    let message = "every row has its own whole number; the column looks like an identifier".to_owned();
    let result = CheckResult::new(Check::IdLike, Some(&column.name), Severity::Warning, 1.0, message);
    (distinct == values.len() && (counts || named)).then_some(result)
}

fn text_id(column: &Column, codes: &[u32], categories: &[String], thresholds: &Thresholds) -> Option<CheckResult> {
    let present = codes.iter().filter(|&&code| (code as usize) < categories.len());
    let (mut distinct, mut count) = (HashSet::new(), 0);
    for code in present {
        distinct.insert(code);
        count += 1;
    }
    let share = distinct.len() as f64 / f64::from(count);
    let message = format!("{} of {count} values are different; the column looks like an identifier", distinct.len());
    let result = CheckResult::new(Check::IdLike, Some(&column.name), Severity::Warning, share, message);
    let id_like = count as usize >= ID_ROWS && share >= thresholds.id_distinct_share;
    id_like.then(|| result.threshold(thresholds.id_distinct_share))
}

fn mixed_types(column: &Column, codes: &[u32], categories: &[String], thresholds: &Thresholds) -> Option<CheckResult> {
    let numeric = categories.iter().map(|text| text.trim().parse::<f64>().is_ok()).collect::<Vec<_>>();
    let of_row = |row: usize| numeric.get(codes[row] as usize).copied();
    let numbers = (0..codes.len()).filter(|&row| of_row(row) == Some(true)).count();
    let others = (0..codes.len()).filter(|&row| of_row(row) == Some(false)).collect::<FailedRows>();
    if numbers == 0 {
        return None;
    }
    let share = numbers as f64 / (numbers + others.count) as f64;
    let name = Some(column.name.as_str());
    if others.count == 0 {
        let message = "the column is text, and all of it reads as numbers".to_owned();
        return Some(CheckResult::new(Check::MixedTypes, name, Severity::Info, share, message));
    }
    let message = format!("{numbers} values read as numbers and {} do not; the column is taken as text", others.count);
    let result = CheckResult::new(Check::MixedTypes, name, Severity::Warning, share, message);
    (share >= thresholds.mixed_type_share).then(|| result.threshold(thresholds.mixed_type_share).failed(&others))
}
