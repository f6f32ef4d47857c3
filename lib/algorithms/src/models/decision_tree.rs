//! One classification or regression tree.

mod onnx;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::class_weight::weighted_rows;
use super::fit::{FitError, Fitted, TrainingData};
use super::hyperparameters::{ImpurityMeasure, TreeParameters};
use super::predictor::Predictor;
use super::tree::shap::Ensemble;
use super::tree::{Classes, Columns, Grown, Limits, Nodes, Numbers, grow, prediction};
use super::{InvalidModel, Model};
use crate::onnx::{Graph, OnnxError};
use crate::probe::Probe;
use crate::seed;

/// A fitted decision tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionTree {
    /// The classes; none for regression.
    labels: Vec<String>,
    num_features: u32,
    nodes: Nodes,
}

impl DecisionTree {
    /// The classes in the order of the probabilities; none for regression.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The number of features.
    pub const fn num_features(&self) -> usize {
        self.num_features as usize
    }

    /// The nodes.
    pub const fn nodes(&self) -> &Nodes {
        &self.nodes
    }
}

impl Predictor for DecisionTree {
    fn labels(&self) -> &[String] {
        &self.labels
    }

    fn num_features(&self) -> usize {
        self.num_features as usize
    }

    fn validate(&self) -> Result<(), InvalidModel> {
        prediction::validate(std::slice::from_ref(&self.nodes), self.num_features(), &self.labels)
    }

    fn predict(&self, x: ArrayView2<'_, f64>) -> Vec<f64> {
        prediction::mean_of_leaves(std::slice::from_ref(&self.nodes), x)
    }

    fn ensemble(&self) -> Option<Ensemble> {
        Some(Ensemble::of_mean(std::slice::from_ref(&self.nodes), self.num_features(), self.labels.len()))
    }

    fn onnx(&self, graph: &mut Graph, features: &str) -> Result<String, OnnxError> {
        super::tree::onnx::write(std::slice::from_ref(&self.nodes), self.num_features, graph, features)
    }
}

/// Fits one tree. Of the choices only the order of features is random, and only where `max_features` leaves some out.
pub(super) fn fit(
    data: &TrainingData<'_>,
    parameters: &TreeParameters,
    seed: u64,
    probe: &dyn Probe,
) -> Result<Fitted, FitError> {
    probe.progress(0.0, 1.0, "growing the tree");
    let columns = Columns::new(data.x);
    let (labels, weights) = if parameters.criterion == ImpurityMeasure::SquaredError {
        (Vec::new(), data.weights.map(<[f64]>::to_vec))
    } else {
        let (labels, codes) = data.classes()?;
        // As in scikit-learn, a single tree takes the class frequencies without the weights of the rows.
        let class_weights = parameters.class_weight.of_classes(labels, codes, None)?;
        (labels.to_vec(), weighted_rows(codes, data.weights, class_weights.as_deref()))
    };
    let weights = weights.unwrap_or_else(|| vec![1.0; columns.num_rows()]);
    let total = weights.iter().sum();
    if total <= 0.0 {
        return Err(FitError::NoWeight);
    }
    let limits = Limits::new(parameters, columns.num_rows(), columns.num_features(), total);
    let mut random = seed::rng(seed, 0);
    let random = (!limits.all_features(columns.num_features())).then_some(&mut random);
    let Grown { nodes, importance } = if parameters.criterion == ImpurityMeasure::SquaredError {
        grow(&columns, Numbers::new(data.numbers()?), &weights, &limits, random, probe)?
    } else {
        let criterion = Classes::new(data.classes()?.1, labels.len(), parameters.criterion);
        grow(&columns, criterion, &weights, &limits, random, probe)?
    };
    probe.progress(1.0, 1.0, "grew the tree");
    let tree = DecisionTree { labels, num_features: columns.num_features() as u32, nodes };
    tree.validate().map_err(|_| FitError::OutOfRange)?;
    Ok(Fitted::new(Model::DecisionTree(tree), importance))
}
