//! Products of dense matrices in row order, cut into parts that do not depend on the number of threads.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, ShapeBuilder};

use crate::parallel;

/// Rows of a product that one task computes.
const ROWS: usize = 128;
/// The side of the square of a symmetric product that one task computes.
const SQUARE: usize = 256;

/// The side of the squares by which a matrix is transposed.
const TILE: usize = 32;

/// A matrix in row order.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Matrix {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) values: Vec<f64>,
}

impl Matrix {
    pub(super) fn zeros(rows: usize, columns: usize) -> Self {
        Self { rows, columns, values: vec![0.0; rows * columns] }
    }

    #[cfg(test)]
    pub(super) fn row(&self, index: usize) -> &[f64] {
        &self.values[index * self.columns..(index + 1) * self.columns]
    }

    pub(super) fn transposed(&self) -> Self {
        let mut turned = Self::zeros(self.columns, self.rows);
        for top in (0..self.rows).step_by(TILE) {
            for left in (0..self.columns).step_by(TILE) {
                for row in top..(top + TILE).min(self.rows) {
                    for column in left..(left + TILE).min(self.columns) {
                        turned.values[column * self.rows + row] = self.values[row * self.columns + column];
                    }
                }
            }
        }
        turned
    }
}

/// `a · b`, with `a` of `rows` rows; `b` is `inner` × `columns`.
pub(super) fn product(a: &[f64], b: &[f64], inner: usize, columns: usize) -> Vec<f64> {
    let rows = a.len() / inner.max(1);
    let mut result = vec![0.0; rows * columns];
    let chunks = result.chunks_mut((ROWS * columns).max(1)).zip(a.chunks((ROWS * inner).max(1)));
    parallel::for_each(chunks, |(result, a)| add_product(a, b, inner, columns, result));
    result
}

/// `result += a · b`.
pub(super) fn add_product(a: &[f64], b: &[f64], inner: usize, columns: usize, result: &mut [f64]) {
    let rows = result.len() / columns.max(1);
    let views = (
        ArrayView2::from_shape((rows, inner), a),
        ArrayView2::from_shape((inner, columns), b),
        ArrayViewMut2::from_shape((rows, columns), result),
    );
    if let (Ok(a), Ok(b), Ok(mut result)) = views {
        general_mat_mul(1.0, &a, &b, 1.0, &mut result);
    }
}

/// `a · aᵀ` of a matrix of `inner` columns; both halves are filled.
pub(super) fn product_with_itself(a: &[f64], inner: usize) -> Vec<f64> {
    let rows = a.len() / inner.max(1);
    let squares = rows.div_ceil(SQUARE);
    let places: Vec<(usize, usize)> = (0..squares).flat_map(|i| (i..squares).map(move |j| (i, j))).collect();
    let part = |square: usize| square * SQUARE..((square + 1) * SQUARE).min(rows);
    let parts = parallel::map(&places, |&(i, j)| {
        let (i, j) = (part(i), part(j));
        let mut square = vec![0.0; i.len() * j.len()];
        let views = (
            ArrayView2::from_shape((i.len(), inner), &a[i.start * inner..i.end * inner]),
            ArrayView2::from_shape((inner, j.len()).f(), &a[j.start * inner..j.end * inner]),
            ArrayViewMut2::from_shape((i.len(), j.len()), &mut square),
        );
        if let (Ok(a), Ok(b), Ok(mut square)) = views {
            general_mat_mul(1.0, &a, &b, 0.0, &mut square);
        }
        square
    });
    let mut result = vec![0.0; rows * rows];
    for (&(i, j), square) in places.iter().zip(&parts) {
        let (i, j) = (part(i), part(j));
        for (row, values) in i.zip(square.chunks_exact(j.len())) {
            for (column, value) in j.clone().zip(values) {
                result[row * rows + column] = *value;
                result[column * rows + row] = *value;
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products() {
        let a: Vec<f64> = (0..600 * 3).map(|value| f64::from(value % 17)).collect();
        let square = product_with_itself(&a, 3);
        let turned = Matrix { rows: 600, columns: 3, values: a.clone() }.transposed();
        assert_eq!(product(&a, &turned.values, 3, 600), square);
        assert_eq!(square[599 * 600 + 7], (0..3).map(|k| a[599 * 3 + k] * a[7 * 3 + k]).sum::<f64>());
        assert_eq!(turned.row(2)[5], a[17]);
    }
}
