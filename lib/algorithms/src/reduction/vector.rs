//! Dense kernels on slices that run with the widest vector instructions of the processor. None uses a fused
//! multiplication, so that the results do not depend on the processor.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined is compiled for the vector instructions of the processor"
)]

use crate::vectorised::vectorised;

const LANES: usize = 8;

/// The inner product. The order of the additions depends on the length alone.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    vectorised(
        #[inline(always)]
        || inline_dot(a, b),
    )
}

/// `y −= factor·x`.
pub(super) fn subtract_scaled(y: &mut [f64], factor: f64, x: &[f64]) {
    vectorised(
        #[inline(always)]
        || y.iter_mut().zip(x).for_each(|(y, x)| *y -= factor * x),
    );
}

/// The Euclidean length.
pub(super) fn length(x: &[f64]) -> f64 {
    dot(x, x).sqrt()
}

/// `row −= a·w + b·v`, and the inner product of what it became with `next`.
pub(super) fn update_and_dot(row: &mut [f64], (a, w): (f64, &[f64]), (b, v): (f64, &[f64]), next: &[f64]) -> f64 {
    vectorised(
        #[inline(always)]
        || {
            update(row, (a, w), (b, v));
            inline_dot(row, next)
        },
    )
}

/// `row −= a·w + b·v`.
#[inline(always)]
pub(super) fn update(row: &mut [f64], (a, w): (f64, &[f64]), (b, v): (f64, &[f64])) {
    for ((value, w), v) in row.iter_mut().zip(w).zip(v) {
        *value -= a * w + b * v;
    }
}

#[inline(always)]
fn inline_dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [[0.0; LANES]; 2];
    let (a, b) = (a.chunks_exact(2 * LANES), b.chunks_exact(2 * LANES));
    let rest: f64 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a.zip(b) {
        for half in 0..2 {
            for lane in 0..LANES {
                lanes[half][lane] += a[half * LANES + lane] * b[half * LANES + lane];
            }
        }
    }
    let mut sum = rest;
    for (first, second) in lanes[0].iter().zip(&lanes[1]) {
        sum += first + second;
    }
    sum
}
