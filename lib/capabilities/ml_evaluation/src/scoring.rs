//! A model, the test data, and what the model predicts there.

use std::collections::BTreeMap;

use mlops_algorithms::target::Target;
use mlops_artifacts::{Artifacts, LoadedModel, LoadedTable, LoadedUnsupervised, ReadOptions};
use mlops_core::values::{ArtifactUri, SupervisedTask};
use mlops_core::{Call, Error, Result};
use ndarray::Array2;

use crate::evaluation::{ModelFacts, TestFacts};
use crate::fault;

/// What a classifier predicted.
pub(crate) struct Classes {
    /// The classes in the order of their codes.
    pub labels: Vec<String>,
    /// The true class codes.
    pub truth: Vec<u32>,
    /// The probabilities, rows × classes.
    pub probabilities: Array2<f64>,
    /// The positions of the rows in the test data.
    pub rows: Vec<usize>,
}

/// What a regressor predicted.
pub(crate) struct Numbers {
    /// The true values.
    pub truth: Vec<f64>,
    /// The predicted values.
    pub predicted: Vec<f64>,
    /// The positions of the rows in the test data.
    pub rows: Vec<usize>,
}

/// What was left out or new to the model.
pub(crate) struct Left {
    /// How many rows.
    pub dropped_rows: usize,
    /// How many of them for each class that training had not seen.
    pub unknown_classes: BTreeMap<String, usize>,
    /// By column, how many unseen categories.
    pub unseen: BTreeMap<String, usize>,
}

impl Left {
    /// What the reader should know of the classes that were left out.
    pub(crate) fn note(&self) -> Option<String> {
        let rows = self.unknown_classes.values().sum::<usize>();
        let named = self.unknown_classes.iter().take(10).map(|(class, rows)| format!("{class} ({rows})"));
        let named = named.collect::<Vec<_>>().join(", ");
        let more = if self.unknown_classes.len() > 10 { ", …" } else { "" };
        (rows > 0).then(|| format!("{rows} rows of classes that training had not seen were left out: {named}{more}"))
    }
}

/// Reads a model of that task; `field` is the argument that names it.
pub(crate) async fn read_model(
    artifacts: &Artifacts,
    uri: &ArtifactUri,
    task: SupervisedTask,
    field: &'static str,
) -> Result<LoadedModel> {
    let model = artifacts.read_model(uri).await.map_err(|error| error.at_or(field))?;
    if model.card.task != task {
        let (is, tool) = match model.card.task {
            SupervisedTask::Classification => ("a classifier", "evaluate_classifier"),
            SupervisedTask::Regression => ("a regressor", "evaluate_regressor"),
        };
        let wanted = task.as_str();
        return Err(Error::invalid_input(format!("the model at {uri} is {is}; a model for {wanted} is needed"))
            .at(field)
            .hint(format!("name another model, or call {tool}")));
    }
    Ok(model)
}

/// Reads the model to compare with, which must predict the same column; `None` when none was named or it is the very
/// same model.
pub(crate) async fn read_other(
    artifacts: &Artifacts,
    uri: Option<&ArtifactUri>,
    model: &LoadedModel,
) -> Result<Option<LoadedModel>> {
    let field = "baseline_model_s3_uri";
    let Some(uri) = uri else { return Ok(None) };
    let other = read_model(artifacts, uri, model.card.task, field).await?;
    if other.sha256 == model.sha256 {
        return Ok(None);
    }
    let (ours, theirs) = (&model.card.target_column, &other.card.target_column);
    if ours != theirs {
        return Err(Error::invalid_input(format!("the two models predict different columns: `{ours}` and `{theirs}`"))
            .at(field)
            .hint("compare with a model of the same target"));
    }
    Ok(Some(other))
}

/// Reads the test data.
pub(crate) async fn read_test_data(artifacts: &Artifacts, uri: &ArtifactUri, call: &Call) -> Result<LoadedTable> {
    artifacts.read_table(uri, &ReadOptions::default(), call).await.map_err(|error| error.at_or("test_data_s3_uri"))
}

/// What a classifier predicts for the rows that have a target.
pub(crate) fn classify(model: &LoadedModel, data: &LoadedTable) -> Result<(Classes, Left)> {
    let input = model.input(data, None).map_err(|error| error.at("test_data_s3_uri"))?;
    let truth = match input.target {
        Some(Target::Classes { codes, .. }) if !codes.is_empty() => codes,
        Some(Target::Classes { .. }) => return Err(no_rows(data)),
        _ => return Err(no_target(model, data)),
    };
    let probabilities =
        model.model.predict_proba(input.features.view()).map_err(|error| fault::of_prediction(&error))?;
    let labels = model.model.labels().to_vec();
    let left = Left { dropped_rows: input.dropped_rows, unknown_classes: input.unknown_classes, unseen: input.unseen };
    Ok((Classes { labels, truth, probabilities, rows: input.kept_rows }, left))
}

/// What a regressor predicts for the rows that have a target.
pub(crate) fn regress(model: &LoadedModel, data: &LoadedTable) -> Result<(Numbers, Left)> {
    let input = model.input(data, None).map_err(|error| error.at("test_data_s3_uri"))?;
    let truth = match input.target {
        Some(Target::Numbers(values)) if !values.is_empty() => values,
        Some(Target::Numbers(_)) => return Err(no_rows(data)),
        _ => return Err(no_target(model, data)),
    };
    let predicted = model.model.predict_values(input.features.view()).map_err(|error| fault::of_prediction(&error))?;
    let left = Left { dropped_rows: input.dropped_rows, unknown_classes: input.unknown_classes, unseen: input.unseen };
    Ok((Numbers { truth, predicted, rows: input.kept_rows }, left))
}

fn no_rows(data: &LoadedTable) -> Error {
    Error::invalid_input(format!("{} has no row that can be evaluated", data.source.uri))
        .at("test_data_s3_uri")
        .hint("give rows whose target is known")
}

fn no_target(model: &LoadedModel, data: &LoadedTable) -> Error {
    let (uri, target) = (&data.source.uri, &model.card.target_column);
    let error = Error::invalid_input(format!("{uri} has no column `{target}`, which the model predicts"));
    let error = error.at("test_data_s3_uri");
    match data.table.nearest_name(target) {
        Some(name) => error.hint(format!("the nearest name there is `{name}`; the truth is needed to evaluate")),
        None => error.hint("the truth is needed to evaluate"),
    }
}

/// What the report says about the model.
pub(crate) fn model_facts(model: &LoadedModel) -> ModelFacts {
    let card = &model.card;
    ModelFacts {
        uri: model.uri.to_string(),
        sha256: model.sha256.clone(),
        algorithm: card.algorithm.clone(),
        target_column: Some(card.target_column.clone()),
        classes: card.classes.clone(),
        features: card.feature_names.len(),
        hyperparameters: card.hyperparameters.clone(),
        seed: card.seed,
        train_sha256: card.train_sha256.clone(),
        validation_sha256: card.validation_sha256.clone(),
        preprocessor_sha256: card.preprocessor_sha256.clone(),
        library_version: card.library_version.clone(),
        training_metrics: finite(&card.metrics),
        feature_importance: finite(&card.feature_importance),
    }
}

/// What the report says about a model without a target.
pub(crate) fn unsupervised_facts(model: &LoadedUnsupervised) -> ModelFacts {
    let card = &model.card;
    ModelFacts {
        uri: model.uri.to_string(),
        sha256: model.sha256.clone(),
        algorithm: card.algorithm.clone(),
        target_column: None,
        classes: None,
        features: card.feature_names.len(),
        hyperparameters: card.hyperparameters.clone(),
        seed: card.seed,
        train_sha256: card.train_sha256.clone(),
        validation_sha256: None,
        preprocessor_sha256: card.preprocessor_sha256.clone(),
        library_version: card.library_version.clone(),
        training_metrics: finite(&card.metrics),
        feature_importance: BTreeMap::new(),
    }
}

fn finite(values: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    values.iter().filter(|(_, value)| value.is_finite()).map(|(name, value)| (name.clone(), *value)).collect()
}

/// What the report says about the test data.
pub(crate) fn test_facts(data: &LoadedTable, evaluated: usize, left: Left) -> TestFacts {
    let manifest = data.manifest.as_ref();
    TestFacts {
        uri: data.source.uri.to_string(),
        sha256: data.source.sha256.clone(),
        source_sha256: manifest.map(|manifest| manifest.source_sha256.clone()),
        split_role: manifest.and_then(|manifest| manifest.split_role).map(|role| role.as_str().to_owned()),
        read: data.source.notes.clone(),
        rows: data.source.rows,
        evaluated,
        dropped_rows: left.dropped_rows,
        unseen: left.unseen,
    }
}
