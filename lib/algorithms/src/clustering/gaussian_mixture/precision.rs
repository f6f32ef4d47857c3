//! The inverse square roots of covariances, by Cholesky's decomposition.

use super::CovarianceType;
use crate::clustering::ClusteringError;

/// For each component what turns a difference into one of unit covariance, and half the logarithm of the determinant
/// of the precision.
pub(super) struct Precisions {
    pub(super) kind: CovarianceType,
    /// Full and tied: features × features, upper triangular, one or one a component. Diagonal: one value a feature and
    /// component. Spherical: one value a component.
    pub(super) factors: Vec<f64>,
    pub(super) log_determinants: Vec<f64>,
}

impl Precisions {
    /// Fails for a covariance that is not positive definite.
    pub(super) fn new(
        kind: CovarianceType,
        covariances: &[f64],
        components: usize,
        features: usize,
    ) -> Result<Self, ClusteringError> {
        let mut factors = Vec::with_capacity(covariances.len());
        let mut log_determinants = Vec::with_capacity(components);
        match kind {
            CovarianceType::Full | CovarianceType::Tied => {
                for (component, covariance) in covariances.chunks_exact(features * features).enumerate() {
                    let factor = inverse_factor(covariance, features).ok_or(ClusteringError::Singular { component })?;
                    let diagonal = (0..features).map(|index| factor[index * features + index].ln());
                    log_determinants.push(diagonal.sum());
                    factors.extend(factor);
                }
                if kind == CovarianceType::Tied {
                    log_determinants.resize(components, log_determinants[0]);
                }
            }
            CovarianceType::Diag | CovarianceType::Spherical => {
                let width = if kind == CovarianceType::Diag { features } else { 1 };
                for (component, variances) in covariances.chunks_exact(width).enumerate() {
                    if variances.iter().any(|variance| !(variance.is_finite() && *variance > 0.0)) {
                        return Err(ClusteringError::Singular { component });
                    }
                    let repeats = (features / width) as f64;
                    log_determinants.push(-0.5 * repeats * variances.iter().map(|variance| variance.ln()).sum::<f64>());
                    factors.extend(variances.iter().map(|variance| 1.0 / variance.sqrt()));
                }
            }
        }
        Ok(Self { kind, factors, log_determinants })
    }
}

/// The transposed inverse of the Cholesky factor of a covariance: upper triangular.
fn inverse_factor(covariance: &[f64], size: usize) -> Option<Vec<f64>> {
    let mut lower = vec![0.0; size * size];
    for row in 0..size {
        for column in 0..=row {
            let (a, b) = (&lower[row * size..row * size + column], &lower[column * size..column * size + column]);
            let rest = covariance[row * size + column] - a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            lower[row * size + column] = if row == column {
                if !(rest.is_finite() && rest > 0.0) {
                    return None;
                }
                rest.sqrt()
            } else {
                rest / lower[column * size + column]
            };
        }
    }
    // Row j of the result is column j of the inverse, found by forward substitution.
    let mut inverse = vec![0.0; size * size];
    for column in 0..size {
        inverse[column * size + column] = 1.0 / lower[column * size + column];
        for row in column + 1..size {
            let known = &inverse[column * size + column..column * size + row];
            let sum: f64 = lower[row * size + column..row * size + row].iter().zip(known).map(|(a, b)| a * b).sum();
            inverse[column * size + row] = -sum / lower[row * size + row];
        }
    }
    inverse.iter().all(|value| value.is_finite()).then_some(inverse)
}
