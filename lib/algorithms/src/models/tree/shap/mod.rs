//! Exact Shapley values of tree ensembles: how much each feature moves each prediction.
//!
//! Without background rows a feature that is left out is averaged over both children by their training weight (the
//! path-dependent values of Lundberg and others, 2020); with background rows it is taken from them (interventional). Either
//! way the values of a row and the base value add up to the prediction.

mod background;
mod ensemble;
mod path;
mod quadrature;

use ndarray::ArrayView2;

pub(crate) use ensemble::{Ensemble, Link, ShapTree, Test};

use super::prediction::single_rows;
use crate::probe::{Cancelled, Probe};

/// Shapley values of some rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The values, row by row, in a row feature by feature, in a feature output by output.
    pub values: Vec<f64>,
    /// What is predicted where nothing is known, one an output.
    pub base_values: Vec<f64>,
    /// The number of features.
    pub num_features: usize,
}

/// What is explained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ExplainedOutput {
    /// What the trees add up: probabilities for trees and forests of classes, margins for boosted trees, else the number.
    #[default]
    Raw,
    /// The probability. For boosted trees of two classes this needs background rows: for each of them the values of the margin
    /// are scaled so that they add up to the difference of the two probabilities.
    Probability,
}

/// Why a model cannot be explained.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ExplainError {
    /// The model is not made of trees.
    #[error("the model has no trees; exact values exist for tree models only")]
    NoTrees,
    /// The number of features differs.
    #[error("the model was fitted to {expected} features, but the {what} have {given}")]
    Features {
        /// `rows` or `background rows`.
        what: &'static str,
        /// The number of features that the model knows.
        expected: usize,
        /// The number of columns given.
        given: usize,
    },
    /// A feature is missing or infinite.
    #[error(
        "the feature in column {column} of the {what} is {value} in row {row} (both counted from 0); fill such values first"
    )]
    NotFinite {
        /// `rows` or `background rows`.
        what: &'static str,
        /// The row, counted from 0.
        row: usize,
        /// The column, counted from 0.
        column: usize,
        /// The value.
        value: f64,
    },
    /// The background has no rows.
    #[error("there are no background rows; give some, or none at all for path-dependent values")]
    NoBackground,
    /// The model has no probability, or none whose values are defined.
    #[error("values of the probability are not defined here: {reason}")]
    NoProbability {
        /// Why not, and what to do.
        reason: &'static str,
    },
    /// The caller stopped it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Explanation {
    /// The number of outputs: one a class, or one.
    pub fn num_outputs(&self) -> usize {
        self.base_values.len()
    }

    /// The value of a feature for an output of a row.
    ///
    /// # Panics
    /// When one of the indices is out of range.
    pub fn value(&self, row: usize, feature: usize, output: usize) -> f64 {
        self.values[(row * self.num_features + feature) * self.num_outputs() + output]
    }
}

/// The values of the rows of `x`, already checked for shape and finiteness.
pub(crate) fn explain(
    ensemble: &Ensemble,
    x: ArrayView2<'_, f64>,
    background: Option<ArrayView2<'_, f64>>,
    output: ExplainedOutput,
    probe: &dyn Probe,
) -> Result<Explanation, ExplainError> {
    let link = match (output, ensemble.link) {
        (ExplainedOutput::Raw, _) | (ExplainedOutput::Probability, Link::Probability) => Link::Identity,
        (ExplainedOutput::Probability, Link::Logistic) => Link::Logistic,
        (ExplainedOutput::Probability, Link::Identity) => {
            let reason = "the model predicts no probability, or one of several classes; ask for the raw output";
            return Err(ExplainError::NoProbability { reason });
        }
    };
    let rows = single_rows(x, 0, x.nrows());
    match background {
        Some(background) if background.nrows() == 0 => Err(ExplainError::NoBackground),
        Some(background) => {
            let background = single_rows(background, 0, background.nrows());
            Ok(background::explain(ensemble, &rows, &background, link, probe)?)
        }
        None if link == Link::Logistic => {
            let reason = "give background rows, or ask for the raw output";
            Err(ExplainError::NoProbability { reason })
        }
        None => Ok(path::explain(ensemble, &rows, probe)?),
    }
}
