//! A table as a model learns from it: a matrix of finite numbers, the target, and the weights of the rows.

use std::collections::BTreeMap;

use mlops_algorithms::models::Task;
use mlops_algorithms::preprocess::Preprocessor;
use mlops_algorithms::table::{Table, Values};
use mlops_algorithms::target::Target;
use mlops_artifacts::LoadedTable;
use mlops_core::{Error, Result};
use ndarray::Array2;

use crate::fault;

/// A fitted preprocessor and the hash of its bytes.
#[derive(Debug, Clone)]
pub(crate) struct HashedPreprocessor {
    pub(crate) preprocessor: Preprocessor,
    pub(crate) sha256: String,
}

/// Which columns are what.
pub(crate) struct Roles<'a> {
    pub(crate) task: Task,
    pub(crate) target: &'a str,
    pub(crate) weight: Option<&'a str>,
    pub(crate) preprocessor: Option<&'a HashedPreprocessor>,
    /// The argument that names the table, for errors.
    pub(crate) field: &'static str,
}

/// What a model learns from, or is scored on.
pub(crate) struct TrainingTable {
    /// Rows × features.
    pub(crate) features: Array2<f64>,
    pub(crate) feature_names: Vec<String>,
    pub(crate) target: Target,
    /// One weight a row.
    pub(crate) weights: Option<Vec<f64>>,
    /// Rows that were left out, because they have no target or because the preprocessor drops them.
    pub(crate) dropped_rows: usize,
    /// Rows that were left out because their class is not one of those learnt, by class.
    pub(crate) unseen_classes: BTreeMap<String, usize>,
}

/// The features of some rows of a table, before the target is looked at.
struct Features {
    names: Vec<String>,
    matrix: Array2<f64>,
    kept: Vec<usize>,
}

impl TrainingTable {
    /// The rows to learn from.
    pub(crate) fn to_learn(data: &LoadedTable, roles: &Roles<'_>) -> Result<Self> {
        Self::new(data, roles, None)
    }

    /// The rows to be scored on, by the features and classes that were learnt.
    pub(crate) fn to_score(data: &LoadedTable, roles: &Roles<'_>, learnt: &Self) -> Result<Self> {
        Self::new(data, roles, Some(learnt))
    }

    fn new(data: &LoadedTable, roles: &Roles<'_>, learnt: Option<&Self>) -> Result<Self> {
        let place = &data.source.uri;
        refuse_infinite_target(data, roles)?;
        let target = column(data, roles.target, "target_column")?;
        let labels = learnt.and_then(|table| match &table.target {
            Target::Classes { labels, .. } => Some(labels.as_slice()),
            Target::Numbers(_) => None,
        });
        let mut unseen_classes = BTreeMap::new();
        let mut usable = vec![true; target.len()];
        for (row, label) in labels.map_or_else(Vec::new, |labels| Target::unknown_classes(target, labels)) {
            usable[row] = false;
            *unseen_classes.entry(label).or_insert(0) += 1;
        }
        let usable = (0..target.len()).filter(|&row| usable[row] && !target.is_missing(row)).collect::<Vec<_>>();
        let unseen: usize = unseen_classes.values().sum();
        if usable.is_empty() && unseen > 0 {
            return Err(Error::invalid_input(format!("no row of {place} is of a class that was learnt"))
                .at(roles.field)
                .hint("give rows of the same classes as the training rows"));
        }
        let wrong_target = |error| fault::of_target(&error, roles.target, place, target.missing());
        if usable.is_empty() {
            // The check of the whole column says whether it is empty or all missing.
            Target::numbers(target).map_err(wrong_target)?;
        }
        let features = features(data, roles, learnt.map(|table| table.feature_names.as_slice()), &usable)?;
        let rows = features.kept;
        if rows.is_empty() {
            return Err(Error::invalid_input(format!("every row of {place} has a missing value")).at(roles.field));
        }
        let values = target.take(&rows);
        let target = match roles.task {
            Task::Classification => Target::classes(&values, labels),
            Task::Regression => Target::numbers(&values),
        };
        let weights = match roles.weight {
            Some(name) => Some(weights(data, name, &rows)?),
            None => None,
        };
        Ok(Self {
            features: features.matrix,
            feature_names: features.names,
            target: target.map_err(wrong_target)?,
            weights,
            dropped_rows: data.table.num_rows() - rows.len() - unseen,
            unseen_classes,
        })
    }
}

fn features(data: &LoadedTable, roles: &Roles<'_>, learnt: Option<&[String]>, usable: &[usize]) -> Result<Features> {
    let noted = data.manifest.as_ref().and_then(|manifest| manifest.preprocessor_sha256.as_deref());
    let Some(HashedPreprocessor { preprocessor, sha256 }) = roles.preprocessor else {
        if noted.is_some() && learnt.is_some() {
            return Err(Error::invalid_input(format!(
                "{} was preprocessed, and the training rows were not",
                data.source.uri
            ))
            .at(roles.field)
            .hint("give the part of the same split that was prepared in the same way"));
        }
        let names = learnt.map_or_else(|| feature_columns(&data.table, roles), <[String]>::to_vec);
        // As the model does: a row to score that lacks a value is left out, a row to learn from is refused.
        let complete = |row: &usize| names.iter().all(|name| has_number(&data.table, name, *row));
        return match learnt {
            Some(_) => {
                let complete = usable.iter().copied().filter(complete).collect::<Vec<_>>();
                plain(data, roles, names, &complete)
            }
            None => plain(data, roles, names, usable),
        };
    };
    match noted {
        Some(noted) if noted == sha256 => plain(data, roles, preprocessor.feature_names(), usable),
        Some(_) => Err(Error::invalid_input(format!(
            "{} was preprocessed with another preprocessor than the one of this model",
            data.source.uri
        ))
        .at(roles.field)
        .hint("preprocess the raw table with the preprocessor_uri that the training rows were made with")),
        None => {
            let raw = data.table.without(&[roles.target]).take(usable);
            let transformed = preprocessor.transform(&raw).map_err(|error| {
                Error::invalid_input(format!("{}: {error}", data.source.uri)).at(roles.field).caused_by(error)
            })?;
            let kept = transformed.kept_rows.iter().map(|&row| usable[row]).collect();
            Ok(Features { names: transformed.feature_names, matrix: transformed.features, kept })
        }
    }
}

/// Whether a column of numbers has a finite one in that row; true for a column that is absent or of text, which is told
/// later.
fn has_number(table: &Table, name: &str, row: usize) -> bool {
    match table.column(name).map(|column| &column.values) {
        Some(Values::Number { values, .. }) => values[row].is_finite(),
        _ => true,
    }
}

/// Every column but the target and the weight.
fn feature_columns(table: &Table, roles: &Roles<'_>) -> Vec<String> {
    let is_feature = |name: &&str| *name != roles.target && Some(*name) != roles.weight;
    table.names().filter(is_feature).map(str::to_owned).collect()
}

/// The columns of those names as they are.
fn plain(data: &LoadedTable, roles: &Roles<'_>, names: Vec<String>, usable: &[usize]) -> Result<Features> {
    if names.is_empty() {
        let (place, rows) = (&data.source.uri, data.table.num_rows());
        let message = format!("{place} has no column besides the target ({rows} rows)");
        return Err(Error::invalid_input(message).at(roles.field).hint("add feature columns"));
    }
    let mut matrix = Array2::zeros((usable.len(), names.len()));
    for (name, mut place) in names.iter().zip(matrix.columns_mut()) {
        let values = column(data, name, roles.field)?;
        let numbers = values.numbers().map_err(|text| {
            let shown: String = text.chars().take(60).collect();
            unprepared(roles, name, &format!("holds text such as '{shown}'"))
        })?;
        for (place, &row) in place.iter_mut().zip(usable) {
            if !numbers[row].is_finite() {
                let what = if numbers[row].is_nan() { "has no value" } else { "is infinite" };
                return Err(unprepared(roles, name, &format!("{what} in row {row} (counted from 0)")));
            }
            *place = numbers[row];
        }
    }
    Ok(Features { names, matrix, kept: usable.to_vec() })
}

fn unprepared(roles: &Roles<'_>, column: &str, what: &str) -> Error {
    fault::unprepared(column, what).at(roles.field)
}

fn weights(data: &LoadedTable, name: &str, rows: &[usize]) -> Result<Vec<f64>> {
    let field = "sample_weight_column";
    let numbers = column(data, name, field)?.numbers().map_err(|text| {
        let message = format!("the column `{name}` holds text such as '{text}', and weights are numbers");
        Error::invalid_input(message).at(field)
    })?;
    Ok(rows.iter().map(|&row| numbers[row]).collect())
}

fn refuse_infinite_target(data: &LoadedTable, roles: &Roles<'_>) -> Result<()> {
    match data.source.notes.infinite.get(roles.target) {
        Some(count) if *count > 0 => Err(Error::invalid_input(format!(
            "the target column `{}` holds {count} infinite values in {}",
            roles.target, data.source.uri
        ))
        .at("target_column")
        .hint("correct these rows in the source, or take them out")),
        _ => Ok(()),
    }
}

fn column<'a>(data: &'a LoadedTable, name: &str, field: &str) -> Result<&'a Values> {
    let found = data.table.column(name).map(|column| &column.values);
    found.ok_or_else(|| {
        if let Some(found) = data.source.notes.skipped_columns.get(name) {
            let message = format!("the column `{name}` of {} is {found}, neither numbers nor text", data.source.uri);
            return Error::invalid_input(message).at(field).hint("flatten it into columns of numbers or text");
        }
        let names = data.table.names().take(20).collect::<Vec<_>>().join(", ");
        let more = if data.table.num_columns() > 20 { ", …" } else { "" };
        let error = Error::invalid_input(format!(
            "there is no column `{name}` in {}; its columns are: {names}{more}",
            data.source.uri
        ));
        match data.table.nearest_name(name) {
            Some(nearest) => error.at(field).hint(format!("did you mean `{nearest}`?")),
            None => error.at(field),
        }
    })
}
