//! The errors of the algorithms, as errors that name the argument.

use std::fmt::Display;

use mlops_algorithms::metrics::MetricError;
use mlops_core::Error;

/// Why a measure could not be computed. Its parameters come from the caller; everything else is our own.
pub(crate) fn of_metric(error: MetricError) -> Error {
    match &error {
        MetricError::Parameter { field, .. } => Error::invalid_input(error.to_string()).at(*field),
        MetricError::NotFinite { .. } => {
            Error::invalid_input(format!("the model's output cannot be measured: {error}"))
                .at("test_data_s3_uri")
                .hint("look for extreme values in the test data")
        }
        _ => Error::internal(format!("the model could not be measured: {error}")).caused_by(error),
    }
}

/// Why the model could not predict on the data.
pub(crate) fn of_prediction(error: &impl Display) -> Error {
    Error::invalid_input(format!("the model cannot predict on this data: {error}"))
        .at("test_data_s3_uri")
        .hint("evaluate on raw columns, or on data that the model's own preprocessor made")
}

/// A metric that a result cannot hold, as when squares leave the range of numbers.
pub(crate) fn out_of_range() -> Error {
    Error::invalid_input("the predictions leave the range of numbers")
        .at("test_data_s3_uri")
        .hint("scale the target before training")
}
