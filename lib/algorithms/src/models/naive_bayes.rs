//! Gaussian naive Bayes: within a class the features are independent and normally distributed.

mod onnx;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::fit::{FitError, Fitted, TrainingData};
use super::hyperparameters::NaiveBayesParameters;
use super::predictor::Predictor;
use super::priors::priors;
use super::{InvalidModel, Model};
use crate::onnx::{Graph, OnnxError};
use crate::parallel;
use crate::probe::Probe;

/// The parts of the rows that are summed on their own; fixed, so that the sums do not depend on the number of threads.
const PARTS: usize = 16;
const SMALLEST_PART: usize = 512;
/// Rows that are predicted together.
const BLOCK: usize = 1024;

/// A fitted Gaussian naive Bayes classifier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NaiveBayes {
    labels: Vec<String>,
    /// The codes of the classes that had rows, ascending; the others have probability 0.
    present: Vec<u32>,
    num_features: u32,
    /// The probability of each present class before the features are seen.
    priors: Vec<f64>,
    /// One row of features a present class.
    means: Vec<f64>,
    /// One row of features a present class, each above 0.
    variances: Vec<f64>,
}

impl NaiveBayes {
    /// The probability of each class that had rows, before the features are seen.
    pub fn priors(&self) -> &[f64] {
        &self.priors
    }

    /// The mean of each feature in each class that had rows: classes × features, row by row.
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// The smoothed variance of each feature in each class that had rows: classes × features, row by row.
    pub fn variances(&self) -> &[f64] {
        &self.variances
    }
}

impl Predictor for NaiveBayes {
    fn labels(&self) -> &[String] {
        &self.labels
    }

    fn num_features(&self) -> usize {
        self.num_features as usize
    }

    fn validate(&self) -> Result<(), InvalidModel> {
        let classes = self.present.len();
        if classes == 0
            || !self.present.windows(2).all(|pair| pair[0] < pair[1])
            || self.present.last().is_some_and(|&last| last as usize >= self.labels.len())
        {
            return Err(InvalidModel::new("the classes of a naive Bayes model do not match its labels"));
        }
        let shape = classes.checked_mul(self.num_features as usize);
        if self.num_features == 0
            || self.priors.len() != classes
            || Some(self.means.len()) != shape
            || self.variances.len() != self.means.len()
        {
            return Err(InvalidModel::new("the means and variances of a naive Bayes model have the wrong shape"));
        }
        let total: f64 = self.priors.iter().sum();
        if self.priors.iter().any(|prior| !(0.0..=1.0).contains(prior)) || (total - 1.0).abs() > 1e-6 {
            return Err(InvalidModel::new("the priors of a naive Bayes model are not probabilities that sum to 1"));
        }
        if self.means.iter().any(|mean| !mean.is_finite()) {
            return Err(InvalidModel::new("a mean of a naive Bayes model is not a finite number"));
        }
        // The smallest normal number has a finite inverse.
        if self.variances.iter().any(|variance| !variance.is_finite() || *variance < f64::MIN_POSITIVE) {
            return Err(InvalidModel::new("a variance of a naive Bayes model is not a finite number above 0"));
        }
        Ok(())
    }

    fn predict(&self, x: ArrayView2<'_, f64>) -> Vec<f64> {
        let (features, width) = (self.num_features(), self.labels.len());
        let x = x.as_standard_layout();
        let offset = |(class, prior): (usize, &f64)| {
            let variances = &self.variances[class * features..(class + 1) * features];
            prior.ln() - 0.5 * variances.iter().map(|variance| (std::f64::consts::TAU * variance).ln()).sum::<f64>()
        };
        let offsets: Vec<f64> = self.priors.iter().enumerate().map(offset).collect();
        let precisions: Vec<f64> = self.variances.iter().map(|variance| 1.0 / variance).collect();
        let mut probabilities = vec![0.0; x.nrows() * width];
        let rows = x.as_slice().unwrap_or(&[]);
        let blocks = probabilities.chunks_mut(BLOCK * width).zip(rows.chunks(BLOCK * features));
        parallel::for_each(blocks, |(out, rows)| {
            let mut scores = vec![0.0; self.present.len()];
            for (out, row) in out.chunks_exact_mut(width).zip(rows.chunks_exact(features)) {
                let lines = self.means.chunks_exact(features).zip(precisions.chunks_exact(features));
                for ((score, (means, precisions)), offset) in scores.iter_mut().zip(lines).zip(&offsets) {
                    *score = offset - 0.5 * distance(row, means, precisions);
                }
                normalise(&mut scores);
                self.present.iter().zip(&scores).for_each(|(&code, &score)| out[code as usize] = score);
            }
        });
        probabilities
    }

    fn onnx(&self, graph: &mut Graph, features: &str) -> Result<String, OnnxError> {
        onnx::write(self, graph, features)
    }
}

/// `Σ (value − mean)² · precision`, cut off before it becomes infinite.
fn distance(row: &[f64], means: &[f64], precisions: &[f64]) -> f64 {
    let terms = row.iter().zip(means).zip(precisions).map(|((value, mean), precision)| {
        let apart = value - mean;
        apart * apart * precision
    });
    terms.sum::<f64>().min(f64::MAX)
}

/// Turns logarithms of unscaled probabilities into probabilities.
fn normalise(scores: &mut [f64]) {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        // Classes so far away that the logarithm has no end, all of them: they are equally unlikely.
        *score = if *score == largest { 1.0 } else { (*score - largest).exp() };
        sum += *score;
    }
    for score in scores {
        *score /= sum;
    }
}

/// The weighted sums of one part of the rows.
#[derive(Clone)]
struct Sums {
    weights: Vec<f64>,
    values: Vec<f64>,
}

/// Fits the weighted mean and variance of each feature in each class; `var_smoothing` times the largest variance of a
/// feature over all rows (not weighted) is added to every variance, as scikit-learn does.
///
/// The importance of a feature is the share of its variance that lies between the classes.
pub(super) fn fit(
    data: &TrainingData<'_>,
    parameters: &NaiveBayesParameters,
    probe: &dyn Probe,
) -> Result<Fitted, FitError> {
    let (labels, codes) = data.classes()?;
    let present = data.present_classes()?;
    let features = data.x.ncols();
    let mut position = vec![u32::MAX; labels.len()];
    present.iter().enumerate().for_each(|(index, &code)| position[code as usize] = index as u32);
    probe.progress(0.0, 3.0, "averaging the features");
    let x = data.x.as_standard_layout();
    let rows = x.as_slice().unwrap_or(&[]);
    let count = codes.len();
    let class = |row: usize| position[codes[row] as usize] as usize;
    let weight = |row: usize| data.weights.map_or(1.0, |weights| weights[row]);
    let classes = present.len();
    let sums = summed(count, classes, features, |row, sums| {
        // A class without weight is not present, and neither are its rows.
        if class(row) < classes {
            sums.weights[class(row)] += weight(row);
            let line = &mut sums.values[class(row) * features..(class(row) + 1) * features];
            let values = &rows[row * features..(row + 1) * features];
            let weight = weight(row);
            line.iter_mut().zip(values).for_each(|(sum, value)| *sum += weight * value);
        }
    });
    let mut means = sums.values;
    let totals = sums.weights;
    divide(&mut means, &totals, features);
    probe.check()?;
    probe.progress(1.0, 3.0, "measuring the variances");
    let squares = summed(count, classes, features, |row, sums| {
        if class(row) < classes {
            let lines = class(row) * features..(class(row) + 1) * features;
            let values = &rows[row * features..(row + 1) * features];
            let weight = weight(row);
            let line = sums.values[lines.clone()].iter_mut().zip(&means[lines]);
            line.zip(values).for_each(|((sum, mean), value)| *sum += weight * (value - mean) * (value - mean));
        }
    });
    let mut variances = squares.values;
    divide(&mut variances, &totals, features);
    probe.check()?;
    probe.progress(2.0, 3.0, "measuring the variances");
    let deviations = data.standard_deviations();
    let widest = deviations.iter().map(|deviation| deviation * deviation).fold(0.0, f64::max);
    let importance = between(&means, &variances, &totals, features);
    // Constant features would divide by 0; where no feature varies every class is as likely as its prior.
    let least = (parameters.var_smoothing * widest).max(if widest == 0.0 { 1.0 } else { 1e-300 });
    for variance in &mut variances {
        *variance += least;
    }
    let priors = priors(parameters.priors.as_ref(), labels, &present, &totals)?;
    let model =
        NaiveBayes { labels: labels.to_vec(), present, num_features: features as u32, priors, means, variances };
    model.validate().map_err(|_| FitError::OutOfRange)?;
    probe.progress(3.0, 3.0, "fitted the naive Bayes model");
    Ok(Fitted::new(Model::NaiveBayes(model), importance))
}

/// Sums over the rows, part by part.
fn summed(count: usize, classes: usize, features: usize, add: impl Fn(usize, &mut Sums) + Sync) -> Sums {
    let empty = Sums { weights: vec![0.0; classes], values: vec![0.0; classes * features] };
    let size = count.div_ceil(PARTS).max(SMALLEST_PART);
    let parts = parallel::map(parallel::ranges(count, size), |rows| {
        let mut sums = empty.clone();
        rows.for_each(|row| add(row, &mut sums));
        sums
    });
    parts.into_iter().fold(empty, |mut all, part| {
        all.weights.iter_mut().zip(part.weights).for_each(|(all, part)| *all += part);
        all.values.iter_mut().zip(part.values).for_each(|(all, part)| *all += part);
        all
    })
}

fn divide(values: &mut [f64], totals: &[f64], features: usize) {
    for (line, total) in values.chunks_exact_mut(features).zip(totals) {
        for value in line {
            *value /= total;
        }
    }
}

/// The share of each feature's variance that lies between the classes; 0 for a constant feature.
fn between(means: &[f64], variances: &[f64], totals: &[f64], features: usize) -> Vec<f64> {
    let all: f64 = totals.iter().sum();
    let mean = |values: &dyn Fn(usize) -> f64| {
        totals.iter().enumerate().map(|(class, total)| total / all * values(class)).sum::<f64>()
    };
    let share = |feature: usize| {
        let at = |class: usize| class * features + feature;
        let centre = mean(&|class| means[at(class)]);
        let between = mean(&|class| (means[at(class)] - centre).powi(2));
        let within = mean(&|class| variances[at(class)]);
        if between > 0.0 && (between + within).is_finite() { between / (between + within) } else { 0.0 }
    };
    (0..features).map(share).collect()
}
