//! Percentile bootstrap intervals of any measure over rows.

use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Interval, IntervalMethod, Result, input, quantile};
use crate::parallel::{self, Scratch};
use crate::seed;

/// How to resample.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BootstrapOptions {
    /// The number of resamples, between 10 and 1,000,000.
    pub replicates: usize,
    /// The confidence level, above 0 and below 1.
    pub confidence: f64,
    /// The seed of the random draws.
    pub seed: u64,
}

impl Default for BootstrapOptions {
    fn default() -> Self {
        Self { replicates: 1000, confidence: 0.95, seed: 0 }
    }
}

/// What resampling says about a measure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BootstrapInterval {
    /// The percentile interval; null when the measure was undefined on half of the resamples or more, or the same on all
    /// of them.
    pub interval: Option<Interval>,
    /// The standard deviation of the measure over resamples; null when there is no interval.
    pub standard_error: Option<f64>,
    /// The number of resamples on which the measure was defined.
    pub replicates: u64,
    /// The number of resamples on which it was not.
    pub undefined: u64,
    /// Why there is no interval; null when there is one.
    pub reason: Option<String>,
}

/// The percentile interval of `metric` over `rows` rows (Efron, 1979).
///
/// `metric` gets the positions of a resample of the same size, drawn with replacement, and gives `None` when it is not
/// defined there. Each resample has its own stream of random numbers, so the result depends on the seed and not on the
/// number of threads. Fails for no rows or options outside their range.
pub fn bootstrap<F>(rows: usize, options: &BootstrapOptions, metric: F) -> Result<BootstrapInterval>
where
    F: Fn(&[usize]) -> Option<f64> + Sync,
{
    let values = replicates(rows, options, |rows| [metric(rows)])?;
    Ok(summarise(values.into_iter().map(|[value]| value), options.confidence))
}

/// The percentile intervals of several measures over the same resamples, in the order in which `metrics` gives them.
pub fn bootstrap_all<const N: usize, F>(
    rows: usize,
    options: &BootstrapOptions,
    metrics: F,
) -> Result<[BootstrapInterval; N]>
where
    F: Fn(&[usize]) -> [Option<f64>; N] + Sync,
{
    let values = replicates(rows, options, metrics)?;
    Ok(std::array::from_fn(|at| summarise(values.iter().map(|values| values[at]), options.confidence)))
}

/// What `metric` gives on each resample, in their order.
pub(super) fn replicates<T, F>(rows: usize, options: &BootstrapOptions, metric: F) -> Result<Vec<T>>
where
    T: Send,
    F: Fn(&[usize]) -> T + Sync,
{
    input::not_empty("rows", rows)?;
    input::confidence(options.confidence)?;
    if !(10..=1_000_000).contains(&options.replicates) {
        return Err(input::parameter("replicates", options.replicates, "between 10 and 1000000"));
    }
    let scratch = Scratch::new(|| Vec::with_capacity(rows));
    let replicate = |at: usize| {
        let mut random = seed::rng(options.seed, at as u64);
        scratch.with(|sample| {
            sample.clear();
            sample.extend((0..rows).map(|_| random.random_range(0..rows)));
            metric(sample)
        })
    };
    Ok(parallel::map(0..options.replicates, replicate))
}

/// The percentiles and the spread of the values that are defined.
pub(super) fn summarise(values: impl ExactSizeIterator<Item = Option<f64>>, confidence: f64) -> BootstrapInterval {
    let all = values.len();
    let sorted = quantile::sorted(values.flatten().filter(|value| value.is_finite()));
    let (defined, undefined) = (sorted.len() as u64, (all - sorted.len()) as u64);
    let none = |reason| BootstrapInterval {
        interval: None,
        standard_error: None,
        replicates: defined,
        undefined,
        reason: Some(reason),
    };
    let end = |probability| quantile::of_sorted(&sorted, probability);
    let (lower, upper) = (end((1.0 - confidence) / 2.0), end(f64::midpoint(1.0, confidence)));
    let (Some(lower), Some(upper), true) = (lower, upper, 2 * defined as usize > all) else {
        return none(format!("the measure is not defined on {undefined} of {all} resamples"));
    };
    if sorted.first() == sorted.last() {
        // An interval without width, as of a perfect test, would claim certainty.
        return none("every resample gave the same value; the rows cannot tell how sure it is".to_owned());
    }
    let mean = sorted.iter().sum::<f64>() / defined as f64;
    let squares: f64 = sorted.iter().map(|value| (value - mean) * (value - mean)).sum();
    BootstrapInterval {
        interval: Some(Interval { lower, upper, confidence, method: IntervalMethod::PercentileBootstrap }),
        standard_error: Some((squares / (defined as f64 - 1.0).max(1.0)).sqrt()),
        replicates: defined,
        undefined,
        reason: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(values: &[f64]) -> impl Fn(&[usize]) -> Option<f64> + Sync {
        |rows| Some(rows.iter().map(|&row| values[row]).sum::<f64>() / rows.len() as f64)
    }

    #[test]
    fn the_interval_of_a_mean_is_near_the_closed_form() {
        let values: Vec<f64> = (0..400).map(|i| f64::from(i % 20)).collect();
        let found = bootstrap(values.len(), &BootstrapOptions::default(), mean(&values)).unwrap();
        let interval = found.interval.unwrap();
        // The standard deviation of 0..20 is 5.766, so the half width is 1.96 × 5.766 / 20 = 0.565.
        assert!((interval.lower - 8.935).abs() < 0.06 && (interval.upper - 10.065).abs() < 0.06, "{interval:?}");
        assert!((found.standard_error.unwrap() - 0.2883).abs() < 0.02);
        assert_eq!((found.replicates, found.undefined), (1000, 0));
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let values: Vec<f64> = (0..50).map(f64::from).collect();
        let options = BootstrapOptions { replicates: 200, seed: 7, ..BootstrapOptions::default() };
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| bootstrap(values.len(), &options, mean(&values)).unwrap())
        };
        assert_eq!(on(1), on(4));
        let other = bootstrap(values.len(), &BootstrapOptions { seed: 8, ..options }, mean(&values)).unwrap();
        assert_ne!(on(1), other);
    }

    #[test]
    fn a_measure_that_is_rarely_defined_has_no_interval() {
        let options = BootstrapOptions { replicates: 100, ..BootstrapOptions::default() };
        let found = bootstrap(5, &options, |_| None).unwrap();
        assert_eq!((found.interval, found.undefined), (None, 100));
        assert!(found.reason.unwrap().contains("100 of 100"));
        let found = bootstrap(5, &options, |rows| (rows[0] != 0).then_some(f64::NAN)).unwrap();
        assert!(found.interval.is_none());
        let [a, b] = bootstrap_all(5, &options, |rows| [Some(rows[0] as f64), None]).unwrap();
        assert!(a.interval.is_some() && b.interval.is_none());
    }

    #[test]
    fn a_value_that_never_changes_has_no_interval() {
        let found = bootstrap(50, &BootstrapOptions::default(), |_| Some(1.0)).unwrap();
        assert_eq!((found.interval, found.standard_error, found.replicates), (None, None, 1000));
        assert!(found.reason.unwrap().starts_with("every resample gave the same value"));
    }

    #[test]
    fn options_out_of_range_are_refused() {
        let with = |replicates, confidence| BootstrapOptions { replicates, confidence, seed: 0 };
        assert!(bootstrap(5, &with(9, 0.95), |_| None).is_err());
        assert!(bootstrap(5, &with(100, 1.0), |_| None).is_err());
        assert!(bootstrap(0, &with(100, 0.95), |_| None).is_err());
    }
}
