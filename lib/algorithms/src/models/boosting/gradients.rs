//! Derivatives as integers, so that every sum of them is exact and depends on no order.

use super::objective::{CHUNK, Gradient};
use crate::parallel;

/// A sum of second and of first derivatives, in that order.
pub(super) type Sums = [f64; 2];

/// The fewest and the most bits of one derivative.
const BITS: (u32, u32) = (16, 21);

/// Both derivatives of every row in one word: the first in the upper half, the second in the lower.
///
/// Each is a whole number of units, and the units are powers of two. Adding words adds both halves at once, and as
/// doubles hold whole numbers up to 2^53 exactly, sums over any rows in any order come out the same: the fit does not
/// depend on the number of threads, and a sibling is exactly the parent less the other child.
#[derive(Debug, Default)]
pub(super) struct Packed {
    /// One word a row.
    pub(super) words: Vec<u64>,
    /// What one unit is worth.
    pub(super) units: Sums,
    /// So many words can be added before a half might overflow.
    pub(super) most: usize,
}

impl Packed {
    /// Rounds the derivatives to units that are small enough for the largest and for the mean of them.
    pub(super) fn set(&mut self, gradients: &[Gradient]) {
        let parts = parallel::map(gradients.chunks(CHUNK), |chunk| {
            chunk.iter().fold(([0.0_f32; 2], [0.0_f64; 2]), |(largest, sums), [g, h]| {
                let (g, h) = (g.abs(), h.abs());
                ([largest[0].max(h), largest[1].max(g)], [sums[0] + f64::from(h), sums[1] + f64::from(g)])
            })
        });
        let parts = parts.into_iter();
        let ([most_h, most_g], [sum_h, sum_g]) = parts.fold(([0.0_f32; 2], [0.0_f64; 2]), |(l, s), (largest, sums)| {
            ([l[0].max(largest[0]), l[1].max(largest[1])], [s[0] + sums[0], s[1] + sums[1]])
        });
        // A few rows far from the rest would leave too few bits to the others; then each gets more, and the words
        // are unpacked more often. Fewer rows than could overflow leave room for more bits as well.
        let rows = gradients.len().max(1) as f64;
        let spread =
            |most: f32, sum: f64| if sum > 0.0 { libm::log2(f64::from(most) * rows / sum).max(0.0) } else { 0.0 };
        let spread = spread(most_h, sum_h).max(spread(most_g, sum_g));
        let free = 31 - (usize::BITS - gradients.len().leading_zeros()).min(31);
        let bits = (BITS.0 + (spread / 2.0) as u32).max(free).clamp(BITS.0, BITS.1);
        let exponents = [most_h, most_g].map(|most| bits as i32 - exponent(most));
        self.units = exponents.map(|exponent| libm::ldexp(1.0, -exponent));
        self.most = (1 << (31 - bits)) - 1;
        let [scale_h, scale_g] = exponents.map(|exponent| libm::ldexp(1.0, exponent) as f32);
        self.words.resize(gradients.len(), 0);
        let chunks = self.words.chunks_mut(CHUNK).zip(gradients.chunks(CHUNK));
        parallel::for_each(chunks, |(words, gradients)| {
            for (word, [g, h]) in words.iter_mut().zip(gradients) {
                let (g, h) = (round(g * scale_g), round(h * scale_h));
                *word = (i64::from(g) << 32).wrapping_add(i64::from(h)) as u64;
            }
        });
    }

    /// The sums that a word of many rows holds.
    #[inline]
    pub(super) fn unpack(&self, word: u64) -> Sums {
        [f64::from(word as u32 as i32) * self.units[0], f64::from((word >> 32) as i32) * self.units[1]]
    }

    /// The word that holds sums of at most [`Packed::most`] rows.
    pub(super) fn pack(&self, [h, g]: Sums) -> u64 {
        let (h, g) = ((h / self.units[0]) as i64, (g / self.units[1]) as i64);
        (g << 32).wrapping_add(h) as u64
    }
}

/// The smallest `e` with `largest <= 2^e`; kept where the scale is a normal number.
fn exponent(largest: f32) -> i32 {
    let (fraction, exponent) = libm::frexpf(largest);
    let exponent = if fraction == 0.5 { exponent - 1 } else { exponent };
    if largest > 0.0 { exponent.clamp(-100, 127) } else { 0 }
}

/// To the nearest integer, for numbers of at most 2^21.
fn round(value: f32) -> i32 {
    const ROUND: f32 = 12_582_912.0;
    ((value + ROUND).to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact_for_halves() {
        let gradients: Vec<Gradient> = (0..1000).map(|row| [(row % 7) as f32 * 0.25 - 0.75, 1.0]).collect();
        let mut packed = Packed::default();
        packed.set(&gradients);
        assert!(packed.most >= 1000);
        let word = packed.words.iter().fold(0_u64, |sum, word| sum.wrapping_add(*word));
        let expected: f64 = gradients.iter().map(|[g, _]| f64::from(*g)).sum();
        assert_eq!(packed.unpack(word), [1000.0, expected]);
    }

    #[test]
    fn a_far_row_leaves_bits_to_the_others() {
        let mut gradients: Vec<Gradient> = vec![[0.001, 0.5]; 100_000];
        gradients[7] = [-100.0, 0.5];
        let mut packed = Packed::default();
        packed.set(&gradients);
        let [h, g] = packed.unpack(packed.words[0]);
        // Half a unit: the largest is below 2^7, in 21 bits.
        assert!((g - 0.001).abs() <= libm::ldexp(0.5, 7 - 21) && h == 0.5, "{g} {h}");
        packed.set(&[[0.0, 0.0]; 3]);
        assert_eq!(packed.unpack(packed.words[2]), [0.0, 0.0]);
    }
}
