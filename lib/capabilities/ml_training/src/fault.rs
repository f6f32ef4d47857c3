//! The errors of the algorithms, as errors that name the argument.

use std::fmt::Display;

use mlops_algorithms::metrics::MetricError;
use mlops_algorithms::models::{FitError, HyperparameterError};
use mlops_algorithms::search::SearchError;
use mlops_algorithms::target::TargetError;
use mlops_artifacts::missing_hint;
use mlops_core::{Call, Error};

/// All that is wrong with the hyperparameters; the first names the field.
pub(crate) fn of_hyperparameters(problems: &[HyperparameterError]) -> Error {
    let message = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ");
    let field = problems.first().and_then(HyperparameterError::field);
    match field {
        Some(name) => Error::invalid_input(message).at(format!("hyperparameters.{name}")),
        None => Error::invalid_input(message).at("algorithm"),
    }
}

/// Why a column cannot be the target, of which `missing` values were left out.
pub(crate) fn of_target(error: &TargetError, column: &str, place: impl Display, missing: usize) -> Error {
    let message = format!("the column `{column}` of {place} cannot be the target: {error}");
    match error {
        TargetError::OneClass { .. } if missing > 0 => {
            Error::invalid_input(format!("{message}; {missing} more rows have no value there")).hint(missing_hint())
        }
        TargetError::AllMissing { .. } => Error::invalid_input(message).hint(missing_hint()),
        _ => Error::invalid_input(message),
    }
    .at("target_column")
}

/// Why a model could not be fitted.
pub(crate) fn of_fit(error: &FitError, feature_names: &[String], call: &Call) -> Error {
    match error {
        FitError::Cancelled(_) => call.check().err().unwrap_or_else(Error::cancelled),
        FitError::NotFinite { row, column, value } => {
            let name = feature_names.get(*column).map_or("?", String::as_str);
            unprepared(name, &format!("is {value} in row {row} (counted from 0)"))
        }
        FitError::UnknownClass { .. } => Error::invalid_input(error.to_string()).at("class_weight"),
        FitError::Weight { .. } | FitError::NoWeight => {
            Error::invalid_input(error.to_string()).at("sample_weight_column")
        }
        FitError::OneClass { .. } | FitError::Target { .. } | FitError::TargetNotFinite { .. } => {
            Error::invalid_input(error.to_string()).at("target_column")
        }
        FitError::Validation(_) => Error::invalid_input(error.to_string()).at("validation_data_s3_uri"),
        FitError::HoldOut { .. } | FitError::Diverged { .. } => {
            Error::invalid_input(error.to_string()).at("hyperparameters")
        }
        FitError::OutOfRange => Error::invalid_input(error.to_string()).at("train_data_s3_uri"),
        FitError::Empty { .. } | FitError::FewRows { .. } | FitError::TooMany { .. } => {
            Error::invalid_input(error.to_string()).at("train_data_s3_uri")
        }
        FitError::Priors { .. } => Error::invalid_input(error.to_string()).at("hyperparameters.priors"),
        FitError::Neighbours { .. } => Error::invalid_input(error.to_string()).at("hyperparameters.n_neighbors"),
        FitError::Boosting(_) => Error::invalid_input(error.to_string()).at("hyperparameters"),
        FitError::Rows { .. }
        | FitError::Code { .. }
        | FitError::Algorithm { .. }
        | FitError::Features { .. }
        | FitError::Labels => Error::internal(format!("the model could not be fitted: {error}")),
    }
}

/// A column that a model cannot learn from as it is.
pub(crate) fn unprepared(column: &str, what: &str) -> Error {
    Error::invalid_input(format!("the column `{column}` {what}, and a model learns from finite numbers only"))
        .at("train_data_s3_uri")
        .hint("run preprocess_supervised on the table and train on what it gives")
}

/// Why a score could not be computed. The arguments of the scores are our own.
pub(crate) fn of_metric(error: MetricError) -> Error {
    Error::internal(format!("the model could not be scored: {error}")).caused_by(error)
}

/// Why a model could not predict. The shapes are our own.
pub(crate) fn of_prediction(error: &impl Display) -> Error {
    Error::internal(format!("the model could not predict: {error}"))
}

/// Why a search cannot go on.
pub(crate) fn of_search(error: SearchError) -> Error {
    let field = error.field();
    let told = match &error {
        SearchError::Cancelled(_) => return Error::cancelled(),
        SearchError::Space(_)
        | SearchError::Setting { .. }
        | SearchError::Parameters { .. }
        | SearchError::GridTooLarge { .. }
        | SearchError::Invalid { .. } => Error::invalid_input(error.to_string()),
        _ => Error::internal(format!("the search failed: {error}")),
    };
    match field {
        Some(field) => told.at(field),
        None => told.caused_by(error),
    }
}
