//! Reported scores without the last bits of a sum: a perfect ranking is 1, not 0.9999999999999999.

use std::collections::BTreeMap;

use mlops_algorithms::metrics::Interval;
use mlops_algorithms::metrics::slices::SliceReport;

/// The distance from 0 or 1 that is a matter of rounding.
const TINY: f64 = 1e-12;

/// The score, or 0 or 1 when it is within 1e-12 of it.
pub(crate) fn settled(score: f64) -> f64 {
    if (score - 1.0).abs() <= TINY {
        1.0
    } else if score.abs() <= TINY {
        0.0
    } else {
        score
    }
}

/// Intervals of scores with settled ends.
pub(crate) fn settle_intervals(intervals: &mut BTreeMap<String, Interval>) {
    for interval in intervals.values_mut() {
        (interval.lower, interval.upper) = (settled(interval.lower), settled(interval.upper));
    }
}

/// The scores of a classifier in slices, settled.
pub(crate) fn settle_slices(report: &mut SliceReport) {
    for slice in &mut report.slices {
        slice.metrics.values_mut().for_each(|value| *value = settled(*value));
        settle_intervals(&mut slice.intervals);
    }
}

/// The p-value below which a difference counts as more than chance: 1 minus the confidence, to twelve decimals.
pub(crate) fn level(confidence: f64) -> f64 {
    ((1.0 - confidence) * 1e12).round() / 1e12
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_rounding_explains_is_settled() {
        assert_eq!((settled(0.999_999_999_999_999_9), settled(-1e-16), settled(1.0 + 1e-13)), (1.0, 0.0, 1.0));
        assert_eq!((settled(0.999_999_99), settled(1e-9), settled(0.3)), (0.999_999_99, 1e-9, 0.3));
        assert_eq!((level(0.95), level(0.99), level(0.9)), (0.05, 0.01, 0.1));
    }
}
