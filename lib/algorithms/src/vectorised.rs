//! Loops compiled for the vector instructions of the processor at hand.

use pulp::{Arch, Simd, WithSimd};

/// Runs a loop with the widest vector instructions that the processor has.
///
/// Only what is inlined is compiled for them: the closure, and every function that it calls, needs `#[inline(always)]`. No
/// two operations are fused into one with another rounding, so the results do not depend on the processor.
#[inline]
pub(crate) fn vectorised<R>(work: impl FnMut() -> R) -> R {
    Arch::new().dispatch(Inlined(work))
}

/// Whether a test holds for every value, for loops inside [`vectorised`]: without a way out before the end, and with a
/// choice in place of a logical product, which compilers do not make vector instructions of.
#[inline(always)]
pub(crate) fn all_inlined(values: &[f64], test: impl Fn(f64) -> bool) -> bool {
    const LANES: usize = 8;
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut failed = [0.0; LANES];
    for chunk in chunks {
        for lane in 0..LANES {
            failed[lane] = if test(chunk[lane]) { failed[lane] } else { 1.0 };
        }
    }
    failed == [0.0; LANES] && rest.iter().all(|&value| test(value))
}

/// A closure that is called by reference. Called by value, as [`pulp`] calls closures, it would lie behind a function of
/// the standard library that need not be inlined.
struct Inlined<F>(F);

impl<R, F: FnMut() -> R> WithSimd for Inlined<F> {
    type Output = R;

    #[expect(clippy::inline_always, reason = "only inlined code gets the caller's instructions")]
    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> R {
        let Self(mut work) = self;
        work()
    }
}
