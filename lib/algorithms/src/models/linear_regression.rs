//! Ordinary least squares.

mod onnx;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::fit::{FitError, Fitted, TrainingData};
use super::hyperparameters::LinearParameters;
use super::predictor::Predictor;
use super::vector::dot;
use super::{InvalidModel, Model, least_squares};
use crate::onnx::{Graph, OnnxError};
use crate::probe::Probe;

/// A fitted linear regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinearRegression {
    coefficients: Vec<f64>,
    intercept: f64,
}

impl LinearRegression {
    pub(super) fn new(coefficients: Vec<f64>, intercept: f64) -> Result<Self, FitError> {
        let model = Self { coefficients, intercept };
        model.validate().map_err(|_| FitError::OutOfRange)?;
        Ok(model)
    }

    /// One coefficient a feature.
    pub fn coefficients(&self) -> &[f64] {
        &self.coefficients
    }

    /// The prediction where every feature is 0.
    pub const fn intercept(&self) -> f64 {
        self.intercept
    }
}

impl Predictor for LinearRegression {
    fn labels(&self) -> &[String] {
        &[]
    }

    fn num_features(&self) -> usize {
        self.coefficients.len()
    }

    fn predict(&self, x: ArrayView2<'_, f64>) -> Vec<f64> {
        let x = x.as_standard_layout();
        x.rows()
            .into_iter()
            .map(|row| dot(row.as_slice().unwrap_or(&[]), &self.coefficients) + self.intercept)
            .collect()
    }

    fn onnx(&self, graph: &mut Graph, features: &str) -> Result<String, OnnxError> {
        onnx::write(self, graph, features)
    }

    fn validate(&self) -> Result<(), InvalidModel> {
        if self.coefficients.is_empty() {
            return Err(InvalidModel::new("a linear regression without coefficients"));
        }
        if !self.intercept.is_finite() || self.coefficients.iter().any(|value| !value.is_finite()) {
            return Err(InvalidModel::new("a coefficient or the intercept is not a finite number"));
        }
        Ok(())
    }
}

/// Fits by the method that scikit-learn uses, so that rank-deficient features get the same coefficients: centre,
/// scale by the roots of the weights, and take the solution of the smallest norm.
///
/// The importance of a feature is the absolute coefficient times the feature's standard deviation: by how much the
/// prediction moves when the feature moves by a usual amount.
pub(super) fn fit(
    data: &TrainingData<'_>,
    parameters: &LinearParameters,
    probe: &dyn Probe,
) -> Result<Fitted, FitError> {
    // linfa-linear solves by a QR decomposition without pivoting. Columns that depend on each other, as one-hot columns
    // beside an intercept always do, it refuses ("Matrix is non-invertible") when they cancel exactly; otherwise it
    // returns coefficients of the order of 1e16 whose predictions are wrong in every digit. One method for every rank
    // also keeps results continuous: nothing jumps where a matrix would cross from one solver to the other.
    let target = data.numbers()?;
    let (count, features) = data.x.dim();
    let x = data.x.as_standard_layout();
    let total: f64 = data.weights.map_or(count as f64, |weights| weights.iter().sum());
    let weight = |row: usize| data.weights.map_or(1.0, |weights| weights[row]);
    let mut centre = vec![0.0; features + 1];
    if parameters.fit_intercept {
        for (row, values) in x.rows().into_iter().enumerate() {
            let share = weight(row) / total;
            centre.iter_mut().zip(values).for_each(|(centre, value)| *centre += share * value);
            centre[features] += share * target[row];
        }
    }
    probe.progress(0.0, 1.0, "solving the least squares");
    let mut rows = Vec::with_capacity(count * (features + 1));
    for (row, values) in x.rows().into_iter().enumerate() {
        let root = weight(row).sqrt();
        rows.extend(values.iter().zip(&centre).map(|(value, centre)| root * (value - centre)));
        rows.push(root * (target[row] - centre[features]));
    }
    let coefficients = least_squares::solve(rows, features, parameters.tolerance, probe)?;
    let intercept =
        if parameters.fit_intercept { centre[features] - dot(&coefficients, &centre[..features]) } else { 0.0 };
    let model = LinearRegression::new(coefficients, intercept)?;
    probe.progress(1.0, 1.0, "solved the least squares");
    let importance = importance(&model, data);
    Ok(Fitted::new(Model::LinearRegression(model), importance))
}

/// The absolute coefficient times the feature's standard deviation, one value a feature.
pub(super) fn importance(model: &LinearRegression, data: &TrainingData<'_>) -> Vec<f64> {
    let deviations = data.standard_deviations();
    model.coefficients.iter().zip(deviations).map(|(value, deviation)| value.abs() * deviation).collect()
}
