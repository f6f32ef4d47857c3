//! The buffers of one pass through a network, kept from pass to pass.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::Rng;

use super::normalization::Normalized;

/// Whether a pass predicts or learns.
#[derive(Debug)]
pub enum Mode<'a> {
    /// Nothing is random, and batches are normalised by the running mean and variance.
    Predict,
    /// Hidden units are dropped, and batches are normalised by their own mean and variance.
    Train {
        /// The share of hidden units that each row drops, from 0 to below 1.
        dropout: f32,
        /// Which ones.
        rng: &'a mut Xoshiro256PlusPlus,
    },
}

/// What one pass leaves behind for the gradient, and the gradient itself.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    pub(super) layers: Vec<LayerBuffers>,
    pub(super) gradient: Vec<f32>,
    pub(super) input_gradient: Vec<f32>,
}

/// The buffers of one layer, each rows × units.
#[derive(Debug, Clone, Default)]
pub(super) struct LayerBuffers {
    /// The inputs of the activation, where its derivative needs them.
    pub(super) inputs: Vec<f32>,
    /// The outputs of the activation.
    pub(super) outputs: Vec<f32>,
    pub(super) normalized: Normalized,
    /// 0 for a dropped unit, else 1 over the share that is kept; empty when nothing is dropped.
    pub(super) kept: Vec<f32>,
    /// Outputs times `kept`.
    pub(super) passed: Vec<f32>,
    /// The gradient with respect to the outputs, later the inputs, of the layer.
    pub(super) delta: Vec<f32>,
}

impl Workspace {
    /// Empty buffers; they grow with the first pass.
    pub fn new() -> Self {
        Self::default()
    }

    /// The outputs of the last pass, rows × outputs.
    pub fn outputs(&self) -> &[f32] {
        self.layers.last().map_or(&[], |layer| &layer.outputs)
    }

    /// Where the gradient of the loss with respect to the outputs goes before `Network::backward`: rows × outputs, filled
    /// with the outputs of the last pass.
    pub fn output_gradient(&mut self) -> &mut [f32] {
        let Some(layer) = self.layers.last_mut() else { return &mut [] };
        layer.delta.clear();
        layer.delta.extend_from_slice(&layer.outputs);
        &mut layer.delta
    }

    /// The gradient of the loss with respect to the parameters, in their order, after `Network::backward`.
    pub fn gradient(&self) -> &[f32] {
        &self.gradient
    }

    /// The gradient with respect to the inputs, rows × inputs, after `Network::backward` was asked for it.
    pub fn input_gradient(&self) -> &[f32] {
        &self.input_gradient
    }
}

impl LayerBuffers {
    /// What the next layer takes.
    pub(super) fn passed(&self) -> &[f32] {
        if self.kept.is_empty() { &self.outputs } else { &self.passed }
    }

    /// Drops each output with the probability `dropout` and makes up for it by larger others (Srivastava and others, 2014).
    pub(super) fn drop_units(&mut self, mode: &mut Mode<'_>) {
        self.kept.clear();
        let Mode::Train { dropout, rng } = mode else { return };
        if *dropout <= 0.0 {
            return;
        }
        let scale = 1.0 / (1.0 - *dropout);
        let limit = (f64::from(*dropout) * f64::from(u32::MAX)) as u32;
        self.kept.extend(self.outputs.iter().map(|_| if rng.next_u32() < limit { 0.0 } else { scale }));
        self.passed.clear();
        self.passed.extend(self.outputs.iter().zip(&self.kept).map(|(output, kept)| output * kept));
    }
}
