//! A network of dense layers: its parameters, the pass forward and the gradient.

use std::ops::Range;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::Rng;
use serde::{Deserialize, Serialize};

use super::activation::Activation;
use super::matrix::{fill_rows, matrix, multiply, sum_rows};
use super::normalization::Normalization;
use super::workspace::{LayerBuffers, Mode, Workspace};
use crate::parallel::{self, Scratch};

/// The rows that are predicted together; fixed, so that the result does not depend on the number of threads.
const PREDICTED_TOGETHER: usize = 256;
/// No layer has more units, and no network more layers: products of two sizes then fit an index.
const MOST_UNITS: usize = 1 << 24;
const MOST_LAYERS: usize = 1000;

/// Dense layers, each `activation(normalization(input · weights + bias))`; the last one has neither activation nor
/// normalisation.
///
/// Reading one with serde checks it with [`Network::validate`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "UncheckedNetwork")]
pub struct Network {
    /// The number of inputs, of units of each hidden layer, and of outputs.
    sizes: Vec<usize>,
    activation: Activation,
    normalization: Normalization,
    /// For each layer its weights (inputs × units, row by row), its biases, and with normalisation, for hidden layers, one
    /// gain and then one shift a unit.
    parameters: Vec<f32>,
    /// With batch normalisation, for each hidden layer the running means, then the running variances.
    running: Vec<f32>,
}

/// A network as it was read, before the check.
#[derive(Deserialize)]
#[serde(rename = "Network")]
struct UncheckedNetwork {
    sizes: Vec<usize>,
    activation: Activation,
    normalization: Normalization,
    parameters: Vec<f32>,
    running: Vec<f32>,
}

impl TryFrom<UncheckedNetwork> for Network {
    type Error = InvalidNetwork;

    fn try_from(read: UncheckedNetwork) -> Result<Self, InvalidNetwork> {
        let UncheckedNetwork { sizes, activation, normalization, parameters, running } = read;
        let network = Self { sizes, activation, normalization, parameters, running };
        network.validate()?;
        Ok(network)
    }
}

/// A network that contradicts itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidNetwork(pub &'static str);

/// Where the parameters of one layer lie.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    pub(super) inputs: usize,
    pub(super) units: usize,
    pub(super) weights: Range<usize>,
    bias: Range<usize>,
    gain: Range<usize>,
    shift: Range<usize>,
    running: Range<usize>,
    hidden: bool,
}

/// The parameters of one layer, each as in [`Network::parameters`] and [`Network::running`].
pub(crate) struct LayerParameters<'a> {
    pub(crate) weights: &'a [f32],
    pub(crate) bias: &'a [f32],
    pub(crate) gain: &'a [f32],
    pub(crate) shift: &'a [f32],
    pub(crate) running: &'a [f32],
}

impl Network {
    /// A network of random weights and biases: uniform within ±√(6 / (inputs + units)), or √2 in place of √6 for the
    /// logistic function (Glorot and Bengio, 2010), as scikit-learn does it.
    ///
    /// `sizes` holds the number of inputs, of units of each hidden layer, and of outputs.
    pub fn random(
        sizes: Vec<usize>,
        activation: Activation,
        normalization: Normalization,
        rng: &mut Xoshiro256PlusPlus,
    ) -> Result<Self, InvalidNetwork> {
        check_sizes(&sizes)?;
        let factor = if activation == Activation::Logistic { 2.0 } else { 6.0 };
        let mut network = Self { sizes, activation, normalization, parameters: Vec::new(), running: Vec::new() };
        let layers = network.layers();
        network.parameters = vec![0.0; layers.last().map_or(0, |layer| layer.shift.end)];
        network.running = vec![0.0; layers.last().map_or(0, |layer| layer.running.end)];
        for layer in layers {
            let bound = (factor / (layer.inputs + layer.units) as f64).sqrt();
            for parameter in &mut network.parameters[layer.weights.start..layer.bias.end] {
                let uniform = (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
                *parameter = (bound * (2.0 * uniform - 1.0)) as f32;
            }
            network.parameters[layer.gain].fill(1.0);
            let middle = usize::midpoint(layer.running.start, layer.running.end);
            network.running[middle..layer.running.end].fill(1.0);
        }
        Ok(network)
    }

    /// Checks the sizes, the number of parameters and that they are finite.
    pub fn validate(&self) -> Result<(), InvalidNetwork> {
        check_sizes(&self.sizes)?;
        let layers = self.layers();
        let ends = layers.last().map_or((0, 0), |layer| (layer.shift.end, layer.running.end));
        if (self.parameters.len(), self.running.len()) != ends {
            return Err(InvalidNetwork("the parameters of a neural network do not match its sizes"));
        }
        if self.parameters.iter().chain(&self.running).any(|value| !value.is_finite()) {
            return Err(InvalidNetwork("a parameter of a neural network is not a finite number"));
        }
        let variances = layers.iter().flat_map(|layer| self.running[layer.running.clone()].iter().skip(layer.units));
        if variances.into_iter().any(|variance| *variance < 0.0) {
            return Err(InvalidNetwork("a variance of a neural network is below 0"));
        }
        Ok(())
    }

    /// The number of inputs, of units of each hidden layer, and of outputs.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// The number of inputs.
    pub fn num_inputs(&self) -> usize {
        self.sizes.first().copied().unwrap_or(0)
    }

    /// The number of outputs.
    pub fn num_outputs(&self) -> usize {
        self.sizes.last().copied().unwrap_or(0)
    }

    /// The function of the hidden units.
    pub const fn activation(&self) -> Activation {
        self.activation
    }

    /// The normalisation of the hidden layers.
    pub const fn normalization(&self) -> Normalization {
        self.normalization
    }

    /// The parameters, layer by layer: weights (inputs × units, row by row), biases, gains and shifts.
    pub fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    /// The parameters, to be changed; their order is that of [`Network::parameters`].
    pub fn parameters_mut(&mut self) -> &mut [f32] {
        &mut self.parameters
    }

    /// The running means and variances of batch normalisation, hidden layer by hidden layer.
    pub fn running(&self) -> &[f32] {
        &self.running
    }

    /// Where the weights of each layer lie among the parameters.
    pub fn weight_ranges(&self) -> Vec<Range<usize>> {
        self.layers().into_iter().map(|layer| layer.weights).collect()
    }

    /// The parameters of each layer.
    pub(crate) fn layer_parameters(&self) -> Vec<LayerParameters<'_>> {
        let part = |range: Range<usize>| &self.parameters[range];
        let layer = |layer: Layer| LayerParameters {
            weights: part(layer.weights),
            bias: part(layer.bias),
            gain: part(layer.gain),
            shift: part(layer.shift),
            running: &self.running[layer.running],
        };
        self.layers().into_iter().map(layer).collect()
    }

    /// The network of those parts, in the order of [`Network::parameters`] and [`Network::running`].
    pub(crate) fn from_parts(
        sizes: Vec<usize>,
        activation: Activation,
        normalization: Normalization,
        parameters: Vec<f32>,
        running: Vec<f32>,
    ) -> Result<Self, InvalidNetwork> {
        Self::try_from(UncheckedNetwork { sizes, activation, normalization, parameters, running })
    }

    pub(super) fn layers(&self) -> Vec<Layer> {
        let (mut at, mut running) = (0, 0);
        let mut take = |count: usize| {
            at += count;
            at - count..at
        };
        let last = self.sizes.len().saturating_sub(2);
        let layer = |(index, pair): (usize, &[usize])| {
            let hidden = index < last;
            let normalized = if hidden && self.normalization != Normalization::None { pair[1] } else { 0 };
            let start = running;
            running += if self.normalization == Normalization::Batch { 2 * normalized } else { 0 };
            Layer {
                inputs: pair[0],
                units: pair[1],
                weights: take(pair[0] * pair[1]),
                bias: take(pair[1]),
                gain: take(normalized),
                shift: take(normalized),
                running: start..running,
                hidden,
            }
        };
        self.sizes.windows(2).enumerate().map(layer).collect()
    }

    /// The outputs for `x` (rows × inputs), rows × outputs.
    ///
    /// # Panics
    /// When the length of `x` is not `rows · inputs`; so do the other passes.
    pub fn forward<'w>(&self, x: &[f32], rows: usize, mut mode: Mode<'_>, workspace: &'w mut Workspace) -> &'w [f32] {
        assert_eq!(x.len(), rows * self.num_inputs(), "the inputs are not rows × inputs");
        let layers = self.layers();
        workspace.layers.resize_with(layers.len(), LayerBuffers::default);
        for (index, layer) in layers.iter().enumerate() {
            let (before, after) = workspace.layers.split_at_mut(index);
            let input = before.last().map_or(x, LayerBuffers::passed);
            self.layer_forward(layer, input, rows, &mut mode, &mut after[0]);
        }
        workspace.outputs()
    }

    fn layer_forward(&self, layer: &Layer, input: &[f32], rows: usize, mode: &mut Mode<'_>, to: &mut LayerBuffers) {
        let part = |range: &Range<usize>| &self.parameters[range.clone()];
        to.outputs.resize(rows * layer.units, 0.0);
        fill_rows(&mut to.outputs, part(&layer.bias));
        let weights = matrix(part(&layer.weights), layer.inputs, layer.units);
        multiply(matrix(input, rows, layer.inputs), weights, 1.0, &mut to.outputs);
        if !layer.hidden {
            to.kept.clear();
            return;
        }
        let (gain, shift) = (part(&layer.gain), part(&layer.shift));
        match (self.normalization, &mode) {
            (Normalization::None, _) => {}
            (Normalization::Layer, _) => to.normalized.rows(&mut to.outputs, gain, shift),
            (Normalization::Batch, Mode::Train { .. }) => to.normalized.batch(&mut to.outputs, gain, shift),
            (Normalization::Batch, Mode::Predict) => {
                to.normalized.running(&mut to.outputs, &self.running[layer.running.clone()], gain, shift);
            }
        }
        if self.activation.needs_input() {
            to.inputs.clear();
            to.inputs.extend_from_slice(&to.outputs);
        }
        self.activation.apply(&mut to.outputs);
        to.drop_units(mode);
    }

    /// The gradient with respect to the parameters, once the pass forward of the same `x` was done and the gradient of the
    /// loss was written to [`Workspace::output_gradient`]; with `to_inputs` also that with respect to the inputs.
    pub fn backward(&self, x: &[f32], rows: usize, to_inputs: bool, workspace: &mut Workspace) {
        let Workspace { layers: buffers, gradient, input_gradient } = workspace;
        gradient.resize(self.parameters.len(), 0.0);
        for (index, layer) in self.layers().iter().enumerate().rev() {
            let (before, after) = buffers.split_at_mut(index);
            let Some(own) = after.first_mut() else { return };
            if layer.hidden {
                for (delta, kept) in own.delta.iter_mut().zip(&own.kept) {
                    *delta *= kept;
                }
                self.activation.multiply_derivative(&own.inputs, &own.outputs, &mut own.delta);
                if self.normalization != Normalization::None {
                    let (gains, shifts) = gradient[layer.gain.start..layer.shift.end].split_at_mut(layer.units);
                    let gain = &self.parameters[layer.gain.clone()];
                    own.normalized.backward(self.normalization, &mut own.delta, gain, gains, shifts);
                }
            }
            let input = before.last().map_or(x, LayerBuffers::passed);
            let delta = matrix(&own.delta, rows, layer.units);
            let inputs = matrix(input, rows, layer.inputs);
            multiply(inputs.reversed_axes(), delta, 0.0, &mut gradient[layer.weights.clone()]);
            sum_rows(&own.delta, &mut gradient[layer.bias.clone()]);
            let back = match before.last_mut() {
                Some(previous) => &mut previous.delta,
                None if to_inputs => &mut *input_gradient,
                None => return,
            };
            back.resize(rows * layer.inputs, 0.0);
            let weights = matrix(&self.parameters[layer.weights.clone()], layer.inputs, layer.units);
            multiply(delta, weights.reversed_axes(), 0.0, back);
        }
    }

    /// Moves the running means and variances of batch normalisation towards those of the last pass that trained.
    pub fn absorb_moments(&mut self, workspace: &Workspace) {
        for (layer, buffers) in self.layers().iter().zip(&workspace.layers) {
            buffers.normalized.absorb(&mut self.running[layer.running.clone()]);
        }
    }

    /// The outputs for `x` (rows × inputs), rows × outputs, in parallel.
    pub fn predict(&self, x: &[f32]) -> Vec<f32> {
        let (inputs, outputs) = (self.num_inputs(), self.num_outputs());
        let mut predicted = vec![0.0; x.len() / inputs * outputs];
        let workspaces = Scratch::new(Workspace::new);
        let chunks = predicted.chunks_mut(PREDICTED_TOGETHER * outputs).zip(x.chunks(PREDICTED_TOGETHER * inputs));
        parallel::for_each(chunks, |(out, x)| {
            workspaces.with(|workspace| {
                out.copy_from_slice(self.forward(x, x.len() / inputs, Mode::Predict, workspace));
            });
        });
        predicted
    }
}

fn check_sizes(sizes: &[usize]) -> Result<(), InvalidNetwork> {
    if sizes.len() < 2 || sizes.len() > MOST_LAYERS || sizes.iter().any(|size| !(1..=MOST_UNITS).contains(size)) {
        return Err(InvalidNetwork("the layers of a neural network have impossible sizes"));
    }
    Ok(())
}
