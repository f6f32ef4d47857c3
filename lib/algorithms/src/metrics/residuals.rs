//! A summary of residuals for plots: quantiles, a histogram, and how they change with the prediction.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Result, input, quantile};
use crate::metrics::regression::Predictions;

/// The probabilities of the quantiles in a summary.
const PROBABILITIES: [f64; 9] = [0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0];

/// What the residuals (truth minus predicted) look like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResidualSummary {
    /// The number of rows.
    pub n: u64,
    /// The mean residual, in the unit of the target.
    pub mean: f64,
    /// The standard deviation with n − 1 in the denominator; null for one row.
    pub standard_deviation: Option<f64>,
    /// Quantiles by linear interpolation.
    pub quantiles: Vec<ResidualQuantile>,
    /// Counts over bins of equal width.
    pub histogram: Histogram,
    /// The rows in order of their prediction, in groups of equal size.
    pub by_fitted: Vec<FittedBin>,
}

/// A quantile of the residuals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResidualQuantile {
    /// The share of residuals that are at most `value`.
    pub probability: f64,
    /// The residual, in the unit of the target.
    pub value: f64,
}

/// Counts of values over bins of equal width.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Histogram {
    /// The edges, one more than there are bins.
    pub edges: Vec<f64>,
    /// The number of values from each edge up to the next; the last bin holds its upper edge too.
    pub counts: Vec<u64>,
}

/// The residuals of rows with similar predictions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FittedBin {
    /// The smallest prediction.
    pub lower: f64,
    /// The largest prediction.
    pub upper: f64,
    /// The number of rows.
    pub n: u64,
    /// The mean prediction.
    pub mean_predicted: f64,
    /// The mean residual.
    pub mean_residual: f64,
    /// The quantiles 0.25, 0.5 and 0.75 of the residuals.
    pub quartiles: [f64; 3],
}

impl ResidualSummary {
    /// Summarises residuals with a histogram of `bins` bins and at most `groups` groups by prediction, each between
    /// 1 and 1000.
    ///
    /// Fails for arguments that [`Predictions::new`] refuses or for counts outside their range.
    pub fn new(truth: &[f64], predicted: &[f64], bins: usize, groups: usize) -> Result<Self> {
        for (field, value) in [("bins", bins), ("groups", groups)] {
            if !(1..=1000).contains(&value) {
                return Err(input::parameter(field, value, "between 1 and 1000"));
            }
        }
        let residuals: Vec<f64> = Predictions::new(truth, predicted, None)?.residuals().collect();
        let sorted = quantile::sorted(residuals.iter().copied());
        let n = residuals.len();
        let mean = mean(&residuals);
        let squares: f64 = residuals.iter().map(|residual| (residual - mean) * (residual - mean)).sum();
        let quantile =
            |probability| Some(ResidualQuantile { probability, value: quantile::of_sorted(&sorted, probability)? });
        Ok(Self {
            n: n as u64,
            mean,
            standard_deviation: (n > 1).then(|| (squares / (n as f64 - 1.0)).sqrt()),
            quantiles: PROBABILITIES.into_iter().filter_map(quantile).collect(),
            histogram: Histogram::of_sorted(&sorted, bins),
            by_fitted: by_fitted(predicted, &residuals, groups),
        })
    }
}

impl Histogram {
    /// Counts as `numpy.histogram`: equal values get a range of 1 around them.
    fn of_sorted(sorted: &[f64], bins: usize) -> Self {
        let (mut lower, mut upper) = match sorted {
            [first, .., last] => (*first, *last),
            [only] => (*only, *only),
            [] => (0.0, 0.0),
        };
        if lower == upper {
            // Half a unit is lost beside a very large value, so the range grows with it.
            let half = f64::max(0.5, lower.abs() * 1e-9);
            (lower, upper) = (lower - half, upper + half);
        }
        let width = (upper - lower) / bins as f64;
        let edge = |at: usize| if at == bins { upper } else { (at as f64).mul_add(width, lower) };
        let edges: Vec<f64> = (0..=bins).map(edge).collect();
        let mut counts = vec![0; bins];
        for value in sorted {
            counts[edges[1..bins].partition_point(|edge| edge <= value)] += 1;
        }
        Self { edges, counts }
    }
}

/// Groups of equal size in order of the prediction; equal predictions may fall into two groups.
fn by_fitted(predicted: &[f64], residuals: &[f64], groups: usize) -> Vec<FittedBin> {
    let mut order: Vec<usize> = (0..predicted.len()).collect();
    order.sort_by(|&a, &b| predicted[a].total_cmp(&predicted[b]));
    let groups = groups.min(order.len());
    let group = |at: usize| {
        let rows = &order[at * order.len() / groups..(at + 1) * order.len() / groups];
        let fitted: Vec<f64> = rows.iter().map(|&row| predicted[row]).collect();
        let sorted = quantile::sorted(rows.iter().map(|&row| residuals[row]));
        FittedBin {
            lower: fitted[0],
            upper: fitted[fitted.len() - 1],
            n: rows.len() as u64,
            mean_predicted: mean(&fitted),
            mean_residual: mean(&sorted),
            quartiles: [0.25, 0.5, 0.75].map(|at| quantile::of_sorted(&sorted, at).unwrap_or(0.0)),
        }
    };
    (0..groups).map(group).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_one_bin_and_one_group() {
        let truth: Vec<f64> = (0..103).map(|row| f64::from(row % 17)).collect();
        let predicted: Vec<f64> = (0..103).map(|row| f64::from(row % 13)).collect();
        let summary = ResidualSummary::new(&truth, &predicted, 7, 10).unwrap();
        assert_eq!(summary.histogram.counts.iter().sum::<u64>(), 103);
        assert_eq!(summary.by_fitted.iter().map(|bin| bin.n).sum::<u64>(), 103);
        assert!(summary.by_fitted.windows(2).all(|pair| pair[0].upper <= pair[1].lower));
        assert_eq!(summary.quantiles.len(), 9);
    }

    #[test]
    fn constant_residuals_and_one_row() {
        let summary = ResidualSummary::new(&[1.0, 2.0], &[0.0, 1.0], 4, 10).unwrap();
        assert_eq!((summary.histogram.edges[0], summary.histogram.counts[2]), (0.5, 2));
        assert_eq!((summary.standard_deviation, summary.by_fitted.len()), (Some(0.0), 2));
        let one = ResidualSummary::new(&[1e140], &[0.0], 3, 10).unwrap();
        assert_eq!((one.standard_deviation, one.by_fitted.len()), (None, 1));
        assert!(one.histogram.edges.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn arguments_that_do_not_fit_are_refused() {
        assert!(ResidualSummary::new(&[], &[], 10, 10).is_err());
        assert!(ResidualSummary::new(&[1.0], &[1.0], 0, 10).is_err());
        assert!(ResidualSummary::new(&[1.0], &[1.0], 10, 1001).is_err());
    }
}
