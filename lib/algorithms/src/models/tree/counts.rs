//! What a forest sums over rows of two classes that count whole times: both sums in one word.

use super::binned::{BinCut, Binned};
use super::statistics::Statistics;

/// More than this in all would overflow half a word.
const MOST: f64 = 2_147_483_647.0;

/// Two classes by the Gini index, with weights that are whole numbers, as those of rows drawn with replacement are.
pub(crate) struct Counts<'a> {
    codes: &'a [u32],
}

impl<'a> Counts<'a> {
    /// The codes of two classes; `None` when a weight is not whole or all together are too many.
    pub(crate) fn new(codes: &'a [u32], weights: &[f64]) -> Option<Self> {
        let whole = weights.iter().all(|weight| weight.fract() == 0.0);
        (whole && weights.iter().sum::<f64>() < MOST).then_some(Self { codes })
    }
}

impl Statistics for Counts<'_> {
    /// The weight in the upper half, that of the second class in the lower.
    type Row = u64;
    type Sums = [f64; 2];
    type Slot = u64;

    fn sums(&self) -> [f64; 2] {
        [0.0; 2]
    }

    #[inline]
    fn cells(&self) -> usize {
        2
    }

    fn width(&self) -> usize {
        2
    }

    fn row(&self, row: usize, weight: f64) -> u64 {
        let weight = weight as u64;
        (weight << 32) | (weight * u64::from(self.codes[row]))
    }

    #[inline]
    fn add(&self, cells: &mut [f64], row: u64) {
        cells[0] += f64::from((row >> 32) as i32);
        cells[1] += f64::from(row as i32);
    }

    fn sum(&self, cells: &mut [f64], rows: &[u64]) {
        cells.fill(0.0);
        self.add(cells, rows.iter().fold(0, |sum, row| sum.wrapping_add(*row)));
    }

    #[inline]
    fn slots(&self) -> usize {
        1
    }

    #[inline]
    fn put(&self, slots: &mut [u64], row: u64) {
        slots[0] = slots[0].wrapping_add(row);
    }

    #[inline]
    fn take(&self, slots: &mut [u64], cells: &mut [f64]) {
        self.add(cells, std::mem::take(&mut slots[0]));
    }

    #[inline]
    fn weight(&self, cells: &[f64]) -> f64 {
        cells[0]
    }

    fn alike(&self, cells: &[f64], _: &[u64]) -> bool {
        cells[1] == 0.0 || cells[1] == cells[0]
    }

    #[inline]
    fn gain(&self, part: &[f64], all: &[f64]) -> f64 {
        let apart = part[1] * all[0] - part[0] * all[1];
        // The Gini index of two classes is twice the variance.
        2.0 * apart * apart / (part[0] * (all[0] - part[0]) * all[0])
    }

    fn leaf(&self, cells: &[f64], _: &[u32], _: &[u64], leaf: &mut Vec<f64>) {
        let share = (cells[1] / cells[0]).clamp(0.0, 1.0);
        leaf.extend([1.0 - share, share]);
    }

    fn by_bins(
        &self,
        binned: &mut Binned,
        (bins, codes): (usize, &[u8]),
        (rows, words): (&[u32], &[u64]),
        cells: &[f64],
        least: f64,
    ) -> Option<BinCut> {
        binned.add_words(bins, codes, rows, words);
        Some(binned.best(bins, [cells[0], cells[1]], 2.0, least))
    }
}
