//! A neural network in ONNX, in single precision as here.

use super::{NeuralNetwork, Scaling};
use crate::neural::{Activation, Network, Normalization};
use crate::onnx::{Element, Graph, OnnxError, OnnxReadError, Parts};

pub(super) fn write(model: &NeuralNetwork, graph: &mut Graph, features: &str) -> Result<String, OnnxError> {
    let scaled = model.scaling.onnx(graph, features)?;
    let scores = network(&model.network, graph, scaled)?;
    let scores = graph.cast(&scores, Element::Double);
    if !model.labels.is_empty() {
        let probabilities = if model.present.len() == 2 { graph.odds(&scores) } else { graph.softmax(&scores) };
        return graph.spread(probabilities, &model.present, model.labels.len());
    }
    let [mean, scale] = model.target;
    let (mean, scale) =
        (graph.parameter("target_mean", &[1], &[mean])?, graph.parameter("target_scale", &[1], &[scale])?);
    let scaled = graph.op("Mul", &[&scores, &scale]);
    Ok(graph.op("Add", &[&scaled, &mean]))
}

/// The outputs of the last layer, rows × outputs.
fn network(network: &Network, graph: &mut Graph, inputs: String) -> Result<String, OnnxError> {
    graph.describe("sizes", network.sizes().to_vec());
    graph.describe("activation", serde_json::to_value(network.activation()).unwrap_or_default());
    graph.describe("normalization", serde_json::to_value(network.normalization()).unwrap_or_default());
    let mut values = inputs;
    for (index, layer) in network.layer_parameters().into_iter().enumerate() {
        let named = |what: &str| format!("layer {index} {what}");
        let shape = [layer.weights.len() / layer.bias.len(), layer.bias.len()];
        let weights = graph.parameter_single(&named("weights"), &shape, layer.weights)?;
        let bias = graph.parameter_single(&named("bias"), &shape[1..], layer.bias)?;
        let product = graph.op("MatMul", &[&values, &weights]);
        values = graph.op("Add", &[&product, &bias]);
        if index + 2 == network.sizes().len() {
            break;
        }
        if network.normalization() != Normalization::None {
            let gain = graph.parameter_single(&named("gain"), &shape[1..], layer.gain)?;
            let shift = graph.parameter_single(&named("shift"), &shape[1..], layer.shift)?;
            values = if network.normalization() == Normalization::Batch {
                let (means, variances) = layer.running.split_at(shape[1]);
                let means = graph.parameter_single(&named("means"), &shape[1..], means)?;
                let variances = graph.parameter_single(&named("variances"), &shape[1..], variances)?;
                graph.op("BatchNormalization", &[&values, &gain, &shift, &means, &variances])
            } else {
                graph.op("LayerNormalization", &[&values, &gain, &shift])
            };
        }
        values = activate(network.activation(), graph, values)?;
    }
    Ok(values)
}

fn activate(activation: Activation, graph: &mut Graph, x: String) -> Result<String, OnnxError> {
    Ok(match activation {
        Activation::Identity => x,
        Activation::Logistic => graph.op("Sigmoid", &[&x]),
        Activation::Tanh => graph.op("Tanh", &[&x]),
        Activation::Relu => graph.op("Relu", &[&x]),
        Activation::Gelu => {
            let [half, one, factor, cubic] =
                [0.5, 1.0, Activation::GELU.0, Activation::GELU.1].map(|value: f32| graph.scalar_single(value));
            let (half, one, factor, cubic) = (half?, one?, factor?, cubic?);
            let square = graph.op("Mul", &[&x, &x]);
            let cube = graph.op("Mul", &[&square, &x]);
            let cube = graph.op("Mul", &[&cube, &cubic]);
            let sum = graph.op("Add", &[&x, &cube]);
            let argument = graph.op("Mul", &[&sum, &factor]);
            let curve = graph.op("Tanh", &[&argument]);
            let curve = graph.op("Add", &[&curve, &one]);
            let share = graph.op("Mul", &[&curve, &half]);
            graph.op("Mul", &[&share, &x])
        }
    })
}

impl NeuralNetwork {
    pub(in crate::models) fn from_onnx(parts: &Parts<'_>) -> Result<Self, OnnxReadError> {
        let sizes: Vec<usize> = parts.described("sizes")?;
        let (mut parameters, mut running) = (Vec::new(), Vec::new());
        for index in 0..sizes.len().saturating_sub(1).min(1000) {
            for what in ["weights", "bias", "gain", "shift"] {
                let name = format!("layer {index} {what}");
                if parts.has(&name) {
                    parameters.extend(parts.singles(&name)?);
                }
            }
            for what in ["means", "variances"] {
                let name = format!("layer {index} {what}");
                if parts.has(&name) {
                    running.extend(parts.singles(&name)?);
                }
            }
        }
        let labels = parts.labels()?;
        let one = |name: &str| match parts.doubles(name)?[..] {
            [value] => Ok(value),
            _ => Err(OnnxReadError::damaged(format!("`{name}` is not one number"))),
        };
        let target = if labels.is_empty() { [one("target_mean")?, one("target_scale")?] } else { [0.0, 1.0] };
        let (activation, normalization) = (parts.described("activation")?, parts.described("normalization")?);
        let network = Network::from_parts(sizes, activation, normalization, parameters, running);
        Ok(Self {
            present: if labels.is_empty() { Vec::new() } else { parts.described("present")? },
            labels,
            scaling: Scaling::from_onnx(parts)?,
            target,
            network: network.map_err(|error| OnnxReadError::damaged(error.to_string()))?,
        })
    }
}
