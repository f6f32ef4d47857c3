//! Where to cut a score: applying a threshold, and finding the best one.

use ndarray::ArrayView2;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::roc::RankedScores;
use super::{Result, input};

/// What a threshold is chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "objective")]
pub enum ThresholdObjective {
    /// The largest F1 of the positive class.
    F1,
    /// The largest Youden's J: true positive rate minus false positive rate.
    Youden,
    /// The smallest mean cost of a row.
    Cost {
        /// What a negative row taken as positive costs.
        false_positive_cost: f64,
        /// What a positive row taken as negative costs.
        false_negative_cost: f64,
    },
    /// The largest recall among thresholds with at least this precision.
    PrecisionAt {
        /// The precision that must be reached, above 0 and at most 1.
        precision: f64,
    },
    /// The largest precision among thresholds with at least this recall.
    RecallAt {
        /// The recall that must be reached, above 0 and at most 1.
        recall: f64,
    },
}

/// A threshold and what it does on the data that it was chosen on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ThresholdChoice {
    /// What the threshold was chosen for.
    pub objective: ThresholdObjective,
    /// The code of the class that counts as positive. It means nothing to a reader, who is shown the class's name.
    #[serde(skip)]
    pub positive_class: u32,
    /// Rows with at least this score are taken as positive; null when no threshold reaches the objective.
    pub threshold: Option<f64>,
    /// What the objective came to at the threshold: F1, J, mean cost, recall or precision.
    pub value: Option<f64>,
    /// The share of positive rows taken as positive.
    pub true_positive_rate: Option<f64>,
    /// The share of negative rows taken as positive; null when there is no negative row.
    pub false_positive_rate: Option<f64>,
    /// The share of rows taken as positive that are; null when no row is taken as positive.
    pub precision: Option<f64>,
    /// F1 of the positive class.
    pub f1_score: Option<f64>,
    /// Why there is no threshold; null when there is one.
    pub reason: Option<String>,
}

/// The predicted classes when class `positive` is taken wherever its probability is at least `threshold`, and the most
/// probable of the other classes elsewhere. Probabilities are rows × classes.
///
/// Fails for fewer than 2 classes, an unknown class, a threshold outside 0 to 1, or values that are not probabilities.
pub fn predict_with_threshold(probabilities: ArrayView2<'_, f64>, positive: u32, threshold: f64) -> Result<Vec<u32>> {
    let n_classes = probabilities.ncols();
    if n_classes < 2 {
        return Err(input::parameter("n_classes", n_classes, "at least 2 for a threshold between classes"));
    }
    input::class("positive_class", positive, n_classes)?;
    if !(0.0..=1.0).contains(&threshold) {
        return Err(input::parameter("threshold", threshold, "between 0 and 1"));
    }
    input::probabilities(&vec![0; probabilities.nrows()], probabilities)?;
    let predict = |row: ndarray::ArrayView1<'_, f64>| {
        if row[positive as usize] >= threshold {
            return positive;
        }
        let others = |(class, &value): (usize, &f64)| if class == positive as usize { -1.0 } else { value };
        input::largest(row.iter().enumerate().map(others))
    };
    Ok(probabilities.rows().into_iter().map(predict).collect())
}

/// The most probable class of each row, the lowest code among equal ones. Probabilities are rows × classes.
pub fn most_probable(probabilities: ArrayView2<'_, f64>) -> Vec<u32> {
    probabilities.rows().into_iter().map(|row| input::largest(row.iter().copied())).collect()
}

/// Weights of the four outcomes at a threshold.
#[derive(Clone, Copy)]
struct Outcome {
    true_positives: f64,
    false_positives: f64,
    positives: f64,
    negatives: f64,
}

impl Outcome {
    fn recall(self) -> f64 {
        self.true_positives / self.positives
    }

    fn false_positive_rate(self) -> Option<f64> {
        (self.negatives > 0.0).then(|| self.false_positives / self.negatives)
    }

    fn precision(self) -> Option<f64> {
        let taken = self.true_positives + self.false_positives;
        (taken > 0.0).then(|| self.true_positives / taken)
    }

    fn f1(self) -> f64 {
        2.0 * self.true_positives / (self.true_positives + self.false_positives + self.positives)
    }

    /// What the objective comes to, `None` where the threshold does not qualify.
    fn value(self, objective: ThresholdObjective) -> Option<f64> {
        match objective {
            ThresholdObjective::F1 => Some(self.f1()),
            ThresholdObjective::Youden => Some(self.recall() - self.false_positive_rate()?),
            ThresholdObjective::Cost { false_positive_cost, false_negative_cost } => Some(
                (false_positive_cost * self.false_positives
                    + false_negative_cost * (self.positives - self.true_positives))
                    / (self.positives + self.negatives),
            ),
            ThresholdObjective::PrecisionAt { precision } => {
                self.precision().filter(|&found| found >= precision).map(|_| self.recall())
            }
            ThresholdObjective::RecallAt { recall } => {
                if self.recall() >= recall {
                    self.precision()
                } else {
                    None
                }
            }
        }
    }
}

impl RankedScores {
    /// The best threshold for `objective` among the distinct scores and one above them all (no row is positive). Of
    /// equally good ones the highest is taken.
    ///
    /// Fails for a parameter of the objective outside its range. Without a positive row, or without a negative one
    /// for Youden's J, there is no threshold but a reason.
    pub fn best_threshold(&self, objective: ThresholdObjective) -> Result<ThresholdChoice> {
        check(objective)?;
        let none = |reason: String| ThresholdChoice {
            objective,
            positive_class: self.positive_class(),
            threshold: None,
            value: None,
            true_positive_rate: None,
            false_positive_rate: None,
            precision: None,
            f1_score: None,
            reason: Some(reason),
        };
        if let Some(reason) = self.one_class()
            && (self.positives() == 0 || objective == ThresholdObjective::Youden)
        {
            return Ok(none(reason));
        }
        let (positives, negatives) = (self.weight_of_positives(), self.weight_of_negatives());
        let outcome =
            |true_positives, false_positives| Outcome { true_positives, false_positives, positives, negatives };
        let above = self.thresholds[0].next_up();
        let steps = self.thresholds.iter().zip(self.true_positives.iter().zip(&self.false_positives));
        let candidates = std::iter::once((above, outcome(0.0, 0.0)))
            .chain(steps.map(|(&threshold, (&hits, &alarms))| (threshold, outcome(hits, alarms))));
        let sign = if matches!(objective, ThresholdObjective::Cost { .. }) { -1.0 } else { 1.0 };
        let mut best: Option<(f64, f64, Outcome)> = None;
        for (threshold, outcome) in candidates {
            let Some(value) = outcome.value(objective) else { continue };
            // Equal values may differ in their last bits.
            if best.is_none_or(|(_, so_far, _)| sign * (value - so_far) > 1e-12 * f64::abs(so_far).max(1e-300)) {
                best = Some((threshold, value, outcome));
            }
        }
        let Some((threshold, value, outcome)) = best else {
            return Ok(none("no threshold reaches the required value on this data".to_owned()));
        };
        Ok(ThresholdChoice {
            threshold: Some(threshold),
            value: Some(value),
            true_positive_rate: Some(outcome.recall()),
            false_positive_rate: outcome.false_positive_rate(),
            precision: outcome.precision(),
            f1_score: Some(outcome.f1()),
            reason: None,
            ..none(String::new())
        })
    }
}

fn check(objective: ThresholdObjective) -> Result<()> {
    let share = |field, value: f64| {
        if value > 0.0 && value <= 1.0 { Ok(()) } else { Err(input::parameter(field, value, "above 0 and at most 1")) }
    };
    let cost = |field, value: f64| {
        if (0.0..1e100).contains(&value) {
            Ok(())
        } else {
            Err(input::parameter(field, value, "finite and not negative"))
        }
    };
    match objective {
        ThresholdObjective::F1 | ThresholdObjective::Youden => Ok(()),
        ThresholdObjective::Cost { false_positive_cost, false_negative_cost } => {
            cost("false_positive_cost", false_positive_cost)?;
            cost("false_negative_cost", false_negative_cost)
        }
        ThresholdObjective::PrecisionAt { precision } => share("precision", precision),
        ThresholdObjective::RecallAt { recall } => share("recall", recall),
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn ranked() -> RankedScores {
        RankedScores::new(&[0, 0, 1, 0, 1, 1], 1, &[0.1, 0.2, 0.3, 0.6, 0.7, 0.9], None).unwrap()
    }

    fn best(objective: ThresholdObjective) -> ThresholdChoice {
        ranked().best_threshold(objective).unwrap()
    }

    #[test]
    fn each_objective_finds_its_threshold() {
        assert_eq!(best(ThresholdObjective::F1).threshold, Some(0.3));
        assert_eq!(best(ThresholdObjective::Youden).threshold, Some(0.7));
        let cost = |false_positive_cost, false_negative_cost| {
            best(ThresholdObjective::Cost { false_positive_cost, false_negative_cost })
        };
        assert_eq!(cost(1.0, 10.0).threshold, Some(0.3));
        assert_eq!(cost(10.0, 1.0).threshold, Some(0.7));
        let nothing = cost(1.0, 0.0);
        assert!(nothing.threshold.unwrap() > 0.9 && nothing.precision.is_none());
        assert_eq!(nothing.value, Some(0.0));
        let precise = best(ThresholdObjective::PrecisionAt { precision: 0.75 });
        assert_eq!((precise.threshold, precise.value), (Some(0.3), Some(1.0)));
        let sensitive = best(ThresholdObjective::RecallAt { recall: 0.5 });
        assert_eq!((sensitive.threshold, sensitive.value), (Some(0.7), Some(1.0)));
    }

    #[test]
    fn the_code_of_a_class_is_not_shown() {
        let shown = serde_json::to_value(best(ThresholdObjective::F1)).unwrap();
        assert!(shown.get("positive_class").is_none() && shown["threshold"] == 0.3, "{shown}");
    }

    #[test]
    fn an_objective_out_of_reach_has_a_reason() {
        let ranked = RankedScores::new(&[1, 0], 1, &[0.1, 0.9], None).unwrap();
        let choice = ranked.best_threshold(ThresholdObjective::PrecisionAt { precision: 0.9 }).unwrap();
        assert!(choice.threshold.is_none() && choice.reason.unwrap().contains("no threshold"));
        let ranked = RankedScores::new(&[0, 0], 1, &[0.1, 0.9], None).unwrap();
        assert!(ranked.best_threshold(ThresholdObjective::F1).unwrap().reason.is_some());
        let ranked = RankedScores::new(&[1, 1], 1, &[0.1, 0.9], None).unwrap();
        assert!(ranked.best_threshold(ThresholdObjective::Youden).unwrap().reason.is_some());
        assert_eq!(ranked.best_threshold(ThresholdObjective::F1).unwrap().threshold, Some(0.1));
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        for objective in [
            ThresholdObjective::PrecisionAt { precision: 0.0 },
            ThresholdObjective::RecallAt { recall: 1.1 },
            ThresholdObjective::Cost { false_positive_cost: -1.0, false_negative_cost: 1.0 },
            ThresholdObjective::Cost { false_positive_cost: 1.0, false_negative_cost: f64::NAN },
        ] {
            assert!(ranked().best_threshold(objective).is_err(), "{objective:?}");
        }
    }

    #[test]
    fn a_threshold_takes_the_positive_class_first() {
        let probabilities = array![[0.5, 0.3, 0.2], [0.2, 0.1, 0.7], [0.1, 0.25, 0.65]];
        assert_eq!(predict_with_threshold(probabilities.view(), 1, 0.25).unwrap(), [1, 2, 1]);
        assert_eq!(most_probable(probabilities.view()), [0, 2, 2]);
        assert!(predict_with_threshold(probabilities.view(), 3, 0.5).is_err());
        assert!(predict_with_threshold(probabilities.view(), 1, 1.5).is_err());
        assert!(predict_with_threshold(array![[1.0]].view(), 0, 0.5).is_err());
        assert!(predict_with_threshold(array![[f64::NAN, 0.5]].view(), 0, 0.5).is_err());
    }
}
