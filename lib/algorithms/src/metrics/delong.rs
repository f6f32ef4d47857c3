//! `DeLong`'s variance of the area under the ROC curve, its interval, and the test of two areas on the same rows.
//!
//! `DeLong`, `DeLong` and Clarke-Pearson (1988), computed from midranks as Sun and Xu (2014).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Interval, IntervalMethod, Result, distributions, input, roc};

/// An area under the ROC curve with its interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DelongAuc {
    /// The area; null when only one class is present.
    pub auc: Option<f64>,
    /// The variance of the area; null when a class has fewer than 2 rows.
    pub variance: Option<f64>,
    /// The normal interval of the area, cut to 0 to 1; null when there is no variance.
    pub interval: Option<Interval>,
    /// The number of positive rows.
    pub positives: u64,
    /// The number of negative rows.
    pub negatives: u64,
    /// Why something is null, or why the interval has no width; null otherwise.
    pub reason: Option<String>,
}

/// Whether two scores of the same rows differ in their area under the ROC curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DelongTest {
    /// The area of the first score.
    pub auc_a: Option<f64>,
    /// The area of the second score.
    pub auc_b: Option<f64>,
    /// The first area minus the second.
    pub difference: Option<f64>,
    /// The normal interval of the difference.
    pub interval: Option<Interval>,
    /// The difference divided by its standard error.
    pub z: Option<f64>,
    /// The two-sided p-value of no difference.
    pub p_value: Option<f64>,
    /// Why something is null; null otherwise.
    pub reason: Option<String>,
}

/// The area under the ROC curve of class `positive` against the rest, with `DeLong`'s interval.
///
/// Fails for no rows, different lengths, scores that are not finite, or a confidence level outside 0 to 1.
pub fn delong_interval(truth: &[u32], positive: u32, scores: &[f64], confidence: f64) -> Result<DelongAuc> {
    input::confidence(confidence)?;
    let rows = Rows::new(truth, positive, &[("scores", scores)])?;
    let (positives, negatives) = (rows.positives.len() as u64, rows.negatives.len() as u64);
    let none = DelongAuc { auc: None, variance: None, interval: None, positives, negatives, reason: None };
    if let Some(reason) = roc::one_class(positive, positives, negatives) {
        return Ok(DelongAuc { reason: Some(reason), ..none });
    }
    let placements = rows.placements(scores);
    let auc = Some(placements.auc);
    let Some(variance) = placements.covariance(&placements) else {
        return Ok(DelongAuc { auc, reason: Some(TOO_FEW.to_owned()), ..none });
    };
    let half = distributions::normal_quantile(f64::midpoint(1.0, confidence)) * variance.sqrt();
    let interval = Interval {
        lower: (placements.auc - half).max(0.0),
        upper: (placements.auc + half).min(1.0),
        confidence,
        method: IntervalMethod::Delong,
    };
    let reason = (variance == 0.0).then(|| "the classes do not overlap, so the interval has no width".to_owned());
    Ok(DelongAuc { auc, variance: Some(variance), interval: Some(interval), reason, ..none })
}

/// `DeLong`'s test of two scores of the same rows for class `positive` against the rest.
///
/// Fails for no rows, different lengths, scores that are not finite, or a confidence level outside 0 to 1.
pub fn delong_test(
    truth: &[u32],
    positive: u32,
    scores_a: &[f64],
    scores_b: &[f64],
    confidence: f64,
) -> Result<DelongTest> {
    input::confidence(confidence)?;
    let rows = Rows::new(truth, positive, &[("scores_a", scores_a), ("scores_b", scores_b)])?;
    let none =
        DelongTest { auc_a: None, auc_b: None, difference: None, interval: None, z: None, p_value: None, reason: None };
    let (positives, negatives) = (rows.positives.len() as u64, rows.negatives.len() as u64);
    if let Some(reason) = roc::one_class(positive, positives, negatives) {
        return Ok(DelongTest { reason: Some(reason), ..none });
    }
    let (a, b) = (rows.placements(scores_a), rows.placements(scores_b));
    let difference = a.auc - b.auc;
    let test = DelongTest { auc_a: Some(a.auc), auc_b: Some(b.auc), difference: Some(difference), ..none };
    let Some(variance) = a.minus(&b).variance() else {
        return Ok(DelongTest { reason: Some(TOO_FEW.to_owned()), ..test });
    };
    let error = variance.sqrt();
    // Two scores that rank alike differ by rounding only.
    if error < 1e-12 {
        let reason = if difference.abs() < 1e-12 {
            "both scores rank the rows alike"
        } else {
            "the difference is the same for every row, so it has no standard error"
        };
        return Ok(DelongTest { reason: Some(reason.to_owned()), ..test });
    }
    let half = distributions::normal_quantile(f64::midpoint(1.0, confidence)) * error;
    let interval = Interval {
        lower: (difference - half).max(-1.0),
        upper: (difference + half).min(1.0),
        confidence,
        method: IntervalMethod::Delong,
    };
    let z = difference / error;
    Ok(DelongTest { interval: Some(interval), z: Some(z), p_value: Some(distributions::normal_two_sided(z)), ..test })
}

const TOO_FEW: &str = "a class has one row only, so the area has no variance";

/// The positions of positive and negative rows.
struct Rows {
    positives: Vec<usize>,
    negatives: Vec<usize>,
}

/// For each row, the share of rows of the other class that it is placed on the right side of.
struct Placements {
    auc: f64,
    of_positives: Vec<f64>,
    of_negatives: Vec<f64>,
}

impl Rows {
    fn new(truth: &[u32], positive: u32, scores: &[(&'static str, &[f64])]) -> Result<Self> {
        input::not_empty("truth", truth.len())?;
        for (field, scores) in scores {
            input::same_length(field, scores.len(), "truth", truth.len())?;
            input::finite(field, scores)?;
        }
        let (positives, negatives) = (0..truth.len()).partition(|&row| truth[row] == positive);
        Ok(Self { positives, negatives })
    }

    fn placements(&self, scores: &[f64]) -> Placements {
        let take = |rows: &[usize]| rows.iter().map(|&row| scores[row]).collect::<Vec<_>>();
        let (x, y) = (take(&self.positives), take(&self.negatives));
        let all: Vec<f64> = x.iter().chain(&y).copied().collect();
        let (rank_x, rank_y, rank_all) = (midranks(&x), midranks(&y), midranks(&all));
        let (m, n) = (x.len() as f64, y.len() as f64);
        let of_positives: Vec<f64> = rank_all.iter().zip(&rank_x).map(|(all, own)| (all - own) / n).collect();
        let of_negatives = rank_all[x.len()..].iter().zip(&rank_y).map(|(all, own)| 1.0 - (all - own) / m).collect();
        Placements { auc: of_positives.iter().sum::<f64>() / m, of_positives, of_negatives }
    }
}

impl Placements {
    /// The covariance of two areas over the same rows; `None` when a class has one row only.
    fn covariance(&self, other: &Self) -> Option<f64> {
        let part = |a: &[f64], b: &[f64]| Some(sample_covariance(a, b)? / a.len() as f64);
        Some(part(&self.of_positives, &other.of_positives)? + part(&self.of_negatives, &other.of_negatives)?)
    }

    fn variance(&self) -> Option<f64> {
        self.covariance(self)
    }

    /// The placements of the difference of two areas.
    fn minus(&self, other: &Self) -> Self {
        let minus = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect();
        Self {
            auc: self.auc - other.auc,
            of_positives: minus(&self.of_positives, &other.of_positives),
            of_negatives: minus(&self.of_negatives, &other.of_negatives),
        }
    }
}

fn sample_covariance(a: &[f64], b: &[f64]) -> Option<f64> {
    let freedom = a.len().checked_sub(1).filter(|&freedom| freedom > 0)? as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    Some(a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum::<f64>() / freedom)
}

/// The ranks from 1; equal values share the mean of theirs.
fn midranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut below = 0;
    for ties in order.chunk_by(|&a, &b| values[a] == values[b]) {
        for &row in ties {
            ranks[row] = below as f64 + (ties.len() + 1) as f64 / 2.0;
        }
        below += ties.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_their_ranks() {
        assert_eq!(midranks(&[0.3, 0.1, 0.3, 0.2, 0.3]), [4.0, 1.0, 4.0, 2.0, 4.0]);
    }

    #[test]
    fn what_cannot_be_estimated_has_a_reason() {
        let one_class = delong_interval(&[1, 1], 1, &[0.1, 0.2], 0.95).unwrap();
        assert_eq!((one_class.auc, one_class.interval.is_none()), (None, true));
        let one_row = delong_interval(&[1, 0, 0], 1, &[0.1, 0.2, 0.05], 0.95).unwrap();
        assert_eq!((one_row.auc, one_row.variance), (Some(0.5), None));
        assert!(one_row.reason.unwrap().contains("one row"));
        let apart = delong_interval(&[1, 1, 0, 0], 1, &[0.8, 0.9, 0.1, 0.2], 0.95).unwrap();
        assert_eq!(apart.interval.map(|interval| (interval.lower, interval.upper)), Some((1.0, 1.0)));
        assert!(apart.reason.unwrap().contains("no width"));
    }

    #[test]
    fn scores_that_rank_alike_have_no_test() {
        let (truth, scores) = ([1, 0, 1, 0, 1], [0.9, 0.8, 0.7, 0.2, 0.1]);
        let doubled = scores.map(|score| 2.0 * score);
        let test = delong_test(&truth, 1, &scores, &doubled, 0.95).unwrap();
        assert_eq!((test.difference, test.p_value), (Some(0.0), None));
        assert!(test.reason.unwrap().contains("alike"));
        let test = delong_test(&[1, 1], 1, &[0.1, 0.2], &[0.1, 0.2], 0.95).unwrap();
        assert!(test.auc_a.is_none() && test.reason.is_some());
        let test = delong_test(&[1, 0, 0], 1, &[0.1, 0.2, 0.3], &[0.3, 0.2, 0.1], 0.95).unwrap();
        assert_eq!((test.difference, test.z), (Some(-1.0), None));
        let test = delong_test(&[1, 1, 0, 0], 1, &[0.8, 0.9, 0.1, 0.2], &[0.1, 0.2, 0.8, 0.9], 0.95).unwrap();
        assert!(test.z.is_none() && test.reason.unwrap().contains("no standard error"));
    }

    #[test]
    fn arguments_that_do_not_fit_are_refused() {
        assert!(delong_interval(&[], 1, &[], 0.95).is_err());
        assert!(delong_interval(&[0, 1], 1, &[0.1, f64::NAN], 0.95).is_err());
        assert!(delong_interval(&[0, 1], 1, &[0.1, 0.2], 95.0).is_err());
        let error = delong_test(&[0, 1], 1, &[0.1, 0.2], &[0.1], 0.95).unwrap_err();
        assert!(error.to_string().starts_with("scores_b has 1 rows"));
    }
}
