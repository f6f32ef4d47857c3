//! The rows in single precision: centred and scaled, so that no feature's offset costs digits and no square overflows.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

use super::super::points::{CHUNK, Points};
use crate::parallel;

/// Rows × features as `(x − mean) / scale` in `f32`, with their squared lengths.
pub(super) struct Single {
    values: Vec<f32>,
    pub(super) norms: Vec<f32>,
    pub(super) rows: usize,
    pub(super) features: usize,
    pub(super) means: Vec<f64>,
    pub(super) scale: f64,
}

impl Single {
    pub(super) fn new(points: &Points<'_>) -> Self {
        let means = points.means(None);
        let features = points.features;
        let largest = |row: &[f64]| {
            row.iter().zip(&means).fold(0.0, |largest: f64, (value, mean)| largest.max((value - mean).abs()))
        };
        let scale = parallel::map(points.values().chunks(CHUNK * features), |chunk| {
            chunk.chunks_exact(features).map(largest).fold(0.0, f64::max)
        });
        let scale = scale.into_iter().fold(0.0, f64::max);
        let scale = if scale > 0.0 { scale } else { 1.0 };
        let mut values = vec![0.0_f32; points.values().len()];
        let mut norms = vec![0.0_f32; points.rows];
        let chunks = values.chunks_mut(CHUNK * features).zip(norms.chunks_mut(CHUNK));
        let chunks = chunks.zip(points.values().chunks(CHUNK * features));
        parallel::for_each(chunks, |((values, norms), given)| {
            let rows = values.chunks_exact_mut(features).zip(given.chunks_exact(features));
            for ((values, given), norm) in rows.zip(norms) {
                for ((value, given), mean) in values.iter_mut().zip(given).zip(&means) {
                    *value = ((given - mean) / scale) as f32;
                }
                *norm = values.iter().map(|value| value * value).sum();
            }
        });
        Self { values, norms, rows: points.rows, features, means, scale }
    }

    pub(super) fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.features..(index + 1) * self.features]
    }

    pub(super) fn slice(&self, rows: std::ops::Range<usize>) -> &[f32] {
        &self.values[rows.start * self.features..rows.end * self.features]
    }
}

/// `product[c][r] = factor · centers[c] · rows[r]`: centers × rows, all of them in row order.
pub(super) fn products(factor: f32, centers: &[f32], rows: &[f32], features: usize, product: &mut [f32]) {
    let (count, width) = (centers.len() / features, rows.len() / features);
    let centers = ArrayView2::from_shape((count, features), centers);
    let rows = ArrayView2::from_shape((width, features), rows);
    let product = ArrayViewMut2::from_shape((count, width), product);
    if let (Ok(centers), Ok(rows), Ok(mut product)) = (centers, rows, product) {
        general_mat_mul(factor, &centers, &rows.t(), 0.0, &mut product);
    }
}

/// The squared distance of two rows, for loops inside [`crate::vectorised`] too.
#[inline(always)]
pub(super) fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 8;
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    // The last few values in four lanes, then one by one: half of a short row would be added in turn otherwise.
    let (last_a, last_b) = (a.remainder().chunks_exact(LANES / 2), b.remainder().chunks_exact(LANES / 2));
    let pairs = last_a.remainder().iter().zip(last_b.remainder());
    let rest: f32 = pairs.map(|(a, b)| (a - b) * (a - b)).sum();
    let mut lanes = [0.0; LANES];
    for (a, b) in a.zip(b) {
        for lane in 0..LANES {
            lanes[lane] += (a[lane] - b[lane]) * (a[lane] - b[lane]);
        }
    }
    let mut halves = [0.0; LANES / 2];
    for lane in 0..LANES / 2 {
        halves[lane] = lanes[lane] + lanes[lane + LANES / 2];
    }
    for (a, b) in last_a.zip(last_b) {
        for lane in 0..LANES / 2 {
            halves[lane] += (a[lane] - b[lane]) * (a[lane] - b[lane]);
        }
    }
    (halves[0] + halves[2]) + (halves[1] + halves[3]) + rest
}
