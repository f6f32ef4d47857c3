//! The errors of the algorithms, as errors that name the argument.

use mlops_algorithms::checks::CheckError;
use mlops_algorithms::preprocess::PreprocessError;
use mlops_algorithms::split::SplitError;
use mlops_algorithms::target::TargetError;
use mlops_artifacts::missing_hint;
use mlops_core::Error;
use mlops_core::values::ArtifactUri;

/// Why a table cannot be split.
pub(crate) fn of_split(error: &SplitError) -> Error {
    let named = Error::invalid_input(error.to_string());
    match error {
        SplitError::Share { field, .. } => named.at(*field),
        SplitError::ShareSum { .. } | SplitError::NoTraining => {
            named.at("train").hint("give train, validation and test as shares such as 0.7, 0.15 and 0.15")
        }
        SplitError::Needs { field, .. } | SplitError::NoColumn { field, .. } => named.at(argument(field)),
        SplitError::TooFewRows { .. } => named.at("dataset_s3_uri").hint("give more rows, or set a share to 0"),
        SplitError::TooFewGroups { .. } | SplitError::MissingTime { .. } => named.at("key_column"),
    }
}

/// The argument of ours for a field of the algorithm's request.
fn argument(field: &str) -> &'static str {
    if field == "key" { "key_column" } else { "target_column" }
}

/// Why a column cannot be the target, of which `missing` values were left out.
pub(crate) fn of_target(error: &TargetError, column: &str, place: &ArtifactUri, missing: usize) -> Error {
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

/// Why a table cannot be preprocessed.
pub(crate) fn of_preprocess(error: PreprocessError, place: &ArtifactUri) -> Error {
    let named = Error::invalid_input(format!("{place}: {error}"));
    let named = match &error {
        PreprocessError::UnknownDropColumn { .. } => named.at("preprocessing_config.drop_columns"),
        PreprocessError::TargetNeeded { .. } => named.at("preprocessing_config.encoder"),
        PreprocessError::NoRows { .. } => named.at("preprocessing_config.handle_missing"),
        PreprocessError::Invalid { .. } => named.at("preprocessor_uri"),
        PreprocessError::TargetLength { .. } => Error::internal(error.to_string()),
        _ => named.at("dataset_s3_uri"),
    };
    named.caused_by(error)
}

/// Why a table cannot be checked. The target was looked up before.
pub(crate) fn of_check(error: CheckError) -> Error {
    Error::invalid_input(error.to_string()).at("dataset_s3_uri").caused_by(error)
}
