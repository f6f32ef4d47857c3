//! A regressor's answers, measured.

use mlops_algorithms::metrics::bootstrap::BootstrapOptions;
use mlops_algorithms::metrics::regressor::{RegressorMetrics, RegressorOptions, evaluate_regressor};
use mlops_algorithms::metrics::residuals::ResidualSummary;
use mlops_algorithms::models::Baseline;
use mlops_algorithms::target::Target;
use mlops_core::{Error, Result};

use crate::evaluation::{Guess, Metrics, RegressionDetail, WorstRow};
use crate::fault;
use crate::rounding::settled;
use crate::scoring::Numbers;

/// The bins of the histogram of residuals.
const BINS: usize = 24;
/// The groups of rows with similar predictions.
const GROUPS: usize = 10;
/// The most points of the scatter plots.
const POINTS: usize = 1000;
/// The most badly predicted rows.
const WORST: usize = 10;

/// How answers are measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measuring {
    /// The quantile of the pinball loss.
    pub quantile: f64,
    /// How to resample for intervals, and their confidence.
    pub resampling: BootstrapOptions,
}

/// All measures; with intervals when asked.
pub(crate) fn measure(truth: &[f64], predicted: &[f64], how: &Measuring, intervals: bool) -> Result<RegressorMetrics> {
    let options = RegressorOptions { quantile: Some(how.quantile), intervals: intervals.then_some(how.resampling) };
    let metrics = evaluate_regressor(truth, predicted, None, &options).map_err(fault::of_metric)?;
    let all_finite = metrics_of(&metrics).values().flatten().all(|value| value.is_finite());
    if all_finite { Ok(metrics) } else { Err(fault::out_of_range()) }
}

/// What always naming the mean of these rows reaches.
pub(crate) fn guess(truth: &[f64], how: &Measuring) -> Result<Guess> {
    let missing = || Error::internal("there is no baseline for these rows");
    let baseline = Baseline::fit(&Target::Numbers(truth.to_vec())).ok_or_else(missing)?;
    let Target::Numbers(predicted) = baseline.predict(truth.len()) else { return Err(missing()) };
    let metrics = metrics_of(&measure(truth, &predicted, how, false)?);
    let mean = predicted.first().copied().ok_or_else(missing)?;
    Ok(Guess { strategy: "mean".to_owned(), predicts: mean.into(), metrics })
}

/// The metrics by the names that results use.
pub(crate) fn metrics_of(metrics: &RegressorMetrics) -> Metrics {
    let values = [
        ("rmse", Some(metrics.rmse)),
        ("mae", Some(metrics.mae)),
        ("r2", metrics.r2.map(settled)),
        ("mape", metrics.mape),
        ("smape", Some(metrics.smape)),
        ("median_ae", Some(metrics.median_ae)),
        ("max_error", Some(metrics.max_error)),
        ("pinball", metrics.pinball),
    ];
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What only regressors have.
pub(crate) fn detail(answers: &Numbers, metrics: &RegressorMetrics, quantile: f64) -> Result<RegressionDetail> {
    let (truth, predicted) = (&answers.truth, &answers.predicted);
    let residuals = ResidualSummary::new(truth, predicted, BINS, GROUPS).map_err(fault::of_metric)?;
    let shown = truth.len().min(POINTS);
    let points = (0..shown).map(|at| at * truth.len() / shown).map(|row| [predicted[row], truth[row]]).collect();
    let mut worst: Vec<usize> = (0..truth.len()).collect();
    let error = |row: usize| (truth[row] - predicted[row]).abs();
    worst.sort_by(|&a, &b| error(b).total_cmp(&error(a)).then(a.cmp(&b)));
    let row = |&at: &usize| WorstRow {
        row: answers.rows.get(at).copied().unwrap_or(at),
        actual: truth[at],
        predicted: predicted[at],
        residual: truth[at] - predicted[at],
    };
    Ok(RegressionDetail {
        mape_excluded_zero_targets: metrics.mape_excluded_zero_targets,
        pinball_alpha: quantile,
        mean_bias: metrics.mean_bias,
        residuals,
        points,
        worst: worst.iter().take(WORST).map(row).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn how() -> Measuring {
        Measuring { quantile: 0.5, resampling: BootstrapOptions::default() }
    }

    #[test]
    fn the_worst_rows_come_first_and_keep_their_place_in_the_data() {
        let answers = Numbers { truth: vec![1.0, 2.0, 3.0], predicted: vec![1.5, 2.0, 0.0], rows: vec![4, 5, 9] };
        let metrics = measure(&answers.truth, &answers.predicted, &how(), false).unwrap();
        let detail = detail(&answers, &metrics, 0.5).unwrap();
        let rows: Vec<usize> = detail.worst.iter().map(|row| row.row).collect();
        assert_eq!(rows, [9, 4, 5]);
        assert_eq!(detail.worst[0].residual, 3.0);
        assert_eq!(detail.points, [[1.5, 1.0], [2.0, 2.0], [0.0, 3.0]]);
    }

    #[test]
    fn guessing_the_mean_explains_nothing() {
        let guess = guess(&[1.0, 2.0, 6.0], &how()).unwrap();
        assert_eq!(guess.predicts, 3.0);
        assert!(guess.metrics["r2"].unwrap().abs() < 1e-12);
    }

    #[test]
    fn numbers_that_cannot_be_measured_are_refused() {
        let error = measure(&[1.0, 2.0], &[1e200, 2.0], &how(), false).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("test_data_s3_uri"));
    }
}
