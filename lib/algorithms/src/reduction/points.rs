//! The rows that are reduced: checked, and contiguous in row order.

use std::borrow::Cow;

use ndarray::{ArrayView2, Axis};

use super::ReductionError;
use super::pca::kernels::all_below;

/// More rows than an index of four bytes holds are refused.
const MOST_ROWS: usize = (u32::MAX / 2) as usize;
/// Above this the sum of a few squares could leave the range of `f64`.
pub(super) const LARGEST: f64 = 1e140;

/// Rows × features in row order; every value is finite, and no square overflows.
pub(super) struct Points<'a> {
    pub(super) values: Cow<'a, [f64]>,
    pub(super) rows: usize,
    pub(super) features: usize,
}

impl<'a> Points<'a> {
    /// Refuses no rows, no features, and values that are missing, infinite or too large to square.
    pub(super) fn new(x: ArrayView2<'a, f64>) -> Result<Self, ReductionError> {
        let points = Self::unchecked(x)?;
        points.check()?;
        Ok(points)
    }

    /// As [`Points::new`], for callers that [`Points::check`] the values, or see on their own way over them whether
    /// all of them are below [`LARGEST`].
    pub(super) fn unchecked(x: ArrayView2<'a, f64>) -> Result<Self, ReductionError> {
        let (rows, features) = x.dim();
        if rows == 0 || features == 0 {
            return Err(ReductionError::Empty { rows, features });
        }
        if rows > MOST_ROWS {
            return Err(ReductionError::TooManyRows { rows, most: MOST_ROWS });
        }
        let values = match x.to_slice() {
            Some(values) => Cow::Borrowed(values),
            None => Cow::Owned(x.iter().copied().collect()),
        };
        Ok(Self { values, rows, features })
    }

    /// Refuses values that are missing, infinite or too large to square.
    pub(super) fn check(&self) -> Result<(), ReductionError> {
        let bad = |value: &f64| value.is_nan() || value.abs() >= LARGEST;
        // Many comparisons at a time; where one fails, the exact place is looked for.
        if !all_below(&self.values, LARGEST)
            && let Some(index) = self.values.iter().position(bad)
        {
            let (row, column) = (index / self.features, index % self.features);
            return Err(ReductionError::NotFinite { row, column, value: self.values[index] });
        }
        Ok(())
    }

    /// The row at `index`.
    pub(super) fn row(&self, index: usize) -> &[f64] {
        &self.values[index * self.features..(index + 1) * self.features]
    }

    /// Whether every row is the same.
    pub(super) fn constant(&self) -> bool {
        let first = self.row(0);
        self.values.chunks_exact(self.features).all(|row| row == first)
    }

    /// The mean of each feature.
    pub(super) fn means(&self) -> Vec<f64> {
        let view = ArrayView2::from_shape((self.rows, self.features), &self.values);
        view.ok().and_then(|view| view.mean_axis(Axis(0))).map_or_else(Vec::new, |means| means.to_vec())
    }
}
