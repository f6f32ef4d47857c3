//! Logistic regression: binary by one sigmoid, several classes by a softmax over one score a class.

mod design;
mod loss;
mod onnx;
mod penalised;
mod sampled;

use design::Design;
use loss::Loss;
use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::class_weight::weighted_rows;
use super::fit::{CurvePoint, FitError, Fitted, TrainingData};
use super::hyperparameters::LogisticParameters;
use super::predictor::Predictor;
use super::vector::dot;
use super::{InvalidModel, Model, lbfgs};
use crate::onnx::{Graph, OnnxError};
use crate::parallel;
use crate::probe::Probe;

/// Rows that are predicted together.
const BLOCK: usize = 1024;

/// A fitted logistic regression, or another linear classifier that predicts as one.
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
    /// A model of these classes, with a row of `features` coefficients for the second of two, or one a class.
    pub(super) fn new(
        labels: &[String],
        present: Vec<u32>,
        features: usize,
        coefficients: Vec<f64>,
        intercepts: Vec<f64>,
    ) -> Result<Self, FitError> {
        let model = Self { labels: labels.to_vec(), present, num_features: features as u32, coefficients, intercepts };
        model.validate().map_err(|_| FitError::OutOfRange)?;
        Ok(model)
    }

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
}

impl Predictor for LogisticRegression {
    fn labels(&self) -> &[String] {
        &self.labels
    }

    fn num_features(&self) -> usize {
        self.num_features as usize
    }

    fn validate(&self) -> Result<(), InvalidModel> {
        let lines = if self.present.len() == 2 { 1 } else { self.present.len() };
        let features = self.num_features();
        let ascending = self.present.windows(2).all(|pair| pair[0] < pair[1]);
        if self.present.len() < 2
            || !ascending
            || self.present.last().is_some_and(|&last| last as usize >= self.labels.len())
        {
            return Err(InvalidModel::new("the classes of a linear classifier do not match its labels"));
        }
        if features == 0
            || self.intercepts.len() != lines
            || Some(self.coefficients.len()) != lines.checked_mul(features)
        {
            return Err(InvalidModel::new("the coefficients of a linear classifier have the wrong shape"));
        }
        if self.coefficients.iter().chain(&self.intercepts).any(|value| !value.is_finite()) {
            return Err(InvalidModel::new("a coefficient or an intercept is not a finite number"));
        }
        Ok(())
    }

    fn predict(&self, x: ArrayView2<'_, f64>) -> Vec<f64> {
        let x = x.as_standard_layout();
        let (width, features) = (self.labels.len(), self.num_features());
        let mut probabilities = vec![0.0; x.nrows() * width];
        let rows = x.as_slice().unwrap_or(&[]);
        let blocks = probabilities.chunks_mut(BLOCK * width).zip(rows.chunks(BLOCK * features));
        parallel::for_each(blocks, |(out, rows)| {
            let mut scores = vec![0.0; self.intercepts.len()];
            for (row, out) in rows.chunks_exact(features).zip(out.chunks_exact_mut(width)) {
                let lines = self.coefficients.chunks_exact(features);
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
        });
        probabilities
    }

    fn onnx(&self, graph: &mut Graph, features: &str) -> Result<String, OnnxError> {
        onnx::write(self, graph, features)
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

/// Turns scores into probabilities.
fn softmax(scores: &mut [f64]) {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - largest).exp();
        sum += *score;
    }
    for score in scores {
        *score /= sum;
    }
}

/// The mean over the classes of the absolute coefficient times the feature's standard deviation, one value a feature.
pub(super) fn importance(coefficients: &[f64], data: &TrainingData<'_>) -> Vec<f64> {
    let deviations = data.standard_deviations();
    let lines = coefficients.len() / deviations.len().max(1);
    let mean = |feature: usize| {
        let column = coefficients.iter().skip(feature).step_by(deviations.len());
        column.map(|value| value.abs()).sum::<f64>() / lines as f64
    };
    deviations.iter().enumerate().map(|(feature, deviation)| mean(feature) * deviation).collect()
}

/// Minimises what scikit-learn does: the mean log loss plus `(1 − l1_ratio) · |coefficients|² / (2 · C · total weight)` and
/// `l1_ratio · |coefficients|₁ / (C · total weight)`, the intercept not penalised. Without the second penalty by
/// preconditioned L-BFGS, for many rows from the minimum over a sample of them, else by proximal Newton steps.
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
    let strength = parameters.inverse_penalty.map_or(0.0, |inverse| 1.0 / (inverse * total));
    probe.progress(0.0, parameters.max_iter as f64, "preparing the logistic regression");
    let loss = Loss {
        design: Design::new(data.x),
        scores,
        classes: codes.iter().map(|&code| position[code as usize]).collect(),
        weights,
        penalty: strength * (1.0 - parameters.l1_ratio),
        fit_intercept: parameters.fit_intercept,
    };
    probe.check()?;
    let (most, width) = (parameters.max_iter, features + 1);
    let absolute = strength * parameters.l1_ratio;
    let mut losses = Vec::new();
    let end = if absolute > 0.0 {
        penalised::minimize(&loss, absolute, parameters.tolerance, most, &mut losses, probe)?
    } else {
        let (start, preconditioner) = sampled::start(&loss, parameters.tolerance, most, probe)?;
        lbfgs::minimize_preconditioned(
            |point, gradient| loss.evaluate(point, gradient),
            |values| preconditioner.apply(values, width),
            start,
            parameters.tolerance,
            most,
            |iteration, value| {
                losses.extend((iteration > 0).then_some(value));
                probe.progress(iteration as f64, most as f64, "fitting the logistic regression");
                probe.check()
            },
        )?
    };
    if !end.finite {
        return Err(FitError::OutOfRange);
    }
    if losses.len() < end.iterations {
        losses.push(end.value);
    }
    probe.progress(most as f64, most as f64, "fitted the logistic regression");
    let lines = end.point.chunks_exact(features + 1);
    let coefficients = lines.clone().flat_map(|line| &line[..features]).copied().collect();
    let intercepts = lines.map(|line| line[features]).collect();
    let model = LogisticRegression::new(labels, present, features, coefficients, intercepts)?;
    let feature_importance = importance(&model.coefficients, data);
    let point = |(index, &train): (usize, &f64)| CurvePoint { iteration: index + 1, train, validation: None };
    Ok(Fitted {
        iterations: Some(end.iterations),
        converged: Some(end.converged),
        curve: losses.iter().enumerate().map(point).collect(),
        ..Fitted::new(Model::LogisticRegression(model), feature_importance)
    })
}
