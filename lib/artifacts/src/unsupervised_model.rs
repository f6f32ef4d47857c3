//! Models that learnt without a target, as objects, and what they say of rows.

use std::collections::BTreeMap;

use mlops_algorithms::clustering::PredictClustersError;
use mlops_algorithms::probe::Probe;
use mlops_algorithms::reduction::ReductionError;
use mlops_core::ports::Condition;
use mlops_core::values::ArtifactUri;
use mlops_core::{Call, Error, Result};
use ndarray::Array2;

use crate::artifacts::naming;
use crate::features::{Features, InputRule};
use crate::model::pack;
use crate::{Artifacts, LoadedTable, UnsupervisedCard, UnsupervisedModel, Written};

/// A model without a target that was read and agrees with its card.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedUnsupervised {
    /// The card.
    pub card: UnsupervisedCard,
    /// The weights.
    pub model: UnsupervisedModel,
    /// The SHA-256 of the archive's bytes, 64 hex digits.
    pub sha256: String,
    /// The URI as it was asked for.
    pub uri: ArtifactUri,
}

/// What such a model takes, made of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct UnsupervisedInput {
    /// Kept rows × features, all finite, in the order of the card's feature names.
    pub features: Array2<f64>,
    /// The rows of the table that were kept, counted from 0, ascending.
    pub kept_rows: Vec<usize>,
    /// How many rows were left out because a feature that is not filled in is missing.
    pub dropped_rows: usize,
    /// How many values are categories unseen in training, by column.
    pub unseen: BTreeMap<String, usize>,
}

/// Where a model puts rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Placed {
    /// The cluster of each row, -1 for noise.
    Clusters(Vec<i32>),
    /// The coordinates, rows × components.
    Coordinates(Array2<f64>),
}

impl Artifacts {
    /// Writes a model without a target, replacing what is there; fills in `weights_sha256`. Equal cards and weights give
    /// equal bytes. `InvalidInput` when the card does not describe the model.
    pub async fn write_unsupervised(
        &self,
        uri: &ArtifactUri,
        mut card: UnsupervisedCard,
        model: &UnsupervisedModel,
    ) -> Result<Written> {
        card.check(model)
            .map_err(|reason| naming(uri, Error::invalid_input(format!("the model cannot be written: {reason}"))))?;
        let bytes = pack(model, |sha256| {
            card.weights_sha256 = sha256;
            crate::artifacts::to_json(&card)
        })
        .map_err(|error| naming(uri, error))?;
        self.write_bytes(uri, bytes, Condition::None).await
    }
}

impl LoadedUnsupervised {
    /// The model's input made of a table, by the same rule as that of a supervised model.
    ///
    /// `InvalidInput` names the column that is missing or is no number, a table that was prepared by another
    /// preprocessor, and a table of which no row can be used.
    pub fn input(&self, data: &LoadedTable) -> Result<UnsupervisedInput> {
        let rule = InputRule {
            feature_names: &self.card.feature_names,
            preprocessor: self.card.preprocessor.as_ref(),
            preprocessor_sha256: self.card.preprocessor_sha256.as_deref(),
        };
        let Features { values, rows, unseen } = rule.features(data)?;
        let all = data.table.num_rows();
        if rows.is_empty() {
            let message = format!("none of the {all} rows of `{}` can be used", data.source.uri);
            return Err(Error::invalid_input(message).hint("every row lacks a value that the model needs"));
        }
        Ok(UnsupervisedInput { features: values, dropped_rows: all - rows.len(), kept_rows: rows, unseen })
    }

    /// Why the model has no place for rows that it was not fitted to; `None` when it has.
    pub fn no_place(&self) -> Option<String> {
        match &self.model {
            UnsupervisedModel::Clustering(model) if !model.clusterer().predicts() => {
                Some(PredictClustersError::Unsupported { clusterer: model.clusterer() }.to_string())
            }
            UnsupervisedModel::Reduction(mlops_algorithms::reduction::ReductionModel::Tsne(_)) => {
                Some(ReductionError::NoTransform.to_string())
            }
            _ => None,
        }
    }

    /// The cluster of each row, or its coordinates. `InvalidInput` where the model has no place for other rows.
    pub fn place(&self, x: &Array2<f64>, probe: &dyn Probe, call: &Call) -> Result<Placed> {
        let refused = |error: String| Error::invalid_input(error);
        match &self.model {
            UnsupervisedModel::Clustering(model) => {
                model.predict(x.view()).map(Placed::Clusters).map_err(|error| refused(error.to_string()))
            }
            UnsupervisedModel::Reduction(model) => {
                model.transform(x.view(), probe).map(Placed::Coordinates).map_err(|error| match error {
                    ReductionError::Cancelled(_) => call.check().err().unwrap_or_else(Error::cancelled),
                    error => refused(error.to_string()),
                })
            }
        }
    }
}
