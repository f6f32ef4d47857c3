//! Mean, deviation, mode and quantiles of a column, as `NumPy` and scikit-learn compute them.

use super::sort::sort;

/// Finite numbers in ascending order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Summary {
    sorted: Vec<f64>,
}

impl Summary {
    /// The numbers may come in any order and must be finite.
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        sort(&mut values);
        Self { sorted: values }
    }

    /// The summary with `count` more numbers, all of them `value`.
    pub(crate) fn with(mut self, value: f64, count: usize) -> Self {
        let place = self.sorted.partition_point(|other| other.total_cmp(&value).is_lt());
        self.sorted.splice(place..place, std::iter::repeat_n(value, count));
        self
    }

    pub(crate) fn count(&self) -> usize {
        self.sorted.len()
    }

    pub(crate) fn min(&self) -> Option<f64> {
        self.sorted.first().copied()
    }

    pub(crate) fn max(&self) -> Option<f64> {
        self.sorted.last().copied()
    }

    /// The arithmetic mean. A second pass removes most of the rounding of the first.
    pub(crate) fn mean(&self) -> Option<f64> {
        let count = self.count() as f64;
        let unit = self.unit()?;
        let mean = self.sorted.iter().map(|value| value / unit).sum::<f64>() / count;
        let rest = self.sorted.iter().map(|value| value / unit - mean).sum::<f64>() / count;
        Some((mean + rest) * unit)
    }

    /// The standard deviation of the population (divided by the count), and whether the column is constant up to
    /// rounding by scikit-learn's rule for `StandardScaler`.
    pub(crate) fn deviation(&self) -> Option<(f64, bool)> {
        let count = self.count() as f64;
        let unit = self.unit()?;
        let mean = self.mean()? / unit;
        let square = |value: &f64| (value / unit - mean).powi(2);
        let variance = self.sorted.iter().map(square).sum::<f64>() / count;
        let bound = count * f64::EPSILON * variance + (count * mean * f64::EPSILON).powi(2);
        Some((variance.sqrt() * unit, variance <= bound))
    }

    /// The quantile by linear interpolation between neighbours, as `numpy.quantile` by default; `share` is 0 to 1.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        let last = self.count().checked_sub(1)?;
        let place = share.clamp(0.0, 1.0) * last as f64;
        let (below, part) = (place.floor() as usize, place.fract());
        let (low, high) = (self.sorted[below.min(last)], self.sorted[(below + 1).min(last)]);
        let step = high - low;
        if !step.is_finite() {
            return Some(low * (1.0 - part) + high * part);
        }
        // From the nearer end, as NumPy does, so that both ends come out exactly.
        Some(if part < 0.5 { low + step * part } else { high - step * (1.0 - part) })
    }

    /// The most frequent number; the smallest of those when several are.
    pub(crate) fn mode(&self) -> Option<f64> {
        let runs = self.sorted.chunk_by(|a, b| a == b);
        let longest = runs.fold(None, |best: Option<&[f64]>, run| match best {
            Some(best) if best.len() >= run.len() => Some(best),
            _ => Some(run),
        });
        longest.map(|run| run[0])
    }

    /// 1, or for numbers whose squares would overflow or vanish the largest absolute number, to compute in units of it.
    fn unit(&self) -> Option<f64> {
        let largest = self.min()?.abs().max(self.max()?.abs());
        Some(if largest == 0.0 || (1e-100..1e100).contains(&largest) { 1.0 } else { largest })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_has_no_statistics() {
        let summary = Summary::of(Vec::new());
        assert_eq!((summary.mean(), summary.mode(), summary.quantile(0.5)), (None, None, None));
        assert_eq!(summary.deviation(), None);
    }

    #[test]
    fn huge_numbers_do_not_overflow() {
        let summary = Summary::of(vec![-1e308, 1e308, 1e308, -1e308]);
        assert_eq!(summary.mean(), Some(0.0));
        assert_eq!(summary.deviation(), Some((1e308, false)));
        assert_eq!(summary.quantile(0.5), Some(0.0));
    }

    #[test]
    fn the_mode_is_the_smallest_of_the_most_frequent() {
        assert_eq!(Summary::of(vec![3.0, 2.0, 3.0, 2.0, 1.0]).mode(), Some(2.0));
    }

    proptest! {
        #[test]
        fn quantiles_stay_in_order(values in prop::collection::vec(-1e9..1e9_f64, 1..50), share in 0.0..1.0_f64) {
            let summary = Summary::of(values);
            let value = summary.quantile(share).unwrap();
            prop_assert!(summary.min().unwrap() <= value && value <= summary.max().unwrap());
            prop_assert!(summary.quantile(share / 2.0).unwrap() <= value);
        }
    }
}
