//! The fitted ensemble.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::explain::explained;
use super::nodes::{BoostedTree, LEAF};
use super::objective::Objective;
use super::predict::margins;
use crate::models::InvalidModel;
use crate::models::predictor::Predictor;
use crate::models::tree::shap::Ensemble;
use crate::onnx::{Graph, OnnxError};

/// Gradient-boosted trees (Chen and Guestrin, 2016).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoostedTrees {
    pub(super) objective: Objective,
    pub(super) labels: Vec<String>,
    pub(super) num_features: usize,
    /// Which features hold numbers of categories; empty when none does.
    pub(super) categorical: Vec<bool>,
    /// The prediction before the first tree, one a group: of several classes the margin.
    pub(super) base_scores: Vec<f32>,
    /// Round by round, in a round one a group.
    pub(super) trees: Vec<BoostedTree>,
}

impl BoostedTrees {
    /// What was minimised.
    pub const fn objective(&self) -> Objective {
        self.objective
    }

    /// The trees, round by round; tree `i` adds to the margin of group `i mod groups`.
    pub fn trees(&self) -> &[BoostedTree] {
        &self.trees
    }

    /// The number of rounds.
    pub fn rounds(&self) -> usize {
        self.trees.len() / self.objective.groups()
    }

    /// Which features hold numbers of categories; empty when none does.
    pub fn categorical(&self) -> &[bool] {
        &self.categorical
    }

    /// The margins before the first tree, one a group.
    pub fn base_margins(&self) -> Vec<f64> {
        self.starts().into_iter().map(f64::from).collect()
    }

    pub(super) fn starts(&self) -> Vec<f32> {
        self.base_scores.iter().map(|&score| self.objective.margin_of(score)).collect()
    }

    /// The sums of the trees' values, rows × groups, for `x` (rows × features) where NaN is missing: the log-odds of the
    /// second of two classes, one margin a class for more, the logarithm of the mean for counts, otherwise the number.
    ///
    /// # Panics
    /// When `x` has another number of columns than the model has features.
    pub fn predict_margins(&self, x: ArrayView2<'_, f64>) -> Vec<f64> {
        assert_eq!(x.ncols(), self.num_features, "the model has another number of features");
        margins(&self.trees, &self.starts(), x).into_iter().map(f64::from).collect()
    }

    /// The share of each feature in the fall of the loss by all splits; all 0 when nothing was split.
    pub fn feature_importance(&self) -> Vec<f64> {
        let mut gains = vec![0.0; self.num_features];
        for tree in &self.trees {
            for (&feature, &gain) in tree.features.iter().zip(&tree.gains).filter(|(feature, _)| **feature != LEAF) {
                gains[feature as usize] += f64::from(gain);
            }
        }
        let total: f64 = gains.iter().sum();
        if total > 0.0 {
            for gain in &mut gains {
                *gain /= total;
            }
        }
        gains
    }
}

impl Predictor for BoostedTrees {
    fn labels(&self) -> &[String] {
        &self.labels
    }

    fn num_features(&self) -> usize {
        self.num_features
    }

    fn validate(&self) -> Result<(), InvalidModel> {
        let groups = self.objective.groups();
        if !self.objective.is_valid() {
            return Err(InvalidModel::new("a parameter of the boosted trees' objective is out of its range"));
        }
        let classes = match self.objective {
            Objective::Logistic { .. } => 2,
            Objective::Softmax { classes } => classes as usize,
            _ => 0,
        };
        if self.labels.len() != classes {
            return Err(InvalidModel::new("the boosted trees' objective does not fit the number of labels"));
        }
        if self.num_features == 0 || self.num_features >= LEAF as usize {
            return Err(InvalidModel::new("the boosted trees have no features or too many"));
        }
        if !self.categorical.is_empty() && self.categorical.len() != self.num_features {
            return Err(InvalidModel::new("the boosted trees' kinds of features do not fit their number"));
        }
        if self.base_scores.len() != groups || self.starts().iter().any(|start| !start.is_finite()) {
            return Err(InvalidModel::new("the boosted trees' base score is not in its range"));
        }
        if !self.trees.len().is_multiple_of(groups) {
            return Err(InvalidModel::new("the last round of the boosted trees lacks trees"));
        }
        self.trees.iter().try_for_each(|tree| tree.validate(self.num_features))
    }

    fn predict(&self, x: ArrayView2<'_, f64>) -> Vec<f64> {
        let mut margins = margins(&self.trees, &self.starts(), x);
        self.objective.transform(&mut margins);
        match self.objective {
            Objective::Logistic { .. } => {
                margins.into_iter().map(f64::from).flat_map(|second| [1.0 - second, second]).collect()
            }
            Objective::Softmax { classes } => {
                let rows = margins.chunks_exact(classes as usize);
                // In single precision the sum may differ from 1 by more than doubles do.
                let exact = |row: &[f32]| {
                    let total: f64 = row.iter().copied().map(f64::from).sum();
                    row.iter().map(|&share| f64::from(share) / total).collect::<Vec<_>>()
                };
                rows.flat_map(exact).collect()
            }
            _ => margins.into_iter().map(f64::from).collect(),
        }
    }

    fn takes_missing(&self) -> bool {
        true
    }

    fn ensemble(&self) -> Option<Ensemble> {
        explained(self)
    }

    fn onnx(&self, graph: &mut Graph, features: &str) -> Result<String, OnnxError> {
        super::onnx::write(self, graph, features)
    }
}
