//! What every fitted model that predicts classes or numbers can do.

use ndarray::ArrayView2;

use super::InvalidModel;
use super::tree::shap::Ensemble;
use crate::onnx::{Graph, OnnxError};

/// A fitted model, as [`super::Model`] sees it.
pub(super) trait Predictor {
    /// The classes in the order of the probabilities; none for regression.
    fn labels(&self) -> &[String];

    /// The number of features.
    fn num_features(&self) -> usize;

    /// Checks that every index is in range, that shapes agree and that numbers are finite.
    fn validate(&self) -> Result<(), InvalidModel>;

    /// One row after the other: the probabilities of the classes, which sum to 1, or for regression one number.
    ///
    /// `x` (rows × features) has the right number of columns; it is finite, but for NaN where
    /// [`Predictor::takes_missing`].
    fn predict(&self, x: ArrayView2<'_, f64>) -> Vec<f64>;

    /// Whether the model knows what to do with a missing feature, which is NaN.
    fn takes_missing(&self) -> bool {
        false
    }

    /// Adds the model to an ONNX graph: from the features (rows × features) to what [`Predictor::predict`] gives, rows ×
    /// classes or rows × 1.
    fn onnx(&self, graph: &mut Graph, features: &str) -> Result<String, OnnxError>;

    /// The model's trees for exact Shapley values, where it is made of trees.
    fn ensemble(&self) -> Option<Ensemble> {
        None
    }
}
