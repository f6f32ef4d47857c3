//! The features column by column, as integers that sort like the numbers.

use ndarray::{ArrayView2, Axis, Slice};

use crate::parallel;

/// The features in single precision, each as an integer whose order is the order of the numbers.
pub(crate) struct Columns {
    rows: usize,
    keys: Vec<u32>,
}

impl Columns {
    pub(crate) fn new(x: ArrayView2<'_, f64>) -> Self {
        Self { rows: x.nrows(), keys: single_columns(x).into_iter().map(to_key).collect() }
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

/// The features in single precision, column by column.
pub(super) fn single_columns(x: ArrayView2<'_, f64>) -> Vec<f32> {
    // Several columns at once: a row's neighbouring features lie in the same line of the cache.
    const TOGETHER: usize = 8;
    let rows = x.nrows().max(1);
    let mut columns = vec![0.0; x.len()];
    parallel::for_each(columns.chunks_mut(rows * TOGETHER).enumerate(), |(group, columns)| {
        let first = group * TOGETHER;
        let mut columns: Vec<_> = columns.chunks_exact_mut(rows).map(<[f32]>::iter_mut).collect();
        for row in x.slice_axis(Axis(1), Slice::from(first..first + columns.len())).rows() {
            columns.iter_mut().zip(row).for_each(|(column, &value)| {
                column.next().into_iter().for_each(|place| *place = single(value));
            });
        }
    });
    columns
}

/// A finite number in single precision; beyond its range the largest or smallest number there.
pub(crate) fn single(value: f64) -> f32 {
    (value as f32).clamp(f32::MIN, f32::MAX)
}

/// Positive numbers sort like their bits, negative ones the other way round.
pub(super) fn to_key(value: f32) -> u32 {
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
