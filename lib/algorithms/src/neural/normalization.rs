//! Normalisation of the inputs of hidden units: over the rows of a batch, or over the units of a row.

use serde::{Deserialize, Serialize};

use super::matrix::add;

/// Added to a variance before its root is taken.
const EPSILON: f32 = 1e-5;
/// The weight of a batch in the running mean and variance of [`Normalization::Batch`].
const RUNNING: f32 = 0.1;

/// What is made of the input of a hidden layer before its activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalization {
    /// Nothing.
    None,
    /// Each unit gets mean 0 and variance 1 over the rows of a batch (Ioffe and Szegedy, 2015), and by the running mean and
    /// variance when it predicts.
    Batch,
    /// The units of each row get mean 0 and variance 1 (Ba, Kiros and Hinton, 2016).
    Layer,
}

/// What the gradient needs to know of a normalisation that was done.
#[derive(Debug, Clone, Default)]
pub(super) struct Normalized {
    /// Rows × units, before gain and shift.
    values: Vec<f32>,
    /// One a unit (batch) or one a row (layer): 1 over the standard deviation.
    inverses: Vec<f32>,
    /// The mean and the variance of each unit in the batch, one after the other; empty when the running ones were used.
    moments: Vec<f32>,
}

impl Normalized {
    /// Normalises the units of each row, then multiplies by `gain` and adds `shift`.
    pub(super) fn rows(&mut self, values: &mut [f32], gain: &[f32], shift: &[f32]) {
        let units = gain.len();
        self.inverses.clear();
        for row in values.chunks_exact_mut(units) {
            let mean = row.iter().sum::<f32>() / units as f32;
            let variance = row.iter().map(|value| (value - mean) * (value - mean)).sum::<f32>() / units as f32;
            let inverse = 1.0 / (variance + EPSILON).sqrt();
            for value in row {
                *value = (*value - mean) * inverse;
            }
            self.inverses.push(inverse);
        }
        self.keep_and_scale(values, gain, shift);
    }

    /// Normalises each unit over the rows, then multiplies by `gain` and adds `shift`.
    pub(super) fn batch(&mut self, values: &mut [f32], gain: &[f32], shift: &[f32]) {
        let units = gain.len();
        let rows = (values.len() / units) as f32;
        let mut moments = std::mem::take(&mut self.moments);
        moments.clear();
        moments.resize(2 * units, 0.0);
        let (mean, variance) = moments.split_at_mut(units);
        values.chunks_exact(units).for_each(|row| add(mean, row));
        for mean in &mut *mean {
            *mean /= rows;
        }
        for row in values.chunks_exact(units) {
            for ((variance, value), mean) in variance.iter_mut().zip(row).zip(&*mean) {
                *variance += (value - mean) * (value - mean);
            }
        }
        for variance in &mut *variance {
            *variance /= rows;
        }
        self.inverses.clear();
        self.inverses.extend(variance.iter().map(|variance| 1.0 / (variance + EPSILON).sqrt()));
        self.center(values, mean);
        self.moments = moments;
        self.keep_and_scale(values, gain, shift);
    }

    /// Normalises each unit by its running mean and variance (one after the other), then multiplies by `gain` and adds `shift`.
    pub(super) fn running(&mut self, values: &mut [f32], running: &[f32], gain: &[f32], shift: &[f32]) {
        let (mean, variance) = running.split_at(gain.len());
        self.moments.clear();
        self.inverses.clear();
        self.inverses.extend(variance.iter().map(|variance| 1.0 / (variance + EPSILON).sqrt()));
        self.center(values, mean);
        self.keep_and_scale(values, gain, shift);
    }

    fn center(&self, values: &mut [f32], mean: &[f32]) {
        for row in values.chunks_exact_mut(mean.len()) {
            for ((value, mean), inverse) in row.iter_mut().zip(mean).zip(&self.inverses) {
                *value = (*value - mean) * inverse;
            }
        }
    }

    fn keep_and_scale(&mut self, values: &mut [f32], gain: &[f32], shift: &[f32]) {
        self.values.clear();
        self.values.extend_from_slice(values);
        scale(values, gain, shift);
    }

    /// Moves the running mean and variance (one after the other) towards those of the last batch.
    pub(super) fn absorb(&self, running: &mut [f32]) {
        for (running, moment) in running.iter_mut().zip(&self.moments) {
            *running += RUNNING * (moment - *running);
        }
    }

    /// Turns the gradient of the outputs into that of the inputs, and adds up those of gain and shift.
    pub(super) fn backward(
        &self,
        kind: Normalization,
        delta: &mut [f32],
        gain: &[f32],
        gain_gradient: &mut [f32],
        shift_gradient: &mut [f32],
    ) {
        let units = gain.len();
        gain_gradient.fill(0.0);
        shift_gradient.fill(0.0);
        for (delta, values) in delta.chunks_exact(units).zip(self.values.chunks_exact(units)) {
            for ((sum, delta), value) in gain_gradient.iter_mut().zip(delta).zip(values) {
                *sum += delta * value;
            }
            add(shift_gradient, delta);
        }
        let rows = delta.chunks_exact_mut(units).zip(self.values.chunks_exact(units));
        match kind {
            Normalization::None => {}
            Normalization::Layer => {
                for ((delta, values), inverse) in rows.zip(&self.inverses) {
                    delta.iter_mut().zip(gain).for_each(|(delta, gain)| *delta *= gain);
                    let mean = delta.iter().sum::<f32>() / units as f32;
                    let along = delta.iter().zip(values).map(|(delta, value)| delta * value).sum::<f32>();
                    let along = along / units as f32;
                    for (delta, value) in delta.iter_mut().zip(values) {
                        *delta = inverse * (*delta - mean - along * value);
                    }
                }
            }
            Normalization::Batch if self.moments.is_empty() => {
                for (delta, _) in rows {
                    for ((delta, inverse), gain) in delta.iter_mut().zip(&self.inverses).zip(gain) {
                        *delta *= inverse * gain;
                    }
                }
            }
            Normalization::Batch => {
                let count = (self.values.len() / units) as f32;
                for (delta, values) in rows {
                    let sums = gain_gradient.iter().zip(&*shift_gradient);
                    let units = delta.iter_mut().zip(values).zip(sums).zip(self.inverses.iter().zip(gain));
                    for (((delta, value), (along, sum)), (inverse, gain)) in units {
                        *delta = inverse * gain * (*delta - (sum + along * value) / count);
                    }
                }
            }
        }
    }
}

fn scale(values: &mut [f32], gain: &[f32], shift: &[f32]) {
    for row in values.chunks_exact_mut(gain.len()) {
        for ((value, gain), shift) in row.iter_mut().zip(gain).zip(shift) {
            *value = *value * gain + shift;
        }
    }
}
