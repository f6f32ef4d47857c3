//! The nearest rows by looking at all of them: products of matrices in single precision find candidates, exact distances
//! decide.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, Axis};

use super::nearest::{Metric, Nearest, Neighbour};
use crate::models::vector::vectorised;

/// Rows of one product of matrices.
const TILE: usize = 1024;
/// Fewer queries than this are answered without a product.
const FEW: usize = 4;
/// Tables whose largest value, less the mean, is outside have squares that leave the range of numbers.
const SCALES: std::ops::Range<f64> = 1e-100..1e100;
/// A query of a larger squared length, in units of the scale, is answered without a product.
const FARTHEST: f32 = 1e30;
/// More than what is lost where single precision ends, in squared units of the scale.
const TINY: f32 = 1e-36;

/// Rows that are looked at together: mostly none of them is near enough.
const TOGETHER: usize = 16;

/// A query: its squared length, and by how much distances may be wrong, relative to the squared lengths of both rows.
#[derive(Clone, Copy)]
struct Query {
    length: f32,
    rounding: f32,
}

/// Calls `offer` with the least that the squared distance to a row can be and the row's place, for every row for which
/// that is at most the limit that the last call gave; `products` are those with the query.
fn candidates(products: &[f32], squares: &[f32], query: Query, mut offer: impl FnMut(f32, usize) -> f32) {
    vectorised(
        #[inline(always)]
        || {
            let mut limit = f32::INFINITY;
            let parts = products.chunks(TOGETHER).zip(squares.chunks(TOGETHER));
            for (part, (products, squares)) in parts.enumerate() {
                let mut least = [f32::INFINITY; TOGETHER];
                for ((least, product), square) in least.iter_mut().zip(products).zip(squares) {
                    let sum = query.length + square;
                    *least = sum + product - (query.rounding * sum + TINY);
                }
                if least.iter().filter(|least| **least <= limit).count() > 0 {
                    for (lane, &least) in least[..products.len()].iter().enumerate() {
                        limit = offer(least, part * TOGETHER + lane);
                    }
                }
            }
        },
    );
}

/// The rows to search.
#[derive(Debug)]
pub(super) struct Data<'a> {
    rows: &'a [f64],
    features: usize,
    metric: Metric,
    /// The means of the features; taking them away keeps the products small.
    means: Vec<f64>,
    /// The largest size of a value less the mean.
    scale: f64,
    /// The rows less the means, in units of the scale; nothing where products are of no use.
    compact: Vec<f32>,
    /// Their squared lengths.
    squares: Vec<f32>,
}

impl<'a> Data<'a> {
    pub(super) fn new(rows: &'a [f64], features: usize, metric: Metric) -> Self {
        let mut means = vec![0.0; features];
        let count = (rows.len() / features) as f64;
        for row in rows.chunks_exact(features) {
            means.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / count);
        }
        let mut data = Self { rows, features, metric, means, scale: 1.0, compact: Vec::new(), squares: Vec::new() };
        if metric == Metric::Manhattan {
            return data;
        }
        let beyond = |row: &[f64]| data.centred(row).fold(0.0, |largest: f64, value| largest.max(value.abs()));
        let scale = rows.chunks_exact(features).map(beyond).fold(0.0, f64::max);
        if SCALES.contains(&scale) {
            data.scale = scale;
            (data.compact, data.squares) = data.compacted(rows);
        }
        data
    }

    /// The nearest rows of each query; queries lie one after the other.
    pub(super) fn nearest(&self, queries: &[f64], most: usize) -> Vec<Vec<Neighbour>> {
        let count = queries.len() / self.features;
        let (compact, lengths) = self.compacted(queries);
        let far = lengths.iter().any(|length| length.is_nan() || *length > FARTHEST);
        if self.compact.is_empty() || count < FEW || far {
            return queries.chunks_exact(self.features).map(|query| self.one(query, most)).collect();
        }
        // Each of the products and sums of an inner product rounds once, and so do the values themselves.
        let rounding = (self.features + 8) as f32 * f32::EPSILON;
        let mut nearest: Vec<Nearest> = (0..count).map(|_| Nearest::new(most)).collect();
        let mut products = Array2::zeros((count, TILE));
        let Ok(compact) = ArrayView2::from_shape((count, self.features), &compact) else { return Vec::new() };
        let tiles = self.compact.chunks(TILE * self.features).zip(self.squares.chunks(TILE));
        for (start, (tile, squares)) in (0..).step_by(TILE).zip(tiles) {
            let Ok(tile) = ArrayView2::from_shape((squares.len(), self.features), tile) else { continue };
            let mut products = products.view_mut().split_at(Axis(1), squares.len()).0;
            general_mat_mul(-2.0, &compact, &tile.t(), 0.0, &mut products);
            for (index, nearest) in nearest.iter_mut().enumerate() {
                let query = &queries[index * self.features..(index + 1) * self.features];
                let line = products.row(index);
                // A row of a table in row order is always a slice.
                let Some(line) = line.as_slice() else { continue };
                let mut limit = self.limit(nearest);
                candidates(line, squares, Query { length: lengths[index], rounding }, |least, offset| {
                    if least <= limit {
                        self.offer(nearest, query, start + offset);
                        limit = self.limit(nearest);
                    }
                    limit
                });
            }
        }
        nearest.into_iter().map(Nearest::into_found).collect()
    }

    /// Rows less the means in units of the scale, and their squared lengths.
    fn compacted(&self, rows: &[f64]) -> (Vec<f32>, Vec<f32>) {
        let compact = rows.chunks_exact(self.features).flat_map(|row| self.centred(row)).map(|value| value as f32);
        let length = |row: &[f64]| self.centred(row).map(|value| value * value).sum::<f64>() as f32;
        (compact.collect(), rows.chunks_exact(self.features).map(length).collect())
    }

    /// The largest squared distance that is near enough, in units of the scale and rounded up.
    fn limit(&self, nearest: &Nearest) -> f32 {
        (nearest.limit() / self.scale / self.scale * (1.0 + 1e-6)) as f32
    }

    fn one(&self, query: &[f64], most: usize) -> Vec<Neighbour> {
        let mut nearest = Nearest::new(most);
        (0..self.rows.len() / self.features).for_each(|row| self.offer(&mut nearest, query, row));
        nearest.into_found()
    }

    fn offer(&self, nearest: &mut Nearest, query: &[f64], row: usize) {
        let values = &self.rows[row * self.features..(row + 1) * self.features];
        let distance = self.metric.between(query, values);
        if distance <= nearest.limit() {
            nearest.offer(Neighbour { distance, row: row as u32 });
        }
    }

    /// The values less the means, in units of the scale.
    fn centred<'b>(&'b self, row: &'b [f64]) -> impl Iterator<Item = f64> + 'b {
        row.iter().zip(&self.means).map(|(value, mean)| (value - mean) / self.scale)
    }
}
