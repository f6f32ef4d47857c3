//! `preprocess_supervised`: raw columns become finite numbers that a supervised model learns from.

use mlops_algorithms::preprocess::{PreprocessConfig, Preprocessor};
use mlops_artifacts::run_id;
use mlops_artifacts::{Kind, LoadedTable, Manifest, ReadOptions, SplitRole, TableFormat, Written};
use mlops_core::values::{ArtifactUri, SupervisedTask, sha256_hex};
use mlops_core::{Call, Effect, Error, Result, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::preprocessed::{FitScope, Preprocessed, ProcessedMetadata};
use crate::processed::{OtherColumns, Processed, Recipe, process};
use crate::writing::Writing;
use crate::{DataPreparation, inline};

/// The largest stored preprocessor, in bytes.
const LARGEST_PREPROCESSOR: u64 = 64 * 1024 * 1024;

/// Make raw columns into finite numbers that a supervised model learns from: missing values filled or dropped, numbers
/// scaled, text encoded. Fit it on the training part of a split and give the `preprocessor_uri` of that result for
/// validation and test rows, so that nothing is learnt from them. Rows without a target are left out and counted.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreprocessSupervised {
    /// Where the raw table lies: an `s3://` or `file://` URI, or a path.
    #[serde(alias = "uri", alias = "dataset_uri")]
    #[schemars(extend("x-aliases" = ["uri", "dataset_uri"]))]
    pub dataset_s3_uri: ArtifactUri,
    /// The column to predict.
    pub target_column: String,
    /// The kind of learning.
    #[serde(alias = "task")]
    #[schemars(extend("x-aliases" = ["task"]))]
    pub task_type: SupervisedTask,
    /// How columns are prepared. Not used with `preprocessor_uri`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocessing_config: Option<PreprocessConfig>,
    /// A fitted preprocessor to apply. Without it one is fitted on this table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocessor_uri: Option<ArtifactUri>,
    /// What the rows are for, when the table's manifest does not say it. Fitting on validation or test rows is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split_role: Option<SplitRole>,
    /// Columns that are carried along as they are and are no features, such as an id or a sample weight.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keep_columns: Vec<String>,
    /// The format of the processed table; parquet when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<ProcessedFormat>,
    /// The seed of the folds in which the encoder `target` encodes training rows.
    #[serde(default = "mlops_core::values::default_seed")]
    pub seed: u64,
    /// The run whose folder the table goes to; the caller's run, or one made of the arguments, when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// Computes everything and writes nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// The format of a processed table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProcessedFormat {
    /// Comma-separated text with a header.
    Csv,
    /// Apache Parquet.
    Parquet,
}

impl Tool for PreprocessSupervised {
    const NAME: &'static str = "preprocess_supervised";
    const TITLE: &'static str = "Preprocess for supervised learning";
    const EFFECT: Effect = Effect::Create;
    type Capability = DataPreparation;
    type Output = Preprocessed;

    async fn run(self, room: &DataPreparation, call: &Call) -> Result<Preprocessed> {
        self.check_columns()?;
        let read = room.artifacts.read_table(&self.dataset_s3_uri, &ReadOptions::default(), call).await;
        let data = read.map_err(|error| error.at_or("dataset_s3_uri"))?;
        let split_role = self.role(&data)?;
        let (recipe, applied) = self.recipe(room, &data, split_role).await?;
        let hashes = [data.source.sha256.as_str(), applied.as_ref().map_or("", |stored| stored.sha256.as_str())];
        let run_id = run_id(self.run_id.as_deref(), call, &self, &hashes)?;
        call.progress(1.0, Some(3.0), "preprocessing");
        let (task, target, kept) = (self.task_type, self.target_column.clone(), self.keep_columns.clone());
        let (data, processed) = call
            .compute(move |_| {
                let other = OtherColumns { target: &target, kept: &kept };
                let processed = process(&data, task, &other, recipe)?;
                Ok((data, processed))
            })
            .await?;
        let mut stored = serde_json::to_vec_pretty(&processed.preprocessor)
            .map_err(|error| Error::internal("the preprocessor could not be written as JSON").caused_by(error))?;
        stored.push(b'\n');
        let mut result = self.result(room, &processed, &run_id, split_role, &data);
        match applied {
            Some(applied) => (result.preprocessor_uri, result.preprocessor_sha256) = (applied.uri, applied.sha256),
            None => result.preprocessor_sha256 = sha256_hex(&stored),
        }
        if self.dry_run {
            return Ok(result);
        }
        call.check()?;
        call.progress(2.0, Some(3.0), "writing");
        let mut writing = Writing::to(&room.artifacts);
        let outcome = async {
            if self.preprocessor_uri.is_none() {
                writing.bytes(&result.preprocessor_uri, stored).await?;
            }
            let manifest = self.manifest(&data, &processed, &result);
            let format = self.table_format();
            writing.table(&result.processed_s3_uri, &processed.table, format, manifest).await
        }
        .await;
        result.processed_sha256 = Some(writing.finish(outcome).await?.sha256);
        Ok(result)
    }
}

impl PreprocessSupervised {
    fn table_format(&self) -> TableFormat {
        match self.format {
            Some(ProcessedFormat::Csv) => TableFormat::Csv,
            None | Some(ProcessedFormat::Parquet) => TableFormat::Parquet,
        }
    }

    fn check_columns(&self) -> Result<()> {
        let kept = &self.keep_columns;
        let wrong = |what: String| Err(Error::invalid_input(what).at("keep_columns"));
        if kept.contains(&self.target_column) {
            return wrong(format!("`keep_columns` names the target `{}`, which is kept anyway", self.target_column));
        }
        match kept.iter().enumerate().find(|(index, name)| kept[..*index].contains(name)) {
            Some((_, name)) => wrong(format!("`keep_columns` names `{name}` twice")),
            None => Ok(()),
        }
    }

    /// What the rows are for: by the manifest and by the caller, who must not contradict each other.
    fn role(&self, data: &LoadedTable) -> Result<Option<SplitRole>> {
        let noted = data.manifest.as_ref().and_then(|manifest| manifest.split_role);
        match (noted, self.split_role) {
            (Some(noted), Some(given)) if noted != given => Err(Error::invalid_input(format!(
                "`split_role` is {}, but the manifest of {} says {}",
                given.as_str(),
                data.source.uri,
                noted.as_str()
            ))
            .at("split_role")
            .hint("leave `split_role` out")),
            (noted, given) => Ok(noted.or(given)),
        }
    }

    /// What to do, and the preprocessor's place and hash when it is there already.
    async fn recipe(
        &self,
        room: &DataPreparation,
        data: &LoadedTable,
        split_role: Option<SplitRole>,
    ) -> Result<(Recipe, Option<Written>)> {
        if data.manifest.as_ref().is_some_and(|manifest| manifest.preprocessor_sha256.is_some()) {
            return Err(Error::invalid_input(format!("{} was preprocessed already", data.source.uri))
                .at("dataset_s3_uri")
                .hint("give the table of raw columns"));
        }
        if let Some(uri) = &self.preprocessor_uri {
            if self.preprocessing_config.is_some() {
                return Err(Error::invalid_input(
                    "`preprocessing_config` has no place beside `preprocessor_uri`, which holds the settings it was \
                     fitted with",
                )
                .at("preprocessing_config")
                .hint("leave one of the two out"));
            }
            let (preprocessor, stored) = read_preprocessor(room, uri).await?;
            return Ok((Recipe::Apply(Box::new(preprocessor)), Some(stored)));
        }
        if let Some(role) = split_role.filter(|role| matches!(role, SplitRole::Validation | SplitRole::Test)) {
            return Err(Error::invalid_input(format!(
                "{} holds {} rows, and a preprocessor must not learn from them",
                data.source.uri,
                role.as_str()
            ))
            .at("preprocessor_uri")
            .hint("preprocess the training rows first and give the preprocessor_uri of that result"));
        }
        Ok((Recipe::Fit { config: self.preprocessing_config.clone().unwrap_or_default(), seed: self.seed }, None))
    }

    fn result(
        &self,
        room: &DataPreparation,
        processed: &Processed,
        run_id: &str,
        split_role: Option<SplitRole>,
        data: &LoadedTable,
    ) -> Preprocessed {
        let place = |name: &str| room.artifacts.place(Kind::Processed, run_id, name);
        let source = data.source.uri.file_name().split('.').find(|part| !part.is_empty());
        let stem = match split_role {
            Some(role) => role.as_str(),
            None => source.unwrap_or("table"),
        };
        let Processed { transformed, preprocessor, .. } = processed;
        let feature_names = inline::within(transformed.feature_names.clone());
        let fit_scope = match (&self.preprocessor_uri, split_role) {
            (Some(_), _) => FitScope::Applied,
            (None, Some(SplitRole::Train)) => FitScope::Train,
            (None, _) => FitScope::Full,
        };
        let kept_aside = |name: &&String| **name != self.target_column && !self.keep_columns.contains(name);
        Preprocessed {
            processed_s3_uri: place(&format!("{stem}.{}", self.table_format().as_str())),
            processed_sha256: None,
            preprocessor_uri: self.preprocessor_uri.clone().unwrap_or_else(|| place("preprocessor.json")),
            preprocessor_sha256: String::new(),
            metadata: ProcessedMetadata {
                num_samples: transformed.kept_rows.len(),
                num_features: transformed.feature_names.len(),
                target_distribution: processed.distribution.clone(),
            },
            fit_scope,
            split_role,
            dropped_rows: processed.rows_without_target + transformed.dropped_rows,
            rows_without_target: processed.rows_without_target,
            imputed: inline::first(&transformed.imputed),
            unseen: inline::first(&transformed.unseen),
            infinite_as_missing: inline::first(&transformed.infinite_as_missing),
            clipped: inline::first(&transformed.clipped),
            feature_names_omitted: transformed.feature_names.len() - feature_names.len(),
            feature_names,
            dropped_columns: preprocessor.dropped_columns().iter().take(inline::COLUMNS).cloned().collect(),
            ignored_columns: transformed
                .ignored_columns
                .iter()
                .filter(kept_aside)
                .take(inline::COLUMNS)
                .cloned()
                .collect(),
            rare_categories: inline::first(&preprocessor.rare_categories()),
            dry_run: self.dry_run,
        }
    }

    fn manifest(&self, data: &LoadedTable, processed: &Processed, result: &Preprocessed) -> Manifest {
        Manifest {
            format: 1,
            target_column: Some(self.target_column.clone()),
            task: Some(self.task_type.task()),
            columns: crate::columns::of(&processed.table),
            rows: processed.table.num_rows(),
            split_role: result.split_role,
            data_sha256: String::new(),
            source_sha256: data.source.sha256.clone(),
            preprocessor_uri: Some(result.preprocessor_uri.to_string()),
            preprocessor_sha256: Some(result.preprocessor_sha256.clone()),
            classes: processed.classes.clone(),
        }
    }
}

/// The stored preprocessor, and where it lies.
pub(super) async fn read_preprocessor(room: &DataPreparation, uri: &ArtifactUri) -> Result<(Preprocessor, Written)> {
    let at = |error: Error| error.at_or("preprocessor_uri");
    let bytes = room.artifacts.read_bytes(uri, LARGEST_PREPROCESSOR).await.map_err(at)?;
    let preprocessor = serde_json::from_slice(&bytes).map_err(|error| {
        Error::invalid_input(format!("{uri} is not a preprocessor: {error}"))
            .at("preprocessor_uri")
            .hint("give the preprocessor_uri of a result of preprocess_supervised")
    })?;
    // A manifest outlives the working directory that a relative path was given in.
    let meta = room.artifacts.store().head(uri).await.map_err(at)?;
    let (sha256, bytes) = (sha256_hex(&bytes), bytes.len() as u64);
    Ok((preprocessor, Written { uri: meta.uri, sha256, bytes, version_id: meta.version_id }))
}
