//! Columns that give the target away: copies of it, and columns that predict it almost perfectly on their own.

use std::collections::HashMap;

use super::target::{View, codes};
use super::{Check, CheckResult, Severity, Thresholds};
use crate::table::{Column, Values};

/// Fewer rows fit anything by chance.
const RULE_ROWS: usize = 50;
/// Fewer pairs correlate by chance.
const PAIRS: usize = 20;
/// The most bins that a column of numbers is cut into to predict classes.
const BINS: usize = 32;
/// The rows that a bin or a category needs on average.
const ROWS_PER_BIN: usize = 10;

/// An error for a copy of the target; a warning for a column that renames its classes one by one, which an honest
/// predictor can do, and for one that predicts it almost perfectly.
pub(super) fn check(column: &Column, target: &Column, view: &View, thresholds: &Thresholds) -> Option<CheckResult> {
    let result = |severity, observed: f64, message: &str| {
        CheckResult::new(Check::TargetLeakage, Some(&column.name), severity, observed, message.to_owned())
    };
    if is_copy(&column.values, &target.values) {
        return Some(result(Severity::Error, 1.0, "the column is a copy of the target; drop it"));
    }
    match view {
        View::Classes { codes: classes, labels } => {
            if renames(&column.values, classes, labels.len()) {
                let message =
                    "each value of the column stands for one class of the target; is it known before the target is?";
                return Some(result(Severity::Warning, 1.0, message));
            }
            let strength = rule_strength(&column.values, classes, labels.len())?;
            let message = "the column alone predicts the classes almost perfectly; is it known before the target is?";
            let result = result(Severity::Warning, strength, message).threshold(thresholds.leakage_rule);
            (strength >= thresholds.leakage_rule).then_some(result)
        }
        View::Numbers { values } => {
            let strength = number_strength(&column.values, values)?;
            let message = "the column alone predicts the target almost perfectly; is it known before the target is?";
            let result = result(Severity::Warning, strength, message).threshold(thresholds.leakage_correlation);
            (strength >= thresholds.leakage_correlation).then_some(result)
        }
    }
}

fn is_copy(column: &Values, target: &Values) -> bool {
    let varies = |values: &Values| (1..values.len()).any(|row| !values.is_missing(row) && differs(values, row));
    match (column, target) {
        (Values::Number { values: a, .. }, Values::Number { values: b, .. }) => {
            a.iter().zip(b).all(|(a, b)| a == b || (a.is_nan() && b.is_nan())) && varies(target)
        }
        (Values::Text { codes: a, categories: x }, Values::Text { codes: b, categories: y }) => {
            a.iter().zip(b).all(|(a, b)| x.get(*a as usize) == y.get(*b as usize)) && varies(target)
        }
        // Numbers that stand as text in one of the two columns.
        _ => varies(target) && (0..target.len()).all(|row| column.label(row) == target.label(row)),
    }
}

/// Whether the value differs from that of the first row.
fn differs(values: &Values, row: usize) -> bool {
    match values {
        Values::Number { values, .. } => values[row] != values[0],
        Values::Text { codes, .. } => codes[row] != codes[0],
    }
}

/// Whether the column's values and the classes correspond one to one, over enough rows.
fn renames(column: &Values, classes: &[Option<u32>], count: usize) -> bool {
    let (values, distinct) = codes(column);
    if count < 2 || distinct.len() != count {
        return false;
    }
    let mut class_of = vec![None; count];
    let mut pairs = 0;
    for (value, class) in values.iter().zip(classes).filter_map(|(value, class)| Some(((*value)?, (*class)?))) {
        pairs += 1;
        if *class_of[value as usize].get_or_insert(class) != class {
            return false;
        }
    }
    let mut seen = class_of.iter().flatten().copied().collect::<Vec<_>>();
    seen.sort_unstable();
    seen.dedup();
    pairs >= RULE_ROWS.max(count * ROWS_PER_BIN / 2) && seen.len() == count
}

/// The share of a majority guess's errors that the best guess by this column avoids (Goodman and Kruskal's lambda). A
/// column of numbers is cut into bins of about equal size. `None` when there are too few rows to say.
fn rule_strength(column: &Values, classes: &[Option<u32>], count: usize) -> Option<f64> {
    let groups = match column {
        Values::Number { values, .. } => bins(values, classes),
        Values::Text { .. } => {
            let (codes, distinct) = codes(column);
            let enough = classes.len() >= distinct.len() * ROWS_PER_BIN / 2;
            if enough { codes } else { return None }
        }
    };
    let mut table = HashMap::<(u32, u32), usize>::new();
    let mut totals = vec![0_usize; count];
    for (group, class) in groups.iter().zip(classes).filter_map(|(group, class)| Some(((*group)?, (*class)?))) {
        *table.entry((group, class)).or_default() += 1;
        totals[class as usize] += 1;
    }
    let rows = totals.iter().sum::<usize>();
    let mut best = HashMap::<u32, usize>::new();
    for ((group, _), count) in table {
        let best = best.entry(group).or_default();
        *best = count.max(*best);
    }
    let (right, base) = (best.values().sum::<usize>(), totals.iter().max().copied()?);
    (rows >= RULE_ROWS && base < rows).then(|| (right - base) as f64 / (rows - base) as f64)
}

/// The bin of each row by its number; equal numbers share a bin.
fn bins(values: &[f64], classes: &[Option<u32>]) -> Vec<Option<u32>> {
    let usable = |row: &usize| !values[*row].is_nan() && classes[*row].is_some();
    let mut order = (0..values.len()).filter(usable).collect::<Vec<_>>();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let count = (order.len() / ROWS_PER_BIN).clamp(1, BINS);
    let mut bins = vec![None; values.len()];
    let mut bin = 0;
    for (rank, &row) in order.iter().enumerate() {
        if rank == 0 || values[row] != values[order[rank - 1]] {
            bin = (rank * count / order.len()) as u32;
        }
        bins[row] = Some(bin);
    }
    bins
}

/// For a column of numbers the larger of Pearson's and Spearman's correlation, up to sign; for text the correlation
/// ratio. `None` when there are too few rows to say.
fn number_strength(column: &Values, target: &[f64]) -> Option<f64> {
    if let Values::Number { values, .. } = column {
        let pairs = values.iter().zip(target).filter(|(value, target)| value.is_finite() && !target.is_nan());
        let (values, target): (Vec<f64>, Vec<f64>) = pairs.map(|(value, target)| (*value, *target)).unzip();
        if values.len() < PAIRS {
            return None;
        }
        let pearson = correlation(&values, &target).unwrap_or_default();
        let spearman = correlation(&ranks(&values), &ranks(&target)).unwrap_or_default();
        return Some(pearson.abs().max(spearman.abs()));
    }
    let (codes, distinct) = codes(column);
    let pairs = codes.iter().zip(target).filter_map(|(code, target)| Some(((*code)?, *target)));
    let pairs = pairs.filter(|(_, target)| !target.is_nan()).collect::<Vec<_>>();
    if pairs.len() < RULE_ROWS.max(distinct.len() * ROWS_PER_BIN / 2) {
        return None;
    }
    let mut sums = vec![(0.0, 0.0); distinct.len()];
    for (code, target) in &pairs {
        sums[*code as usize].0 += target;
        sums[*code as usize].1 += 1.0;
    }
    // The correlation of the target with its mean in each category.
    let means = pairs.iter().map(|(code, _)| sums[*code as usize].0 / sums[*code as usize].1).collect::<Vec<_>>();
    correlation(&means, &pairs.iter().map(|(_, target)| *target).collect::<Vec<_>>())
}

/// Pearson's correlation; `None` when one side does not vary.
fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let largest = |values: &[f64]| values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    let (unit_a, unit_b, count) = (largest(a), largest(b), a.len() as f64);
    let mean = |values: &[f64], unit: f64| values.iter().map(|value| value / unit).sum::<f64>() / count;
    let (mean_a, mean_b) = (mean(a, unit_a), mean(b, unit_b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a / unit_a - mean_a, b / unit_b - mean_b);
        ab += a * b;
        aa += a * a;
        bb += b * b;
    }
    let value = ab / (aa * bb).sqrt();
    value.is_finite().then_some(value)
}

/// The rank of each value from 1; equal values share the mean of their ranks.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order = (0..values.len()).collect::<Vec<_>>();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for run in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = first as f64 + (run.len() + 1) as f64 / 2.0;
        for &row in run {
            ranks[row] = rank;
        }
        first += run.len();
    }
    ranks
}
