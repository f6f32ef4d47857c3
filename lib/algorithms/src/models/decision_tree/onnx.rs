//! One tree in ONNX.

use super::DecisionTree;
use crate::models::tree::onnx::read;
use crate::onnx::{OnnxReadError, Parts};

impl DecisionTree {
    pub(in crate::models) fn from_onnx(parts: &Parts<'_>) -> Result<Self, OnnxReadError> {
        let (labels, num_features, mut trees) = read(parts)?;
        match trees.pop() {
            Some(nodes) if trees.is_empty() => Ok(Self { labels, num_features, nodes }),
            _ => Err(OnnxReadError::damaged("a decision tree is not one tree")),
        }
    }
}
