//! Naive Bayes in ONNX.

use super::NaiveBayes;
use crate::onnx::{Attribute, Graph, OnnxError, OnnxReadError, Parts};

pub(super) fn write(model: &NaiveBayes, graph: &mut Graph, features: &str) -> Result<String, OnnxError> {
    let shape = [model.present.len(), model.num_features as usize];
    let priors = graph.parameter("priors", &[model.present.len()], &model.priors)?;
    let means = graph.parameter("means", &shape, &model.means)?;
    let variances = graph.parameter("variances", &shape, &model.variances)?;
    // The logarithms of the prior and of the densities' heights.
    let circle = graph.scalar(std::f64::consts::TAU)?;
    let heights = graph.op("Mul", &[&variances, &circle]);
    let heights = graph.op("Log", &[&heights]);
    let second = graph.ints(&[1])?;
    let heights = graph.op_with("ReduceSum", &[&heights, &second], &[("keepdims", Attribute::Int(0))]);
    let half = graph.scalar(0.5)?;
    let heights = graph.op("Mul", &[&heights, &half]);
    let priors = graph.op("Log", &[&priors]);
    let offsets = graph.op("Sub", &[&priors, &heights]);
    // rows × classes × features
    let rows = graph.op("Unsqueeze", &[features, &second]);
    let apart = graph.op("Sub", &[&rows, &means]);
    let squares = graph.op("Mul", &[&apart, &apart]);
    let distances = graph.op("Div", &[&squares, &variances]);
    let third = graph.ints(&[2])?;
    let distances = graph.op_with("ReduceSum", &[&distances, &third], &[("keepdims", Attribute::Int(0))]);
    let most = graph.scalar(f64::MAX)?;
    let distances = graph.op("Min", &[&distances, &most]);
    let distances = graph.op("Mul", &[&distances, &half]);
    let scores = graph.op("Sub", &[&offsets, &distances]);
    let probabilities = graph.softmax(&scores);
    graph.spread(probabilities, &model.present, model.labels.len())
}

impl NaiveBayes {
    pub(in crate::models) fn from_onnx(parts: &Parts<'_>) -> Result<Self, OnnxReadError> {
        let [_, features] = parts.shape("means")?;
        Ok(Self {
            labels: parts.labels()?,
            present: parts.described("present")?,
            num_features: features as u32,
            priors: parts.doubles("priors")?,
            means: parts.doubles("means")?,
            variances: parts.doubles("variances")?,
        })
    }
}
