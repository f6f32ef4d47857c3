//! Confidence intervals in closed form.

use super::{Interval, IntervalMethod, Result, distributions, input};

/// Wilson's score interval of a proportion (1927), as `scipy.stats.binomtest(…).proportion_ci(method="wilson")`.
///
/// Fails when there is no trial, more successes than trials, or a confidence level outside 0 to 1.
pub fn wilson(successes: u64, trials: u64, confidence: f64) -> Result<Interval> {
    input::confidence(confidence)?;
    input::not_empty("trials", trials as usize)?;
    if successes > trials {
        return Err(input::parameter("successes", successes, "at most the number of trials"));
    }
    let n = trials as f64;
    let share = successes as f64 / n;
    let z = distributions::normal_quantile(f64::midpoint(1.0, confidence));
    let squared = z * z;
    let centre = (share + squared / (2.0 * n)) / (1.0 + squared / n);
    let half = z / (1.0 + squared / n) * (share * (1.0 - share) / n + squared / (4.0 * n * n)).sqrt();
    let lower = if successes == 0 { 0.0 } else { (centre - half).max(0.0) };
    let upper = if successes == trials { 1.0 } else { (centre + half).min(1.0) };
    Ok(Interval { lower, upper, confidence, method: IntervalMethod::Wilson })
}

/// The interval of a mean by Student's t, as `scipy.stats.t.interval`; `None` for fewer than 2 values.
///
/// Fails for values that are not finite or a confidence level outside 0 to 1.
pub fn t_interval(values: &[f64], confidence: f64) -> Result<Option<Interval>> {
    input::confidence(confidence)?;
    input::finite("values", values)?;
    if values.len() < 2 {
        return Ok(None);
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    let half = distributions::t_quantile(f64::midpoint(1.0, confidence), n - 1.0) * (squares / (n - 1.0) / n).sqrt();
    Ok(Some(Interval { lower: mean - half, upper: mean + half, confidence, method: IntervalMethod::StudentT }))
}

/// The interval of the mean absolute error by Student's t over absolute errors, cut at 0; `None` for one row.
///
/// Fails for no rows, different lengths or values that are not finite.
pub fn mean_absolute_error_interval(truth: &[f64], predicted: &[f64], confidence: f64) -> Result<Option<Interval>> {
    input::not_empty("truth", truth.len())?;
    input::same_length("predicted", predicted.len(), "truth", truth.len())?;
    input::finite("truth", truth)?;
    input::finite("predicted", predicted)?;
    let errors: Vec<f64> = truth.iter().zip(predicted).map(|(truth, predicted)| (truth - predicted).abs()).collect();
    Ok(t_interval(&errors, confidence)?.map(|interval| Interval { lower: interval.lower.max(0.0), ..interval }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proportion_of_all_or_nothing_keeps_its_end() {
        let none = wilson(0, 10, 0.95).unwrap();
        assert!(none.lower == 0.0 && (none.upper - 0.2775).abs() < 1e-4);
        let all = wilson(10, 10, 0.95).unwrap();
        assert!(all.upper == 1.0 && (all.lower - 0.7225).abs() < 1e-4);
    }

    #[test]
    fn arguments_that_do_not_fit_are_refused() {
        assert!(wilson(1, 0, 0.95).is_err());
        assert!(wilson(2, 1, 0.95).is_err());
        assert!(wilson(1, 2, 0.0).is_err());
        assert!(t_interval(&[1.0, f64::NAN], 0.95).is_err());
        assert!(mean_absolute_error_interval(&[], &[], 0.95).is_err());
        assert!(mean_absolute_error_interval(&[1.0], &[1.0, 2.0], 0.95).is_err());
        assert_eq!(mean_absolute_error_interval(&[1.0], &[2.0], 0.95).unwrap(), None);
        assert_eq!(t_interval(&[], 0.95).unwrap(), None);
    }

    #[test]
    fn an_absolute_error_is_not_below_zero() {
        let interval = mean_absolute_error_interval(&[0.0, 0.0], &[0.0, 9.0], 0.95).unwrap().unwrap();
        assert!(interval.lower == 0.0 && interval.upper > 9.0);
    }
}
