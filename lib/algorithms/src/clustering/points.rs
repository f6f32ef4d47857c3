//! The rows that are clustered: checked, contiguous, and cut into chunks that do not depend on the number of threads.

use std::borrow::Cow;

use ndarray::{ArrayView2, CowArray, Ix2};

use super::ClusteringError;
use crate::vectorised::{all_inlined, vectorised};

/// The number of rows that one task works on at a time: their distances to some dozens of centers fit the second cache.
pub(super) const CHUNK: usize = 512;

/// More rows than an index of four bytes holds are refused.
const MOST_ROWS: usize = (u32::MAX / 2) as usize;

/// Above this the sum of a few squares could leave the range of `f64`.
const LARGEST: f64 = 1e140;

/// Rows × features in row order; every value is finite, and no square overflows.
pub(super) struct Points<'a> {
    values: Cow<'a, [f64]>,
    pub(super) rows: usize,
    pub(super) features: usize,
}

impl<'a> Points<'a> {
    /// Refuses no rows, no features, and values that are missing, infinite or too large to square.
    pub(super) fn new(x: ArrayView2<'a, f64>) -> Result<Self, ClusteringError> {
        let (rows, features) = x.dim();
        if rows == 0 || features == 0 {
            return Err(ClusteringError::Empty { rows, features });
        }
        if rows > MOST_ROWS {
            return Err(ClusteringError::TooManyRows { rows, most: MOST_ROWS });
        }
        let values = match x.to_slice() {
            Some(values) => Cow::Borrowed(values),
            None => Cow::Owned(x.iter().copied().collect()),
        };
        // The whole is asked first, since that is quicker than to look for the place.
        if !vectorised(
            #[inline(always)]
            || all_inlined(&values, |value| value.abs() < LARGEST),
        ) && let Some(index) = values.iter().position(|value| value.is_nan() || value.abs() >= LARGEST)
        {
            let (row, column) = (index / features, index % features);
            return Err(ClusteringError::NotFinite { row, column, value: values[index] });
        }
        Ok(Self { values, rows, features })
    }

    /// The row at `index`.
    pub(super) fn row(&self, index: usize) -> &[f64] {
        &self.values[index * self.features..(index + 1) * self.features]
    }

    /// All the values, row by row.
    pub(super) fn values(&self) -> &[f64] {
        &self.values
    }

    /// The number of chunks.
    pub(super) fn chunks(&self) -> usize {
        self.rows.div_ceil(CHUNK)
    }

    /// The rows of one chunk.
    pub(super) fn chunk(&self, chunk: usize) -> std::ops::Range<usize> {
        chunk * CHUNK..((chunk + 1) * CHUNK).min(self.rows)
    }

    /// The mean of each feature, weighted where weights are given.
    pub(super) fn means(&self, weights: Option<&[f64]>) -> Vec<f64> {
        let mut means = vec![0.0; self.features];
        let mut total = 0.0;
        for (index, row) in self.values.chunks_exact(self.features).enumerate() {
            let weight = weights.map_or(1.0, |weights| weights[index]);
            total += weight;
            for (mean, value) in means.iter_mut().zip(row) {
                *mean += weight * value;
            }
        }
        for mean in &mut means {
            *mean /= total;
        }
        means
    }

    /// The variance of each feature about these means, divided by the number of rows.
    pub(super) fn variances(&self, means: &[f64]) -> Vec<f64> {
        let mut variances = vec![0.0; self.features];
        for row in self.values.chunks_exact(self.features) {
            for ((variance, value), mean) in variances.iter_mut().zip(row).zip(means) {
                *variance += (value - mean) * (value - mean);
            }
        }
        for variance in &mut variances {
            *variance /= self.rows as f64;
        }
        variances
    }
}

/// Refuses weights that are negative, not finite, of another number or all zero.
pub(super) fn check_weights(weights: Option<&[f64]>, rows: usize) -> Result<(), ClusteringError> {
    let Some(weights) = weights else { return Ok(()) };
    if weights.len() != rows {
        return Err(ClusteringError::WeightRows { rows, given: weights.len() });
    }
    if let Some(row) = weights.iter().position(|weight| !(0.0..LARGEST).contains(weight)) {
        return Err(ClusteringError::Weight { row, value: weights[row] });
    }
    if weights.iter().all(|weight| *weight == 0.0) { Err(ClusteringError::NoWeight) } else { Ok(()) }
}

/// A slice as a matrix; an empty one when the shape does not fit, which cannot happen for the callers here.
pub(super) fn matrix(values: &[f64], rows: usize, columns: usize) -> CowArray<'_, f64, Ix2> {
    match ArrayView2::from_shape((rows, columns), values) {
        Ok(view) => view.into(),
        Err(_) => ndarray::Array2::zeros((0, columns)).into(),
    }
}

/// The squared Euclidean distance of two rows, as the sum of squared differences in the order of the features.
#[inline]
pub(super) fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    const LANES: usize = 4;
    let mut lanes = [0.0; LANES];
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f64 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| (a - b) * (a - b)).sum();
    for (a, b) in a.zip(b) {
        for lane in 0..LANES {
            lanes[lane] += (a[lane] - b[lane]) * (a[lane] - b[lane]);
        }
    }
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + rest
}
