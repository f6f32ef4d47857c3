//! k nearest neighbours: a new row gets what the most similar of the rows that were learnt have.

mod brute;
mod nearest;
mod onnx;
mod tree;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::fit::{FitError, Fitted, TrainingData};
use super::hyperparameters::{KnnParameters, NeighbourWeights, SearchMethod};
use super::predictor::Predictor;
use super::{InvalidModel, Model};
use crate::onnx::{Graph, OnnxError};
use crate::parallel;
use crate::probe::Probe;
use crate::target::Target;
pub use nearest::Metric;
use nearest::Neighbour;

/// Above so many features a tree looks into most of its leaves.
const MOST_TREE_FEATURES: usize = 15;
/// Queries that are answered together.
const BLOCK: usize = 256;

/// A fitted nearest-neighbour classifier or regressor: the rows that it was fitted to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Knn {
    /// The classes; none for regression.
    labels: Vec<String>,
    num_features: u32,
    n_neighbors: u32,
    weights: NeighbourWeights,
    metric: Metric,
    search: SearchMethod,
    /// One row after the other.
    rows: Vec<f64>,
    /// The class code or the number of each row.
    answers: Vec<f64>,
    /// By how much each row's voice counts; empty where all count 1.
    sample_weights: Vec<f64>,
}

impl Knn {
    /// How many neighbours answer.
    pub const fn n_neighbors(&self) -> usize {
        self.n_neighbors as usize
    }

    /// The number of rows that the model holds.
    pub fn num_rows(&self) -> usize {
        self.answers.len()
    }

    /// The `n_neighbors` nearest rows of each row of `x`, nearest first and of equally near ones the earlier first, with
    /// their distances.
    ///
    /// # Panics
    /// When `x` has another number of columns than the model has features.
    pub fn neighbours(&self, x: ArrayView2<'_, f64>) -> Vec<Vec<(usize, f64)>> {
        let found = self.search(x);
        let distance = |neighbour: &Neighbour| (neighbour.row as usize, self.metric.finish(neighbour.distance));
        found.iter().map(|neighbours| neighbours.iter().map(distance).collect()).collect()
    }

    fn search(&self, x: ArrayView2<'_, f64>) -> Vec<Vec<Neighbour>> {
        let x = x.as_standard_layout();
        let queries = x.as_slice().unwrap_or(&[]);
        let features = self.num_features as usize;
        let count = self.answers.len();
        let wants_tree = match self.search {
            SearchMethod::Auto => features <= MOST_TREE_FEATURES && self.n_neighbors() < count / 2,
            SearchMethod::Tree => true,
            SearchMethod::BruteForce => false,
        };
        // Building the tree costs as much as a few dozen queries without one.
        if wants_tree && x.nrows() > 32 {
            let tree = tree::Tree::new(&self.rows, features);
            let query = |row: usize| &queries[row * features..(row + 1) * features];
            return parallel::map_rows(x.nrows(), |row| tree.nearest(query(row), self.n_neighbors(), self.metric));
        }
        let data = brute::Data::new(&self.rows, features, self.metric);
        parallel::flat_map(queries.chunks(BLOCK * features), |queries| data.nearest(queries, self.n_neighbors()))
    }

    /// The voice of each neighbour.
    fn voices(&self, neighbours: &[Neighbour]) -> Vec<f64> {
        let own = |neighbour: &Neighbour| self.sample_weights.get(neighbour.row as usize).copied().unwrap_or(1.0);
        let voices: Vec<f64> = match self.weights {
            NeighbourWeights::Uniform => neighbours.iter().map(own).collect(),
            // Rows at the very place are the only ones that count.
            NeighbourWeights::Distance if neighbours.iter().any(|neighbour| neighbour.distance == 0.0) => neighbours
                .iter()
                .map(|neighbour| if neighbour.distance == 0.0 { own(neighbour) } else { 0.0 })
                .collect(),
            NeighbourWeights::Distance => {
                // Relative to the nearest, so that neither tiny nor huge distances leave the range of numbers.
                let nearest = neighbours.first().map_or(1.0, |neighbour| self.metric.finish(neighbour.distance));
                let voice = |neighbour: &Neighbour| own(neighbour) * nearest / self.metric.finish(neighbour.distance);
                neighbours.iter().map(voice).collect()
            }
        };
        if voices.iter().sum::<f64>() > 0.0 { voices } else { neighbours.iter().map(own).collect() }
    }
}

impl Predictor for Knn {
    fn labels(&self) -> &[String] {
        &self.labels
    }

    fn num_features(&self) -> usize {
        self.num_features as usize
    }

    fn validate(&self) -> Result<(), InvalidModel> {
        let count = self.answers.len();
        if self.num_features == 0
            || count > u32::MAX as usize
            || count.checked_mul(self.num_features as usize) != Some(self.rows.len())
        {
            return Err(InvalidModel::new("the rows of a nearest-neighbour model have the wrong shape"));
        }
        if self.n_neighbors == 0 || self.n_neighbors as usize > count {
            return Err(InvalidModel::new("a nearest-neighbour model has fewer rows than it asks neighbours"));
        }
        if self.rows.iter().any(|value| !value.is_finite()) {
            return Err(InvalidModel::new("a feature of a nearest-neighbour model is not a finite number"));
        }
        let known = |answer: &f64| match self.labels.len() {
            0 => answer.is_finite(),
            classes => *answer >= 0.0 && *answer < classes as f64 && answer.fract() == 0.0,
        };
        if !self.answers.iter().all(known) {
            return Err(InvalidModel::new("a target of a nearest-neighbour model is neither a class nor a number"));
        }
        let weights = &self.sample_weights;
        let positive = weights.iter().all(|weight| weight.is_finite() && *weight > 0.0);
        if !(weights.is_empty() || weights.len() == count && positive) {
            return Err(InvalidModel::new("a sample weight of a nearest-neighbour model is not a number above 0"));
        }
        Ok(())
    }

    fn predict(&self, x: ArrayView2<'_, f64>) -> Vec<f64> {
        let width = self.labels.len();
        let mut answers = Vec::with_capacity(x.nrows() * width.max(1));
        for neighbours in self.search(x) {
            let voices = self.voices(&neighbours);
            let total: f64 = voices.iter().sum();
            let pairs = neighbours.iter().zip(&voices);
            let pairs = pairs.map(|(neighbour, voice)| (self.answers[neighbour.row as usize], voice / total));
            if width == 0 {
                answers.push(pairs.map(|(answer, share)| answer * share).sum());
            } else {
                let start = answers.len();
                answers.resize(start + width, 0.0);
                pairs.for_each(|(answer, share)| answers[start + answer as usize] += share);
            }
        }
        answers
    }

    fn onnx(&self, graph: &mut Graph, features: &str) -> Result<String, OnnxError> {
        onnx::write(self, graph, features)
    }
}

/// Keeps the rows of weight above 0; the weight of a row multiplies its voice (scikit-learn takes no weights here).
///
/// No feature has an importance of its own: all are 0.
pub(super) fn fit(data: &TrainingData<'_>, parameters: &KnnParameters, probe: &dyn Probe) -> Result<Fitted, FitError> {
    probe.progress(0.0, 1.0, "keeping the rows");
    let (labels, answers) = match data.target {
        Target::Classes { labels, codes } => (labels.clone(), codes.iter().map(|&code| f64::from(code)).collect()),
        Target::Numbers(values) => (Vec::new(), values.clone()),
    };
    let kept = |row: usize| data.weights.is_none_or(|weights| weights[row] > 0.0);
    let rows: Vec<usize> = (0..answers.len()).filter(|&row| kept(row)).collect();
    if parameters.n_neighbors > rows.len() {
        return Err(FitError::Neighbours { asked: parameters.n_neighbors, rows: rows.len() });
    }
    probe.check()?;
    let features = data.x.ncols();
    let mut values = Vec::with_capacity(rows.len() * features);
    for &row in &rows {
        values.extend(data.x.row(row));
    }
    probe.check()?;
    let model = Knn {
        labels,
        num_features: features as u32,
        n_neighbors: parameters.n_neighbors as u32,
        weights: parameters.weights,
        metric: parameters.metric,
        search: parameters.search,
        rows: values,
        answers: rows.iter().map(|&row| answers[row]).collect(),
        sample_weights: data.weights.map_or_else(Vec::new, |weights| rows.iter().map(|&row| weights[row]).collect()),
    };
    model.validate().map_err(|_| FitError::OutOfRange)?;
    probe.progress(1.0, 1.0, "kept the rows");
    let importance = vec![0.0; features];
    Ok(Fitted::new(Model::Knn(model), importance))
}
