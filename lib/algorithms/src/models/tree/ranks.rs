//! The features of a forest: the rank of every value in its column, and ranks gathered in at most 255 bins.

use ndarray::ArrayView2;

use super::bins::{MOST_BINS, cuts};
use super::columns::{from_key, single_columns, to_key};
use crate::parallel;

/// Finite features in single precision, column by column, as ranks and as codes of bins.
pub(crate) struct Ranks {
    rows: usize,
    /// The number of smaller distinct values in the column.
    places: Vec<u32>,
    codes: Vec<u8>,
    features: Vec<Feature>,
}

struct Feature {
    /// The distinct values, ascending.
    values: Vec<f32>,
    /// The first rank of every bin, and the number of values at the end.
    starts: Vec<u32>,
}

impl Ranks {
    /// Ranks the columns of `x` (rows × features), which is finite and has fewer than 2^32 rows. Rows whose weight is 0 are
    /// left out: they have rank 0.
    pub(crate) fn new(x: ArrayView2<'_, f64>, weights: Option<&[f64]>) -> Self {
        let rows = x.nrows();
        let values = single_columns(x);
        let (mut ranks, mut codes) = (vec![0; values.len()], vec![0; values.len()]);
        let size = rows.max(1);
        let columns = ranks.chunks_mut(size).zip(codes.chunks_mut(size)).zip(values.chunks(size));
        let features = parallel::map(columns, |((ranks, codes), values)| Feature::of(values, weights, ranks, codes));
        Self { rows, places: ranks, codes, features }
    }

    pub(super) const fn num_rows(&self) -> usize {
        self.rows
    }

    pub(super) const fn num_features(&self) -> usize {
        self.features.len()
    }

    /// The rank of every row's value.
    pub(super) fn ranks(&self, feature: usize) -> &[u32] {
        &self.places[feature * self.rows..(feature + 1) * self.rows]
    }

    /// The bin of every row's value; bins ascend with the values.
    pub(super) fn codes(&self, feature: usize) -> &[u8] {
        &self.codes[feature * self.rows..(feature + 1) * self.rows]
    }

    pub(super) fn num_bins(&self, feature: usize) -> usize {
        self.features[feature].starts.len() - 1
    }

    /// The number of distinct values of a feature; where there are at most as many as there may be bins, the bins are the ranks.
    pub(super) fn num_values(&self, feature: usize) -> usize {
        self.features[feature].values.len()
    }

    /// The first rank of a bin; of the one behind the last, the number of distinct values.
    pub(super) fn start(&self, feature: usize, bin: usize) -> u32 {
        self.features[feature].starts[bin]
    }

    /// The middle between the values of two ranks.
    pub(super) fn between(&self, feature: usize, low: u32, high: u32) -> f64 {
        let values = &self.features[feature].values;
        f64::from(values[low as usize]) / 2.0 + f64::from(values[high as usize]) / 2.0
    }
}

impl Feature {
    fn of(values: &[f32], weights: Option<&[f64]>, ranks: &mut [u32], codes: &mut [u8]) -> Self {
        let key = |(row, &value): (usize, &f32)| u64::from(to_key(value)) << 32 | row as u64;
        let counts = |(row, _): &(usize, &f32)| weights.is_none_or(|weights| weights[*row] > 0.0);
        let mut sorted: Vec<u64> = values.iter().enumerate().filter(counts).map(key).collect();
        sorted.sort_unstable();
        let (mut distinct, mut sizes): (Vec<f32>, Vec<f64>) = (Vec::new(), Vec::new());
        let mut last = None;
        for &place in &sorted {
            let key = (place >> 32) as u32;
            if last != Some(key) {
                last = Some(key);
                distinct.push(from_key(key));
                sizes.push(0.0);
            }
            let rank = distinct.len() - 1;
            sizes[rank] += 1.0;
            ranks[place as u32 as usize] = rank as u32;
        }
        let thresholds = cuts(&distinct, &sizes, MOST_BINS);
        let mut starts = vec![0];
        starts.extend(thresholds.iter().map(|&cut| distinct.partition_point(|&value| f64::from(value) <= cut) as u32));
        starts.push(distinct.len() as u32);
        let bins = starts.windows(2).zip(0..=u8::MAX);
        let bins: Vec<u8> = bins.flat_map(|(pair, bin)| (pair[0]..pair[1]).map(move |_| bin)).collect();
        codes.iter_mut().zip(ranks).for_each(|(code, rank)| *code = bins[*rank as usize]);
        Self { values: distinct, starts }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    #[test]
    fn ranks_and_bins_ascend_with_the_values() {
        let x =
            Array2::from_shape_fn((3000, 2), |(row, column)| if column == 0 { (row * 7 % 1000) as f64 } else { 5.0 });
        let ranks = Ranks::new(x.view(), None);
        assert_eq!((ranks.num_rows(), ranks.num_features(), ranks.num_bins(0), ranks.num_bins(1)), (3000, 2, 255, 1));
        for row in 0..3000 {
            let (rank, bin) = (ranks.ranks(0)[row], usize::from(ranks.codes(0)[row]));
            assert_eq!(f64::from(rank), x[[row, 0]]);
            assert!((ranks.start(0, bin)..ranks.start(0, bin + 1)).contains(&rank));
        }
        assert_eq!(ranks.between(0, 3, 5), 4.0);
    }
}
