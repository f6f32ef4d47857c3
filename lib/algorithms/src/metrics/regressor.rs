//! All measures of a regressor on one data set, with their intervals.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bootstrap::{self, BootstrapOptions};
use super::regression::Predictions;
use super::{Interval, Result, intervals};

/// What [`evaluate_regressor`] computes besides the usual.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RegressorOptions {
    /// The quantile that was predicted, for the pinball loss; `None` leaves it out.
    pub quantile: Option<f64>,
    /// How to resample for intervals, and their confidence level; `None` leaves intervals out.
    pub intervals: Option<BootstrapOptions>,
}

/// The measures of a regressor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RegressorMetrics {
    /// The number of rows.
    pub n: u64,
    /// The root of the mean squared error, in the unit of the target.
    pub rmse: f64,
    /// The mean absolute error, in the unit of the target.
    pub mae: f64,
    /// The coefficient of determination; null for one row.
    pub r2: Option<f64>,
    /// The mean absolute percentage error as a fraction (0.1 is 10 %) over rows whose true value is not 0; null when
    /// there is none.
    pub mape: Option<f64>,
    /// The number of rows left out of `mape` because their true value is 0.
    pub mape_excluded_zero_targets: u64,
    /// The symmetric mean absolute percentage error as a fraction from 0 to 2:
    /// the mean of `2·|truth − predicted| / (|truth| + |predicted|)`.
    pub smape: f64,
    /// The median absolute error, in the unit of the target.
    pub median_ae: f64,
    /// The largest absolute error, in the unit of the target.
    pub max_error: f64,
    /// The mean of predicted minus truth, in the unit of the target.
    pub mean_bias: f64,
    /// The share of the target's variance that is explained when a constant bias costs nothing.
    pub explained_variance: Option<f64>,
    /// The quantile of the pinball loss; null when none was asked for.
    pub pinball_alpha: Option<f64>,
    /// The mean pinball loss, in the unit of the target; null when no quantile was asked for.
    pub pinball: Option<f64>,
    /// Confidence intervals by the name of the measure.
    pub intervals: BTreeMap<String, Interval>,
    /// Why measures that are null, or intervals that are missing, are not defined, by the name of the measure.
    pub undefined: BTreeMap<String, String>,
    /// What a reader must know about the numbers.
    pub notes: Vec<String>,
}

/// Measures predictions against the truth, one value each row.
///
/// The interval of `mae` is Student's t, or the bootstrap when there are weights; all others are percentile
/// bootstraps. Fails for arguments that [`Predictions::new`] refuses or options outside their range.
pub fn evaluate_regressor(
    truth: &[f64],
    predicted: &[f64],
    weights: Option<&[f64]>,
    options: &RegressorOptions,
) -> Result<RegressorMetrics> {
    let all = Predictions::new(truth, predicted, weights)?;
    let (r2, explained, percentage) = (all.r2(), all.explained_variance(), all.mean_absolute_percentage_error());
    let pinball = options.quantile.map(|alpha| all.pinball_loss(alpha)).transpose()?;
    let mut undefined = BTreeMap::new();
    for (name, reason) in [("r2", r2.reason), ("mape", percentage.reason), ("explained_variance", explained.reason)] {
        undefined.extend(reason.map(|reason| (name.to_owned(), reason)));
    }
    let mut notes = Vec::new();
    if truth.len() > 1 && all.has_constant_target() {
        notes.push("every true value is the same, so r2 is 1 for perfect predictions and else 0".to_owned());
    }
    if percentage.excluded_zero_targets > 0 {
        let rows = percentage.excluded_zero_targets;
        notes.push(format!("{rows} of {} rows have a true value of 0 and are left out of mape", truth.len()));
    }
    let mut metrics = RegressorMetrics {
        n: all.n(),
        rmse: all.root_mean_squared_error(),
        mae: all.mean_absolute_error(),
        r2: r2.value,
        mape: percentage.value,
        mape_excluded_zero_targets: percentage.excluded_zero_targets,
        smape: all.symmetric_mean_absolute_percentage_error(),
        median_ae: all.median_absolute_error(),
        max_error: all.max_error(),
        mean_bias: all.mean_bias(),
        explained_variance: explained.value,
        pinball_alpha: options.quantile,
        pinball,
        intervals: BTreeMap::new(),
        undefined,
        notes,
    };
    if let Some(resampling) = &options.intervals {
        add_intervals(&mut metrics, truth, predicted, weights, resampling)?;
    }
    Ok(metrics)
}

/// The measures that have bootstrap intervals, in the order of [`resampled`].
const RESAMPLED: [&str; 8] = ["rmse", "mae", "r2", "mape", "smape", "median_ae", "mean_bias", "explained_variance"];

fn add_intervals(
    metrics: &mut RegressorMetrics,
    truth: &[f64],
    predicted: &[f64],
    weights: Option<&[f64]>,
    options: &BootstrapOptions,
) -> Result<()> {
    let found = bootstrap::bootstrap_all(truth.len(), options, |rows| resampled(truth, predicted, weights, rows))?;
    for (name, found) in RESAMPLED.into_iter().zip(found) {
        if metrics.undefined.contains_key(name) {
            continue;
        }
        match (found.interval, found.reason) {
            (Some(interval), _) => drop(metrics.intervals.insert(name.to_owned(), interval)),
            (None, reason) => drop(metrics.undefined.insert(format!("{name}_interval"), reason.unwrap_or_default())),
        }
    }
    if weights.is_none()
        && let Some(interval) = intervals::mean_absolute_error_interval(truth, predicted, options.confidence)?
    {
        metrics.intervals.insert("mae".to_owned(), interval);
    }
    Ok(())
}

fn resampled(truth: &[f64], predicted: &[f64], weights: Option<&[f64]>, rows: &[usize]) -> [Option<f64>; 8] {
    let take = |values: &[f64]| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
    let (truth, predicted, weights) = (take(truth), take(predicted), weights.map(take));
    if weights.as_ref().is_some_and(|weights| weights.iter().all(|&weight| weight == 0.0)) {
        return [None; 8];
    }
    let all = Predictions::checked(&truth, &predicted, weights.as_deref());
    [
        Some(all.root_mean_squared_error()),
        Some(all.mean_absolute_error()),
        all.r2().value,
        all.mean_absolute_percentage_error().value,
        Some(all.symmetric_mean_absolute_percentage_error()),
        Some(all.median_absolute_error()),
        Some(all.mean_bias()),
        all.explained_variance().value,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::IntervalMethod;

    fn options() -> RegressorOptions {
        let intervals = Some(BootstrapOptions { replicates: 200, ..BootstrapOptions::default() });
        RegressorOptions { quantile: Some(0.9), intervals }
    }

    #[test]
    fn every_interval_holds_its_measure() {
        let truth: Vec<f64> = (0..60).map(|row| f64::from(row) / 3.0 + 1.0).collect();
        let predicted: Vec<f64> = truth.iter().enumerate().map(|(row, v)| v + ((row * 7) % 11) as f64 / 5.0).collect();
        let metrics = evaluate_regressor(&truth, &predicted, None, &options()).unwrap();
        assert_eq!(metrics.intervals.len(), 8);
        assert_eq!(metrics.intervals["mae"].method, IntervalMethod::StudentT);
        for (name, value) in [("rmse", metrics.rmse), ("mae", metrics.mae), ("r2", metrics.r2.unwrap())] {
            let interval = &metrics.intervals[name];
            assert!(interval.lower < value && value < interval.upper, "{name}");
        }
        assert!(metrics.undefined.is_empty() && metrics.notes.is_empty());
        assert!(metrics.pinball.is_some());
        let weights = vec![2.0; 60];
        let weighted = evaluate_regressor(&truth, &predicted, Some(&weights), &options()).unwrap();
        assert!((weighted.rmse - metrics.rmse).abs() < 1e-12);
        assert_eq!(weighted.intervals["mae"].method, IntervalMethod::PercentileBootstrap);
    }

    #[test]
    fn what_is_not_defined_says_why() {
        let metrics = evaluate_regressor(&[0.0], &[1.0], None, &options()).unwrap();
        assert_eq!((metrics.r2, metrics.mape, metrics.mape_excluded_zero_targets), (None, None, 1));
        assert!(metrics.undefined.contains_key("r2") && metrics.undefined.contains_key("mape"));
        let constant = evaluate_regressor(&[2.0; 4], &[1.0; 4], None, &RegressorOptions::default()).unwrap();
        assert_eq!(constant.r2, Some(0.0));
        assert!(constant.notes[0].contains("the same") && constant.intervals.is_empty());
        let bad = RegressorOptions { quantile: Some(2.0), ..RegressorOptions::default() };
        assert!(evaluate_regressor(&[1.0], &[1.0], None, &bad).is_err());
    }
}
