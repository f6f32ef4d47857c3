//! The precision-recall curve of one class against the rest, and average precision.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::roc::RankedScores;
use super::{Measure, curves};

/// One point of a precision-recall curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PrecisionRecallPoint {
    /// The share of positive rows that are taken as positive.
    pub recall: f64,
    /// The share of rows taken as positive that are.
    pub precision: f64,
    /// Rows with at least this score are taken as positive; null at the end of the curve, where none is.
    pub threshold: Option<f64>,
}

/// A precision-recall curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PrecisionRecallCurve {
    /// The class that counts as positive.
    pub positive_class: u32,
    /// The share of positive rows: the precision of a model that guesses.
    pub prevalence: f64,
    /// The points from recall 1 to recall 0; empty when there is no positive row.
    pub points: Vec<PrecisionRecallPoint>,
    /// The mean of the precisions weighted by the steps of recall, without interpolation; null when there is no
    /// positive row.
    pub average_precision: Option<f64>,
    /// Why there is no curve; null when there is one.
    pub reason: Option<String>,
}

impl RankedScores {
    /// Average precision, as `sklearn.metrics.average_precision_score`. Undefined without a positive row.
    pub fn average_precision(&self) -> Measure {
        let all = self.weight_of_positives();
        if all == 0.0 {
            return Measure::undefined(format!(
                "no row is of class {}, so recall is not defined",
                self.positive_class()
            ));
        }
        let (mut sum, mut before) = (0.0, 0.0);
        for (&true_positives, &false_positives) in self.true_positives.iter().zip(&self.false_positives) {
            sum += (true_positives - before) / all * (true_positives / (true_positives + false_positives));
            before = true_positives;
        }
        Measure::of(sum.min(1.0))
    }

    /// The precision-recall curve with a point for each distinct score, as `sklearn.metrics.precision_recall_curve`.
    pub fn precision_recall_curve(&self) -> PrecisionRecallCurve {
        let average_precision = self.average_precision();
        let all = self.weight_of_positives();
        let mut points = Vec::new();
        if average_precision.value.is_some() {
            let steps = self.true_positives.iter().zip(&self.false_positives).zip(&self.thresholds).rev();
            points.extend(steps.map(|((&true_positives, &false_positives), &threshold)| PrecisionRecallPoint {
                recall: true_positives / all,
                precision: true_positives / (true_positives + false_positives),
                threshold: Some(threshold),
            }));
            points.push(PrecisionRecallPoint { recall: 0.0, precision: 1.0, threshold: None });
        }
        PrecisionRecallCurve {
            positive_class: self.positive_class(),
            prevalence: all / (all + self.weight_of_negatives()),
            points,
            average_precision: average_precision.value,
            reason: average_precision.reason,
        }
    }
}

impl PrecisionRecallCurve {
    /// The curve with at most `points` points (at least 2) that looks the same.
    #[must_use]
    pub fn decimated(&self, points: usize) -> Self {
        let x: Vec<f64> = self.points.iter().map(|point| point.recall).collect();
        let y: Vec<f64> = self.points.iter().map(|point| point.precision).collect();
        let kept = curves::decimate(&x, &y, points).into_iter().map(|at| self.points[at].clone()).collect();
        Self { points: kept, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_positive_row_has_no_curve_but_a_reason() {
        let curve = RankedScores::new(&[0, 0], 1, &[0.1, 0.9], None).unwrap().precision_recall_curve();
        assert_eq!((curve.average_precision, curve.points.len(), curve.prevalence), (None, 0, 0.0));
        assert!(curve.reason.is_some());
    }

    #[test]
    fn a_perfect_ranking_has_average_precision_one() {
        let curve = RankedScores::new(&[0, 1, 0, 1], 1, &[0.1, 0.8, 0.2, 0.9], None).unwrap().precision_recall_curve();
        assert_eq!(curve.average_precision, Some(1.0));
        assert_eq!(curve.points.first().map(|point| point.recall), Some(1.0));
        assert_eq!(curve.points.last().map(|point| point.precision), Some(1.0));
        assert_eq!(curve.decimated(2).points.len(), 2);
    }

    #[test]
    fn every_row_positive_has_precision_one() {
        let ranked = RankedScores::new(&[1, 1], 1, &[0.1, 0.9], None).unwrap();
        assert_eq!(ranked.average_precision().value, Some(1.0));
    }
}
