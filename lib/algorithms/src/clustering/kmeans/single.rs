//! The rows in single precision: centred and scaled, so that no feature's offset costs digits and no square overflows;
//! once row by row and once in tiles.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

use super::super::points::{CHUNK, Points};
use super::tiles::{self, TILE, Tiles};
use crate::parallel;
use crate::vectorised::vectorised;

/// Rows × features as `(x − mean) / scale` in `f32`, with their squared lengths.
pub(super) struct Single {
    values: Vec<f32>,
    pub(super) tiles: Tiles,
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
        let scale = parallel::map(points.values().chunks(CHUNK * features), |chunk| largest(chunk, &means));
        let scale = scale.into_iter().fold(0.0, f64::max);
        let scale = if scale > 0.0 { scale } else { 1.0 };
        let mut values = vec![0.0_f32; points.values().len()];
        let mut norms = vec![0.0_f32; points.rows];
        let mut tiles = vec![[0.0; TILE]; points.rows.div_ceil(TILE) * features];
        let chunks = values.chunks_mut(CHUNK * features).zip(norms.chunks_mut(CHUNK));
        let chunks = chunks.zip(tiles.chunks_mut(CHUNK / TILE * features));
        let chunks = chunks.zip(points.values().chunks(CHUNK * features));
        parallel::for_each(chunks, |(((values, norms), tiles), given)| {
            vectorised(
                #[inline(always)]
                || {
                    let rows = values.chunks_exact_mut(features).zip(given.chunks_exact(features));
                    for (values, given) in rows {
                        for ((value, given), mean) in values.iter_mut().zip(given).zip(&means) {
                            *value = ((given - mean) / scale) as f32;
                        }
                    }
                    let tiles = tiles.chunks_exact_mut(features).zip(norms.chunks_mut(TILE));
                    for ((tile, norms), rows) in tiles.zip(values.chunks(TILE * features)) {
                        norms.copy_from_slice(&tiles::fill(tile, rows)[..norms.len()]);
                    }
                },
            );
        });
        Self { values, norms, tiles: Tiles::new(tiles, features), rows: points.rows, features, means, scale }
    }

    pub(super) fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.features..(index + 1) * self.features]
    }

    pub(super) fn slice(&self, rows: std::ops::Range<usize>) -> &[f32] {
        &self.values[rows.start * self.features..rows.end * self.features]
    }
}

/// The largest distance of a value from the mean of its feature.
fn largest(rows: &[f64], means: &[f64]) -> f64 {
    let mut largest = vec![0.0_f64; means.len()];
    vectorised(
        #[inline(always)]
        || {
            for row in rows.chunks_exact(means.len()) {
                for ((largest, value), mean) in largest.iter_mut().zip(row).zip(means) {
                    let distance = (value - mean).abs();
                    *largest = if distance > *largest { distance } else { *largest };
                }
            }
        },
    );
    largest.into_iter().fold(0.0, f64::max)
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
