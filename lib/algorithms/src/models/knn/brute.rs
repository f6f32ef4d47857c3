//! The nearest rows by looking at all of them: products of matrices find candidates, exact distances decide.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, Axis};

use super::nearest::{Metric, Nearest, Neighbour};
use crate::models::vector::vectorised;

/// Rows of one product of matrices.
const TILE: usize = 1024;
/// Fewer queries than this are answered without a product.
const FEW: usize = 4;
/// By how much the distances from a product of matrices may be wrong, relative to the squared lengths of both rows.
const ROUNDING: f64 = 1e-12;

/// Rows that are looked at together: mostly none of them is near enough.
const TOGETHER: usize = 16;

/// Calls `offer` with the least that the squared distance to a row can be and the row's place, for every row for which
/// that is at most the limit that the last call gave; `products` are those with a query of the given squared length.
fn candidates(products: &[f64], squares: &[f64], length: f64, mut offer: impl FnMut(f64, usize) -> f64) {
    vectorised(
        #[inline(always)]
        || {
            let mut limit = f64::INFINITY;
            let parts = products.chunks(TOGETHER).zip(squares.chunks(TOGETHER));
            for (part, (products, squares)) in parts.enumerate() {
                let mut least = [f64::INFINITY; TOGETHER];
                for ((least, product), square) in least.iter_mut().zip(products).zip(squares) {
                    let sum = length + square;
                    *least = sum + product - ROUNDING * sum;
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
    /// Squared lengths of the rows less the means.
    squares: Vec<f64>,
}

impl<'a> Data<'a> {
    pub(super) fn new(rows: &'a [f64], features: usize, metric: Metric) -> Self {
        let mut means = vec![0.0; features];
        let count = (rows.len() / features) as f64;
        for row in rows.chunks_exact(features) {
            means.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / count);
        }
        let square = |row: &[f64]| row.iter().zip(&means).map(|(value, mean)| (value - mean).powi(2)).sum();
        let squares = rows.chunks_exact(features).map(square).collect();
        Self { rows, features, metric, means, squares }
    }

    /// The nearest rows of each query; queries lie one after the other.
    pub(super) fn nearest(&self, queries: &[f64], most: usize) -> Vec<Vec<Neighbour>> {
        let count = queries.len() / self.features;
        let finite = self.squares.iter().all(|square| square.is_finite());
        if self.metric == Metric::Manhattan || count < FEW || !finite {
            return queries.chunks_exact(self.features).map(|query| self.one(query, most)).collect();
        }
        let centred: Vec<f64> = queries.chunks_exact(self.features).flat_map(|query| self.centred(query)).collect();
        let lengths: Vec<f64> =
            centred.chunks_exact(self.features).map(|query| query.iter().map(|value| value * value).sum()).collect();
        let mut nearest: Vec<Nearest> = (0..count).map(|_| Nearest::new(most)).collect();
        let mut tile = Vec::with_capacity(TILE * self.features);
        let mut products = Array2::zeros((count, TILE));
        let Ok(centred) = ArrayView2::from_shape((count, self.features), &centred) else { return Vec::new() };
        for (start, rows) in (0..).step_by(TILE).zip(self.rows.chunks(TILE * self.features)) {
            tile.clear();
            rows.chunks_exact(self.features).for_each(|row| tile.extend(self.centred(row)));
            let size = tile.len() / self.features;
            let Ok(tile) = ArrayView2::from_shape((size, self.features), &tile) else { continue };
            let mut products = products.view_mut().split_at(Axis(1), size).0;
            general_mat_mul(-2.0, &centred, &tile.t(), 0.0, &mut products);
            let squares = &self.squares[start..start + size];
            for (index, nearest) in nearest.iter_mut().enumerate() {
                let query = &queries[index * self.features..(index + 1) * self.features];
                let line = products.row(index);
                // A row of a table in row order is always a slice.
                let Some(line) = line.as_slice() else { continue };
                candidates(line, squares, lengths[index], |least, offset| {
                    if least <= nearest.limit() {
                        self.offer(nearest, query, start + offset);
                    }
                    nearest.limit()
                });
            }
        }
        nearest.into_iter().map(Nearest::into_found).collect()
    }

    fn one(&self, query: &[f64], most: usize) -> Vec<Neighbour> {
        let mut nearest = Nearest::new(most);
        (0..self.squares.len()).for_each(|row| self.offer(&mut nearest, query, row));
        nearest.into_found()
    }

    fn offer(&self, nearest: &mut Nearest, query: &[f64], row: usize) {
        let values = &self.rows[row * self.features..(row + 1) * self.features];
        let distance = self.metric.between(query, values);
        if distance <= nearest.limit() {
            nearest.offer(Neighbour { distance, row: row as u32 });
        }
    }

    fn centred<'b>(&'b self, row: &'b [f64]) -> impl Iterator<Item = f64> + 'b {
        row.iter().zip(&self.means).map(|(value, mean)| value - mean)
    }
}
