//! A logistic regression in ONNX.

use super::LogisticRegression;
use crate::onnx::{Attribute, Graph, OnnxError, OnnxReadError, Parts};

pub(super) fn write(model: &LogisticRegression, graph: &mut Graph, features: &str) -> Result<String, OnnxError> {
    let lines = model.intercepts.len();
    let coefficients = graph.parameter("coefficients", &[lines, model.num_features()], &model.coefficients)?;
    let intercepts = graph.parameter("intercepts", &[lines], &model.intercepts)?;
    let coefficients = graph.op_with("Transpose", &[&coefficients], &[("perm", Attribute::Ints(&[1, 0]))]);
    let product = graph.op("MatMul", &[features, &coefficients]);
    let scores = graph.op("Add", &[&product, &intercepts]);
    let probabilities = if lines == 1 { graph.odds(&scores) } else { graph.softmax(&scores) };
    graph.spread(probabilities, &model.present, model.labels.len())
}

impl LogisticRegression {
    pub(in crate::models) fn from_onnx(parts: &Parts<'_>) -> Result<Self, OnnxReadError> {
        let [_, features] = parts.shape("coefficients")?;
        Ok(Self {
            labels: parts.labels()?,
            present: parts.described("present")?,
            num_features: features as u32,
            coefficients: parts.doubles("coefficients")?,
            intercepts: parts.doubles("intercepts")?,
        })
    }
}
