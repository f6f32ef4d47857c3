//! A linear model in ONNX.

use super::LinearRegression;
use crate::onnx::{Graph, OnnxError, OnnxReadError, Parts};

pub(super) fn write(model: &LinearRegression, graph: &mut Graph, features: &str) -> Result<String, OnnxError> {
    let coefficients = graph.parameter("coefficients", &[model.coefficients.len(), 1], &model.coefficients)?;
    let intercept = graph.parameter("intercept", &[1], &[model.intercept])?;
    let product = graph.op("MatMul", &[features, &coefficients]);
    Ok(graph.op("Add", &[&product, &intercept]))
}

impl LinearRegression {
    pub(in crate::models) fn from_onnx(parts: &Parts<'_>) -> Result<Self, OnnxReadError> {
        let [intercept] = parts.doubles("intercept")?[..] else {
            return Err(OnnxReadError::damaged("`intercept` is not one number"));
        };
        Ok(Self { coefficients: parts.doubles("coefficients")?, intercept })
    }
}
