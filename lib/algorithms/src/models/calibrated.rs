//! A classifier whose probabilities are calibrated.

use ndarray::{Array2, ArrayView2};
use serde::Serialize;

use super::calibration::{Calibrator, onnx};
use super::predictor::Predictor;
use super::tree::shap::Ensemble;
use super::{InvalidModel, Model};
use crate::onnx::{Graph, OnnxError, OnnxReadError, Parts};

/// A classifier and the map that its probabilities go through.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CalibratedModel {
    model: Box<Model>,
    calibrator: Calibrator,
}

impl CalibratedModel {
    pub(super) fn new(model: Model, calibrator: Calibrator) -> Self {
        Self { model: Box::new(model), calibrator }
    }

    /// The model before its probabilities are calibrated.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The map of the probabilities.
    pub const fn calibrator(&self) -> &Calibrator {
        &self.calibrator
    }

    /// The model with the calibration that the description of its graph has, if any.
    pub(super) fn from_onnx(model: Model, parts: &Parts<'_>) -> Result<Model, OnnxReadError> {
        let calibrator: Option<Calibrator> = parts.described(onnx::NAME)?;
        Ok(match calibrator {
            Some(calibrator) => Model::Calibrated(Self::new(model, calibrator)),
            None => model,
        })
    }
}

impl Model {
    /// The classifier with its probabilities calibrated from now on: whatever predicts with it gets calibrated ones.
    ///
    /// Fails for a regression model, a model that is calibrated already, and a calibrator for another number of classes.
    pub fn calibrated(self, calibrator: Calibrator) -> Result<Self, InvalidModel> {
        let model = Self::Calibrated(CalibratedModel::new(self, calibrator));
        model.validate()?;
        Ok(model)
    }
}

impl Predictor for CalibratedModel {
    fn labels(&self) -> &[String] {
        self.model.labels()
    }

    fn num_features(&self) -> usize {
        self.model.num_features()
    }

    fn validate(&self) -> Result<(), InvalidModel> {
        if matches!(*self.model, Model::Calibrated(_)) {
            return Err(InvalidModel::new("a model is calibrated twice"));
        }
        self.model.validate()?;
        self.calibrator.validate()?;
        if !self.calibrator.serves(self.labels().len()) {
            return Err(InvalidModel::new("the calibration is for another number of classes than the model has"));
        }
        Ok(())
    }

    fn predict(&self, x: ArrayView2<'_, f64>) -> Vec<f64> {
        let mut values = self.model.predictor().predict(x);
        // A mean of probabilities may exceed 1 by its rounding.
        for value in &mut values {
            *value = value.clamp(0.0, 1.0);
        }
        let shape = (x.nrows(), self.labels().len());
        let probabilities = Array2::from_shape_vec(shape, values).unwrap_or_else(|_| Array2::zeros(shape));
        let calibrated = self.calibrator.apply(probabilities.view());
        calibrated.unwrap_or(probabilities).into_iter().collect()
    }

    fn takes_missing(&self) -> bool {
        self.model.takes_missing()
    }

    /// The trees explain the probabilities before they are calibrated.
    fn ensemble(&self) -> Option<Ensemble> {
        self.model.predictor().ensemble()
    }

    fn onnx(&self, graph: &mut Graph, features: &str) -> Result<String, OnnxError> {
        let probabilities = self.model.onnx(graph, features)?;
        onnx::write(&self.calibrator, graph, &probabilities, self.labels().len())
    }
}
