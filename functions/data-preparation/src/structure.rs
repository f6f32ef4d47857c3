//! Preparation where nothing is predicted: there is no target and no split, and every row is learnt from.

use std::collections::BTreeMap;

use mlops_artifacts::Kind;
use mlops_core::values::TrainingConfig;
use mlops_core::{Artifact, Call, Lang, Result, TaskResult};
use mlops_data_preparation::tools::{LoadedDataset, PreprocessedUnsupervised, ValidationResult};
use serde::Serialize;

use crate::agent::{DataPreparationAgent, Outputs, ProcessedParts, load};
use crate::facts::facts_of_structure;
use crate::requests;

/// The details, as they are kept.
#[derive(Serialize)]
struct Details<'a> {
    dataset: &'a LoadedDataset,
    validation: &'a ValidationResult,
    preprocessing: &'a PreprocessedUnsupervised,
}

impl DataPreparationAgent {
    /// Loads, checks and prepares all rows.
    pub(crate) async fn prepare_structure(
        &self,
        config: &TrainingConfig,
        run_id: String,
        lang: Lang,
        call: &Call,
    ) -> Result<TaskResult<Outputs>> {
        let request = requests::preprocess_unsupervised(config, &run_id)?;
        let dataset = self.call(load(config), call).await?;
        let validation = self.validated(config, call).await?;
        let prepared = self.call(request, call).await?;
        let details = Details { dataset: &dataset, validation: &validation, preprocessing: &prepared };
        let place = self.artifacts.place(Kind::Processed, &run_id, "preparation.json");
        let written = self.artifacts.write_json(&place, &details).await?;
        let made =
            |uri: &dyn std::fmt::Display, sha256: &str| Artifact { uri: uri.to_string(), sha256: sha256.to_owned() };
        let artifacts = vec![
            made(&prepared.processed_s3_uri, prepared.processed_sha256.as_deref().unwrap_or_default()),
            made(&prepared.preprocessor_uri, &prepared.preprocessor_sha256),
            made(&written.uri, &written.sha256),
        ];
        let (rows, features) = (prepared.metadata.num_samples, prepared.metadata.num_features);
        let hint = match lang {
            Lang::En => format!("look for structure in {rows} rows and {features} features"),
            Lang::Ja => format!("{rows} 行、{features} 個の特徴量から構造を探します"),
        };
        let mut metrics = BTreeMap::from([
            ("rows".to_owned(), dataset.num_rows as f64),
            ("features".to_owned(), features as f64),
            ("validation_score".to_owned(), validation.score),
        ]);
        metrics.extend(prepared.statistics.hopkins.value.map(|value| ("hopkins".to_owned(), value)));
        let outputs = Outputs {
            facts: facts_of_structure(&dataset, &validation, &prepared, lang),
            train_uri: config.dataset_s3_uri.clone(),
            validation_uri: None,
            test_uri: None,
            processed: ProcessedParts { train: prepared.processed_s3_uri, validation: None, test: None },
            preprocessor_uri: prepared.preprocessor_uri,
            data_sha256: dataset.sha256,
            rows: dataset.num_rows,
            validation_score: validation.score,
            checks_uri: written.uri,
        };
        let mut result = TaskResult::succeeded::<Self>(run_id, outputs, hint);
        result.artifacts = artifacts;
        result.metrics = metrics;
        Ok(result)
    }
}
