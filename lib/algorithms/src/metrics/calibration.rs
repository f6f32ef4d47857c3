//! Whether predicted probabilities come true: the reliability table and the expected calibration error.

use ndarray::ArrayView2;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Result, input};

/// The number of bins that is used when none is asked for.
pub const DEFAULT_BINS: usize = 10;

/// Which probability is compared with what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CalibrationOf {
    /// The probability of the positive class, against the share of positive rows.
    PositiveClass,
    /// The probability of the predicted class, against the share of rows predicted right.
    PredictedClass,
}

/// The reliability table of a classifier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Calibration {
    /// Which probability was looked at.
    pub of: CalibrationOf,
    /// The positive class, when its probability was looked at.
    pub positive_class: Option<u32>,
    /// The bins from probability 0 to 1, all of equal width.
    pub bins: Vec<ReliabilityBin>,
    /// The mean over rows of the distance between mean probability and observed share of their bin, from 0 to 1.
    pub expected_calibration_error: f64,
    /// The largest such distance of any bin with rows.
    pub maximum_calibration_error: f64,
}

/// The rows whose probability lies above `lower` and up to `upper`; the first bin holds 0 too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReliabilityBin {
    /// The lower edge.
    pub lower: f64,
    /// The upper edge.
    pub upper: f64,
    /// The number of rows.
    pub n: u64,
    /// The mean probability of the rows; null for an empty bin.
    pub mean_probability: Option<f64>,
    /// The share of the rows for which it came true; null for an empty bin.
    pub observed: Option<f64>,
}

/// The reliability table and the expected calibration error (Guo and others, 2017) over `bins` bins of equal width.
///
/// With `positive`, the probability of that class is looked at (binary models); without, the probability of the
/// predicted class (several classes). Probabilities are rows × classes; `bins` is between 1 and 1000.
pub fn calibration(
    truth: &[u32],
    probabilities: ArrayView2<'_, f64>,
    positive: Option<u32>,
    bins: usize,
) -> Result<Calibration> {
    input::probabilities(truth, probabilities)?;
    if !(1..=1000).contains(&bins) {
        return Err(input::parameter("bins", bins, "between 1 and 1000"));
    }
    if let Some(positive) = positive {
        input::class("positive_class", positive, probabilities.ncols())?;
    }
    let width = 1.0 / bins as f64;
    let edges: Vec<f64> = (0..=bins).map(|edge| if edge == bins { 1.0 } else { edge as f64 * width }).collect();
    let mut sums = vec![(0_u64, 0.0, 0_u64); bins];
    for (&class, row) in truth.iter().zip(probabilities.rows()) {
        let looked_at = positive.unwrap_or_else(|| input::largest(row.iter().copied()));
        let probability = row[looked_at as usize];
        let bin = edges[1..bins].partition_point(|&edge| edge < probability);
        sums[bin].0 += 1;
        sums[bin].1 += probability;
        sums[bin].2 += u64::from(class == looked_at);
    }
    let bin = |(at, &(n, sum, hits)): (usize, &(u64, f64, u64))| ReliabilityBin {
        lower: edges[at],
        upper: edges[at + 1],
        n,
        mean_probability: (n > 0).then(|| sum / n as f64),
        observed: (n > 0).then(|| hits as f64 / n as f64),
    };
    let bins: Vec<ReliabilityBin> = sums.iter().enumerate().map(bin).collect();
    let gap = |bin: &ReliabilityBin| Some((bin.n as f64, (bin.mean_probability? - bin.observed?).abs()));
    let gaps: Vec<(f64, f64)> = bins.iter().filter_map(gap).collect();
    Ok(Calibration {
        of: if positive.is_some() { CalibrationOf::PositiveClass } else { CalibrationOf::PredictedClass },
        positive_class: positive,
        bins,
        expected_calibration_error: gaps.iter().map(|(n, gap)| n * gap).sum::<f64>() / truth.len() as f64,
        maximum_calibration_error: gaps.iter().map(|gap| gap.1).fold(0.0, f64::max),
    })
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn a_bin_is_open_below_and_closed_above() {
        let probabilities = array![[1.0, 0.0], [0.9, 0.1], [0.4, 0.6], [0.0, 1.0]];
        let table = calibration(&[0, 0, 1, 1], probabilities.view(), Some(1), DEFAULT_BINS).unwrap();
        let counts: Vec<u64> = table.bins.iter().map(|bin| bin.n).collect();
        assert_eq!(counts, [2, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
        assert_eq!(table.bins[1].observed, None);
        assert!((table.expected_calibration_error - (0.05 * 2.0 + 0.4) / 4.0).abs() < 1e-12);
        assert!((table.maximum_calibration_error - 0.4).abs() < 1e-12);
    }

    #[test]
    fn several_classes_look_at_the_predicted_one() {
        let probabilities = array![[0.2, 0.2, 0.6], [0.5, 0.3, 0.2]];
        let table = calibration(&[2, 1], probabilities.view(), None, 1).unwrap();
        assert_eq!(table.of, CalibrationOf::PredictedClass);
        assert!((table.expected_calibration_error - 0.05).abs() < 1e-12);
    }

    #[test]
    fn arguments_that_do_not_fit_are_refused() {
        let probabilities = array![[0.5, 0.5]];
        assert!(calibration(&[0], probabilities.view(), None, 0).is_err());
        assert!(calibration(&[0], probabilities.view(), Some(2), 10).is_err());
        assert!(calibration(&[0, 1], probabilities.view(), None, 10).is_err());
    }
}
