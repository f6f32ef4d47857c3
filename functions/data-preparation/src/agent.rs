//! The agent's one task: from a raw table to prepared training, validation and test rows.

use std::collections::BTreeMap;

use mlops_artifacts::{Artifacts, Kind};
use mlops_core::values::{ArtifactUri, TrainingConfig};
use mlops_core::{Agent, Artifact, Call, Error, Lang, Result, Task, TaskResult, Tool, ToolCaller};
use mlops_data_preparation::DataPreparation;
use mlops_data_preparation::tools::{
    LoadDataset, LoadedDataset, Preprocessed, SplitResult, ValidateData, ValidationResult,
};
use serde::{Deserialize, Serialize};

use crate::facts::{DataFacts, facts};
use crate::requests;

/// The most findings that an error names.
const NAMED: usize = 10;

/// Loads, checks, splits and prepares the data set of a request. Whatever is learnt for the preparation is learnt from
/// the training rows.
pub struct DataPreparationAgent {
    data: ToolCaller<DataPreparation>,
    pub(crate) artifacts: Artifacts,
}

impl DataPreparationAgent {
    /// The agent that calls those tools and leaves its details there.
    pub fn new(data: ToolCaller<DataPreparation>, artifacts: Artifacts) -> Self {
        Self { data, artifacts }
    }

    pub(crate) async fn call<T: Tool<Capability = DataPreparation>>(&self, tool: T, call: &Call) -> Result<T::Output> {
        self.data.call(tool, call).await.map_err(requests::in_request)
    }

    /// What the checks found, when something sound can be learnt.
    pub(crate) async fn validated(&self, config: &TrainingConfig, call: &Call) -> Result<ValidationResult> {
        let validation = self.call(checks(config), call).await?;
        if validation.passed { Ok(validation) } else { Err(not_passed(&validation)) }
    }
}

/// The agent needs nothing but the request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {}

/// What the next states need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outputs {
    /// The training rows, raw columns; the whole data set where nothing is predicted.
    pub train_uri: ArtifactUri,
    /// The validation rows, raw columns; null when their share is 0.
    pub validation_uri: Option<ArtifactUri>,
    /// The test rows, raw columns; null where nothing is predicted.
    pub test_uri: Option<ArtifactUri>,
    /// The same parts as features.
    pub processed: ProcessedParts,
    /// What made the features; it was fitted to the training rows.
    pub preprocessor_uri: ArtifactUri,
    /// SHA-256 of the data set's bytes.
    pub data_sha256: String,
    /// The number of rows of the data set.
    pub rows: usize,
    /// What a reader of the report must know about the data.
    pub facts: DataFacts,
    /// What the checks made of the data set, from 0 to 1.
    pub validation_score: f64,
    /// What was read, checked, split and prepared, in full.
    pub checks_uri: ArtifactUri,
}

/// The parts of a split as features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessedParts {
    /// The training rows.
    pub train: ArtifactUri,
    /// The validation rows; null when their share is 0.
    pub validation: Option<ArtifactUri>,
    /// The test rows; null where nothing is predicted.
    pub test: Option<ArtifactUri>,
}

/// The details, as they are kept.
#[derive(Serialize)]
struct Details<'a> {
    dataset: &'a LoadedDataset,
    validation: &'a ValidationResult,
    split: &'a SplitResult,
    preprocessing: BTreeMap<&'a str, &'a Preprocessed>,
}

impl Agent for DataPreparationAgent {
    const NAME: &'static str = "data_preparation";
    type Inputs = Inputs;
    type Outputs = Outputs;

    async fn handle(&self, task: Task<Inputs>, call: &Call) -> Result<TaskResult<Outputs>> {
        let Task { run_id, config, lang, .. } = task;
        if config.task.supervised().is_none() {
            return self.prepare_structure(&config, run_id, lang, call).await;
        }
        // What is wrong with the request is said before anything is written.
        let split_request = requests::split(&config, &run_id)?;
        requests::preprocess(&config, &run_id, &config.dataset_s3_uri, None)?;
        let dataset = self.call(load(&config), call).await?;
        let validation = self.validated(&config, call).await?;
        let split = self.call(split_request, call).await?;
        let test_uri = split.test_uri.clone().ok_or_else(|| Error::internal("the split gave no test rows"))?;
        let fit = requests::preprocess(&config, &run_id, &split.train_uri, None)?;
        let train = self.call(fit, call).await?;
        let fitted = Some(&train.preprocessor_uri);
        let validation_part = match &split.validation_uri {
            Some(uri) => Some(self.call(requests::preprocess(&config, &run_id, uri, fitted)?, call).await?),
            None => None,
        };
        let test = self.call(requests::preprocess(&config, &run_id, &test_uri, fitted)?, call).await?;
        let parts = [("train", Some(&train)), ("validation", validation_part.as_ref()), ("test", Some(&test))];
        let parts = parts.into_iter().filter_map(|(name, part)| Some((name, part?))).collect::<BTreeMap<_, _>>();
        let details = Details { dataset: &dataset, validation: &validation, split: &split, preprocessing: parts };
        let place = self.artifacts.place(Kind::Processed, &run_id, "preparation.json");
        let written = self.artifacts.write_json(&place, &details).await?;
        let made = |part: &Preprocessed| {
            let sha256 = part.processed_sha256.clone().unwrap_or_default();
            Artifact { uri: part.processed_s3_uri.to_string(), sha256 }
        };
        let mut artifacts: Vec<Artifact> = details.preprocessing.values().map(|part| made(part)).collect();
        artifacts.push(Artifact { uri: train.preprocessor_uri.to_string(), sha256: train.preprocessor_sha256.clone() });
        artifacts.push(Artifact { uri: written.uri.to_string(), sha256: written.sha256 });
        let hint = next_hint(lang, &split, &train);
        let prepared: Vec<&Preprocessed> = details.preprocessing.values().copied().collect();
        let facts = facts(&dataset, &validation, &split, &prepared, lang);
        let metrics = BTreeMap::from([
            ("rows".to_owned(), dataset.num_rows as f64),
            ("features".to_owned(), train.metadata.num_features as f64),
            ("validation_score".to_owned(), validation.score),
        ]);
        let outputs = Outputs {
            processed: ProcessedParts {
                train: train.processed_s3_uri,
                validation: validation_part.map(|part| part.processed_s3_uri),
                test: Some(test.processed_s3_uri),
            },
            preprocessor_uri: train.preprocessor_uri,
            train_uri: split.train_uri,
            validation_uri: split.validation_uri,
            test_uri: Some(test_uri),
            data_sha256: dataset.sha256,
            rows: dataset.num_rows,
            facts,
            validation_score: validation.score,
            checks_uri: written.uri,
        };
        let mut result = TaskResult::succeeded::<Self>(run_id, outputs, hint);
        result.artifacts = artifacts;
        result.metrics = metrics;
        Ok(result)
    }
}

pub(crate) fn load(config: &TrainingConfig) -> LoadDataset {
    LoadDataset {
        uri: config.dataset_s3_uri.clone(),
        format: None,
        schema: None,
        columns: None,
        limit: None,
        sample: None,
    }
}

fn checks(config: &TrainingConfig) -> ValidateData {
    ValidateData {
        dataset_s3_uri: config.dataset_s3_uri.clone(),
        target_column: config.target_column.clone(),
        task_type: config.task.supervised(),
        ignore_columns: requests::dropped_columns(config),
        expectations: Vec::new(),
        schema: None,
        thresholds: None,
    }
}

/// The error of a data set that nothing sound can be learnt from.
fn not_passed(validation: &ValidationResult) -> Error {
    let errors = validation.errors();
    let named = errors.iter().take(NAMED).cloned().collect::<Vec<_>>().join(" | ");
    let more = if errors.len() > NAMED { " | …" } else { "" };
    Error::invalid_input(format!("nothing sound can be learnt from the data set: {named}{more}"))
        .at("config.dataset_s3_uri")
        .hint("correct the data, or leave columns out with preprocessing_config.drop_columns")
}

fn next_hint(lang: Lang, split: &SplitResult, train: &Preprocessed) -> String {
    let (rows, features) = (split.counts.train, train.metadata.num_features);
    match lang {
        Lang::En => format!("train a model on {rows} rows and {features} features"),
        Lang::Ja => format!("{rows} 行、{features} 個の特徴量でモデルを学習します"),
    }
}
