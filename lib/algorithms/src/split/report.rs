//! What the parts of a split hold, and the leaks between them.

use std::collections::{BTreeMap, HashMap};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::assign::{Parts, codes};
use super::{SplitSpec, SplitStrategy};
use crate::checks::row_hashes;
use crate::models::Task;
use crate::preprocess::statistics::Summary;
use crate::table::{Table, Values};
use crate::target::Target;

/// The most classes that a distribution names.
const NAMED_CLASSES: usize = 100;

/// What the parts of a split hold, and what was found when they were compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SplitReport {
    /// The number of rows in each part.
    pub rows: PartCounts,
    /// The target's distribution in each part; `null` when no target was named.
    pub distribution: Option<PartDistributions>,
    /// What the split was stratified by; `null` for the other strategies.
    pub stratified_by: Option<Strata>,
    /// How many rows lie in more than one part; 0 in a sound split.
    pub overlapping_rows: usize,
    /// How many groups lie in more than one part; 0 when the strategy is `group`, `null` for the other strategies.
    pub shared_groups: Option<usize>,
    /// Rows that are equal in all features and lie in different parts.
    pub duplicate_leak: DuplicateLeak,
    /// What the reader should know, in plain sentences.
    pub warnings: Vec<String>,
}

/// A number of rows for each part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartCounts {
    /// Rows for training.
    pub train: usize,
    /// Rows for validation.
    pub validation: usize,
    /// Rows for test.
    pub test: usize,
}

/// The target's distribution in each part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PartDistributions {
    /// In the rows for training.
    pub train: Distribution,
    /// In the rows for validation.
    pub validation: Distribution,
    /// In the rows for test.
    pub test: Distribution,
}

/// How a target's values are distributed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Distribution {
    /// The number of rows of each class.
    Classes {
        /// Rows by class, for the hundred most frequent classes of the table.
        counts: BTreeMap<String, usize>,
        /// Rows of all further classes.
        other: usize,
        /// Rows without a value.
        missing: usize,
    },
    /// Quantiles of the finite numbers; `null` where there is none.
    Numbers {
        /// The smallest number.
        min: Option<f64>,
        /// A quarter of the numbers is at most this, by linear interpolation.
        q25: Option<f64>,
        /// The middle number, by linear interpolation.
        median: Option<f64>,
        /// Three quarters of the numbers are at most this, by linear interpolation.
        q75: Option<f64>,
        /// The largest number.
        max: Option<f64>,
        /// The arithmetic mean.
        mean: Option<f64>,
        /// Rows without a finite value.
        missing: usize,
    },
}

/// What a split was stratified by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Strata {
    /// The column.
    pub column: String,
    /// Whether its classes were used, or bins of its numbers.
    pub kind: StratumKind,
    /// How many classes or bins there were.
    pub count: usize,
}

/// What the strata of a stratified split are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StratumKind {
    /// The classes of the target.
    Classes,
    /// Bins of the target's numbers with about as many rows each.
    QuantileBins,
}

/// Rows that are equal in every column but the target and the key, and that lie in different parts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DuplicateLeak {
    /// How many different rows of features lie in more than one part.
    pub distinct: usize,
    /// How many rows of validation and test are equal to a row of training.
    pub rows: usize,
}

pub(super) fn report(
    table: &Table,
    spec: &SplitSpec,
    parts: &Parts,
    stratified_by: Option<Strata>,
    mut warnings: Vec<String>,
) -> SplitReport {
    let mut membership = vec![0_u8; table.num_rows()];
    let mut overlapping_rows = 0;
    for (part, rows) in parts.iter().enumerate() {
        for &row in rows {
            overlapping_rows += usize::from(membership[row] != 0);
            membership[row] |= 1 << part;
        }
    }
    let key = spec.key.as_deref().and_then(|name| table.column(name));
    let shared_groups = key.filter(|_| spec.strategy == SplitStrategy::Group).map(|key| {
        in_several(codes(&key.values).into_iter().zip(&membership).filter_map(|(code, part)| Some((code?, *part))))
    });
    let duplicate_leak = duplicate_leak(table, spec, &membership);
    if duplicate_leak.rows > 0 {
        warnings.push(format!(
            "{} rows of validation and test have the same features as a row of training; metrics on them are too good",
            duplicate_leak.rows
        ));
    }
    let target = spec.target.as_deref().and_then(|name| table.column(name)).map(|column| &column.values);
    let [train, validation, test] = parts.each_ref().map(Vec::len);
    // The distribution is that of what the rows were drawn by.
    let by_class = stratified_by.as_ref().map(|strata| strata.kind == StratumKind::Classes);
    let by_task = spec.task.map(|task| task == Task::Classification);
    let shows_classes = by_task.or(by_class).or_else(|| target.map(Target::looks_like_classes)).unwrap_or_default();
    SplitReport {
        rows: PartCounts { train, validation, test },
        distribution: target.map(|target| distributions(target, shows_classes, parts)),
        stratified_by,
        overlapping_rows,
        shared_groups,
        duplicate_leak,
        warnings,
    }
}

/// How many keys are seen in more than one part.
fn in_several<K: std::hash::Hash + Eq>(keys: impl Iterator<Item = (K, u8)>) -> usize {
    let mut seen = HashMap::new();
    keys.for_each(|(key, part)| *seen.entry(key).or_insert(0) |= part);
    seen.values().filter(|parts: &&u8| parts.count_ones() > 1).count()
}

fn duplicate_leak(table: &Table, spec: &SplitSpec, membership: &[u8]) -> DuplicateLeak {
    let excluded = [&spec.target, &spec.key].into_iter().flatten().map(String::as_str).collect::<Vec<_>>();
    let Some(hashes) = row_hashes(table, &excluded) else { return DuplicateLeak::default() };
    let mut rows = hashes.into_iter().zip(membership.iter().copied()).collect::<Vec<_>>();
    // Equal rows stand together, in whatever order among themselves.
    rows.sort_unstable();
    let mut leak = DuplicateLeak::default();
    for same in rows.chunk_by(|a, b| a.0 == b.0) {
        let parts = same.iter().fold(0, |parts, (_, part)| parts | part);
        leak.distinct += usize::from(parts.count_ones() > 1);
        if parts & 1 != 0 {
            leak.rows += same.iter().filter(|(_, part)| part & 1 == 0).count();
        }
    }
    leak
}

fn distributions(target: &Values, as_classes: bool, parts: &Parts) -> PartDistributions {
    let [train, validation, test] = match target {
        Values::Number { values, .. } if !as_classes => {
            parts.each_ref().map(|rows| numbers(rows.iter().map(|&row| values[row])))
        }
        _ => classes(target, parts),
    };
    PartDistributions { train, validation, test }
}

fn numbers(values: impl ExactSizeIterator<Item = f64>) -> Distribution {
    let rows = values.len();
    let summary = Summary::of(values.filter(|value| value.is_finite()).collect());
    let quantile = |share| summary.quantile(share);
    Distribution::Numbers {
        min: quantile(0.0),
        q25: quantile(0.25),
        median: quantile(0.5),
        q75: quantile(0.75),
        max: quantile(1.0),
        mean: summary.mean(),
        missing: rows - summary.count(),
    }
}

fn classes(target: &Values, parts: &Parts) -> [Distribution; 3] {
    let codes = codes(target);
    let count = codes.iter().flatten().max().map_or(0, |&last| last as usize + 1);
    let mut totals = vec![0_usize; count];
    let mut first = vec![0; count];
    for (row, code) in codes.iter().enumerate() {
        if let Some(code) = code {
            totals[*code as usize] += 1;
            first[*code as usize] = row;
        }
    }
    let mut named = (0..count).collect::<Vec<_>>();
    named.sort_by_key(|&code| std::cmp::Reverse(totals[code]));
    named.truncate(NAMED_CLASSES);
    parts.each_ref().map(|rows| {
        let mut counts = vec![0; count];
        let present = rows.iter().filter_map(|&row| codes[row]).map(|code| counts[code as usize] += 1).count();
        let label = |code: usize| target.label(first[code]).unwrap_or_default();
        let named_counts = named.iter().map(|&code| (label(code), counts[code])).collect::<BTreeMap<_, _>>();
        let other = present - named_counts.values().sum::<usize>();
        Distribution::Classes { counts: named_counts, other, missing: rows.len() - present }
    })
}
