//! What is known of a dimensionality reduction: `reduction.json`, from which reports are made.

use std::collections::BTreeMap;

use mlops_core::values::ArtifactUri;
use mlops_core::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Artifacts, ReadNotes};

/// The format number of these documents that this version writes.
pub const REDUCTION_FORMAT: u32 = 1;

/// A reduction, the model that made it and the rows that it was fitted to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReductionRecord {
    /// The number of this format: 1.
    pub format: u32,
    /// The run in whose folder the document lies.
    pub run_id: String,
    /// Where the model lies.
    pub model_uri: String,
    /// SHA-256 of its bytes.
    pub model_sha256: String,
    /// The method, as `pca`.
    pub algorithm: String,
    /// The features in the order of the model's columns.
    pub feature_names: Vec<String>,
    /// The number of columns of the coordinates.
    pub num_components: usize,
    /// The hyperparameters, defaults included.
    pub hyperparameters: Map<String, Value>,
    /// The seed.
    pub seed: u64,
    /// SHA-256 of the preprocessor inside the model.
    pub preprocessor_sha256: Option<String>,
    /// The version of the library that made the model.
    pub library_version: String,
    /// Where the rows lie.
    pub data_uri: String,
    /// SHA-256 of their table's bytes.
    pub data_sha256: String,
    /// SHA-256 of the table that it was made from, when its manifest says so.
    pub source_sha256: Option<String>,
    /// What was odd in it when it was read.
    pub read: ReadNotes,
    /// How many rows it has.
    pub rows: usize,
    /// How many of them were reduced.
    pub fitted_rows: usize,
    /// By column, how many values were categories that the preprocessor had not seen.
    pub unseen: BTreeMap<String, usize>,
    /// The measures; one that is not defined is null.
    pub metrics: BTreeMap<String, Option<f64>>,
    /// Why a measure is not defined, by name.
    pub undefined: BTreeMap<String, String>,
    /// The share of the variance along each component; absent but for pca.
    pub explained_variance_ratio: Option<Vec<f64>>,
    /// How much each feature weighs in the kept components, from 0 to 1 with a sum of 1; empty but for pca.
    pub feature_importance: BTreeMap<String, f64>,
    /// The number of neighbours by which neighbourhoods were compared.
    pub n_neighbors: usize,
    /// The number of rows whose neighbourhoods were compared.
    pub measured_rows: usize,
    /// Whether the model has a place for rows that it was not fitted to.
    pub has_transform: bool,
    /// The first two coordinates of rows spread evenly over the data; of one component the second is 0.
    pub points: Vec<[f64; 2]>,
    /// Where the coordinates of all rows lie.
    pub transformed_uri: String,
    /// Where the scatter plot lies.
    pub plot_uri: String,
}

impl Artifacts {
    /// Reads what is known of a reduction. `InvalidInput` when the document is another one, has another format, or its parts
    /// do not agree.
    pub async fn read_reduction(&self, uri: &ArtifactUri) -> Result<ReductionRecord> {
        let record: ReductionRecord = self.read_json(uri).await?;
        record.check().map_err(|reason| {
            Error::invalid_input(format!("`{uri}` is not what is known of a reduction: {reason}"))
                .hint("name the reduction.json that train_unsupervised_dimensionality_reduction wrote")
        })?;
        Ok(record)
    }
}

impl ReductionRecord {
    fn check(&self) -> Result<(), String> {
        if self.format != REDUCTION_FORMAT {
            return Err(format!("its format is {}; this version reads format {REDUCTION_FORMAT}", self.format));
        }
        if self.fitted_rows > self.rows || self.num_components == 0 || self.feature_names.is_empty() {
            return Err("its rows, features and components do not agree".to_owned());
        }
        let numbers = self.metrics.values().flatten().chain(self.feature_importance.values());
        let numbers = numbers.chain(self.explained_variance_ratio.iter().flatten()).chain(self.points.iter().flatten());
        match numbers.copied().find(|value| !value.is_finite()) {
            Some(value) => Err(format!("it holds {value}; its numbers are finite")),
            None => Ok(()),
        }
    }
}
