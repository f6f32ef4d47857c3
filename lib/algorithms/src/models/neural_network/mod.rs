//! Neural network: dense layers on standardised features, for classes and for numbers.
//!
//! The features are always standardised inside, and so is the target of a regression; the means and scales are part of
//! the model. Features that are standardised already do not change by it. The losses of a learning curve are in units of
//! the standardised target.

mod fit;
mod hold_out;
mod onnx;
mod scaling;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

pub(super) use fit::fit;
pub use scaling::Scaling;

use super::InvalidModel;
use super::predictor::Predictor;
use crate::neural::Network;
use crate::onnx::{Graph, OnnxError};

/// A fitted neural network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NeuralNetwork {
    /// None for regression.
    labels: Vec<String>,
    /// The codes of the classes that had rows, ascending; the others have probability 0. Empty for regression.
    present: Vec<u32>,
    scaling: Scaling,
    /// How the output of a regression becomes a prediction: times the second, plus the first. 0 and 1 for classes.
    target: [f64; 2],
    /// Its outputs are the log-odds of the second of two classes, one score a class, or the standardised target.
    network: Network,
}

impl NeuralNetwork {
    /// The network; it takes standardised features.
    pub const fn network(&self) -> &Network {
        &self.network
    }

    /// How features are standardised.
    pub const fn scaling(&self) -> &Scaling {
        &self.scaling
    }

    /// The codes of the classes that had rows, ascending; with two, the one output of the network is the log-odds of the
    /// second, else it has one output a class, in this order.
    pub fn present(&self) -> &[u32] {
        &self.present
    }

    /// The mean and the scale of a regression's target: a prediction is the output times the scale plus the mean.
    pub const fn target_scaling(&self) -> [f64; 2] {
        self.target
    }

    fn probabilities(&self, scores: &[f32]) -> Vec<f64> {
        let (outputs, width) = (self.network.num_outputs(), self.labels.len());
        let mut probabilities = vec![0.0; scores.len() / outputs * width];
        for (scores, out) in scores.chunks_exact(outputs).zip(probabilities.chunks_exact_mut(width)) {
            if let ([score], [first, second]) = (scores, self.present.as_slice()) {
                let score = finite(*score);
                out[*first as usize] = 1.0 / (1.0 + score.exp());
                out[*second as usize] = 1.0 / (1.0 + (-score).exp());
                continue;
            }
            let largest = scores.iter().map(|score| finite(*score)).fold(f64::NEG_INFINITY, f64::max);
            let powers = scores.iter().map(|score| (finite(*score) - largest).exp());
            let sum: f64 = powers.clone().sum();
            for (&code, power) in self.present.iter().zip(powers) {
                out[code as usize] = power / sum;
            }
        }
        probabilities
    }
}

/// A score that can be computed with. Only features far outside of what was learnt, or a model that was made by hand, give
/// others.
fn finite(score: f32) -> f64 {
    if score.is_nan() { 0.0 } else { f64::from(score.clamp(-1e30, 1e30)) }
}

impl Predictor for NeuralNetwork {
    fn labels(&self) -> &[String] {
        &self.labels
    }

    fn num_features(&self) -> usize {
        self.scaling.len()
    }

    fn validate(&self) -> Result<(), InvalidModel> {
        self.network.validate().map_err(|error| InvalidModel::new(error.0))?;
        self.scaling.validate()?;
        if self.network.num_inputs() != self.scaling.len() {
            return Err(InvalidModel::new("the scaling of a neural network does not match its inputs"));
        }
        let [mean, scale] = self.target;
        if !(mean.is_finite() && scale.is_finite() && scale > 0.0) {
            return Err(InvalidModel::new("the scaling of the target is not valid"));
        }
        let ascending = self.present.windows(2).all(|pair| pair[0] < pair[1]);
        let known = self.present.last().is_none_or(|&last| (last as usize) < self.labels.len());
        let outputs = match (self.labels.len(), self.present.len()) {
            (0, 0) | (2.., 2) => 1,
            (2.., present @ 3..) => present,
            _ => 0,
        };
        if !ascending || !known || self.network.num_outputs() != outputs {
            return Err(InvalidModel::new("the classes of a neural network do not match its outputs"));
        }
        Ok(())
    }

    fn predict(&self, x: ArrayView2<'_, f64>) -> Vec<f64> {
        let scores = self.network.predict(&self.scaling.apply(x));
        if !self.labels.is_empty() {
            return self.probabilities(&scores);
        }
        let [mean, scale] = self.target;
        scores.into_iter().map(|score| (finite(score) * scale + mean).clamp(f64::MIN, f64::MAX)).collect()
    }

    fn onnx(&self, graph: &mut Graph, features: &str) -> Result<String, OnnxError> {
        onnx::write(self, graph, features)
    }
}
