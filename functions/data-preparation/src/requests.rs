//! The arguments of the tools, from what the issue asked for.

use mlops_core::arguments;
use mlops_core::schema;
use mlops_core::values::{ArtifactUri, TrainingConfig};
use mlops_core::{Error, Result};
use mlops_data_preparation::tools::{PreprocessSupervised, PreprocessUnsupervised, SplitDataset};
use serde_json::{Value, json};

/// The setting of a request that is an argument of its own.
const VARIANCE: &str = "variance_threshold";

/// How the rows are divided: `config.split` over the defaults.
pub(crate) fn split(config: &TrainingConfig, run_id: &str) -> Result<SplitDataset> {
    let mut arguments = json!({
        "dataset_s3_uri": config.dataset_s3_uri,
        "target_column": config.target_column,
        "task_type": config.task,
        "seed": config.seed,
        "run_id": run_id,
    });
    for (name, value) in &config.split {
        if ["dataset_s3_uri", "uri", "dataset_uri", "target_column", "task_type", "run_id", "dry_run"]
            .contains(&name.as_str())
        {
            return Err(unknown(name));
        }
        arguments[name] = value.clone();
    }
    let request: SplitDataset = arguments::parse(&schema::of_input::<SplitDataset>(), arguments)
        .map_err(|error| below(error, "config.split"))?;
    if request.test <= 0.0 {
        return Err(Error::invalid_input("the split leaves no test rows, and a model is judged by them")
            .at("config.split.test")
            .hint("give `test` a share such as 0.15"));
    }
    Ok(request)
}

/// How the columns of one part are prepared: by a preprocessor that is there, or by one that is fitted to this part.
pub(crate) fn preprocess(
    config: &TrainingConfig,
    run_id: &str,
    part: &ArtifactUri,
    preprocessor: Option<&ArtifactUri>,
) -> Result<PreprocessSupervised> {
    let mut arguments = json!({
        "dataset_s3_uri": part,
        "target_column": config.target_column,
        "task_type": config.task,
        "seed": config.seed,
        "run_id": run_id,
    });
    match preprocessor {
        Some(uri) => arguments["preprocessor_uri"] = json!(uri),
        None => arguments["preprocessing_config"] = Value::Object(config.preprocessing_config.clone()),
    }
    arguments::parse(&schema::of_input::<PreprocessSupervised>(), arguments).map_err(|error| below(error, "config"))
}

/// How the columns of all rows are prepared where nothing is predicted.
pub(crate) fn preprocess_unsupervised(config: &TrainingConfig, run_id: &str) -> Result<PreprocessUnsupervised> {
    let mut settings = config.preprocessing_config.clone();
    let threshold = settings.remove(VARIANCE);
    let arguments = json!({
        "dataset_s3_uri": config.dataset_s3_uri,
        "preprocessing_config": settings,
        "variance_threshold": threshold,
        "seed": config.seed,
        "run_id": run_id,
    });
    arguments::parse(&schema::of_input::<PreprocessUnsupervised>(), arguments).map_err(|error| below(error, "config"))
}

/// The columns that training does not use.
pub(crate) fn dropped_columns(config: &TrainingConfig) -> Vec<String> {
    let names = config.preprocessing_config.get("drop_columns").and_then(Value::as_array);
    names.into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

fn unknown(name: &str) -> Error {
    Error::invalid_input(format!("`split` has no `{name}`; it has train, validation, test, strategy, key and seed"))
        .at(format!("config.split.{name}"))
}

/// The error of a tool, with the field of the request that its argument came from.
pub(crate) fn in_request(mut error: Error) -> Error {
    error.field = error.field.map(|field| match field.split('.').next().unwrap_or_default() {
        "train" | "validation" | "test" | "strategy" | "key_column" | "key" => format!("config.split.{field}"),
        "preprocessing_config" | "target_column" => format!("config.{field}"),
        "task_type" => "config.task".to_owned(),
        VARIANCE => format!("config.preprocessing_config.{VARIANCE}"),
        "ignore_columns" => "config.preprocessing_config.drop_columns".to_owned(),
        "uri" | "dataset_s3_uri" => "config.dataset_s3_uri".to_owned(),
        _ => field,
    });
    error
}

/// The error of arguments, with its field below that section of the request.
fn below(mut error: Error, section: &str) -> Error {
    error.field = Some(match error.field.filter(|field| !field.is_empty()) {
        Some(field) => format!("{section}.{field}"),
        None => section.to_owned(),
    });
    error
}
