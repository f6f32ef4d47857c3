//! `preprocess_unsupervised`: raw columns become finite numbers in which structure is looked for.

use std::collections::BTreeMap;

use mlops_algorithms::metrics::Measure;
use mlops_algorithms::metrics::clustering::hopkins;
use mlops_algorithms::preprocess::{DroppedColumn, PreprocessConfig, Preprocessor, Transformed};
use mlops_algorithms::table::{Column, NumberKind, Table, Values};
use mlops_artifacts::{CallProbe, Kind, LoadedTable, Manifest, ReadOptions, SplitRole, TableFormat, run_id};
use mlops_core::values::{ArtifactUri, sha256_hex};
use mlops_core::{ArtifactLink, Call, Effect, Error, Lang, Report, Result, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::preprocess_supervised::{ProcessedFormat, read_preprocessor};
use crate::preprocessed::FitScope;
use crate::writing::Writing;
use crate::{DataPreparation, fault, inline, target_column};

/// Make raw columns into finite numbers for clustering or dimensionality reduction: missing values filled or dropped,
/// numbers scaled, text encoded. There is no target, and every row is learnt from. Says whether the rows lie in clumps at
/// all (the Hopkins statistic). Give the `preprocessor_uri` of the result to prepare other rows in the same way.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreprocessUnsupervised {
    /// Where the raw table lies: an `s3://` or `file://` URI, or a path.
    #[serde(alias = "uri", alias = "dataset_uri")]
    #[schemars(extend("x-aliases" = ["uri", "dataset_uri"]))]
    pub dataset_s3_uri: ArtifactUri,
    /// How columns are prepared. Not used with `preprocessor_uri`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocessing_config: Option<PreprocessConfig>,
    /// Columns of numbers whose variance, before they are scaled, is at most this are left out. Constant columns always
    /// are. Not used with `preprocessor_uri`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub variance_threshold: Option<f64>,
    /// A fitted preprocessor to apply. Without it one is fitted on this table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocessor_uri: Option<ArtifactUri>,
    /// Columns that are carried along as they are and are no features, such as an id or a known group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keep_columns: Vec<String>,
    /// The format of the processed table; parquet when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<ProcessedFormat>,
    /// The seed of the rows that the Hopkins statistic draws.
    #[serde(default = "mlops_core::values::default_seed")]
    pub seed: u64,
    /// The run whose folder the table goes to; the caller's run, or one made of the arguments, when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// Computes everything and writes nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// A processed table without a target and how it came about.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct PreprocessedUnsupervised {
    /// The processed table: the features, then the kept columns.
    pub processed_s3_uri: ArtifactUri,
    /// SHA-256 of the processed table's bytes; null after a dry run.
    pub processed_sha256: Option<String>,
    /// The preprocessor that was fitted or applied.
    pub preprocessor_uri: ArtifactUri,
    /// SHA-256 of the preprocessor's bytes.
    pub preprocessor_sha256: String,
    /// The size of the processed table.
    pub metadata: UnsupervisedMetadata,
    /// What was found in the processed features.
    pub statistics: FeatureStatistics,
    /// What the preprocessor was learnt from: the `full` table, or nothing here because it was `applied`.
    pub fit_scope: FitScope,
    /// How many rows were left out because a value is missing.
    pub dropped_rows: usize,
    /// How many missing values were filled, by column.
    pub imputed: BTreeMap<String, usize>,
    /// How many values are categories that the preprocessor has not seen, by column. They have a feature of their own.
    pub unseen: BTreeMap<String, usize>,
    /// How many infinite numbers were taken as missing, by column.
    pub infinite_as_missing: BTreeMap<String, usize>,
    /// How many outliers were moved to their limit, by column.
    pub clipped: BTreeMap<String, usize>,
    /// The names of the features in their order, as many as fit into a result.
    pub feature_names: Vec<String>,
    /// How many further features there are.
    pub feature_names_omitted: usize,
    /// Columns that are not used, with the reason; at most the first 300.
    pub dropped_columns: Vec<DroppedColumn>,
    /// The columns that were left out because they vary too little, with their variance; at most the first 300.
    pub low_variance: BTreeMap<String, f64>,
    /// Whether nothing was written.
    pub dry_run: bool,
}

/// The size of a processed table without a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct UnsupervisedMetadata {
    /// The number of rows.
    pub num_samples: usize,
    /// The number of features.
    pub num_features: usize,
}

/// What was found in processed features.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct FeatureStatistics {
    /// Whether the rows lie in clumps: near 0.5 for rows spread at random, near 1 for clumps (Hopkins and Skellam, 1954).
    pub hopkins: Measure,
    /// Each feature, in order; as many as fit into a result.
    pub features: Vec<FeatureSummary>,
}

/// One processed feature.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct FeatureSummary {
    /// Its name.
    pub name: String,
    /// The mean.
    pub mean: f64,
    /// The standard deviation of the population.
    pub std: f64,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
}

/// What the computation gives.
struct Prepared {
    preprocessor: Preprocessor,
    transformed: Transformed,
    table: Table,
    low_variance: BTreeMap<String, f64>,
    statistics: FeatureStatistics,
}

impl Tool for PreprocessUnsupervised {
    const NAME: &'static str = "preprocess_unsupervised";
    const TITLE: &'static str = "Preprocess for unsupervised learning";
    const EFFECT: Effect = Effect::Create;
    type Capability = DataPreparation;
    type Output = PreprocessedUnsupervised;

    async fn run(self, room: &DataPreparation, call: &Call) -> Result<PreprocessedUnsupervised> {
        self.check()?;
        let read = room.artifacts.read_table(&self.dataset_s3_uri, &ReadOptions::default(), call).await;
        let data = read.map_err(|error| error.at_or("dataset_s3_uri"))?;
        if data.manifest.as_ref().is_some_and(|manifest| manifest.preprocessor_sha256.is_some()) {
            return Err(Error::invalid_input(format!("{} was preprocessed already", data.source.uri))
                .at("dataset_s3_uri")
                .hint("give the table of raw columns"));
        }
        let applied = match &self.preprocessor_uri {
            Some(uri) => Some(read_preprocessor(room, uri).await?),
            None => None,
        };
        let (fitted, stored) = applied.map_or((None, None), |(fitted, stored)| (Some(fitted), Some(stored)));
        let hashes = [data.source.sha256.as_str(), stored.as_ref().map_or("", |stored| stored.sha256.as_str())];
        let run_id = run_id(self.run_id.as_deref(), call, &self, &hashes)?;
        call.progress(1.0, Some(3.0), "preprocessing");
        let asked = self.clone();
        let (data, prepared) = call
            .compute(move |call| {
                let prepared = asked.prepare(&data, fitted, call)?;
                Ok((data, prepared))
            })
            .await?;
        let mut bytes = serde_json::to_vec_pretty(&prepared.preprocessor)
            .map_err(|error| Error::internal("the preprocessor could not be written as JSON").caused_by(error))?;
        bytes.push(b'\n');
        let mut result = self.result(room, &prepared, &run_id, &data);
        match stored {
            Some(stored) => (result.preprocessor_uri, result.preprocessor_sha256) = (stored.uri, stored.sha256),
            None => result.preprocessor_sha256 = sha256_hex(&bytes),
        }
        if self.dry_run {
            return Ok(result);
        }
        call.check()?;
        call.progress(2.0, Some(3.0), "writing");
        let mut writing = Writing::to(&room.artifacts);
        let outcome = async {
            if self.preprocessor_uri.is_none() {
                writing.bytes(&result.preprocessor_uri, bytes).await?;
            }
            let manifest = manifest(&data, &prepared.table, &result);
            writing.table(&result.processed_s3_uri, &prepared.table, self.table_format(), manifest).await
        }
        .await;
        result.processed_sha256 = Some(writing.finish(outcome).await?.sha256);
        Ok(result)
    }
}

impl PreprocessUnsupervised {
    /// Refuses what no table is needed to refuse.
    fn check(&self) -> Result<()> {
        if let Some(threshold) = self.variance_threshold.filter(|threshold| threshold.is_nan() || *threshold < 0.0) {
            return Err(Error::invalid_input(format!("`variance_threshold` is {threshold}; it must be at least 0"))
                .at("variance_threshold"));
        }
        let given = [
            ("preprocessing_config", self.preprocessing_config.is_some()),
            ("variance_threshold", self.variance_threshold.is_some()),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given && self.preprocessor_uri.is_some()) {
            Some((name, _)) => Err(Error::invalid_input(format!(
                "`{name}` has no place beside `preprocessor_uri`, which holds the settings it was fitted with"
            ))
            .at(name)
            .hint("leave one of the two out")),
            None => Ok(()),
        }
    }

    fn table_format(&self) -> TableFormat {
        match self.format {
            Some(ProcessedFormat::Csv) => TableFormat::Csv,
            None | Some(ProcessedFormat::Parquet) => TableFormat::Parquet,
        }
    }

    fn prepare(&self, data: &LoadedTable, fitted: Option<Preprocessor>, call: &Call) -> Result<Prepared> {
        let place = &data.source.uri;
        for name in &self.keep_columns {
            target_column::find(data, name, "keep_columns")?;
        }
        let kept = self.keep_columns.iter().map(String::as_str).collect::<Vec<_>>();
        let raw = data.table.without(&kept);
        let wrong = |error| fault::of_preprocess(error, place);
        let mut low_variance = BTreeMap::new();
        let (preprocessor, transformed) = if let Some(fitted) = fitted {
            let transformed = fitted.transform(&raw).map_err(wrong)?;
            (fitted, transformed)
        } else {
            let mut config = self.preprocessing_config.clone().unwrap_or_default();
            if let Some(threshold) = self.variance_threshold {
                low_variance = varying_at_most(&raw, threshold);
                let asked = config.drop_columns.clone();
                config.drop_columns.extend(low_variance.keys().filter(|name| !asked.contains(name)).cloned());
            }
            Preprocessor::fit_transform(&raw, None, &config, self.seed).map_err(wrong)?
        };
        if transformed.kept_rows.is_empty() {
            return Err(Error::invalid_input(format!("every row of {place} has a missing value, so none is left"))
                .at("dataset_s3_uri")
                .hint("fit the preprocessor with `handle_missing` set to median"));
        }
        call.check()?;
        let measured = hopkins(transformed.features.view(), self.seed, &CallProbe(call));
        let hopkins = measured.map_err(|error| match call.check() {
            Err(over) => over,
            Ok(()) => Error::invalid_input(error.to_string()).at("dataset_s3_uri").hint("scale the columns"),
        })?;
        let statistics = FeatureStatistics { hopkins, features: summaries(&transformed) };
        let table = assemble(&transformed, &data.table.take(&transformed.kept_rows), &self.keep_columns)?;
        Ok(Prepared { preprocessor, transformed, table, low_variance, statistics })
    }

    fn result(
        &self,
        room: &DataPreparation,
        prepared: &Prepared,
        run_id: &str,
        data: &LoadedTable,
    ) -> PreprocessedUnsupervised {
        let place = |name: &str| room.artifacts.place(Kind::Processed, run_id, name);
        let stem = data.source.uri.file_name().split('.').find(|part| !part.is_empty()).unwrap_or("table");
        let Prepared { preprocessor, transformed, statistics, low_variance, .. } = prepared;
        let feature_names = inline::within(transformed.feature_names.clone());
        PreprocessedUnsupervised {
            processed_s3_uri: place(&format!("{stem}.{}", self.table_format().as_str())),
            processed_sha256: None,
            preprocessor_uri: self.preprocessor_uri.clone().unwrap_or_else(|| place("preprocessor.json")),
            preprocessor_sha256: String::new(),
            metadata: UnsupervisedMetadata {
                num_samples: transformed.kept_rows.len(),
                num_features: transformed.feature_names.len(),
            },
            statistics: FeatureStatistics {
                hopkins: statistics.hopkins.clone(),
                features: inline::within(statistics.features.clone()),
            },
            fit_scope: if self.preprocessor_uri.is_some() { FitScope::Applied } else { FitScope::Full },
            dropped_rows: transformed.dropped_rows,
            imputed: inline::first(&transformed.imputed),
            unseen: inline::first(&transformed.unseen),
            infinite_as_missing: inline::first(&transformed.infinite_as_missing),
            clipped: inline::first(&transformed.clipped),
            feature_names_omitted: transformed.feature_names.len() - feature_names.len(),
            feature_names,
            dropped_columns: preprocessor.dropped_columns().iter().take(inline::COLUMNS).cloned().collect(),
            low_variance: low_variance
                .iter()
                .take(inline::COLUMNS)
                .map(|(name, value)| (name.clone(), *value))
                .collect(),
            dry_run: self.dry_run,
        }
    }
}

/// The columns of numbers whose variance (of the population, over what is there) is at most the threshold.
fn varying_at_most(table: &Table, threshold: f64) -> BTreeMap<String, f64> {
    let variance = |column: &Column| {
        let Values::Number { values, .. } = &column.values else { return None };
        let known = values.iter().copied().filter(|value| value.is_finite()).collect::<Vec<_>>();
        let count = known.len() as f64;
        let mean = known.iter().sum::<f64>() / count;
        let variance = known.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
        (variance <= threshold).then(|| (column.name.clone(), variance))
    };
    table.columns.iter().filter_map(variance).collect()
}

fn summaries(transformed: &Transformed) -> Vec<FeatureSummary> {
    let columns = transformed.feature_names.iter().zip(transformed.columns());
    let summary = |(name, values): (&String, Vec<f64>)| {
        let count = values.len() as f64;
        let mean = values.iter().map(|value| value / count).sum::<f64>();
        let variance = values.iter().map(|value| (value - mean) * (value - mean) / count).sum::<f64>();
        let fold = |start: f64, pick: fn(f64, f64) -> f64| values.iter().copied().fold(start, pick);
        let (min, max) = (fold(f64::INFINITY, f64::min), fold(f64::NEG_INFINITY, f64::max));
        FeatureSummary { name: name.clone(), mean, std: variance.sqrt(), min, max }
    };
    columns.map(summary).collect()
}

fn assemble(transformed: &Transformed, kept_rows: &Table, keep: &[String]) -> Result<Table> {
    let feature = |(name, values): (&String, Vec<f64>)| Column {
        name: name.clone(),
        values: Values::Number { values, kind: NumberKind::Float },
    };
    if let Some(name) = keep.iter().find(|name| transformed.feature_names.contains(name)) {
        let message = format!("the column `{name}` has the same name as a feature that preprocessing makes");
        return Err(Error::invalid_input(message).at("keep_columns").hint(format!("rename `{name}` in the source")));
    }
    let features = transformed.feature_names.iter().zip(transformed.columns()).map(feature);
    let kept = keep.iter().filter_map(|name| kept_rows.column(name)).cloned();
    Ok(Table { columns: features.chain(kept).collect() })
}

fn manifest(data: &LoadedTable, table: &Table, result: &PreprocessedUnsupervised) -> Manifest {
    Manifest {
        format: 1,
        target_column: None,
        task: None,
        columns: crate::columns::of(table),
        rows: table.num_rows(),
        split_role: Some(data.manifest.as_ref().and_then(|manifest| manifest.split_role).unwrap_or(SplitRole::Full)),
        data_sha256: String::new(),
        source_sha256: data.source.sha256.clone(),
        preprocessor_uri: Some(result.preprocessor_uri.to_string()),
        preprocessor_sha256: Some(result.preprocessor_sha256.clone()),
        classes: None,
    }
}

impl Report for PreprocessedUnsupervised {
    fn summary(&self, lang: Lang) -> String {
        let UnsupervisedMetadata { num_samples: rows, num_features: features } = self.metadata;
        let dropped = self.dropped_rows;
        let hopkins = self.statistics.hopkins.value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
        match lang {
            Lang::En => format!(
                "preprocessed {rows} rows into {features} features; {dropped} rows left out; Hopkins statistic {hopkins}"
            ),
            Lang::Ja => format!(
                "{rows} 行を {features} 個の特徴量に変換しました（{dropped} 行を除外、Hopkins 統計量 {hopkins}）"
            ),
        }
    }

    fn artifacts(&self) -> Vec<ArtifactLink> {
        if self.dry_run {
            return Vec::new();
        }
        vec![
            ArtifactLink::new(self.processed_s3_uri.as_str(), "processed table"),
            ArtifactLink::new(self.preprocessor_uri.as_str(), "preprocessor"),
        ]
    }
}
