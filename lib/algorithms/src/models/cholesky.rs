//! The Cholesky factor of a symmetric positive definite matrix, and solving with it.

use ndarray::Array2;

use super::vector::{add_scaled, dot};

/// The lower triangle L of `A = L·Lᵀ`, row by row.
#[derive(Debug, Clone)]
pub(super) struct Cholesky {
    size: usize,
    rows: Vec<f64>,
}

impl Cholesky {
    /// Factorises a symmetric matrix, of which only the lower triangle is read.
    ///
    /// `None` when a pivot falls to `tolerance` times its diagonal element or below: the matrix is singular to that
    /// precision, or not positive definite.
    pub(super) fn new(matrix: &Array2<f64>, tolerance: f64) -> Option<Self> {
        let size = matrix.nrows();
        let mut rows = vec![0.0; size * size];
        for i in 0..size {
            let (done, rest) = rows.split_at_mut(i * size);
            let row = &mut rest[..size];
            for j in 0..i {
                let other = &done[j * size..=j * size + j];
                row[j] = (matrix[[i, j]] - dot(&row[..j], &other[..j])) / other[j];
            }
            let diagonal = matrix[[i, i]];
            let pivot = diagonal - dot(&row[..i], &row[..i]);
            if !pivot.is_finite() || pivot <= tolerance * diagonal || pivot <= 0.0 {
                return None;
            }
            row[i] = pivot.sqrt();
        }
        Some(Self { size, rows })
    }

    /// Replaces b by the solution x of `A·x = b`.
    pub(super) fn solve(&self, b: &mut [f64]) {
        let size = self.size;
        for i in 0..size {
            let row = &self.rows[i * size..=i * size + i];
            b[i] = (b[i] - dot(&row[..i], &b[..i])) / row[i];
        }
        for i in (0..size).rev() {
            let row = &self.rows[i * size..=i * size + i];
            b[i] /= row[i];
            let value = b[i];
            add_scaled(&mut b[..i], -value, &row[..i]);
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn a_system_is_solved_and_a_singular_one_refused() {
        let matrix = array![[4.0, 2.0, 0.6], [2.0, 5.0, 1.0], [0.6, 1.0, 3.0]];
        let mut b = matrix.dot(&array![1.0, -2.0, 3.0]).to_vec();
        Cholesky::new(&matrix, 1e-14).unwrap().solve(&mut b);
        assert!(b.iter().zip([1.0, -2.0, 3.0]).all(|(a, b)| (a - b).abs() < 1e-14), "{b:?}");
        assert!(Cholesky::new(&array![[1.0, 1.0], [1.0, 1.0]], 1e-14).is_none());
        assert!(Cholesky::new(&array![[1.0, 2.0], [2.0, 1.0]], 1e-14).is_none());
    }
}
