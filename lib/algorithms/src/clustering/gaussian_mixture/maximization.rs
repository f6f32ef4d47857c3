//! The step that fits each component to the rows that come from it.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

use super::CovarianceType;
use crate::clustering::points::CHUNK;
use crate::parallel;

/// The most numbers that parallel sums may take together.
const MOST_SUMS: usize = 4_000_000;

/// The most parts of the rows whose sums are made apart; fixed, so that they do not depend on the number of threads.
const SLABS: usize = 16;

/// What the rows say of the components.
pub(super) struct Estimates {
    pub(super) weights: Vec<f64>,
    pub(super) means: Vec<f64>,
    pub(super) covariances: Vec<f64>,
}

/// The most likely components, given the probability that each row comes from each (rows × components).
pub(super) fn maximise(
    rows: &[f64],
    features: usize,
    responsibilities: &[f64],
    components: usize,
    kind: CovarianceType,
    reg_covar: f64,
) -> Estimates {
    let data = Data { rows, features, responsibilities, components };
    let (totals, mut means) = data.sums();
    // As in scikit-learn, so that a component without rows has a mean of 0 rather than none.
    let totals = totals.iter().map(|total| total + 10.0 * f64::EPSILON).collect::<Vec<_>>();
    for (mean, total) in means.chunks_exact_mut(features).zip(&totals) {
        for value in mean {
            *value /= total;
        }
    }
    let all: f64 = totals.iter().sum();
    let weights = totals.iter().map(|total| total / all).collect();
    let covariances = match kind {
        CovarianceType::Full | CovarianceType::Tied => data.full(&means, &totals, kind, reg_covar),
        CovarianceType::Diag | CovarianceType::Spherical => data.diagonal(&means, &totals, kind, reg_covar),
    };
    Estimates { weights, means, covariances }
}

struct Data<'a> {
    rows: &'a [f64],
    features: usize,
    responsibilities: &'a [f64],
    components: usize,
}

impl Data<'_> {
    /// Rows and responsibilities, in parts of at least `count` rows.
    fn slabs(&self, parts: usize) -> impl Iterator<Item = (&[f64], &[f64])> + Send {
        let count = self.rows.len() / self.features;
        let slab = count.div_ceil(CHUNK).div_ceil(parts).max(1) * CHUNK;
        self.rows.chunks(slab * self.features).zip(self.responsibilities.chunks(slab * self.components))
    }

    /// The responsibilities' totals and the weighted sums of the rows.
    fn sums(&self) -> (Vec<f64>, Vec<f64>) {
        let parts = parallel::map(self.slabs(SLABS), |(rows, responsibilities)| {
            let mut totals = vec![0.0; self.components];
            let mut sums = vec![0.0; self.components * self.features];
            let pairs = rows.chunks_exact(self.features).zip(responsibilities.chunks_exact(self.components));
            for (row, responsibilities) in pairs {
                for ((total, sums), share) in
                    totals.iter_mut().zip(sums.chunks_exact_mut(self.features)).zip(responsibilities)
                {
                    *total += share;
                    sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += share * value);
                }
            }
            (totals, sums)
        });
        let mut totals = vec![0.0; self.components];
        let mut sums = vec![0.0; self.components * self.features];
        for (part_totals, part_sums) in parts {
            totals.iter_mut().zip(part_totals).for_each(|(total, part)| *total += part);
            sums.iter_mut().zip(part_sums).for_each(|(sum, part)| *sum += part);
        }
        (totals, sums)
    }

    /// Covariance matrices, one a component, or one over all of them.
    fn full(&self, means: &[f64], totals: &[f64], kind: CovarianceType, reg_covar: f64) -> Vec<f64> {
        let size = self.features * self.features;
        let parts = (MOST_SUMS / (size * self.components)).clamp(1, SLABS);
        let mut covariances = Vec::with_capacity(size * self.components);
        for (component, mean) in means.chunks_exact(self.features).enumerate() {
            let parts = parallel::map(self.slabs(parts), |(rows, responsibilities)| {
                let mut sums = vec![0.0; size];
                let chunks = rows.chunks(CHUNK * self.features).zip(responsibilities.chunks(CHUNK * self.components));
                for (rows, responsibilities) in chunks {
                    self.products(component, mean, rows, responsibilities, &mut sums);
                }
                sums
            });
            let mut covariance = vec![0.0; size];
            for part in parts {
                covariance.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
            }
            covariances.extend(covariance);
        }
        let divide = |sums: &mut [f64], total: f64| {
            for value in sums.iter_mut() {
                *value /= total;
            }
            (0..self.features).for_each(|index| sums[index * self.features + index] += reg_covar);
        };
        if kind == CovarianceType::Full {
            covariances.chunks_exact_mut(size).zip(totals).for_each(|(sums, total)| divide(sums, *total));
            return covariances;
        }
        let mut tied = vec![0.0; size];
        for covariance in covariances.chunks_exact(size) {
            tied.iter_mut().zip(covariance).for_each(|(sum, part)| *sum += part);
        }
        divide(&mut tied, totals.iter().sum());
        tied
    }

    /// Adds the weighted products of the differences from a mean.
    fn products(&self, component: usize, mean: &[f64], rows: &[f64], responsibilities: &[f64], sums: &mut [f64]) {
        let mut differences = Vec::with_capacity(rows.len());
        let pairs = rows.chunks_exact(self.features).zip(responsibilities.chunks_exact(self.components));
        for (row, responsibilities) in pairs {
            // One root on each side of the product keeps it symmetric to the last digit.
            let root = responsibilities[component].sqrt();
            differences.extend(row.iter().zip(mean).map(|(value, mean)| root * (value - mean)));
        }
        let differences = ArrayView2::from_shape((rows.len() / self.features, self.features), &differences);
        let sums = ArrayViewMut2::from_shape((self.features, self.features), sums);
        if let (Ok(differences), Ok(mut sums)) = (differences, sums) {
            general_mat_mul(1.0, &differences.t(), &differences, 1.0, &mut sums);
        }
    }

    /// Variances, one a feature and component, or one a component.
    fn diagonal(&self, means: &[f64], totals: &[f64], kind: CovarianceType, reg_covar: f64) -> Vec<f64> {
        let parts = parallel::map(self.slabs(SLABS), |(rows, responsibilities)| {
            let mut sums = vec![0.0; means.len()];
            let pairs = rows.chunks_exact(self.features).zip(responsibilities.chunks_exact(self.components));
            for (row, responsibilities) in pairs {
                let components = sums.chunks_exact_mut(self.features).zip(means.chunks_exact(self.features));
                for ((sums, mean), share) in components.zip(responsibilities) {
                    for ((sum, value), mean) in sums.iter_mut().zip(row).zip(mean) {
                        *sum += share * (value - mean) * (value - mean);
                    }
                }
            }
            sums
        });
        let mut variances = vec![0.0; means.len()];
        for part in parts {
            variances.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
        for (variances, total) in variances.chunks_exact_mut(self.features).zip(totals) {
            for value in variances {
                *value = *value / total + reg_covar;
            }
        }
        if kind == CovarianceType::Diag {
            return variances;
        }
        variances.chunks_exact(self.features).map(|own| own.iter().sum::<f64>() / self.features as f64).collect()
    }
}
