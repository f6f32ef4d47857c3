//! The Cholesky factor of a symmetric positive definite matrix, and what is solved with it.

/// The lower factor `L` of `A = L Lᵀ`, by rows.
#[derive(Debug, Clone)]
pub(super) struct Cholesky {
    factor: Vec<f64>,
    size: usize,
}

impl Cholesky {
    /// Factors `matrix` (size × size, by rows; only its lower triangle is read); `None` when it is not positive definite.
    pub(super) fn new(mut matrix: Vec<f64>, size: usize) -> Option<Self> {
        for row in 0..size {
            let (above, current) = matrix.split_at_mut(row * size);
            for column in 0..row {
                let other = &above[column * size..=column * size + column];
                let sum = dot(&current[..column], &other[..column]);
                current[column] = (current[column] - sum) / other[column];
            }
            let pivot = current[row] - dot(&current[..row], &current[..row]);
            if !(pivot > 0.0 && pivot.is_finite()) {
                return None;
            }
            current[row] = pivot.sqrt();
            current[row + 1..size].fill(0.0);
        }
        Some(Self { factor: matrix, size })
    }

    /// The logarithm of the determinant of `A`.
    pub(super) fn log_determinant(&self) -> f64 {
        (0..self.size).map(|row| self.factor[row * self.size + row].ln()).sum::<f64>() * 2.0
    }

    /// Solves `L x = b` in place.
    pub(super) fn solve_lower(&self, b: &mut [f64]) {
        for row in 0..self.size {
            let line = &self.factor[row * self.size..=row * self.size + row];
            b[row] = (b[row] - dot(&line[..row], &b[..row])) / line[row];
        }
    }

    /// Solves `Lᵀ x = b` in place.
    pub(super) fn solve_upper(&self, b: &mut [f64]) {
        for row in (0..self.size).rev() {
            let line = &self.factor[row * self.size..=row * self.size + row];
            b[row] /= line[row];
            let x = b[row];
            for (b, factor) in b[..row].iter_mut().zip(&line[..row]) {
                *b -= factor * x;
            }
        }
    }

    /// Solves `A x = b` in place.
    pub(super) fn solve(&self, b: &mut [f64]) {
        self.solve_lower(b);
        self.solve_upper(b);
    }

    /// The inverse of `A`, by rows.
    pub(super) fn inverse(&self) -> Vec<f64> {
        let size = self.size;
        // Row j of `lower` is column j of the inverse of L: zero before j.
        let mut lower = vec![0.0; size * size];
        for column in 0..size {
            let line = &mut lower[column * size..(column + 1) * size];
            line[column] = 1.0;
            for row in column..size {
                let factor = &self.factor[row * size..=row * size + row];
                let sum = dot(&factor[column..row], &line[column..row]);
                line[row] = (line[row] - sum) / factor[row];
            }
        }
        let mut inverse = vec![0.0; size * size];
        for row in 0..size {
            for column in 0..=row {
                let (a, b) =
                    (&lower[row * size + row..(row + 1) * size], &lower[column * size + row..(column + 1) * size]);
                let value = dot(a, b);
                inverse[row * size + column] = value;
                inverse[column * size + row] = value;
            }
        }
        inverse
    }
}

/// The dot product, in eight sums so that it is vectorised; the order of summation is fixed.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a_chunks, b_chunks) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a_chunks.zip(b_chunks) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inverse_times_the_matrix_is_one() {
        let size = 19;
        let entry = |row: usize, column: usize| {
            let base = 1.0 / (1.0 + row.abs_diff(column) as f64);
            if row == column { base + 0.5 } else { base }
        };
        let matrix = (0..size * size).map(|at| entry(at / size, at % size)).collect::<Vec<_>>();
        let cholesky = Cholesky::new(matrix.clone(), size).unwrap();
        let inverse = cholesky.inverse();
        for row in 0..size {
            let mut solved = matrix[row * size..(row + 1) * size].to_vec();
            cholesky.solve(&mut solved);
            for column in 0..size {
                let product = dot(&matrix[row * size..(row + 1) * size], &inverse[column * size..(column + 1) * size]);
                let one = f64::from(u8::from(row == column));
                assert!((product - one).abs() < 1e-12 && (solved[column] - one).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn a_matrix_that_is_not_positive_is_refused() {
        assert!(Cholesky::new(vec![1.0, 2.0, 2.0, 1.0], 2).is_none());
        assert!(Cholesky::new(vec![f64::NAN], 1).is_none());
        let determinant = Cholesky::new(vec![4.0, 0.0, 0.0, 9.0], 2).unwrap().log_determinant();
        assert!((determinant - 36f64.ln()).abs() < 1e-12);
    }
}
