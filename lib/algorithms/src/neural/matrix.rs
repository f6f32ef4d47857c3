//! Products and sums of row-major single-precision matrices held in slices.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

/// A row-major slice as a matrix.
///
/// # Panics
/// When the slice is shorter than `rows · columns`; the callers hold buffers of the network's own shapes.
pub(super) fn matrix(values: &[f32], rows: usize, columns: usize) -> ArrayView2<'_, f32> {
    let values = &values[..rows * columns];
    // The length fits by now; the empty matrix is never taken.
    ArrayView2::from_shape((rows, columns), values).unwrap_or_else(|_| ArrayView2::from(&[[]; 0]))
}

/// `out = left · right + keep · out`, with `out` a row-major slice.
pub(super) fn multiply(left: ArrayView2<'_, f32>, right: ArrayView2<'_, f32>, keep: f32, out: &mut [f32]) {
    let shape = (left.nrows(), right.ncols());
    if let Ok(mut out) = ArrayViewMut2::from_shape(shape, &mut out[..shape.0 * shape.1]) {
        general_mat_mul(1.0, &left, &right, keep, &mut out);
    }
}

/// Writes `line` into every row of `out`.
pub(super) fn fill_rows(out: &mut [f32], line: &[f32]) {
    for row in out.chunks_exact_mut(line.len()) {
        row.copy_from_slice(line);
    }
}

/// Writes the sum of the rows into `out`.
pub(super) fn sum_rows(values: &[f32], out: &mut [f32]) {
    out.fill(0.0);
    for row in values.chunks_exact(out.len()) {
        add(out, row);
    }
}

/// `left += right`.
pub(super) fn add(left: &mut [f32], right: &[f32]) {
    for (left, right) in left.iter_mut().zip(right) {
        *left += right;
    }
}

/// The sum of the squares. Eight running sums, so that the compiler can work on several values at once.
pub(super) fn squares(values: &[f32]) -> f64 {
    let mut sums = [0.0_f32; 8];
    let mut total = 0.0;
    // Short blocks keep single precision from losing digits.
    for block in values.chunks(1024) {
        let chunks = block.chunks_exact(8);
        total += chunks.remainder().iter().map(|value| f64::from(value * value)).sum::<f64>();
        sums.fill(0.0);
        for chunk in chunks {
            for (sum, value) in sums.iter_mut().zip(chunk) {
                *sum += value * value;
            }
        }
        total += sums.iter().map(|sum| f64::from(*sum)).sum::<f64>();
    }
    total
}
