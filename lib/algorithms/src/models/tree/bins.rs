//! Features cut into at most 255 bins, one byte a value, for growth by histograms.

use ndarray::ArrayView2;

use super::columns::{from_key, single_columns, to_key};
use crate::parallel;

/// The code of a missing value.
pub(crate) const MISSING: u8 = 255;

/// The largest number of bins of a feature, the one for missing values left out.
pub(crate) const MOST_BINS: usize = 255;

/// The cuts are found on this many rows; more of them would move a cut by less than a tenth of a bin.
const SAMPLE: usize = 1 << 18;

/// Features in bins, column by column.
///
/// A feature with at most as many distinct values (in single precision) as there may be bins gets one bin a value, so that
/// small tables lose nothing; any other is cut so that the bins come near to equal weight, and a value that is heavier than
/// that shares its bin with at most a few rows. Codes ascend with the values. The codes of a category feature are its categories.
#[derive(Debug, Clone)]
pub(crate) struct Bins {
    rows: usize,
    codes: Vec<u8>,
    features: Vec<Feature>,
}

#[derive(Debug, Clone)]
struct Feature {
    bins: usize,
    /// The upper edge of every bin but the last; empty for categories.
    #[cfg(test)]
    thresholds: Vec<f64>,
}

impl Bins {
    /// Cuts the columns of `x` (rows × features) into at most `max_bins` bins (1 to 255) each. NaN is missing; other values
    /// are compared in single precision, as everywhere in the trees.
    ///
    /// A feature for which `categorical` holds (by position; a short or empty slice stands for `false`) has category codes,
    /// whole numbers from 0 to 254; any other value of it counts as missing. `weights`, where given, hold one finite weight
    /// of at least 0 a row; rows without weight do not move the cuts.
    pub(crate) fn new(x: ArrayView2<'_, f64>, max_bins: usize, categorical: &[bool], weights: Option<&[f64]>) -> Self {
        let rows = x.nrows();
        let most = max_bins.clamp(1, MOST_BINS);
        let values = single_columns(x);
        let mut codes = vec![MISSING; values.len()];
        let size = rows.max(1);
        let columns = codes.chunks_mut(size).zip(values.chunks(size)).enumerate();
        let features = parallel::map(columns, |(feature, (codes, values))| {
            if categorical.get(feature).copied().unwrap_or(false) {
                categories(values, codes)
            } else {
                numbers(values, most, weights, codes)
            }
        });
        Self { rows, codes, features }
    }

    /// The code of every row: below [`Bins::num_bins`], or [`MISSING`].
    pub(crate) fn column(&self, feature: usize) -> &[u8] {
        &self.codes[feature * self.rows..(feature + 1) * self.rows]
    }

    /// The upper edge of a bin: a value that is at most this in single precision has this code or a lower one. Infinite
    /// for the last bin and for categories.
    #[cfg(test)]
    fn threshold(&self, feature: usize, bin: usize) -> f64 {
        self.features[feature].thresholds.get(bin).copied().unwrap_or(f64::INFINITY)
    }

    /// The number of bins of a feature, the one for missing values left out; 0 when every value is missing.
    pub(crate) fn num_bins(&self, feature: usize) -> usize {
        self.features[feature].bins
    }
}

fn categories(values: &[f32], codes: &mut [u8]) -> Feature {
    let mut bins = 0;
    for (code, &value) in codes.iter_mut().zip(values) {
        if value.fract() == 0.0 && (0.0..f32::from(MISSING)).contains(&value) {
            *code = value as u8;
            bins = bins.max(usize::from(*code) + 1);
        }
    }
    Feature {
        bins,
        #[cfg(test)]
        thresholds: Vec::new(),
    }
}

fn numbers(values: &[f32], most: usize, weights: Option<&[f64]>, codes: &mut [u8]) -> Feature {
    let (distinct, sizes) = distinct(values, weights);
    let thresholds = cuts(&distinct, &sizes, most);
    // In single precision, "at most the threshold" is "at most the largest number there that is not above it". Padding
    // to a power of two gives the search a fixed number of steps without a branch.
    let mut edges = [f32::INFINITY; 256];
    edges.iter_mut().zip(&thresholds).for_each(|(edge, &threshold)| *edge = round_down(threshold));
    let mut present = false;
    for (code, &value) in codes.iter_mut().zip(values) {
        let mut bin = 0;
        for step in [128, 64, 32, 16, 8, 4, 2, 1] {
            bin += if edges[bin + step - 1] < value { step } else { 0 };
        }
        let nan = value.is_nan();
        present |= !nan;
        *code = if nan { MISSING } else { bin as u8 };
    }
    let bins = if present { thresholds.len() + 1 } else { 0 };
    Feature {
        bins,
        #[cfg(test)]
        thresholds,
    }
}

/// The distinct values that are there, ascending, and the weight of each; of a large table a fixed sample is looked at.
fn distinct(values: &[f32], weights: Option<&[f64]>) -> (Vec<f32>, Vec<f64>) {
    let stride = values.len().div_ceil(SAMPLE).max(1);
    let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
    let rows = (0..values.len()).step_by(stride).filter(|&row| !values[row].is_nan() && weight(row) > 0.0);
    let (mut distinct, mut sizes): (Vec<f32>, Vec<f64>) = (Vec::new(), Vec::new());
    let mut add = |key: u32, weight: f64| {
        let value = from_key(key);
        if distinct.last() == Some(&value) {
            sizes.last_mut().into_iter().for_each(|size| *size += weight);
        } else {
            distinct.push(value);
            sizes.push(weight);
        }
    };
    if weights.is_some() {
        let mut keys: Vec<u64> = rows.map(|row| u64::from(to_key(values[row])) << 32 | row as u64).collect();
        keys.sort_unstable();
        for key in keys {
            add((key >> 32) as u32, weight(key as u32 as usize));
        }
    } else {
        let mut keys: Vec<u32> = rows.map(|row| to_key(values[row])).collect();
        keys.sort_unstable();
        for key in keys {
            add(key, 1.0);
        }
    }
    (distinct, sizes)
}

/// The thresholds between at most `most` bins of ascending distinct values with these weights.
pub(super) fn cuts(distinct: &[f32], sizes: &[f64], most: usize) -> Vec<f64> {
    let between = |index: usize| f64::from(distinct[index]) / 2.0 + f64::from(distinct[index + 1]) / 2.0;
    let last = distinct.len().saturating_sub(1);
    if distinct.len() <= most {
        return (0..last).map(between).collect();
    }
    let total: f64 = sizes.iter().sum();
    let heavy = |index: usize| sizes[index] >= total / most as f64;
    let (mut rest, mut bins) = (total, most);
    for &size in sizes.iter().filter(|size| **size >= total / most as f64) {
        rest -= size;
        bins -= 1;
    }
    let mut thresholds = Vec::with_capacity(most);
    let mut size = 0.0;
    for (index, own) in sizes[..last].iter().enumerate() {
        if thresholds.len() + 1 >= most {
            break;
        }
        size += own;
        let light = !heavy(index);
        let wanted = rest / bins.max(1) as f64;
        // A heavy value next in line closes the bin before it, unless that bin would be almost empty.
        if !light || size >= wanted || (heavy(index + 1) && size >= wanted / 2.0) {
            thresholds.push(between(index));
            if light {
                rest -= size;
                bins = bins.saturating_sub(1);
            }
            size = 0.0;
        }
    }
    thresholds
}

/// The largest number of single precision that is not above the given one.
pub(crate) fn round_down(value: f64) -> f32 {
    let near = value as f32;
    if f64::from(near) > value { near.next_down() } else { near }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use proptest::prelude::*;

    use super::*;

    fn column(values: &[f64]) -> Array2<f64> {
        Array2::from_shape_vec((values.len(), 1), values.to_vec()).unwrap()
    }

    #[test]
    fn few_distinct_values_have_a_bin_each() {
        let bins = Bins::new(column(&[3.0, 1.0, f64::NAN, 2.0, 1.0]).view(), 255, &[], None);
        assert_eq!(bins.column(0), [2, 0, MISSING, 1, 0]);
        assert_eq!(bins.num_bins(0), 3);
        assert_eq!([0, 1, 2].map(|bin| bins.threshold(0, bin)), [1.5, 2.5, f64::INFINITY]);
        let all_missing = Bins::new(column(&[f64::NAN]).view(), 255, &[], None);
        assert_eq!((all_missing.num_bins(0), all_missing.column(0)), (0, &[MISSING][..]));
        let infinite = Bins::new(column(&[f64::INFINITY, f64::NEG_INFINITY, 0.0]).view(), 255, &[], None);
        assert_eq!(infinite.column(0), [2, 0, 1]);
    }

    #[test]
    fn categories_keep_their_codes() {
        let bins = Bins::new(column(&[3.0, 0.0, 255.0, -1.0, 0.5, f64::NAN]).view(), 10, &[true], None);
        assert_eq!(bins.column(0), [3, 0, MISSING, MISSING, MISSING, MISSING]);
        assert_eq!((bins.num_bins(0), bins.threshold(0, 1)), (4, f64::INFINITY));
    }

    #[test]
    fn many_values_make_bins_of_about_the_same_weight() {
        let values: Vec<f64> = (0..10_000).map(|row| f64::from(row % 5000)).collect();
        let bins = Bins::new(column(&values).view(), 100, &[], None);
        assert_eq!(bins.num_bins(0), 100);
        let mut counts = [0; 100];
        bins.column(0).iter().for_each(|&code| counts[usize::from(code)] += 1);
        assert!(counts.iter().all(|count| (90..=110).contains(count)), "{counts:?}");
        // Half of the rows at one value: its bin takes hardly any other.
        let values: Vec<f64> = (0..10_000).map(|row| f64::from(if row % 2 == 0 { 0 } else { row - 5000 })).collect();
        let bins = Bins::new(column(&values).view(), 50, &[], None);
        let zero = bins.column(0)[0];
        assert!((5000..=5100).contains(&bins.column(0).iter().map(|&code| usize::from(code == zero)).sum::<usize>()));
        assert!(bins.num_bins(0) > 40);
        // Rows without weight do not count.
        let weights: Vec<f64> = (0..10_000).map(|row| f64::from(row < 4)).collect();
        assert_eq!(Bins::new(column(&values).view(), 50, &[], Some(&weights)).num_bins(0), 3);
    }

    proptest! {
        #[test]
        fn a_code_says_which_thresholds_a_value_exceeds(
            values in proptest::collection::vec(prop_oneof![-1e3..1e3_f64, Just(0.0), Just(f64::NAN), Just(1e-9)], 1..200),
            most in 1_usize..=255,
        ) {
            let bins = Bins::new(column(&values).view(), most, &[], None);
            prop_assert!(bins.num_bins(0) <= most);
            for (&code, &value) in bins.column(0).iter().zip(&values) {
                prop_assert_eq!(code == MISSING, value.is_nan());
                for bin in 0..bins.num_bins(0) {
                    let left = f64::from(value as f32) <= bins.threshold(0, bin);
                    prop_assert!(value.is_nan() || left == (usize::from(code) <= bin));
                }
            }
        }
    }
}
