//! Models as ONNX: the preprocessor and the model as one graph that any ONNX runtime computes.
//!
//! The graph takes one input a raw column (rows × 1, double precision, or text), or `features` (rows × features) where
//! there is no preprocessor. It gives `label` (rows) and `probabilities` (rows × classes), or `prediction` (rows). A missing
//! number is NaN, a missing text is empty. A graph whose preprocessor leaves rows with missing values out gives such rows no
//! label and probabilities of NaN.
//!
//! Operators are those of opset 17 and of version 3 of the machine learning ones, computed in double precision but for
//! neural networks; the results differ from ours by rounding alone. Equal models give equal bytes.

mod file;
mod graph;
mod parts;
mod protobuf;
mod trees;

pub use file::{Opened, file, open};
pub(crate) use graph::{Attribute, Element, Graph};
pub(crate) use parts::Parts;
pub(crate) use trees::{TreeEnsemble, TreeNode};

use crate::models::{Algorithm, Model, Task};
use crate::preprocess::Preprocessor;

/// The operators that machine learning adds.
const LEARNING_DOMAIN: &str = "ai.onnx.ml";

/// Why a model has no ONNX file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OnnxError {
    /// The file would be too large.
    #[error("the ONNX file would have more than {limit} bytes")]
    TooLarge {
        /// The most bytes.
        limit: usize,
    },
}

/// Why bytes are no ONNX file that was written here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OnnxReadError {
    /// It is something else, or was written by something else.
    #[error("this is no ONNX model that was written here: {what}")]
    Foreign {
        /// What it is.
        what: String,
    },
    /// It is one of ours, and its parts contradict each other.
    #[error("the ONNX model is damaged: {what}")]
    Damaged {
        /// The place and what is wrong there.
        what: String,
    },
}

impl OnnxReadError {
    pub(crate) fn foreign(what: impl Into<String>) -> Self {
        Self::Foreign { what: what.into() }
    }

    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into() }
    }
}

/// The graph of a model and of what makes its features, and what a reader needs beside it, as JSON.
///
/// `limit` is the most bytes that the graph may have.
pub fn graph(model: &Model, preprocessor: Option<&Preprocessor>, limit: usize) -> Result<(Vec<u8>, String), OnnxError> {
    let mut graph = Graph::new(limit);
    let (features, incomplete) = match preprocessor {
        Some(preprocessor) => preprocessor.onnx(&mut graph)?,
        None => (graph.input("features", Element::Double, model.num_features()), None),
    };
    let predicted = model.onnx(&mut graph, &features)?;
    match model.task() {
        Task::Classification => {
            let labels = graph.parameter_texts("labels", model.labels())?;
            let keep = [("axis", Attribute::Int(1)), ("keepdims", Attribute::Int(0))];
            let best = graph.op_with("ArgMax", &[&predicted], &keep);
            let (mut label, mut predicted) = (graph.op("Gather", &[&labels, &best]), predicted);
            if let Some(incomplete) = incomplete {
                let unknown = graph.scalar(f64::NAN)?;
                predicted = graph.op("Where", &[&incomplete, &unknown, &predicted]);
                let rows = flat(&mut graph, &incomplete)?;
                let none = graph.parameter_texts("no label", &[String::new()])?;
                label = graph.op("Where", &[&rows, &none, &label]);
            }
            graph.output(&label, "label", Element::Text, None);
            graph.output(&predicted, "probabilities", Element::Double, Some(model.labels().len()));
        }
        Task::Regression => {
            let mut predicted = flat(&mut graph, &predicted)?;
            if let Some(incomplete) = incomplete {
                let (rows, unknown) = (flat(&mut graph, &incomplete)?, graph.scalar(f64::NAN)?);
                predicted = graph.op("Where", &[&rows, &unknown, &predicted]);
            }
            graph.output(&predicted, "prediction", Element::Double, None);
        }
    }
    let (bytes, description) = graph.finish()?;
    Ok((bytes, serde_json::Value::Object(description).to_string()))
}

/// Rows × 1 as rows.
fn flat(graph: &mut Graph, values: &str) -> Result<String, OnnxError> {
    let shape = graph.ints(&[-1])?;
    Ok(graph.op("Reshape", &[values, &shape]))
}

/// The model of a graph that [`graph()`] made, with the description that came with it.
///
/// Every shape, index and number is checked. That nothing else was changed is known only when the model's graph, made
/// again, has the same bytes.
pub fn read(algorithm: Algorithm, graph: &[u8], description: &str) -> Result<Model, OnnxReadError> {
    let parts = Parts::read(graph, description)?;
    let model = Model::from_onnx(algorithm, &parts)?;
    model.validate().map_err(|error| OnnxReadError::damaged(error.to_string()))?;
    Ok(model)
}
