//! Tests of two models on the same rows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bootstrap::{BootstrapInterval, BootstrapOptions, replicates, summarise};
use super::{Interval, Result, distributions, input, intervals};

/// From this number of discordant rows on, the chi-squared form of `McNemar`'s test is used.
const CHI_SQUARED_FROM: u64 = 25;

/// Which form of `McNemar`'s test was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum McnemarMethod {
    /// The binomial distribution, for fewer than 25 discordant rows.
    ExactBinomial,
    /// The chi-squared distribution with Edwards' continuity correction.
    ChiSquaredCorrected,
}

/// Whether two classifiers are right equally often on the same rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct McnemarTest {
    /// Rows that both predicted right.
    pub both_right: u64,
    /// Rows that only the first predicted right.
    pub only_a_right: u64,
    /// Rows that only the second predicted right.
    pub only_b_right: u64,
    /// Rows that both predicted wrong.
    pub both_wrong: u64,
    /// The form of the test.
    pub method: McnemarMethod,
    /// The smaller discordant count (exact) or chi-squared.
    pub statistic: f64,
    /// The two-sided p-value of equal accuracy; 1 when the models never disagree on what is right.
    pub p_value: f64,
}

/// How a measure of two models differs over resampled rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BootstrapDifference {
    /// The measure of the first model on all rows; null when undefined.
    pub value_a: Option<f64>,
    /// The measure of the second model on all rows; null when undefined.
    pub value_b: Option<f64>,
    /// The first minus the second; null when one is undefined.
    pub difference: Option<f64>,
    /// The interval of the difference.
    pub bootstrap: BootstrapInterval,
    /// Twice the smaller share of resamples on either side of no difference, counting one more resample on each side
    /// and at most 1; null when there is no interval.
    pub p_value: Option<f64>,
}

/// Whether two regressors have the same mean squared error on the same rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairedTTest {
    /// The number of rows.
    pub n: u64,
    /// The mean of squared error of the first minus that of the second.
    pub mean_difference: f64,
    /// The interval of that mean; null for one row.
    pub interval: Option<Interval>,
    /// Student's t; null when the difference does not vary.
    pub t: Option<f64>,
    /// The two-sided p-value of equal mean squared error.
    pub p_value: Option<f64>,
    /// Why there is no test; null when there is one.
    pub reason: Option<String>,
}

/// `McNemar`'s test (1947) of two sets of predicted classes, as `statsmodels.stats.contingency_tables.mcnemar`.
///
/// Fails for no rows or different lengths.
pub fn mcnemar(truth: &[u32], predicted_a: &[u32], predicted_b: &[u32]) -> Result<McnemarTest> {
    input::not_empty("truth", truth.len())?;
    input::same_length("predicted_a", predicted_a.len(), "truth", truth.len())?;
    input::same_length("predicted_b", predicted_b.len(), "truth", truth.len())?;
    let (mut both_right, mut only_a_right, mut only_b_right, mut both_wrong) = (0, 0, 0, 0);
    for ((truth, a), b) in truth.iter().zip(predicted_a).zip(predicted_b) {
        match (a == truth, b == truth) {
            (true, true) => both_right += 1,
            (true, false) => only_a_right += 1,
            (false, true) => only_b_right += 1,
            (false, false) => both_wrong += 1,
        }
    }
    let (discordant, smaller) = (only_a_right + only_b_right, u64::min(only_a_right, only_b_right));
    let (method, statistic, p_value) = if discordant < CHI_SQUARED_FROM {
        let p_value = distributions::fair_coin_two_sided(smaller, discordant);
        (McnemarMethod::ExactBinomial, smaller as f64, p_value)
    } else {
        let distance = only_a_right.abs_diff(only_b_right) as f64 - 1.0;
        let statistic = distance * distance / discordant as f64;
        (McnemarMethod::ChiSquaredCorrected, statistic, distributions::chi_squared_upper(statistic))
    };
    Ok(McnemarTest { both_right, only_a_right, only_b_right, both_wrong, method, statistic, p_value })
}

/// The bootstrap of the difference of a measure between two models, over the same resamples of `rows` rows.
///
/// `metric_a` and `metric_b` get row positions and give `None` where the measure is not defined. Fails for no rows or
/// options outside their range.
pub fn bootstrap_difference<A, B>(
    rows: usize,
    options: &BootstrapOptions,
    metric_a: A,
    metric_b: B,
) -> Result<BootstrapDifference>
where
    A: Fn(&[usize]) -> Option<f64> + Sync,
    B: Fn(&[usize]) -> Option<f64> + Sync,
{
    let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
    let difference = |rows: &[usize]| Some(finite(metric_a(rows))? - finite(metric_b(rows))?);
    let values = replicates(rows, options, difference)?;
    let all: Vec<usize> = (0..rows).collect();
    let (value_a, value_b) = (finite(metric_a(&all)), finite(metric_b(&all)));
    let side = |on: fn(&f64) -> bool| values.iter().flatten().filter(|value| on(value)).count() as f64;
    let (below, above) = (side(|value| *value <= 0.0), side(|value| *value >= 0.0));
    let bootstrap = summarise(values.iter().copied(), options.confidence);
    let p_value = 2.0 * (below.min(above) + 1.0) / (bootstrap.replicates as f64 + 1.0);
    Ok(BootstrapDifference {
        value_a,
        value_b,
        difference: value_a.zip(value_b).map(|(a, b)| a - b),
        p_value: (2 * bootstrap.replicates as usize > values.len()).then_some(p_value.min(1.0)),
        bootstrap,
    })
}

/// The paired t-test on the squared errors of two regressors, as `scipy.stats.ttest_rel`.
///
/// Fails for no rows, different lengths, values that are not finite, or a confidence level outside 0 to 1.
pub fn squared_error_t_test(
    truth: &[f64],
    predicted_a: &[f64],
    predicted_b: &[f64],
    confidence: f64,
) -> Result<PairedTTest> {
    input::not_empty("truth", truth.len())?;
    input::finite("truth", truth)?;
    for (field, predicted) in [("predicted_a", predicted_a), ("predicted_b", predicted_b)] {
        input::same_length(field, predicted.len(), "truth", truth.len())?;
        input::finite(field, predicted)?;
    }
    let square = |value: f64| value * value;
    let rows = truth.iter().zip(predicted_a).zip(predicted_b);
    let differences: Vec<f64> = rows.map(|((truth, a), b)| square(truth - a) - square(truth - b)).collect();
    // Differences of squares may be too large to square again; a common factor changes neither t nor p.
    let scale = differences.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    let scale = if scale > 0.0 { scale } else { 1.0 };
    let scaled: Vec<f64> = differences.iter().map(|value| value / scale).collect();
    let n = scaled.len() as f64;
    let mean = scaled.iter().sum::<f64>() / n;
    let interval = intervals::t_interval(&scaled, confidence)?.map(|interval| Interval {
        lower: interval.lower * scale,
        upper: interval.upper * scale,
        ..interval
    });
    let squares: f64 = scaled.iter().map(|value| square(value - mean)).sum();
    let error = (squares / (n - 1.0).max(1.0) / n).sqrt();
    let test = PairedTTest {
        n: differences.len() as u64,
        mean_difference: mean * scale,
        interval,
        t: None,
        p_value: None,
        reason: None,
    };
    if error <= f64::EPSILON * mean.abs() || scaled.len() < 2 {
        let reason = "the squared errors differ by the same amount on every row, so there is no test";
        return Ok(PairedTTest { reason: Some(reason.to_owned()), ..test });
    }
    let t = mean / error;
    Ok(PairedTTest { t: Some(t), p_value: Some(distributions::t_two_sided(t, n - 1.0)), ..test })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_that_agree_have_a_p_value_of_one() {
        let test = mcnemar(&[0, 1, 1], &[0, 1, 0], &[0, 1, 0]).unwrap();
        assert_eq!((test.both_right, test.both_wrong, test.p_value), (2, 1, 1.0));
        assert_eq!(test.method, McnemarMethod::ExactBinomial);
        assert!(mcnemar(&[], &[], &[]).is_err());
        assert!(mcnemar(&[0], &[0], &[0, 1]).is_err());
    }

    #[test]
    fn the_form_changes_at_25_discordant_rows() {
        let of = |rows: usize| mcnemar(&vec![0; rows], &vec![0; rows], &vec![1; rows]).unwrap();
        assert_eq!(of(24).method, McnemarMethod::ExactBinomial);
        assert_eq!(of(25).method, McnemarMethod::ChiSquaredCorrected);
        assert!((of(25).statistic - 576.0 / 25.0).abs() < 1e-12);
    }

    #[test]
    fn a_clear_difference_is_found_and_none_is_not() {
        let right: Vec<f64> = (0..80).map(|row| f64::from(u8::from(row % 4 != 0))).collect();
        let mean = |add: f64| {
            let right = right.clone();
            move |rows: &[usize]| Some(rows.iter().map(|&row| right[row] + add).sum::<f64>() / rows.len() as f64)
        };
        let options = BootstrapOptions { replicates: 200, ..BootstrapOptions::default() };
        let found = bootstrap_difference(80, &options, mean(0.5), mean(0.0)).unwrap();
        assert!((found.difference.unwrap() - 0.5).abs() < 1e-12);
        assert!(found.p_value.unwrap() < 0.011);
        let same = bootstrap_difference(80, &options, mean(0.0), mean(0.0)).unwrap();
        assert_eq!((same.difference, same.p_value), (Some(0.0), Some(1.0)));
        let none = bootstrap_difference(80, &options, mean(0.0), |_| Some(f64::NAN)).unwrap();
        assert_eq!((none.value_b, none.difference, none.p_value), (None, None, None));
    }

    #[test]
    fn errors_that_do_not_vary_have_no_test() {
        let test = squared_error_t_test(&[0.0, 0.0], &[1.0, 1.0], &[0.0, 0.0], 0.95).unwrap();
        assert_eq!((test.mean_difference, test.t), (1.0, None));
        assert!(test.reason.is_some());
        assert!(squared_error_t_test(&[0.0], &[1.0], &[0.0], 0.95).unwrap().interval.is_none());
        assert!(squared_error_t_test(&[0.0], &[f64::NAN], &[0.0], 0.95).is_err());
        assert!(squared_error_t_test(&[0.0], &[1.0, 2.0], &[0.0], 0.95).is_err());
        let large = squared_error_t_test(&[0.0, 0.0, 0.0], &[1e149, 2e149, 3e149], &[0.0; 3], 0.95).unwrap();
        assert!(large.t.unwrap().is_finite() && large.mean_difference.is_finite());
    }
}
