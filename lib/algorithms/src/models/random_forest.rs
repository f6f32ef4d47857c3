//! Random forests and extra trees: trees on rows drawn with replacement or on all of them, each split looking at features drawn
//! anew.

mod onnx;

use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::ArrayView2;
use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

use super::class_weight::{ClassWeight, balanced, weighted_rows};
use super::fit::{FitError, Fitted, TrainingData};
use super::hyperparameters::{Amount, ForestParameters, ImpurityMeasure};
use super::predictor::Predictor;
use super::tree::shap::Ensemble;
use super::tree::{Columns, Counts, Grown, Limits, ManyClasses, Nodes, Pairs, Ranks, Table, plant, prediction};
use super::{InvalidModel, Model};
use crate::onnx::{Graph, OnnxError};
use crate::parallel;
use crate::probe::{Cancelled, Probe};
use crate::seed;

/// A fitted random forest, or extra trees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RandomForest {
    /// The classes; none for regression.
    labels: Vec<String>,
    num_features: u32,
    trees: Vec<Nodes>,
}

impl RandomForest {
    /// The classes in the order of the probabilities; none for regression.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The number of features.
    pub const fn num_features(&self) -> usize {
        self.num_features as usize
    }

    /// The trees.
    pub fn trees(&self) -> &[Nodes] {
        &self.trees
    }
}

impl Predictor for RandomForest {
    fn labels(&self) -> &[String] {
        &self.labels
    }

    fn num_features(&self) -> usize {
        self.num_features as usize
    }

    fn validate(&self) -> Result<(), InvalidModel> {
        prediction::validate(&self.trees, self.num_features(), &self.labels)
    }

    fn predict(&self, x: ArrayView2<'_, f64>) -> Vec<f64> {
        prediction::mean_of_leaves(&self.trees, x)
    }

    fn ensemble(&self) -> Option<Ensemble> {
        Some(Ensemble::of_mean(&self.trees, self.num_features(), self.labels.len()))
    }

    fn onnx(&self, graph: &mut Graph, features: &str) -> Result<String, OnnxError> {
        super::tree::onnx::write(&self.trees, self.num_features, graph, features)
    }
}

/// How the threshold of a split is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thresholds {
    /// The best of all: a random forest.
    Best,
    /// The best of one drawn for each feature: extra trees.
    Drawn,
}

/// How the trees of a forest draw their rows and weigh them.
struct Draws<'a> {
    rows: usize,
    /// How many rows each tree draws; `None` to take every row once.
    count: Option<usize>,
    /// The weights of the rows, and their running sums.
    weights: Option<Vec<f64>>,
    sums: Vec<f64>,
    /// The class codes and the number of classes, where each tree balances its own rows.
    balance: Option<(&'a [u32], usize)>,
}

impl Draws<'_> {
    /// How often each row was drawn. This takes the first numbers of the tree's generator.
    fn counts(&self, draws: usize, random: &mut Xoshiro256PlusPlus) -> Vec<u32> {
        let mut counts = vec![0; self.rows];
        for _ in 0..draws {
            let row = match self.sums.last() {
                None => random.random_range(0..self.rows as u32) as usize,
                Some(total) => {
                    let point = random.random::<f64>() * total;
                    // Rounding may lift the point to the total itself; the last row with weight takes it.
                    self.sums.partition_point(|sum| *sum <= point).min(self.sums.partition_point(|sum| sum < total))
                }
            };
            counts[row] += 1;
        }
        counts
    }

    /// The weight of every row in one tree.
    ///
    /// As in scikit-learn since 1.9, weights of rows decide how often a row is drawn; they enter the tree itself only
    /// where nothing is drawn.
    fn weights(&self, random: &mut Xoshiro256PlusPlus) -> Vec<f64> {
        let Some(draws) = self.count else {
            return self.weights.clone().unwrap_or_else(|| vec![1.0; self.rows]);
        };
        let mut weights: Vec<f64> = self.counts(draws, random).into_iter().map(f64::from).collect();
        if let Some((codes, classes)) = self.balance {
            let of_class = balanced(classes, codes.iter().copied().zip(weights.iter().copied()));
            weights.iter_mut().zip(codes).for_each(|(weight, &code)| *weight *= of_class[code as usize]);
        }
        weights
    }
}

/// How many rows one thread takes at a time to look for trees that did not draw them.
const TOGETHER: usize = 1024;

/// Fits the trees in parallel. Tree `t` takes all its random choices from stream `t` of the seed, so that the forest
/// does not depend on the number of threads.
///
/// The importance of a feature is the mean over the trees that split of its share in the decrease of the impurity.
pub(super) fn fit(
    data: &TrainingData<'_>,
    parameters: &ForestParameters,
    thresholds: Thresholds,
    seed: u64,
    probe: &dyn Probe,
) -> Result<Fitted, FitError> {
    parallel::limited(parameters.n_jobs, || fit_here(data, parameters, thresholds, seed, probe))
}

fn fit_here(
    data: &TrainingData<'_>,
    parameters: &ForestParameters,
    thresholds: Thresholds,
    seed: u64,
    probe: &dyn Probe,
) -> Result<Fitted, FitError> {
    let (rows, features) = data.x.dim();
    let classes = if parameters.tree.criterion == ImpurityMeasure::SquaredError { None } else { Some(data.classes()?) };
    let draws = draws(data, parameters, classes)?;
    let table = match thresholds {
        Thresholds::Best => Table::Best(Ranks::new(data.x, draws.weights.as_deref())),
        Thresholds::Drawn => Table::Drawn(Columns::new(data.x)),
    };
    let total = draws.count.map_or_else(|| draws.sums.last().copied().unwrap_or(rows as f64), |count| count as f64);
    let limits = Limits::new(&parameters.tree, rows, features, total);
    let done = AtomicUsize::new(0);
    let count = parameters.n_estimators;
    let grow = |tree: usize| -> Result<Grown, FitError> {
        probe.check()?;
        let mut random = seed::rng(seed, tree as u64);
        let weights = draws.weights(&mut random);
        let random = &mut random;
        let grown = match classes {
            Some((labels, codes)) if labels.len() == 2 => {
                let gini = parameters.tree.criterion == ImpurityMeasure::Gini;
                if let Some(statistics) = Counts::new(codes, &weights).filter(|_| gini) {
                    plant(&table, &statistics, &weights, &limits, random, probe)?
                } else {
                    let statistics = Pairs::classes(codes, parameters.tree.criterion);
                    plant(&table, &statistics, &weights, &limits, random, probe)?
                }
            }
            Some((labels, codes)) => {
                let statistics = ManyClasses::new(codes, labels.len(), parameters.tree.criterion);
                plant(&table, &statistics, &weights, &limits, random, probe)?
            }
            None => {
                let statistics = Pairs::numbers(data.numbers()?, draws.weights.as_deref());
                plant(&table, &statistics, &weights, &limits, random, probe)?
            }
        };
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        probe.progress(done as f64, count as f64, "growing trees");
        Ok(grown)
    };
    let grown = parallel::try_map(0..count, grow)?;
    let feature_importance = mean_importance(&grown, features);
    let labels = classes.map_or_else(Vec::new, |(labels, _)| labels.to_vec());
    let trees = grown.into_iter().map(|grown| grown.nodes).collect();
    let forest = RandomForest { labels, num_features: features as u32, trees };
    forest.validate().map_err(|_| FitError::OutOfRange)?;
    let out_of_bag_score = if parameters.oob_score { out_of_bag(data, &forest, &draws, seed, probe)? } else { None };
    let model = match thresholds {
        Thresholds::Best => Model::RandomForest(forest),
        Thresholds::Drawn => Model::ExtraTrees(forest),
    };
    Ok(Fitted { out_of_bag_score, ..Fitted::new(model, feature_importance) })
}

fn draws<'a>(
    data: &TrainingData<'a>,
    parameters: &ForestParameters,
    classes: Option<(&'a [String], &'a [u32])>,
) -> Result<Draws<'a>, FitError> {
    let rows = data.x.nrows();
    let class_weight = &parameters.tree.class_weight;
    let per_tree = parameters.bootstrap && *class_weight == ClassWeight::BalancedSubsample;
    let weights = match classes {
        None => data.weights.map(<[f64]>::to_vec),
        Some((_, codes)) if per_tree => weighted_rows(codes, data.weights, None),
        Some((labels, codes)) => {
            let class_weights = class_weight.of_classes(labels, codes, data.weights)?;
            weighted_rows(codes, data.weights, class_weights.as_deref())
        }
    };
    let mut sum = 0.0;
    let add = |weight: &f64| {
        sum += weight;
        sum
    };
    let sums: Vec<f64> = weights.iter().flatten().map(add).collect();
    if sums.last().is_some_and(|total| *total <= 0.0) {
        return Err(FitError::NoWeight);
    }
    let count = parameters.bootstrap.then(|| match parameters.max_samples {
        None => rows,
        Some(Amount::Count(count)) => count,
        Some(Amount::Fraction(fraction)) => ((fraction * rows as f64) as usize).max(1),
    });
    let balance = classes.filter(|_| per_tree).map(|(labels, codes)| (codes, labels.len()));
    Ok(Draws { rows, count, weights, sums, balance })
}

/// The mean over the trees that split; all 0 when none does.
fn mean_importance(grown: &[Grown], features: usize) -> Vec<f64> {
    let mut mean = vec![0.0; features];
    for tree in grown {
        mean.iter_mut().zip(&tree.importance).for_each(|(mean, share)| *mean += share);
    }
    let sum: f64 = mean.iter().sum();
    if sum > 0.0 {
        for share in &mut mean {
            *share /= sum;
        }
    }
    mean
}

/// The accuracy, or R², of the mean over the trees that did not draw a row; rows that every tree drew are left out.
fn out_of_bag(
    data: &TrainingData<'_>,
    forest: &RandomForest,
    draws: &Draws<'_>,
    seed: u64,
    probe: &dyn Probe,
) -> Result<Option<f64>, Cancelled> {
    let rows = data.x.nrows();
    let width = forest.labels.len().max(1);
    let mut sums = vec![0.0; rows * width];
    let mut counts = vec![0_u32; rows];
    let single = prediction::single_rows(data.x, 0, rows);
    let features = forest.num_features();
    for (tree, nodes) in forest.trees.iter().enumerate() {
        probe.check()?;
        let drawn = draws.counts(draws.count.unwrap_or(0), &mut seed::rng(seed, tree as u64));
        let parts = sums.chunks_mut(TOGETHER * width).zip(counts.chunks_mut(TOGETHER));
        let parts = parts.zip(single.chunks(TOGETHER * features)).zip(drawn.chunks(TOGETHER));
        parallel::for_each(parts, |(((sums, counts), rows), drawn)| {
            let each = sums.chunks_mut(width).zip(counts).zip(rows.chunks(features)).zip(drawn);
            for (((sums, count), row), _) in each.filter(|(_, drawn)| **drawn == 0) {
                sums.iter_mut().zip(nodes.reach(row)).for_each(|(sum, value)| *sum += value);
                *count += 1;
            }
        });
    }
    let left_out: Vec<usize> = (0..rows).filter(|&row| counts[row] > 0).collect();
    if left_out.is_empty() {
        return Ok(None);
    }
    let count = left_out.len() as f64;
    let score = match data.target {
        crate::target::Target::Classes { codes, .. } => {
            let right = |row: &&usize| super::largest_index(&sums[**row * width..(**row + 1) * width]) == codes[**row];
            Some(left_out.iter().filter(right).count() as f64 / count)
        }
        crate::target::Target::Numbers(values) => {
            let mean = left_out.iter().map(|&row| values[row]).sum::<f64>() / count;
            let error = |row: usize| (values[row] - sums[row] / f64::from(counts[row])).powi(2);
            let errors: f64 = left_out.iter().map(|&row| error(row)).sum();
            let spread: f64 = left_out.iter().map(|&row| (values[row] - mean).powi(2)).sum();
            (spread > 0.0).then(|| 1.0 - errors / spread)
        }
    };
    Ok(score)
}
