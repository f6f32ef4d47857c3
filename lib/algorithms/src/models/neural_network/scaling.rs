//! The standardisation of features in front of a neural network.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use crate::models::InvalidModel;
use crate::onnx::{Element, Graph, OnnxError, OnnxReadError, Parts};
use crate::parallel;

/// A standardised value is cut off at this distance from 0, so that single precision holds what is computed from it.
const FARTHEST: f64 = 1e6;
/// A deviation below this share of the mean is rounding.
const ROUNDING: f64 = 1e-13;
/// The rows that are standardised together.
const TOGETHER: usize = 1024;

/// The mean and the scale of each feature: a feature enters the network less its mean, divided by its scale.
///
/// The scale is the standard deviation; it is 1 for a constant feature, and for one of 0 and 1 alone, because a rare 1
/// would otherwise outweigh everything else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    means: Vec<f64>,
    scales: Vec<f64>,
}

impl Scaling {
    /// The scaling by `rows` of `x`, each counting its weight; `None` when the numbers are too large for it.
    pub(super) fn of(x: ArrayView2<'_, f64>, rows: &[u32], weights: Option<&[f64]>) -> Option<Self> {
        let weight = |row: u32| weights.map_or(1.0, |weights| weights[row as usize]);
        let total: f64 = rows.iter().map(|&row| weight(row)).sum();
        let mut means = vec![0.0; x.ncols()];
        let mut flags = vec![true; x.ncols()];
        for &row in rows {
            let share = weight(row) / total;
            for ((mean, flag), value) in means.iter_mut().zip(&mut flags).zip(x.row(row as usize)) {
                *mean += share * value;
                *flag &= *value == 0.0 || *value == 1.0;
            }
        }
        let mut scales = vec![0.0; x.ncols()];
        for &row in rows {
            let share = weight(row) / total;
            for ((variance, mean), value) in scales.iter_mut().zip(&means).zip(x.row(row as usize)) {
                *variance += share * (value - mean) * (value - mean);
            }
        }
        for ((scale, flag), mean) in scales.iter_mut().zip(flags).zip(&means) {
            *scale = scale.sqrt();
            if flag || *scale <= ROUNDING * mean.abs() {
                *scale = 1.0;
            }
        }
        Some(Self { means, scales }).filter(|scaling| scaling.validate().is_ok())
    }

    /// The mean of each feature.
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// The scale of each feature.
    pub fn scales(&self) -> &[f64] {
        &self.scales
    }

    /// The number of features.
    pub const fn len(&self) -> usize {
        self.means.len()
    }

    /// Whether there is no feature.
    pub const fn is_empty(&self) -> bool {
        self.means.is_empty()
    }

    /// The standardised rows of `x`, one after the other.
    pub fn apply(&self, x: ArrayView2<'_, f64>) -> Vec<f32> {
        let width = self.len().max(1);
        let mut scaled = vec![0.0; x.nrows() * self.len()];
        parallel::for_each(scaled.chunks_mut(TOGETHER * width).enumerate(), |(chunk, scaled)| {
            for (row, scaled) in scaled.chunks_exact_mut(width).enumerate() {
                self.row(x.row(chunk * TOGETHER + row).iter(), scaled);
            }
        });
        scaled
    }

    /// The standardised `rows` of `x`, one after the other.
    pub(super) fn apply_to(&self, x: ArrayView2<'_, f64>, rows: &[u32]) -> Vec<f32> {
        let width = self.len().max(1);
        let mut scaled = vec![0.0; rows.len() * self.len()];
        for (scaled, &row) in scaled.chunks_exact_mut(width).zip(rows) {
            self.row(x.row(row as usize).iter(), scaled);
        }
        scaled
    }

    fn row<'a>(&self, values: impl Iterator<Item = &'a f64>, scaled: &mut [f32]) {
        for (((scaled, value), mean), scale) in scaled.iter_mut().zip(values).zip(&self.means).zip(&self.scales) {
            *scaled = ((value - mean) / scale).clamp(-FARTHEST, FARTHEST) as f32;
        }
    }

    /// The standardised features in ONNX, in single precision.
    pub(super) fn onnx(&self, graph: &mut Graph, features: &str) -> Result<String, OnnxError> {
        let means = graph.parameter("means", &[self.len()], &self.means)?;
        let scales = graph.parameter("scales", &[self.len()], &self.scales)?;
        let apart = graph.op("Sub", &[features, &means]);
        let scaled = graph.op("Div", &[&apart, &scales]);
        let (low, high) = (graph.scalar(-FARTHEST)?, graph.scalar(FARTHEST)?);
        let kept = graph.op("Clip", &[&scaled, &low, &high]);
        Ok(graph.cast(&kept, Element::Float))
    }

    /// The scaling of a graph that [`Scaling::onnx`] is in.
    pub(super) fn from_onnx(parts: &Parts<'_>) -> Result<Self, OnnxReadError> {
        Ok(Self { means: parts.doubles("means")?, scales: parts.doubles("scales")? })
    }

    pub(super) fn validate(&self) -> Result<(), InvalidModel> {
        let positive = self.scales.iter().all(|scale| scale.is_finite() && *scale > 0.0);
        if self.means.len() != self.scales.len() || !positive || self.means.iter().any(|mean| !mean.is_finite()) {
            return Err(InvalidModel::new("the scaling of the features is not valid"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn features_get_mean_0_and_deviation_1() {
        let x = array![[1.0, 0.0, 7.0], [3.0, 1.0, 7.0], [9.0, 0.0, 7.0]];
        let scaling = Scaling::of(x.view(), &[0, 1], None).unwrap();
        assert_eq!(scaling.means(), [2.0, 0.5, 7.0]);
        assert_eq!(scaling.scales(), [1.0, 1.0, 1.0]);
        assert_eq!(scaling.apply(x.view()), [-1.0, -0.5, 0.0, 1.0, 0.5, 0.0, 7.0, -0.5, 0.0]);
        assert_eq!(scaling.apply_to(x.view(), &[2]), [7.0, -0.5, 0.0]);
    }

    #[test]
    fn weights_count_as_repetitions() {
        let x = array![[1.0], [3.0], [8.0]];
        let weighted = Scaling::of(x.view(), &[0, 1, 2], Some(&[1.0, 2.0, 1.0])).unwrap();
        let repeated = Scaling::of(x.view(), &[0, 1, 1, 2], None).unwrap();
        assert!((weighted.means()[0] - repeated.means()[0]).abs() < 1e-12);
        assert!((weighted.scales()[0] - repeated.scales()[0]).abs() < 1e-12);
    }

    #[test]
    fn extreme_numbers_are_refused_or_cut_off() {
        assert!(Scaling::of(array![[1e308], [-1e308], [1e308]].view(), &[0, 1, 2], None).is_none());
        let scaling = Scaling::of(array![[0.0], [2.0]].view(), &[0, 1], None).unwrap();
        assert_eq!(scaling.apply(array![[1e300]].view()), [1e6]);
        let rounding = Scaling::of(array![[0.1], [0.1], [0.1]].view(), &[0, 1, 2], None).unwrap();
        assert_eq!(rounding.scales(), [1.0]);
    }
}
