//! Support vector machines: classification (one machine a pair of classes) and regression.

mod cache;
mod coupling_onnx;
mod fit;
mod kernel;
mod onnx;
mod platt;
mod solver;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::InvalidModel;
use super::predictor::Predictor;
use crate::onnx::{Graph, OnnxError};
use crate::parallel;
pub(super) use fit::fit;
use kernel::Interleaved;
pub use kernel::Kernel;

/// Rows that are predicted together.
const BLOCK: usize = 64;
/// Sums of scores up to this stay within the range of numbers.
const LARGEST_SCORE: f64 = 1e300;

/// A fitted support vector machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SupportVectorMachine {
    /// The classes; none for regression.
    labels: Vec<String>,
    /// The codes of the classes that had rows, ascending; none for regression.
    present: Vec<u32>,
    num_features: u32,
    kernel: Kernel,
    /// The support vectors, one after the other.
    vectors: Vec<f64>,
    machines: Vec<Machine>,
    /// One for each machine, or none: then scores become probabilities by a fixed formula.
    sigmoids: Vec<Sigmoid>,
}

/// One decision function: a weighted sum of the kernels of some support vectors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Machine {
    /// Indices of support vectors, ascending.
    pub(super) support: Vec<u32>,
    pub(super) coefficients: Vec<f64>,
    pub(super) intercept: f64,
}

/// Platt's map from a score to a probability: `1 / (1 + exp(slope · score + offset))`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Sigmoid {
    pub(super) slope: f64,
    pub(super) offset: f64,
}

impl SupportVectorMachine {
    /// The kernel.
    pub const fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// The number of support vectors.
    pub fn num_support_vectors(&self) -> usize {
        self.vectors.len() / (self.num_features as usize).max(1)
    }

    /// The intercept of each machine: one for regression and for two classes, else one a pair of classes in the order
    /// (0, 1), (0, 2), … (1, 2), ….
    pub fn intercepts(&self) -> Vec<f64> {
        self.machines.iter().map(|machine| machine.intercept).collect()
    }

    /// The scores of the machines: rows × machines, row by row. Above 0 speaks for the first class of a pair; for
    /// regression it is the prediction.
    ///
    /// # Panics
    /// When `x` has another number of columns than the model has features.
    pub fn scores(&self, x: ArrayView2<'_, f64>) -> Vec<f64> {
        let features = self.num_features as usize;
        let vectors = Interleaved::new(features, self.vectors.chunks_exact(features));
        let x = x.as_standard_layout();
        let queries = x.as_slice().unwrap_or(&[]);
        let mut scores = vec![0.0; x.nrows() * self.machines.len()];
        let blocks = scores.chunks_mut(BLOCK * self.machines.len()).zip(queries.chunks(BLOCK * features));
        parallel::for_each(blocks, |(scores, queries)| {
            let mut values = vec![0.0; vectors.padded_len()];
            let pairs = scores.chunks_exact_mut(self.machines.len()).zip(queries.chunks_exact(features));
            for (scores, query) in pairs {
                self.kernel.values(&vectors, query, 0, vectors.len(), &mut values);
                for (score, machine) in scores.iter_mut().zip(&self.machines) {
                    let terms = machine.support.iter().zip(&machine.coefficients);
                    *score = terms.fold(machine.intercept, |sum, (&vector, coefficient)| {
                        sum + coefficient * values[vector as usize]
                    });
                }
            }
        });
        scores
    }

    fn probabilities(&self, scores: &[f64], out: &mut [f64]) {
        let classes = self.present.len();
        let own = if self.sigmoids.is_empty() { by_votes(scores, classes) } else { self.by_sigmoids(scores) };
        self.present.iter().zip(own).for_each(|(&code, probability)| out[code as usize] = probability);
    }

    fn by_sigmoids(&self, scores: &[f64]) -> Vec<f64> {
        let classes = self.present.len();
        let mut pairs = vec![0.0; classes * classes];
        let mut machine = 0;
        for first in 0..classes {
            for second in first + 1..classes {
                let Sigmoid { slope, offset } = self.sigmoids[machine];
                let probability = platt::probability(slope * scores[machine] + offset).clamp(1e-7, 1.0 - 1e-7);
                pairs[first * classes + second] = probability;
                pairs[second * classes + first] = 1.0 - probability;
                machine += 1;
            }
        }
        platt::couple(&pairs, classes)
    }
}

/// Probabilities that keep the order of the votes: the sigmoid of the score for two classes; for more the softmax of the
/// votes of each class, with its summed scores squeezed to less than half a vote to tell equal ones apart.
fn by_votes(scores: &[f64], classes: usize) -> Vec<f64> {
    if let [score] = scores {
        return vec![platt::probability(-score), platt::probability(*score)];
    }
    let mut votes = vec![0.0; classes];
    let mut sums = vec![0.0; classes];
    let mut machine = 0;
    for first in 0..classes {
        for second in first + 1..classes {
            let score = scores[machine];
            votes[if score > 0.0 { first } else { second }] += 1.0;
            sums[first] += score;
            sums[second] -= score;
            machine += 1;
        }
    }
    for (vote, sum) in votes.iter_mut().zip(sums) {
        *vote += sum / (3.0 * (1.0 + sum.abs()));
    }
    let largest = votes.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for vote in &mut votes {
        *vote = (*vote - largest).exp();
    }
    let total: f64 = votes.iter().sum();
    votes.iter().map(|vote| vote / total).collect()
}

impl Predictor for SupportVectorMachine {
    fn labels(&self) -> &[String] {
        &self.labels
    }

    fn num_features(&self) -> usize {
        self.num_features as usize
    }

    fn validate(&self) -> Result<(), InvalidModel> {
        let classes = self.present.len();
        if self.labels.is_empty() {
            if classes != 0 || self.machines.len() != 1 || !self.sigmoids.is_empty() {
                return Err(InvalidModel::new("a support vector machine for regression has exactly one machine"));
            }
        } else {
            if classes < 2
                || !self.present.windows(2).all(|pair| pair[0] < pair[1])
                || self.present.last().is_some_and(|&last| last as usize >= self.labels.len())
            {
                return Err(InvalidModel::new("the classes of a support vector machine do not match its labels"));
            }
            if self.machines.len() != classes * (classes - 1) / 2 {
                return Err(InvalidModel::new("a support vector machine has not one machine a pair of classes"));
            }
            if !self.sigmoids.is_empty() && self.sigmoids.len() != self.machines.len() {
                return Err(InvalidModel::new("a support vector machine has not one sigmoid a machine"));
            }
        }
        if self.num_features == 0 || !self.vectors.len().is_multiple_of(self.num_features as usize) {
            return Err(InvalidModel::new("the vectors of a support vector machine have the wrong shape"));
        }
        if self.vectors.iter().any(|value| !value.is_finite()) || !self.kernel.is_valid() {
            return Err(InvalidModel::new("a support vector or the kernel is not made of finite numbers"));
        }
        let count = self.num_support_vectors();
        for machine in &self.machines {
            if machine.support.len() != machine.coefficients.len()
                || machine.support.iter().any(|&vector| vector as usize >= count)
            {
                return Err(InvalidModel::new("a machine uses support vectors that are not there"));
            }
            if !machine.intercept.is_finite() || machine.coefficients.iter().any(|value| !value.is_finite()) {
                return Err(InvalidModel::new("a coefficient or an intercept is not a finite number"));
            }
        }
        if self.sigmoids.iter().any(|sigmoid| !(sigmoid.slope.is_finite() && sigmoid.offset.is_finite())) {
            return Err(InvalidModel::new("a sigmoid is not made of finite numbers"));
        }
        Ok(())
    }

    fn predict(&self, x: ArrayView2<'_, f64>) -> Vec<f64> {
        let mut scores = self.scores(x);
        // Far outside of the fitted rows a polynomial leaves the range of numbers.
        for score in &mut scores {
            *score = if score.is_nan() { 0.0 } else { score.clamp(-LARGEST_SCORE, LARGEST_SCORE) };
        }
        if self.labels.is_empty() {
            return scores;
        }
        let width = self.labels.len();
        let mut probabilities = vec![0.0; x.nrows() * width];
        let pairs = probabilities.chunks_exact_mut(width).zip(scores.chunks_exact(self.machines.len()));
        pairs.for_each(|(out, scores)| self.probabilities(scores, out));
        probabilities
    }

    fn onnx(&self, graph: &mut Graph, features: &str) -> Result<String, OnnxError> {
        onnx::write(self, graph, features)
    }
}
