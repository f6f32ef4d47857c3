//! The best cut of a node by the bins of a feature where a set of rows has two sums, many cuts at a time.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined is compiled for the vector instructions of the processor"
)]

use crate::vectorised::vectorised;

const BINS: usize = 256;
/// A feature with at most so many bins has several tables of sums: the rows of one bin, of which there are many then, do not wait
/// for each other.
const NARROW: usize = BINS / TABLES;
const TABLES: usize = 4;
/// Gains that are compared at a time.
const LANES: usize = 8;

/// Room for the histogram of one feature.
pub(crate) struct Binned {
    words: [u64; BINS],
    pairs: [[f64; 2]; BINS],
    /// The weight and the sum of the rows up to each bin.
    weights: [f64; BINS],
    sums: [f64; BINS],
    gains: [f64; BINS],
}

/// What the bins of a feature have shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum BinCut {
    /// All rows are in one bin.
    Constant,
    /// No cut gains enough.
    Nothing,
    /// The last bin with rows on the left, the first on the right, and the gain.
    Found { below: usize, above: usize, gain: f64 },
}

impl Binned {
    pub(super) const fn new() -> Self {
        let (words, pairs) = ([0; BINS], [[0.0; 2]; BINS]);
        Self { words, pairs, weights: [0.0; BINS], sums: [0.0; BINS], gains: [0.0; BINS] }
    }

    /// Takes up rows whose weight and sum are the halves of a word; no half of the sum of all words overflows 31 bits.
    pub(super) fn add_words(&mut self, bins: usize, codes: &[u8], rows: &[u32], words: &[u64]) {
        self.words[..bins].fill(0);
        for (&row, &word) in rows.iter().zip(words) {
            let sum = &mut self.words[usize::from(codes[row as usize])];
            *sum = sum.wrapping_add(word);
        }
        let mut sum = 0_u64;
        for word in &mut self.words[..bins] {
            sum = sum.wrapping_add(*word);
            *word = sum;
        }
        let Self { words, weights, sums, .. } = self;
        vectorised(
            #[inline(always)]
            || {
                for ((weight, sum), word) in weights.iter_mut().zip(sums.iter_mut()).zip(&words[..bins]) {
                    (*weight, *sum) = (f64::from((word >> 32) as i32), f64::from(*word as i32));
                }
            },
        );
    }

    /// Takes up rows with a weight and a value.
    pub(super) fn add_pairs(&mut self, bins: usize, codes: &[u8], rows: &[u32], weighted: &[[f32; 2]]) {
        let add = |pair: &mut [f64; 2], [weight, value]: [f32; 2]| {
            let weight = f64::from(weight);
            *pair = [pair[0] + weight, pair[1] + weight * f64::from(value)];
        };
        let mut left = [0.0; 2];
        if bins > NARROW {
            self.pairs[..bins].fill([0.0; 2]);
            for (&row, &weighted) in rows.iter().zip(weighted) {
                add(&mut self.pairs[usize::from(codes[row as usize])], weighted);
            }
            for ((pair, weight), sum) in self.pairs[..bins].iter().zip(&mut self.weights).zip(&mut self.sums) {
                left = [left[0] + pair[0], left[1] + pair[1]];
                [*weight, *sum] = left;
            }
            return;
        }
        let (tables, _) = self.pairs.as_chunks_mut::<NARROW>();
        for table in &mut *tables {
            table[..bins].fill([0.0; 2]);
        }
        let ((rows, last), (weighted, last_weighted)) = (rows.as_chunks::<TABLES>(), weighted.as_chunks::<TABLES>());
        for (rows, weighted) in rows.iter().zip(weighted) {
            for ((table, &row), &weighted) in tables.iter_mut().zip(rows).zip(weighted) {
                add(&mut table[usize::from(codes[row as usize]) % NARROW], weighted);
            }
        }
        for (&row, &weighted) in last.iter().zip(last_weighted) {
            add(&mut tables[0][usize::from(codes[row as usize]) % NARROW], weighted);
        }
        for ((bin, weight), sum) in (0..bins).zip(&mut self.weights).zip(&mut self.sums) {
            left = tables.iter().fold(left, |left, table| [left[0] + table[bin][0], left[1] + table[bin][1]]);
            [*weight, *sum] = left;
        }
    }

    /// The first of the best cuts of the rows taken up, when it gains more than `least`: `factor` times the decrease of the
    /// variance times the weight. `all` is the weight and the sum of all rows.
    pub(super) fn best(&mut self, bins: usize, all: [f64; 2], factor: f64, least: f64) -> BinCut {
        let (weights, sums) = (&self.weights[..bins], &self.sums[..bins]);
        if weights.iter().find(|weight| **weight > 0.0).is_none_or(|weight| *weight >= all[0]) {
            return BinCut::Constant;
        }
        let gains = &mut self.gains[..bins];
        let best = vectorised(
            #[inline(always)]
            || {
                for ((gain, &weight), &sum) in gains.iter_mut().zip(weights).zip(sums) {
                    let apart = sum * all[0] - weight * all[1];
                    *gain = factor * apart * apart / (weight * (all[0] - weight) * all[0]);
                }
                // In a loop of its own: in one with the division this would become a branch.
                for (gain, &weight) in gains.iter_mut().zip(weights) {
                    *gain = if weight > 0.0 && all[0] - weight > 0.0 { *gain } else { f64::NEG_INFINITY };
                }
                largest(gains)
            },
        );
        let place = |from: usize, found: &dyn Fn(usize) -> bool| (from..bins).find(|&bin| found(bin));
        let below = if best > least { place(0, &|bin| gains[bin] == best) } else { None };
        let above = below.and_then(|below| place(below + 1, &|bin| weights[bin] > weights[below]));
        match (below, above) {
            (Some(below), Some(above)) => BinCut::Found { below, above, gain: best },
            _ => BinCut::Nothing,
        }
    }
}

/// The largest number; NaN is none.
#[inline(always)]
fn largest(values: &[f64]) -> f64 {
    let larger = |a: f64, b: f64| if b > a { b } else { a };
    let mut lanes = [f64::NEG_INFINITY; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = larger(*lane, value);
        }
    }
    lanes.into_iter().chain(rest.iter().copied()).fold(f64::NEG_INFINITY, larger)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_best_cuts_is_found() {
        let mut binned = Binned::new();
        // Bins 1, 4 and 7 hold rows; the second class lies in bin 7.
        let codes = [1, 4, 1, 7, 7];
        let word = |weight: u64, ones: u64| weight << 32 | ones;
        binned.add_words(9, &codes, &[0, 1, 2, 3, 4], &[word(1, 0), word(1, 0), word(2, 0), word(1, 1), word(3, 3)]);
        let found = binned.best(9, [8.0, 4.0], 2.0, 0.0);
        assert_eq!(found, BinCut::Found { below: 4, above: 7, gain: 4.0 });
        assert_eq!(binned.best(9, [8.0, 4.0], 2.0, 4.0), BinCut::Nothing);
        let rows = [[1.0, 0.0], [1.0, 0.0], [2.0, 0.0], [1.0, 1.0], [3.0, 1.0]];
        binned.add_pairs(9, &codes, &[0, 1, 2, 3, 4], &rows);
        assert_eq!(binned.best(9, [8.0, 4.0], 2.0, 0.0), found);
        binned.add_words(9, &codes, &[3, 4], &[word(1, 1), word(3, 3)]);
        assert_eq!(binned.best(9, [4.0, 4.0], 2.0, 0.0), BinCut::Constant);
    }
}
