//! The features column by column, as integers that sort like the numbers.

use ndarray::ArrayView2;
use rayon::prelude::*;

/// The features in single precision, each as an integer whose order is the order of the numbers.
pub(crate) struct Columns {
    rows: usize,
    keys: Vec<u32>,
}

impl Columns {
    pub(crate) fn new(x: ArrayView2<'_, f64>) -> Self {
        let rows = x.nrows();
        let mut keys = vec![0; x.len()];
        keys.par_chunks_mut(rows.max(1)).enumerate().for_each(|(feature, column)| {
            column.iter_mut().zip(x.column(feature)).for_each(|(key, &value)| *key = to_key(single(value)));
        });
        Self { rows, keys }
    }

    pub(crate) fn num_rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn num_features(&self) -> usize {
        self.keys.len() / self.rows.max(1)
    }

    pub(super) fn column(&self, feature: usize) -> &[u32] {
        &self.keys[feature * self.rows..(feature + 1) * self.rows]
    }
}

/// A finite number in single precision; beyond its range the largest or smallest number there.
pub(crate) fn single(value: f64) -> f32 {
    (value as f32).clamp(f32::MIN, f32::MAX)
}

/// Positive numbers sort like their bits, negative ones the other way round.
fn to_key(value: f32) -> u32 {
    // Adding zero turns -0 into 0.
    let bits = (value + 0.0).to_bits();
    if bits >> 31 == 0 { bits | 1 << 31 } else { !bits }
}

/// The number that [`to_key`] made the key of.
pub(super) fn from_key(key: u32) -> f32 {
    f32::from_bits(if key >> 31 == 1 { key & !(1 << 31) } else { !key })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_like_numbers_and_read_back() {
        let values = [f32::MIN, -2.5, -f32::MIN_POSITIVE, 0.0, 1e-45, 1.0, 1.0 + f32::EPSILON, f32::MAX];
        let keys = values.map(to_key);
        assert!(keys.is_sorted());
        assert_eq!(keys.map(from_key), values);
        assert_eq!(to_key(-0.0), to_key(0.0));
        assert_eq!(single(1e300), f32::MAX);
        assert_eq!(single(-1e300), f32::MIN);
    }
}
