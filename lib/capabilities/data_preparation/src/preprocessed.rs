//! What preprocessing reports.

use std::collections::BTreeMap;

use mlops_algorithms::preprocess::DroppedColumn;
use mlops_artifacts::SplitRole;
use mlops_core::values::ArtifactUri;
use mlops_core::{ArtifactLink, Lang, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::processed::TargetDistribution;

/// A processed table and how it came about.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct Preprocessed {
    /// The processed table: the features, then the kept columns, then the target as it was.
    pub processed_s3_uri: ArtifactUri,
    /// SHA-256 of the processed table's bytes; null after a dry run.
    pub processed_sha256: Option<String>,
    /// The preprocessor that was fitted or applied. Give it for the other parts of the split.
    pub preprocessor_uri: ArtifactUri,
    /// SHA-256 of the preprocessor's bytes.
    pub preprocessor_sha256: String,
    /// The size of the processed table.
    pub metadata: ProcessedMetadata,
    /// What the preprocessor was learnt from: `train` rows, the `full` table, or nothing here because it was `applied`.
    pub fit_scope: FitScope,
    /// What the rows are for, when it is known.
    pub split_role: Option<SplitRole>,
    /// How many rows were left out.
    pub dropped_rows: usize,
    /// How many of them have no target.
    pub rows_without_target: usize,
    /// How many missing values were filled, by column.
    pub imputed: BTreeMap<String, usize>,
    /// How many values are categories that were not there in training, by column. They have a feature of their own.
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
    /// Columns that the preprocessor does not know, because they were not in training; at most the first 300.
    pub ignored_columns: Vec<String>,
    /// How many categories were too rare for a feature of their own, by column.
    pub rare_categories: BTreeMap<String, usize>,
    /// Whether nothing was written.
    pub dry_run: bool,
}

/// The size of a processed table, in the design document's words.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct ProcessedMetadata {
    /// The number of rows.
    pub num_samples: usize,
    /// The number of features.
    pub num_features: usize,
    /// The number of rows of each class, or for regression the quantiles `min`, `q25`, `median`, `q75` and `max`.
    pub target_distribution: TargetDistribution,
}

/// What a preprocessor was learnt from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FitScope {
    /// The rows of the training part.
    Train,
    /// The whole table, which nobody has split.
    Full,
    /// Nothing here: it was learnt before, from other rows.
    Applied,
}

impl Report for Preprocessed {
    fn summary(&self, lang: Lang) -> String {
        let ProcessedMetadata { num_samples: rows, num_features: features, .. } = self.metadata;
        let dropped = self.dropped_rows;
        match lang {
            Lang::En => format!("preprocessed {rows} rows into {features} features; {dropped} rows left out"),
            Lang::Ja => format!("{rows} 行を {features} 個の特徴量に変換しました（{dropped} 行を除外）"),
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
