//! The signature of a model: the columns that its caller gives, and what comes out.

use mlops_algorithms::models::Task;
use mlops_algorithms::preprocess::{FittedColumn, Parameters, Preprocessor};
use mlops_algorithms::table::ColumnKind;
use mlops_artifacts::{Signature, SignatureColumn};

/// Raw columns go into a model that has a preprocessor, and features into another.
pub(crate) fn signature(feature_names: &[String], preprocessor: Option<&Preprocessor>, task: Task) -> Signature {
    let output = match task {
        Task::Classification => "class",
        Task::Regression => "number",
    };
    signature_of(feature_names, preprocessor, output)
}

/// The signature of a model that gives `output`.
pub(crate) fn signature_of(feature_names: &[String], preprocessor: Option<&Preprocessor>, output: &str) -> Signature {
    let feature = |name: &String| SignatureColumn { name: name.clone(), kind: ColumnKind::Float, categories: None };
    let inputs = preprocessor.map_or_else(
        || feature_names.iter().map(feature).collect(),
        |preprocessor| preprocessor.columns().iter().map(raw_column).collect(),
    );
    Signature { inputs, output: output.to_owned() }
}

fn raw_column(column: &FittedColumn) -> SignatureColumn {
    let categories = match &column.parameters {
        Parameters::Category(category) => Some(category.categories.clone()),
        Parameters::Number(_) => None,
    };
    SignatureColumn { name: column.name.clone(), kind: column.kind, categories }
}
