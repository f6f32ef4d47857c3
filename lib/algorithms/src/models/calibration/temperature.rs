//! Temperature scaling: the probabilities to one common power.

use serde::{Deserialize, Serialize};

use super::logarithm;

/// The logarithm of the power is sought within this distance of 0.
const FARTHEST: f64 = 10.0;
/// The halvings of that range.
const HALVINGS: usize = 60;

/// Probabilities proportional to their `inverse`-th power.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Temperature {
    /// 1 over the temperature, above 0; above 1 it makes a model surer.
    pub inverse: f64,
}

impl Temperature {
    /// The power with the least log loss. That loss is convex in the power, so that its slope has one root, which halving
    /// finds. `logarithms` is rows × classes.
    pub(super) fn fit(logarithms: &[f64], classes: usize, codes: &[usize], weights: &[f64]) -> Self {
        let slope = |inverse: f64| {
            let rows = logarithms.chunks_exact(classes).zip(codes).zip(weights);
            rows.map(|((logarithms, &code), weight)| {
                let largest = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let powers = logarithms.iter().map(|logarithm| (inverse * (logarithm - largest)).exp());
                let (sum, weighted) = powers
                    .zip(logarithms)
                    .fold((0.0, 0.0), |all, (power, logarithm)| (all.0 + power, all.1 + power * logarithm));
                weight * (weighted / sum - logarithms[code])
            })
            .sum::<f64>()
        };
        let (mut low, mut high) = (-FARTHEST, FARTHEST);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if slope(middle.exp()) < 0.0 { low = middle } else { high = middle }
        }
        Self { inverse: f64::midpoint(low, high).exp() }
    }

    /// Changes the probabilities of one row.
    pub(super) fn apply(self, row: &mut [f64]) {
        for value in &mut *row {
            *value = self.inverse * logarithm(*value);
        }
        let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for value in &mut *row {
            *value = (*value - largest).exp();
        }
        let sum: f64 = row.iter().sum();
        for value in row {
            *value /= sum;
        }
    }

    pub(super) const fn is_valid(self) -> bool {
        self.inverse.is_finite() && self.inverse > 0.0
    }
}
