//! The card of a model that learnt without a target: clusters, or fewer numbers for each row.

use std::collections::BTreeMap;

use mlops_algorithms::clustering::{ClusterModel, KSearch};
use mlops_algorithms::preprocess::Preprocessor;
use mlops_algorithms::reduction::ReductionModel;
use mlops_core::values::TaskType;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::card::{check_preprocessor, check_unique};
use crate::{CARD_FORMAT, Signature};

/// What a model that learnt without a target is, what it takes, how it was made and how good it is: the `model.json` of
/// its archive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnsupervisedCard {
    /// The number of this format: 1.
    pub format: u32,
    /// The kind of learning: clustering or dimensionality reduction.
    pub task: TaskType,
    /// The algorithm's name, as `kmeans`.
    pub algorithm: String,
    /// The names of the features in the order of the model's columns.
    pub feature_names: Vec<String>,
    /// The raw columns that go in and what comes out: `cluster` or `coordinates`.
    pub signature: Signature,
    /// The number of clusters, or of columns of the coordinates.
    pub outputs: usize,
    /// The number of rows that it was fitted to.
    pub fitted_rows: usize,
    /// The hyperparameters, defaults included.
    pub hyperparameters: Map<String, Value>,
    /// Finite metrics by name, on the rows that it was fitted to.
    pub metrics: BTreeMap<String, f64>,
    /// The numbers of clusters that were tried, where several were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k_search: Option<KSearch>,
    /// The seed of everything random in the training.
    pub seed: u64,
    /// The SHA-256 of the training table's bytes.
    pub train_sha256: String,
    /// What makes features of raw columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocessor: Option<Preprocessor>,
    /// The SHA-256 of the preprocessor's file; a table whose manifest has the same one is prepared already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocessor_sha256: Option<String>,
    /// The SHA-256 of the weights; filled in when the model is written.
    pub weights_sha256: String,
    /// The version of this library that made the model.
    pub library_version: String,
}

/// A fitted model that predicts no target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnsupervisedModel {
    /// Clusters.
    Clustering(ClusterModel),
    /// Fewer numbers for each row.
    Reduction(ReductionModel),
}

impl UnsupervisedModel {
    /// The kind of learning.
    pub const fn task(&self) -> TaskType {
        match self {
            Self::Clustering(_) => TaskType::Clustering,
            Self::Reduction(_) => TaskType::DimensionalityReduction,
        }
    }

    /// The algorithm's name.
    pub const fn algorithm(&self) -> &'static str {
        match self {
            Self::Clustering(model) => model.clusterer().as_str(),
            Self::Reduction(model) => model.reducer().as_str(),
        }
    }

    /// The number of features.
    pub fn num_features(&self) -> usize {
        match self {
            Self::Clustering(model) => model.num_features(),
            Self::Reduction(model) => model.num_features(),
        }
    }

    /// The number of clusters, or of columns of the coordinates.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Clustering(model) => model.num_clusters(),
            Self::Reduction(model) => model.num_components(),
        }
    }

    /// Checks that shapes agree and that numbers are finite and in range; the error says what is wrong.
    pub fn validate(&self) -> Result<(), String> {
        match self {
            Self::Clustering(model) => model.validate().map_err(|error| error.to_string()),
            Self::Reduction(model) => model.validate().map_err(|error| error.to_string()),
        }
    }
}

impl UnsupervisedCard {
    /// Checks that the card describes that model; the error says what does not agree.
    pub(crate) fn check(&self, model: &UnsupervisedModel) -> Result<(), String> {
        if self.format != CARD_FORMAT {
            return Err(format!("the format is {}; this version knows format {CARD_FORMAT}", self.format));
        }
        if self.task != model.task() || self.algorithm != model.algorithm() {
            let (said, found) = (self.task.as_str(), model.task().as_str());
            let (name, algorithm) = (&self.algorithm, model.algorithm());
            return Err(format!("the card says {name} for {said}, but the weights are {algorithm} for {found}"));
        }
        let counts =
            [("features", self.feature_names.len(), model.num_features()), ("outputs", self.outputs, model.outputs())];
        if let Some((what, said, found)) = counts.into_iter().find(|(_, said, found)| said != found) {
            return Err(format!("the card names {said} {what}, but the weights have {found}"));
        }
        if self.fitted_rows == 0 {
            return Err("the card says that the model was fitted to no row".to_owned());
        }
        check_unique("feature", self.feature_names.iter())?;
        check_unique("input column", self.signature.inputs.iter().map(|column| &column.name))?;
        if let Some((name, value)) = self.metrics.iter().find(|(_, value)| !value.is_finite()) {
            return Err(format!("`{name}` is {value}; the metrics of a card are finite"));
        }
        if let Some(search) = &self.k_search {
            check_search(search, self.outputs)?;
        }
        check_preprocessor(self.preprocessor.as_ref(), self.preprocessor_sha256.as_deref(), &self.feature_names)
    }
}

/// A search must have tried what it chose, and have chosen what the model has.
fn check_search(search: &KSearch, clusters: usize) -> Result<(), String> {
    let chosen = search.tried.iter().any(|tried| tried.k == search.chosen && tried.failed.is_none());
    if !chosen || search.chosen != clusters as u64 {
        let chosen = search.chosen;
        return Err(format!("the card says that {chosen} clusters were chosen, but the weights have {clusters}"));
    }
    let numbers = search.tried.iter().flat_map(|tried| {
        [tried.inertia.value, tried.silhouette.value, tried.davies_bouldin.value, tried.bic, tried.aic]
    });
    match numbers.flatten().find(|value| !value.is_finite()) {
        Some(value) => Err(format!("the search of the number of clusters holds {value}; its measures are finite")),
        None => Ok(()),
    }
}
