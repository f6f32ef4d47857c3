//! The ROC curve of one class against the rest, and the area under it.

use ndarray::ArrayView2;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Measure, Result, curves, input};

/// Rows ranked by the score of one class: all that curves and thresholds need, sorted once.
#[derive(Debug, Clone, PartialEq)]
pub struct RankedScores {
    /// The distinct scores, the highest first.
    pub(super) thresholds: Vec<f64>,
    /// The weight of positive rows with at least that score.
    pub(super) true_positives: Vec<f64>,
    /// The weight of negative rows with at least that score.
    pub(super) false_positives: Vec<f64>,
    positive: u32,
    positives: u64,
    negatives: u64,
}

/// One point of a ROC curve: the rates when rows with a score of at least `threshold` are taken as positive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RocPoint {
    /// The share of negative rows taken as positive.
    pub false_positive_rate: f64,
    /// The share of positive rows taken as positive.
    pub true_positive_rate: f64,
    /// The threshold; null at the start of the curve, where no row is taken as positive.
    pub threshold: Option<f64>,
}

/// A ROC curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RocCurve {
    /// The class that counts as positive.
    pub positive_class: u32,
    /// The number of positive rows.
    pub positives: u64,
    /// The number of negative rows.
    pub negatives: u64,
    /// The points from (0, 0) to (1, 1); empty when only one class is present.
    pub points: Vec<RocPoint>,
    /// The area under the curve by the trapezoidal rule over all points; null when only one class is present.
    pub auc: Option<f64>,
    /// Why there is no curve; null when there is one.
    pub reason: Option<String>,
}

impl RankedScores {
    /// Ranks the rows of `truth` by the score of class `positive`; ties are one step. Rows of weight 0 are left out.
    ///
    /// Any finite score will do: a probability or a decision value. Fails for no rows, different lengths, scores
    /// that are not finite, or unusable weights.
    pub fn new(truth: &[u32], positive: u32, scores: &[f64], weights: Option<&[f64]>) -> Result<Self> {
        input::not_empty("truth", truth.len())?;
        input::same_length("scores", scores.len(), "truth", truth.len())?;
        input::finite("scores", scores)?;
        input::weights(weights, truth.len())?;
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let mut order: Vec<usize> = (0..truth.len()).filter(|&row| weight(row) > 0.0).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        let mut ranked = Self {
            thresholds: Vec::new(),
            true_positives: Vec::new(),
            false_positives: Vec::new(),
            positive,
            positives: 0,
            negatives: 0,
        };
        let (mut true_positives, mut false_positives) = (0.0, 0.0);
        for (rank, &row) in order.iter().enumerate() {
            if truth[row] == positive {
                true_positives += weight(row);
                ranked.positives += 1;
            } else {
                false_positives += weight(row);
                ranked.negatives += 1;
            }
            if order.get(rank + 1).is_none_or(|&next| scores[next] != scores[row]) {
                ranked.thresholds.push(scores[row]);
                ranked.true_positives.push(true_positives);
                ranked.false_positives.push(false_positives);
            }
        }
        Ok(ranked)
    }

    /// Ranks the rows by column `positive` of `probabilities`, which are rows × classes.
    pub fn from_probabilities(
        truth: &[u32],
        positive: u32,
        probabilities: ArrayView2<'_, f64>,
        weights: Option<&[f64]>,
    ) -> Result<Self> {
        input::class("positive_class", positive, probabilities.ncols())?;
        input::probabilities(truth, probabilities)?;
        Self::new(truth, positive, &probabilities.column(positive as usize).to_vec(), weights)
    }

    /// The class that counts as positive.
    pub fn positive_class(&self) -> u32 {
        self.positive
    }

    /// The number of positive rows.
    pub fn positives(&self) -> u64 {
        self.positives
    }

    /// The number of negative rows.
    pub fn negatives(&self) -> u64 {
        self.negatives
    }

    /// The area under the ROC curve, ties counted half. Undefined when only one class is present.
    pub fn auc(&self) -> Measure {
        if let Some(reason) = self.one_class() {
            return Measure::undefined(reason);
        }
        let mut area = 0.0;
        let (mut x, mut y) = (0.0, 0.0);
        for (&false_positives, &true_positives) in self.false_positives.iter().zip(&self.true_positives) {
            area += (false_positives - x) * f64::midpoint(true_positives, y);
            (x, y) = (false_positives, true_positives);
        }
        Measure::of((area / (x * y)).min(1.0))
    }

    /// The ROC curve. With `drop_intermediate`, points in the middle of straight steps are left out, as
    /// `sklearn.metrics.roc_curve` does; the area does not change.
    pub fn roc_curve(&self, drop_intermediate: bool) -> RocCurve {
        let auc = self.auc();
        let points = if auc.value.is_some() { self.roc_points(drop_intermediate) } else { Vec::new() };
        RocCurve {
            positive_class: self.positive,
            positives: self.positives,
            negatives: self.negatives,
            points,
            auc: auc.value,
            reason: auc.reason,
        }
    }

    fn roc_points(&self, drop_intermediate: bool) -> Vec<RocPoint> {
        let (all_false, all_true) = (self.weight_of_negatives(), self.weight_of_positives());
        let last = self.thresholds.len() - 1;
        let bends = |at: usize| {
            let bend = |values: &[f64]| (values[at + 1] - values[at]) - (values[at] - values[at - 1]) != 0.0;
            bend(&self.false_positives) || bend(&self.true_positives)
        };
        let start = RocPoint { false_positive_rate: 0.0, true_positive_rate: 0.0, threshold: None };
        let kept = (0..=last).filter(|&at| !drop_intermediate || at == 0 || at == last || bends(at));
        let point = |at: usize| RocPoint {
            false_positive_rate: self.false_positives[at] / all_false,
            true_positive_rate: self.true_positives[at] / all_true,
            threshold: Some(self.thresholds[at]),
        };
        std::iter::once(start).chain(kept.map(point)).collect()
    }

    /// The weight of all positive rows.
    pub(super) fn weight_of_positives(&self) -> f64 {
        self.true_positives.last().copied().unwrap_or(0.0)
    }

    /// The weight of all negative rows.
    pub(super) fn weight_of_negatives(&self) -> f64 {
        self.false_positives.last().copied().unwrap_or(0.0)
    }

    /// Why positive and negative rows cannot be told apart, when one of them is missing.
    pub(super) fn one_class(&self) -> Option<String> {
        one_class(self.positive, self.positives, self.negatives)
    }
}

/// Why positive and negative rows cannot be told apart, when one of them is missing.
pub(super) fn one_class(positive: u32, positives: u64, negatives: u64) -> Option<String> {
    match (positives, negatives) {
        (0, _) => Some(format!("no row is of class {positive}, so it cannot be ranked against the rest")),
        (_, 0) => Some(format!("every row is of class {positive}, so there is nothing to rank it against")),
        _ => None,
    }
}

impl RocCurve {
    /// The curve with at most `points` points (at least 2) that looks the same; the area stays that of all points.
    #[must_use]
    pub fn decimated(&self, points: usize) -> Self {
        let x: Vec<f64> = self.points.iter().map(|point| point.false_positive_rate).collect();
        let y: Vec<f64> = self.points.iter().map(|point| point.true_positive_rate).collect();
        let kept = curves::decimate(&x, &y, points).into_iter().map(|at| self.points[at].clone()).collect();
        Self { points: kept, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_class_has_no_curve_but_a_reason() {
        for (truth, positive) in [([1, 1], 1), ([1, 1], 0)] {
            let curve = RankedScores::new(&truth, positive, &[0.1, 0.9], None).unwrap().roc_curve(true);
            assert_eq!((curve.auc, curve.points.len()), (None, 0));
            assert!(curve.reason.unwrap().contains(&format!("class {positive}")));
        }
    }

    #[test]
    fn scores_that_cannot_be_ranked_are_refused() {
        assert!(
            RankedScores::new(&[0, 1], 1, &[0.1, f64::NAN], None).unwrap_err().to_string().contains("scores[1] is NaN")
        );
        assert!(RankedScores::new(&[0, 1], 1, &[0.1], None).is_err());
        assert!(RankedScores::new(&[], 1, &[], None).is_err());
        let probabilities = array![[0.5, 0.5], [0.1, 0.9]];
        assert!(RankedScores::from_probabilities(&[0, 1], 2, probabilities.view(), None).is_err());
        let ranked = RankedScores::from_probabilities(&[0, 1], 1, probabilities.view(), None).unwrap();
        assert_eq!((ranked.auc().value, ranked.positive_class()), (Some(1.0), 1));
        assert_eq!((ranked.positives(), ranked.negatives()), (1, 1));
    }

    #[test]
    fn equal_scores_are_one_step() {
        let ranked = RankedScores::new(&[0, 1, 0, 1], 1, &[0.5; 4], None).unwrap();
        assert_eq!(ranked.auc().value, Some(0.5));
        assert_eq!(ranked.roc_curve(true).points.len(), 2);
    }

    proptest! {
        #[test]
        fn the_area_is_symmetric(rows in prop::collection::vec((any::<bool>(), 0_u8..12, 0.5_f64..2.0), 2..60)) {
            let truth: Vec<u32> = rows.iter().map(|row| u32::from(row.0)).collect();
            let scores: Vec<f64> = rows.iter().map(|row| f64::from(row.1)).collect();
            let negated: Vec<f64> = scores.iter().map(|score| -score).collect();
            let weights: Vec<f64> = rows.iter().map(|row| row.2).collect();
            let area = |positive, scores: &[f64]| {
                RankedScores::new(&truth, positive, scores, Some(&weights)).unwrap().auc().value
            };
            match (area(1, &scores), area(1, &negated), area(0, &negated)) {
                (Some(area), Some(negated), Some(both)) => {
                    prop_assert!((0.0..=1.0).contains(&area));
                    prop_assert!((area + negated - 1.0).abs() < 1e-12);
                    prop_assert!((area - both).abs() < 1e-12);
                }
                (None, None, None) => prop_assert!(truth.iter().all(|&class| class == truth[0])),
                other => prop_assert!(false, "{other:?}"),
            }
        }
    }
}
