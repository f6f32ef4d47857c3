//! The step that asks which component each row comes from.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

use super::CovarianceType;
use super::precision::Precisions;
use crate::clustering::points::CHUNK;
use crate::parallel::{self, Scratch};

/// The natural logarithm of 2π.
const LOG_TWO_PI: f64 = 1.837_877_066_409_345_3;

/// Fills `responsibilities` (rows × components) with the probability of each component, and gives the mean logarithm
/// of the density over the rows.
pub(super) fn expect(
    rows: &[f64],
    features: usize,
    weights: &[f64],
    means: &[f64],
    precisions: &Precisions,
    responsibilities: &mut [f64],
) -> f64 {
    let components = weights.len();
    let count = rows.len() / features;
    let log_weights = weights.iter().map(|weight| weight.ln()).collect::<Vec<_>>();
    let chunks = responsibilities.chunks_mut(CHUNK * components).zip(rows.chunks(CHUNK * features));
    let scratch = Scratch::new(|| (vec![0.0; CHUNK * features], vec![0.0; CHUNK * features]));
    let densities = |out: &mut [f64], rows: &[f64]| {
        scratch.with(|(differences, scaled)| {
            let each = means.chunks_exact(features).zip(&log_weights).zip(&precisions.log_determinants).enumerate();
            for (component, ((mean, log_weight), log_determinant)) in each {
                let constant = log_weight + log_determinant - 0.5 * features as f64 * LOG_TWO_PI;
                let pairs = differences.chunks_exact_mut(features).zip(rows.chunks_exact(features));
                for (difference, row) in pairs {
                    for ((difference, value), mean) in difference.iter_mut().zip(row).zip(mean) {
                        *difference = value - mean;
                    }
                }
                let used = &differences[..rows.len()];
                scale(used, features, component, precisions, &mut scaled[..rows.len()]);
                let squares = scaled[..rows.len()].chunks_exact(features);
                for (out, scaled) in out.chunks_exact_mut(components).zip(squares) {
                    out[component] = constant - 0.5 * scaled.iter().map(|value| value * value).sum::<f64>();
                }
            }
            out.chunks_exact_mut(components).map(normalise).sum::<f64>()
        })
    };
    parallel::map(chunks, |(out, rows)| densities(out, rows)).iter().sum::<f64>() / count as f64
}

/// Differences of unit covariance.
fn scale(differences: &[f64], features: usize, component: usize, precisions: &Precisions, scaled: &mut [f64]) {
    let factors = &precisions.factors;
    match precisions.kind {
        CovarianceType::Full | CovarianceType::Tied => {
            let size = features * features;
            let first = if precisions.kind == CovarianceType::Full { component * size } else { 0 };
            let rows = differences.len() / features;
            let factor = ArrayView2::from_shape((features, features), &factors[first..first + size]);
            let differences = ArrayView2::from_shape((rows, features), differences);
            let scaled = ArrayViewMut2::from_shape((rows, features), scaled);
            if let (Ok(factor), Ok(differences), Ok(mut scaled)) = (factor, differences, scaled) {
                general_mat_mul(1.0, &differences, &factor, 0.0, &mut scaled);
            }
        }
        CovarianceType::Diag => {
            let own = &factors[component * features..(component + 1) * features];
            for (scaled, row) in scaled.chunks_exact_mut(features).zip(differences.chunks_exact(features)) {
                for ((scaled, value), factor) in scaled.iter_mut().zip(row).zip(own) {
                    *scaled = value * factor;
                }
            }
        }
        CovarianceType::Spherical => {
            for (scaled, value) in scaled.iter_mut().zip(differences) {
                *scaled = value * factors[component];
            }
        }
    }
}

/// Turns the logarithms of joint densities into probabilities; gives the logarithm of their sum.
fn normalise(row: &mut [f64]) -> f64 {
    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !largest.is_finite() {
        // So far from every component that no density is left: none is more likely than another.
        let even = 1.0 / row.len() as f64;
        row.fill(even);
        return largest;
    }
    let sum: f64 = row.iter().map(|value| (value - largest).exp()).sum();
    let total = largest + sum.ln();
    for value in row.iter_mut() {
        *value = (*value - total).exp();
    }
    total
}
