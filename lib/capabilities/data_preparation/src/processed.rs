//! Raw columns made into features, with the target beside them.

use std::collections::BTreeMap;

use mlops_algorithms::preprocess::{PreprocessConfig, Preprocessor, Transformed};
use mlops_algorithms::table::{Column, NumberKind, Table, Values};
use mlops_algorithms::target::Target;
use mlops_artifacts::LoadedTable;
use mlops_core::values::SupervisedTask;
use mlops_core::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{fault, target_column};

/// The most classes that a distribution names.
const CLASSES: usize = 1000;

/// How a processed table comes about.
pub(crate) enum Recipe {
    /// Learn from these rows.
    Fit {
        /// What the caller chose.
        config: PreprocessConfig,
        /// The seed of the folds of target encoding.
        seed: u64,
    },
    /// Do what was learnt from other rows.
    Apply(Box<Preprocessor>),
}

/// The columns that are no features.
pub(crate) struct OtherColumns<'a> {
    pub(crate) target: &'a str,
    pub(crate) kept: &'a [String],
}

/// A processed table and how it came about.
pub(crate) struct Processed {
    /// Features, then the kept columns, then the target.
    pub(crate) table: Table,
    pub(crate) preprocessor: Preprocessor,
    pub(crate) transformed: Transformed,
    pub(crate) rows_without_target: usize,
    pub(crate) distribution: TargetDistribution,
    /// The classes of the rows, when they were learnt from these rows.
    pub(crate) classes: Option<Vec<String>>,
}

/// How the target is distributed in the processed rows.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum TargetDistribution {
    /// Quantiles of the numbers, for regression.
    Quantiles(Quantiles),
    /// The number of rows of each class, for classification; at most the thousand most frequent classes.
    Classes(BTreeMap<String, usize>),
}

/// Quantiles of numbers, by linear interpolation between neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quantiles {
    /// The smallest number.
    pub min: f64,
    /// A quarter of the numbers is at most this.
    pub q25: f64,
    /// The middle number.
    pub median: f64,
    /// Three quarters of the numbers are at most this.
    pub q75: f64,
    /// The largest number.
    pub max: f64,
}

/// Makes the processed table. Rows without a target are left out first.
pub(crate) fn process(
    data: &LoadedTable,
    task: SupervisedTask,
    other: &OtherColumns<'_>,
    recipe: Recipe,
) -> Result<Processed> {
    let place = &data.source.uri;
    target_column::refuse_infinite(data, other.target)?;
    let target = &target_column::find(data, other.target, "target_column")?.values;
    let present = (0..target.len()).filter(|&row| !target.is_missing(row)).collect::<Vec<_>>();
    let rows_without_target = target.len() - present.len();
    let wrong_target = |error| fault::of_target(&error, other.target, place, rows_without_target);
    if present.is_empty() {
        // The check of the whole column says whether it is empty or all missing.
        Target::numbers(target).map_err(wrong_target)?;
    }
    let rows = if rows_without_target == 0 { data.table.clone() } else { data.table.take(&present) };
    let mut not_features = vec![other.target];
    for name in other.kept {
        target_column::find(data, name, "keep_columns")?;
        not_features.push(name);
    }
    let features = rows.without(&not_features);
    let target = &target_column::find(data, other.target, "target_column")?.values.take(&present);
    let wrong = |error| fault::of_preprocess(error, place);
    let (preprocessor, transformed, learns) = match recipe {
        Recipe::Fit { config, seed } => {
            let learnt = learnable(target, task).map_err(wrong_target)?;
            let (fitted, transformed) =
                Preprocessor::fit_transform(&features, Some(&learnt), &config, seed).map_err(wrong)?;
            (fitted, transformed, true)
        }
        Recipe::Apply(fitted) => {
            let transformed = fitted.transform(&features).map_err(wrong)?;
            (*fitted, transformed, false)
        }
    };
    if transformed.kept_rows.is_empty() {
        return Err(Error::invalid_input(format!("every row of {place} has a missing value, so none is left"))
            .at("dataset_s3_uri")
            .hint("fit the preprocessor with `handle_missing` set to median"));
    }
    let target = target.take(&transformed.kept_rows);
    // What was dropped may have taken the last row of a class with it.
    let classes = match learns.then(|| learnable(&target, task)).transpose().map_err(wrong_target)? {
        Some(Target::Classes { labels, .. }) => Some(labels),
        _ => None,
    };
    let distribution = distribution(&target, task).map_err(wrong_target)?;
    let kept = rows.take(&transformed.kept_rows);
    let table = assemble(&transformed, &kept, other, target)?;
    Ok(Processed { table, preprocessor, transformed, rows_without_target, distribution, classes })
}

fn learnable(target: &Values, task: SupervisedTask) -> Result<Target, mlops_algorithms::target::TargetError> {
    match task {
        SupervisedTask::Classification => Target::classes(target, None),
        SupervisedTask::Regression => Target::numbers(target),
    }
}

fn assemble(transformed: &Transformed, kept: &Table, other: &OtherColumns<'_>, target: Values) -> Result<Table> {
    let feature = |(name, values): (&String, Vec<f64>)| Column {
        name: name.clone(),
        values: Values::Number { values, kind: NumberKind::Float },
    };
    let mut columns: Vec<Column> = transformed.feature_names.iter().zip(transformed.columns()).map(feature).collect();
    let names = transformed.feature_names.iter().map(String::as_str).collect::<std::collections::HashSet<_>>();
    for name in other.kept.iter().map(String::as_str).chain([other.target]) {
        if names.contains(name) {
            return Err(Error::invalid_input(format!(
                "the column `{name}` has the same name as a feature that preprocessing makes"
            ))
            .at("dataset_s3_uri")
            .hint(format!("rename `{name}` in the source")));
        }
    }
    columns.extend(other.kept.iter().filter_map(|name| kept.column(name)).cloned());
    columns.push(Column { name: other.target.to_owned(), values: target });
    Ok(Table { columns })
}

fn distribution(
    target: &Values,
    task: SupervisedTask,
) -> Result<TargetDistribution, mlops_algorithms::target::TargetError> {
    if task == SupervisedTask::Regression {
        let Target::Numbers(mut numbers) = Target::numbers(target)? else {
            return Ok(TargetDistribution::Classes(BTreeMap::new()));
        };
        numbers.sort_unstable_by(f64::total_cmp);
        let quantile = |share: f64| quantile(&numbers, share);
        return Ok(TargetDistribution::Quantiles(Quantiles {
            min: quantile(0.0),
            q25: quantile(0.25),
            median: quantile(0.5),
            q75: quantile(0.75),
            max: quantile(1.0),
        }));
    }
    let mut counts = BTreeMap::new();
    for label in (0..target.len()).filter_map(|row| target.label(row)) {
        *counts.entry(label).or_insert(0) += 1;
    }
    if counts.len() > CLASSES {
        let mut frequent = counts.into_iter().collect::<Vec<_>>();
        frequent.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        frequent.truncate(CLASSES);
        counts = frequent.into_iter().collect();
    }
    Ok(TargetDistribution::Classes(counts))
}

/// The quantile of sorted numbers by linear interpolation, as `numpy.quantile` by default.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let place = share * last as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    low * (1.0 - place.fract()) + high * place.fract()
}
