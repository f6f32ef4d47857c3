//! Kernels, and rows laid out so that the kernel of one row with all others is made of vector instructions.

use serde::{Deserialize, Serialize};

use crate::models::vector::{exponential, vectorised};

/// Rows that are computed together.
pub(super) const GROUP: usize = 16;

/// A kernel: the inner product of two rows in another space.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kernel {
    /// `x·y`.
    Linear,
    /// `(gamma · x·y + coef0)^degree`.
    Polynomial {
        /// The power.
        degree: u32,
        /// The factor.
        gamma: f64,
        /// The summand.
        coef0: f64,
    },
    /// `exp(−gamma · |x − y|²)`.
    RadialBasis {
        /// The factor.
        gamma: f64,
    },
    /// `tanh(gamma · x·y + coef0)`.
    Sigmoid {
        /// The factor.
        gamma: f64,
        /// The summand.
        coef0: f64,
    },
}

/// Rows in groups of 16, in each group feature by feature; the last group is filled up with zeros.
#[derive(Debug, Clone)]
pub(super) struct Interleaved {
    features: usize,
    count: usize,
    values: Vec<f64>,
    /// The squared length of each row.
    squares: Vec<f64>,
}

impl Interleaved {
    pub(super) fn new<'a>(features: usize, rows: impl ExactSizeIterator<Item = &'a [f64]>) -> Self {
        let count = rows.len();
        let padded = count.next_multiple_of(GROUP);
        let mut values = vec![0.0; padded * features];
        let mut squares = vec![0.0; padded];
        for (index, row) in rows.enumerate() {
            let start = index / GROUP * GROUP * features + index % GROUP;
            row.iter().enumerate().for_each(|(feature, value)| values[start + feature * GROUP] = *value);
            squares[index] = row.iter().map(|value| value * value).sum();
        }
        Self { features, count, values, squares }
    }

    pub(super) const fn len(&self) -> usize {
        self.count
    }

    /// The number of rows with those that fill up the last group.
    pub(super) const fn padded_len(&self) -> usize {
        self.squares.len()
    }

    fn place(&self, row: usize, feature: usize) -> usize {
        (row / GROUP * self.features + feature) * GROUP + row % GROUP
    }

    pub(super) fn row(&self, row: usize) -> Vec<f64> {
        (0..self.features).map(|feature| self.values[self.place(row, feature)]).collect()
    }

    pub(super) fn swap(&mut self, a: usize, b: usize) {
        for feature in 0..self.features {
            let (a, b) = (self.place(a, feature), self.place(b, feature));
            self.values.swap(a, b);
        }
        self.squares.swap(a, b);
    }
}

impl Kernel {
    pub(super) fn is_valid(self) -> bool {
        match self {
            Self::Linear => true,
            Self::RadialBasis { gamma } => gamma.is_finite() && gamma >= 0.0,
            Self::Polynomial { gamma, coef0, .. } | Self::Sigmoid { gamma, coef0 } => {
                gamma.is_finite() && coef0.is_finite()
            }
        }
    }

    /// Writes the kernels of `query` with rows `from` to `to` at their places in `out`, whose length is
    /// [`Interleaved::padded_len`]. Whole groups are computed, so that places beside the range change too.
    pub(super) fn values(self, rows: &Interleaved, query: &[f64], from: usize, to: usize, out: &mut [f64]) {
        let (first, last) = (from / GROUP, to.div_ceil(GROUP));
        let size = GROUP * rows.features;
        let groups = rows.values[first * size..last * size].chunks_exact(size);
        let out = &mut out[first * GROUP..last * GROUP];
        let squares = &rows.squares[first * GROUP..last * GROUP];
        vectorised(
            #[inline(always)]
            || {
                for (out, group) in out.chunks_exact_mut(GROUP).zip(groups.clone()) {
                    let mut sums = [0.0; GROUP];
                    for (values, factor) in group.chunks_exact(GROUP).zip(query) {
                        for lane in 0..GROUP {
                            sums[lane] += factor * values[lane];
                        }
                    }
                    out.copy_from_slice(&sums);
                }
                self.of_products(query, squares, out);
            },
        );
    }

    /// Turns inner products into kernels.
    #[expect(clippy::inline_always, reason = "only inlined code gets the caller's instructions")]
    #[inline(always)]
    fn of_products(self, query: &[f64], squares: &[f64], out: &mut [f64]) {
        match self {
            Self::Linear => {}
            Self::RadialBasis { gamma } => {
                let own: f64 = query.iter().map(|value| value * value).sum();
                for (value, square) in out.iter_mut().zip(squares) {
                    let apart = own + square - 2.0 * *value;
                    let apart = if apart > 0.0 { apart } else { 0.0 };
                    *value = exponential(-gamma * apart);
                }
            }
            Self::Polynomial { degree, gamma, coef0 } => {
                for value in out {
                    *value = (gamma * *value + coef0).powi(degree.min(i32::MAX as u32) as i32);
                }
            }
            Self::Sigmoid { gamma, coef0 } => {
                for value in out {
                    // tanh(t) = 1 − 2 / (e²ᵗ + 1)
                    *value = 1.0 - 2.0 / (exponential(2.0 * (gamma * *value + coef0)) + 1.0);
                }
            }
        }
    }

    /// The kernel of each row with itself.
    pub(super) fn diagonal(self, rows: &Interleaved) -> Vec<f64> {
        let own = |&square: &f64| match self {
            Self::Linear => square,
            Self::RadialBasis { .. } => 1.0,
            Self::Polynomial { degree, gamma, coef0 } => {
                (gamma * square + coef0).powi(degree.min(i32::MAX as u32) as i32)
            }
            Self::Sigmoid { gamma, coef0 } => (gamma * square + coef0).tanh(),
        };
        rows.squares[..rows.count].iter().map(own).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_by_hand() {
        let data: Vec<Vec<f64>> =
            (0..37).map(|row| (0..5).map(|i| f64::from((row * 7 + i * 3) % 11) / 5.0).collect()).collect();
        let mut rows = Interleaved::new(5, data.iter().map(Vec::as_slice));
        rows.swap(3, 30);
        assert_eq!(rows.row(30), data[3]);
        let query = &data[8];
        for kernel in [
            Kernel::Linear,
            Kernel::RadialBasis { gamma: 0.7 },
            Kernel::Polynomial { degree: 3, gamma: 0.2, coef0: 0.5 },
            Kernel::Sigmoid { gamma: 0.1, coef0: -0.3 },
        ] {
            let mut out = vec![0.0; rows.padded_len()];
            kernel.values(&rows, query, 0, 37, &mut out);
            for (index, value) in out[..37].iter().enumerate() {
                let other = rows.row(index);
                let product: f64 = other.iter().zip(query).map(|(a, b)| a * b).sum();
                let apart: f64 = other.iter().zip(query).map(|(a, b)| (a - b).powi(2)).sum();
                let expected = match kernel {
                    Kernel::Linear => product,
                    Kernel::RadialBasis { gamma } => (-gamma * apart).exp(),
                    Kernel::Polynomial { gamma, coef0, .. } => (gamma * product + coef0).powi(3),
                    Kernel::Sigmoid { gamma, coef0 } => (gamma * product + coef0).tanh(),
                };
                assert!((value - expected).abs() < 1e-13 * expected.abs().max(1.0), "{kernel:?} {value} {expected}");
            }
            assert!((kernel.diagonal(&rows)[8] - out[8]).abs() < 1e-13 * out[8].abs().max(1.0));
        }
    }
}
