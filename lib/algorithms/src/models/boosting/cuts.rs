//! The best cut of a number where nothing limits the values of leaves, many bins at a time.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined is compiled for the vector instructions of the processor"
)]

use super::gradients::{Packed, Sums};
use super::histogram::{BINS, Histogram};
use crate::vectorised::vectorised;

/// Gains that are compared at a time.
const LANES: usize = 16;

/// The sums of the derivatives up to each bin of one feature, and the gain of the cut behind each.
pub(super) struct Cuts {
    bins: usize,
    second: [f64; BINS],
    first: [f64; BINS],
    gains: [f32; BINS],
}

/// What the gain of a cut depends on besides the sums of one side.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    pub(super) total: Sums,
    pub(super) lambda: f64,
    /// What the node gains without a cut.
    pub(super) parent: f64,
    /// The least sum of second derivatives of a side.
    pub(super) least: f64,
}

impl Terms {
    #[inline(always)]
    fn gain(self, left: Sums, right: Sums) -> f32 {
        let (hl, hr) = (left[0] + self.lambda, right[0] + self.lambda);
        // g²/(h + λ) of both sides over one denominator, as divisions are slow.
        ((left[1] * left[1] * hr + right[1] * right[1] * hl) / (hl * hr) - self.parent) as f32
    }

    /// Whether both sides are heavy enough.
    #[inline(always)]
    fn allows(self, left: f64, right: f64) -> bool {
        left >= self.least && right >= self.least
    }
}

impl Cuts {
    pub(super) const fn new() -> Self {
        Self { bins: 0, second: [0.0; BINS], first: [0.0; BINS], gains: [0.0; BINS] }
    }

    /// Takes up the first `bins` bins of a feature of a block.
    pub(super) fn set(&mut self, histogram: &Histogram, lane: usize, bins: usize, packed: &Packed) {
        self.bins = bins;
        let (seconds, firsts) = (&mut self.second[..bins], &mut self.first[..bins]);
        match histogram {
            Histogram::Words(words) => {
                // Sums of words are exact, and take one step a bin.
                let mut sums = words[lane];
                let mut sum = 0_u64;
                for word in &mut sums[..bins] {
                    sum = sum.wrapping_add(*word);
                    *word = sum;
                }
                vectorised(
                    #[inline(always)]
                    || {
                        let places = seconds.iter_mut().zip(firsts.iter_mut()).zip(&sums);
                        places.for_each(|((second, first), &word)| [*second, *first] = packed.unpack(word));
                    },
                );
            }
            Histogram::Sums(sums) => {
                let mut sum = [0.0; 2];
                for ((second, first), bin) in seconds.iter_mut().zip(firsts).zip(&sums[lane]) {
                    sum = [sum[0] + bin[0], sum[1] + bin[1]];
                    [*second, *first] = sum;
                }
            }
        }
    }

    /// The first of the best `count` cuts with all missing values on the right, when it gains more than `least`: the last
    /// bin on the left, the gain, and the sums of the left.
    pub(super) fn upwards(&mut self, count: usize, terms: Terms, least: f32) -> Option<(usize, f32, Sums)> {
        let Self { second, first, gains, .. } = self;
        let gains = &mut gains[..count];
        let best = vectorised(
            #[inline(always)]
            || {
                for ((gain, &h), &g) in gains.iter_mut().zip(&*second).zip(&*first) {
                    *gain = terms.gain([h, g], [terms.total[0] - h, terms.total[1] - g]);
                }
                // In a loop of its own: in one with the division this would become a branch.
                for (gain, &h) in gains.iter_mut().zip(&*second) {
                    *gain = if terms.allows(h, terms.total[0] - h) { *gain } else { f32::NEG_INFINITY };
                }
                largest(gains)
            },
        );
        if best > least {
            let bin = gains.iter().position(|gain| *gain == best)?;
            return Some((bin, best, [second[bin], first[bin]]));
        }
        None
    }

    /// The last of the best cuts with all missing values on the left: the last bin on the left, the gain, and the sums of
    /// the right.
    pub(super) fn downwards(&mut self, terms: Terms, least: f32) -> Option<(usize, f32, Sums)> {
        let last = self.bins.checked_sub(1)?;
        let Self { second, first, gains, .. } = self;
        let gains = &mut gains[..last];
        let present = [second[last], first[last]];
        let right = |h: f64, g: f64| [present[0] - h, present[1] - g];
        let best = vectorised(
            #[inline(always)]
            || {
                for ((gain, &h), &g) in gains.iter_mut().zip(&*second).zip(&*first) {
                    let right = right(h, g);
                    *gain = terms.gain([terms.total[0] - right[0], terms.total[1] - right[1]], right);
                }
                for (gain, &h) in gains.iter_mut().zip(&*second) {
                    let right = present[0] - h;
                    *gain = if terms.allows(terms.total[0] - right, right) { *gain } else { f32::NEG_INFINITY };
                }
                largest(gains)
            },
        );
        if best > least {
            let bin = gains.iter().rposition(|gain| *gain == best)?;
            return Some((bin, best, right(second[bin], first[bin])));
        }
        None
    }
}

/// The largest number; NaN is none.
#[inline(always)]
fn largest(values: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = larger(*lane, value);
        }
    }
    lanes.into_iter().chain(rest.iter().copied()).fold(f32::NEG_INFINITY, larger)
}
