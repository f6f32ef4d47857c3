//! Logistic regression: binary by one sigmoid, several classes by a softmax over one score a class.

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::class_weight::weighted_rows;
use super::fit::{FitError, Fitted, TrainingData};
use super::hyperparameters::LogisticParameters;
use super::vector::{add_scaled, dot};
use super::{InvalidModel, Model, lbfgs};
use crate::probe::Probe;

/// The rows of one unit of parallel work; fixed, so that the sums do not depend on the number of threads.
const BLOCK: usize = 1024;

/// A fitted logistic regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogisticRegression {
    labels: Vec<String>,
    /// The codes of the classes that had rows, ascending; the others have probability 0.
    present: Vec<u32>,
    num_features: u32,
    /// One row of `num_features` values for the second of two classes, or one a class.
    coefficients: Vec<f64>,
    intercepts: Vec<f64>,
}

impl LogisticRegression {
    /// The classes in the order of the probabilities.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The number of features.
    pub const fn num_features(&self) -> usize {
        self.num_features as usize
    }

    /// One row of coefficients for the second of two classes, or one a class: rows × features, row by row.
    pub fn coefficients(&self) -> &[f64] {
        &self.coefficients
    }

    /// One intercept for each row of coefficients.
    pub fn intercepts(&self) -> &[f64] {
        &self.intercepts
    }

    pub(super) fn predict_proba(&self, x: ArrayView2<'_, f64>) -> Array2<f64> {
        let x = x.as_standard_layout();
        let mut scores = vec![0.0; self.intercepts.len()];
        let mut probabilities = Array2::zeros((x.nrows(), self.labels.len()));
        for (row, mut out) in x.rows().into_iter().zip(probabilities.rows_mut()) {
            let row = row.as_slice().unwrap_or(&[]);
            let lines = self.coefficients.chunks_exact(self.num_features());
            for ((score, line), intercept) in scores.iter_mut().zip(lines).zip(&self.intercepts) {
                *score = dot(row, line) + intercept;
            }
            if let [score] = scores.as_slice() {
                out[self.present[1] as usize] = sigmoid(*score);
                out[self.present[0] as usize] = sigmoid(-*score);
            } else {
                softmax(&mut scores);
                self.present.iter().zip(&scores).for_each(|(&code, &score)| out[code as usize] = score);
            }
        }
        probabilities
    }

    pub(super) fn validate(&self) -> Result<(), InvalidModel> {
        let lines = if self.present.len() == 2 { 1 } else { self.present.len() };
        let features = self.num_features();
        let ascending = self.present.windows(2).all(|pair| pair[0] < pair[1]);
        if self.present.len() < 2
            || !ascending
            || self.present.last().is_some_and(|&last| last as usize >= self.labels.len())
        {
            return Err(InvalidModel::new("the classes of a logistic regression do not match its labels"));
        }
        if features == 0
            || self.intercepts.len() != lines
            || Some(self.coefficients.len()) != lines.checked_mul(features)
        {
            return Err(InvalidModel::new("the coefficients of a logistic regression have the wrong shape"));
        }
        if self.coefficients.iter().chain(&self.intercepts).any(|value| !value.is_finite()) {
            return Err(InvalidModel::new("a coefficient or an intercept is not a finite number"));
        }
        Ok(())
    }
}

/// What is minimised: the weighted mean of the log loss plus `penalty / 2 · |coefficients|²`.
///
/// A point holds, for each score, one coefficient a feature and then the intercept.
struct Loss<'a> {
    x: &'a [f64],
    features: usize,
    /// The number of scores: 1 for two classes.
    scores: usize,
    classes: Vec<u32>,
    /// They sum to 1.
    weights: Vec<f64>,
    penalty: f64,
    fit_intercept: bool,
}

impl Loss<'_> {
    fn evaluate(&self, point: &[f64], gradient: &mut [f64]) -> f64 {
        let blocks = self.classes.len().div_ceil(BLOCK);
        let parts: Vec<(f64, Vec<f64>)> = (0..blocks).into_par_iter().map(|block| self.block(block, point)).collect();
        gradient.fill(0.0);
        let mut loss = 0.0;
        for (part, sums) in &parts {
            loss += part;
            add_scaled(gradient, 1.0, sums);
        }
        let width = self.features + 1;
        for (gradient, point) in gradient.chunks_exact_mut(width).zip(point.chunks_exact(width)) {
            let coefficients = &point[..self.features];
            loss += 0.5 * self.penalty * dot(coefficients, coefficients);
            add_scaled(&mut gradient[..self.features], self.penalty, coefficients);
            if !self.fit_intercept {
                gradient[self.features] = 0.0;
            }
        }
        loss
    }

    /// The loss and its gradient over one block of rows.
    fn block(&self, block: usize, point: &[f64]) -> (f64, Vec<f64>) {
        let width = self.features + 1;
        let mut sums = vec![0.0; point.len()];
        let mut scores = vec![0.0; self.scores];
        let mut loss = 0.0;
        for row in block * BLOCK..((block + 1) * BLOCK).min(self.classes.len()) {
            let (class, weight) = (self.classes[row] as usize, self.weights[row]);
            let x = &self.x[row * self.features..(row + 1) * self.features];
            for (score, line) in scores.iter_mut().zip(point.chunks_exact(width)) {
                *score = dot(x, &line[..self.features]) + line[self.features];
            }
            if let [score] = scores.as_mut_slice() {
                let signed = if class == 1 { -*score } else { *score };
                // log(1 + exp(s)) without overflow
                loss += weight * (signed.max(0.0) + (-signed.abs()).exp().ln_1p());
                *score = sigmoid(*score) - class as f64;
            } else {
                let own = scores[class];
                loss += weight * (softmax(&mut scores) - own);
                scores[class] -= 1.0;
            }
            for (residual, sums) in scores.iter().zip(sums.chunks_exact_mut(width)) {
                let residual = weight * residual;
                add_scaled(&mut sums[..self.features], residual, x);
                sums[self.features] += residual;
            }
        }
        (loss, sums)
    }
}

fn sigmoid(score: f64) -> f64 {
    if score >= 0.0 {
        1.0 / (1.0 + (-score).exp())
    } else {
        let power = score.exp();
        power / (1.0 + power)
    }
}

/// Turns scores into probabilities and returns the logarithm of the sum of their exponentials.
fn softmax(scores: &mut [f64]) -> f64 {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - largest).exp();
        sum += *score;
    }
    for score in scores {
        *score /= sum;
    }
    largest + sum.ln()
}

/// Fits by L-BFGS what scikit-learn's solver of that name minimises: the mean log loss plus
/// `|coefficients|² / (2 · C · total weight)`, the intercept not penalised.
///
/// The importance of a feature is the mean over the classes of the absolute coefficient times the feature's standard
/// deviation.
pub(super) fn fit(
    data: &TrainingData<'_>,
    parameters: &LogisticParameters,
    probe: &dyn Probe,
) -> Result<Fitted, FitError> {
    let (labels, codes) = data.classes()?;
    let features = data.x.ncols();
    let class_weights = parameters.class_weight.of_classes(labels, codes, data.weights)?;
    let weights = weighted_rows(codes, data.weights, class_weights.as_deref());
    let mut weights = weights.unwrap_or_else(|| vec![1.0; codes.len()]);
    let total: f64 = weights.iter().sum();
    if total <= 0.0 {
        return Err(FitError::NoWeight);
    }
    for weight in &mut weights {
        *weight /= total;
    }
    let present = data.present_classes()?;
    let mut position = vec![0; labels.len()];
    present.iter().enumerate().for_each(|(index, &code)| position[code as usize] = index as u32);
    let scores = if present.len() == 2 { 1 } else { present.len() };
    let x = data.x.as_standard_layout();
    let loss = Loss {
        x: x.as_slice().unwrap_or(&[]),
        features,
        scores,
        classes: codes.iter().map(|&code| position[code as usize]).collect(),
        weights,
        penalty: parameters.inverse_penalty.map_or(0.0, |inverse| 1.0 / (inverse * total)),
        fit_intercept: parameters.fit_intercept,
    };
    let most = parameters.max_iter;
    let end = lbfgs::minimize(
        |point, gradient| loss.evaluate(point, gradient),
        vec![0.0; scores * (features + 1)],
        parameters.tolerance,
        most,
        |iteration| {
            probe.progress(iteration as f64, most as f64, "fitting the logistic regression");
            probe.check()
        },
    )?;
    if !end.finite {
        return Err(FitError::OutOfRange);
    }
    probe.progress(most as f64, most as f64, "fitted the logistic regression");
    let lines = end.point.chunks_exact(features + 1);
    let model = LogisticRegression {
        labels: labels.to_vec(),
        present,
        num_features: features as u32,
        coefficients: lines.clone().flat_map(|line| &line[..features]).copied().collect(),
        intercepts: lines.map(|line| line[features]).collect(),
    };
    model.validate().map_err(|_| FitError::OutOfRange)?;
    let mean = |feature: usize| {
        let column = model.coefficients.iter().skip(feature).step_by(features);
        column.map(|value| value.abs()).sum::<f64>() / scores as f64
    };
    let deviations = data.standard_deviations();
    let feature_importance =
        deviations.iter().enumerate().map(|(feature, deviation)| mean(feature) * deviation).collect();
    Ok(Fitted {
        model: Model::LogisticRegression(model),
        feature_importance,
        iterations: Some(end.iterations),
        out_of_bag_score: None,
        converged: Some(end.converged),
    })
}
