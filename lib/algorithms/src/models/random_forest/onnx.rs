//! A forest in ONNX.

use super::RandomForest;
use crate::models::tree::onnx::read;
use crate::onnx::{OnnxReadError, Parts};

impl RandomForest {
    pub(in crate::models) fn from_onnx(parts: &Parts<'_>) -> Result<Self, OnnxReadError> {
        let (labels, num_features, trees) = read(parts)?;
        Ok(Self { labels, num_features, trees })
    }
}
