//! The two loops over all rows that principal components wait for, in vector registers: the scatter of a block of rows,
//! and its product with the components.
//!
//! Every sum runs over the rows, or the features, in their order, so that the number of lanes does not matter. Where the
//! processor multiplies and adds in one step, one rounding is left out, as in every product of matrices here.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined is compiled for the vector instructions of the processor"
)]

use pulp::{Arch, Simd, WithSimd};

use crate::vectorised::{all_inlined, vectorised};

/// Rows that are centred and multiplied at a time; with up to 100 features they fit the first cache.
pub(super) const BLOCK: usize = 64;
/// Rows of a tile; the sums of a tile stay in registers.
const TALL: usize = 4;
/// Columns of a tile, of the scatter and of the coordinates: a multiple of the lanes of every processor.
pub(super) const WIDE: usize = 8;

/// A number of columns rounded up to whole tiles.
pub(super) const fn padded(columns: usize) -> usize {
    columns.next_multiple_of(WIDE)
}

/// The sums of rows beyond a guess of the mean, and of the products of these: padded features × padded features, of which
/// those below the diagonal are only partly there. `None` where a value is not a number of a size below `bound`.
pub(super) fn scatter(rows: &[f64], guess: &[f64], bound: f64) -> Option<(Vec<f64>, Vec<f64>)> {
    Arch::new().dispatch(Scatter { rows, guess, bound })
}

/// `(rows − mean) · directions` into `result` (rows × columns), with `directions` features × padded columns.
pub(super) fn project(rows: &[f64], mean: &[f64], directions: &[f64], columns: usize, result: &mut [f64]) {
    Arch::new().dispatch(Project { rows, mean, directions, columns, result });
}

/// Whether every value is a number of a size below `bound`.
pub(in crate::reduction) fn all_below(values: &[f64], bound: f64) -> bool {
    vectorised(
        #[inline(always)]
        || values.chunks(4096).all(|part| below(part, bound)),
    )
}

/// As [`all_below`], without a way out before the end.
#[inline(always)]
fn below(values: &[f64], bound: f64) -> bool {
    // NaN is not below anything.
    all_inlined(values, |value| value.abs() < bound)
}

struct Scatter<'a> {
    rows: &'a [f64],
    guess: &'a [f64],
    bound: f64,
}

impl WithSimd for Scatter<'_> {
    type Output = Option<(Vec<f64>, Vec<f64>)>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let features = self.guess.len();
        let width = padded(features);
        let (mut sums, mut products) = (vec![0.0; features], vec![0.0; width * width]);
        let mut buffer = vec![0.0; BLOCK * width];
        for block in self.rows.chunks(BLOCK * features) {
            if !below(block, self.bound) {
                return None;
            }
            let rows = block.len() / features;
            for (result, row) in buffer.chunks_exact_mut(width).zip(block.chunks_exact(features)) {
                for (((result, value), guess), sum) in result.iter_mut().zip(row).zip(self.guess).zip(&mut sums) {
                    *result = value - guess;
                    *sum += *result;
                }
            }
            let buffer = &buffer[..rows * width];
            for top in (0..features).step_by(TALL) {
                for left in (top / WIDE * WIDE..width).step_by(WIDE) {
                    add_square(simd, buffer, width, (top, left), &mut products);
                }
            }
        }
        Some((sums, products))
    }
}

/// Adds the sums over the rows of one tile of the scatter.
#[inline(always)]
fn add_square<S: Simd>(simd: S, rows: &[f64], width: usize, (top, left): (usize, usize), products: &mut [f64]) {
    const { assert!(WIDE.is_multiple_of(2 * S::F64_LANES)) }
    // Two vectors of four lanes; on processors with other lanes the tile is taken in pieces.
    for left in (left..left + WIDE).step_by(2 * S::F64_LANES) {
        let mut sums = [[simd.splat_f64s(0.0); 2]; TALL];
        for row in rows.chunks_exact(width) {
            let (wide, _) = S::as_simd_f64s(&row[left..]);
            let (Some(wide), Some(tall)) = (wide.first_chunk::<2>(), row[top..].first_chunk::<TALL>()) else { return };
            for (sums, &factor) in sums.iter_mut().zip(tall) {
                let factor = simd.splat_f64s(factor);
                for (sum, &value) in sums.iter_mut().zip(wide) {
                    *sum = simd.mul_add_e_f64s(factor, value, *sum);
                }
            }
        }
        for (offset, sums) in sums.iter().enumerate() {
            let (products, _) = S::as_mut_simd_f64s(&mut products[(top + offset) * width + left..]);
            products.iter_mut().zip(sums).for_each(|(product, &sum)| *product = simd.add_f64s(*product, sum));
        }
    }
}

struct Project<'a> {
    rows: &'a [f64],
    mean: &'a [f64],
    directions: &'a [f64],
    columns: usize,
    result: &'a mut [f64],
}

impl WithSimd for Project<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (features, columns) = (self.mean.len(), self.columns);
        let width = padded(columns);
        // The rows of a tile, centred, the values of a feature side by side.
        let mut centred = vec![[0.0; TALL]; features];
        let tiles = self.rows.chunks(TALL * features).zip(self.result.chunks_mut(TALL * columns));
        for (rows, result) in tiles {
            for (lane, row) in rows.chunks_exact(features).enumerate() {
                for ((centred, value), mean) in centred.iter_mut().zip(row).zip(self.mean) {
                    centred[lane] = value - mean;
                }
            }
            for left in (0..width).step_by(2 * S::F64_LANES) {
                let mut sums = [[simd.splat_f64s(0.0); 2]; TALL];
                for (values, directions) in centred.iter().zip(self.directions.chunks_exact(width)) {
                    let (wide, _) = S::as_simd_f64s(&directions[left..]);
                    let Some(wide) = wide.first_chunk::<2>() else { return };
                    for (sums, &factor) in sums.iter_mut().zip(values) {
                        let factor = simd.splat_f64s(factor);
                        for (sum, &value) in sums.iter_mut().zip(wide) {
                            *sum = simd.mul_add_e_f64s(factor, value, *sum);
                        }
                    }
                }
                for (sums, result) in sums.iter().zip(result.chunks_exact_mut(columns)) {
                    let (whole, rest) = S::as_mut_simd_f64s(&mut result[left.min(columns)..]);
                    let count = whole.len();
                    whole.iter_mut().zip(sums).for_each(|(values, &sum)| *values = sum);
                    if let Some(&sum) = sums.get(count) {
                        simd.partial_store_f64s(rest, sum);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole numbers, so that every sum is exact.
    fn table(rows: usize, features: usize) -> Vec<f64> {
        (0..rows * features).map(|at| ((at * 7919) % 23) as f64 - 9.0).collect()
    }

    #[test]
    fn tiles_hold_every_sum() {
        for (rows, features) in [(1, 1), (5, 3), (130, 8), (67, 30), (64, 17)] {
            let x = table(rows, features);
            let guess: Vec<f64> = (0..features).map(|feature| (feature % 4) as f64).collect();
            let (sums, products) = scatter(&x, &guess, 100.0).unwrap();
            let value = |row: usize, feature: usize| x[row * features + feature] - guess[feature];
            for i in 0..features {
                assert_eq!(sums[i], (0..rows).map(|row| value(row, i)).sum::<f64>());
                for j in i..features {
                    let expected: f64 = (0..rows).map(|row| value(row, i) * value(row, j)).sum();
                    assert_eq!(products[i * padded(features) + j], expected, "{rows} {features}: {i} {j}");
                }
            }
            for columns in [1, 2, 9, 17] {
                let mut directions = vec![0.0; features * padded(columns)];
                for feature in 0..features {
                    for column in 0..columns {
                        directions[feature * padded(columns) + column] = ((feature * 5 + column) % 7) as f64;
                    }
                }
                let mut result = vec![0.0; rows * columns];
                project(&x, &guess, &directions, columns, &mut result);
                for row in 0..rows {
                    for column in 0..columns {
                        let direction = |feature: usize| directions[feature * padded(columns) + column];
                        let expected: f64 = (0..features).map(|feature| value(row, feature) * direction(feature)).sum();
                        assert_eq!(result[row * columns + column], expected);
                    }
                }
            }
        }
        assert!(scatter(&[1.0, f64::NAN], &[0.0], 2.0).is_none() && scatter(&[1.0, -2.0], &[0.0], 2.0).is_none());
        assert!(all_below(&table(300, 30), 100.0) && !all_below(&[1.0, f64::NAN], 2.0) && !all_below(&[-3.0], 2.0));
    }
}
