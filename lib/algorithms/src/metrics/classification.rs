//! Scores of predicted classes, all computed from a confusion matrix.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::confusion::ConfusionMatrix;
use super::{Measure, Result, input};

/// How the scores of several classes become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Average {
    /// The scores of the positive class alone.
    Binary,
    /// The plain mean over the classes that occur in the truth or in the predictions.
    Macro,
    /// Computed over all rows at once.
    Micro,
    /// The mean over classes, weighted by their number of true rows.
    Weighted,
}

/// The scores of one class against all others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClassScores {
    /// The class code.
    pub class: u32,
    /// True positives divided by rows predicted as this class; 0 when none was.
    pub precision: f64,
    /// True positives divided by rows of this class; 0 when there is none.
    pub recall: f64,
    /// The harmonic mean of precision and recall; 0 when the class occurs nowhere.
    pub f1_score: f64,
    /// The number of rows of this class.
    pub support: u64,
    /// The number of rows predicted as this class.
    pub predicted: u64,
}

/// Precision, recall and F1 of all classes together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AveragedScores {
    /// How the classes were brought together.
    pub average: Average,
    /// The positive class, for the binary average.
    pub positive_class: Option<u32>,
    /// Precision.
    pub precision: f64,
    /// Recall.
    pub recall: f64,
    /// F1.
    pub f1_score: f64,
    /// Each division by 0 that was taken as 0.
    pub zero_divisions: Vec<ZeroDivision>,
}

/// A score that has no denominator and was taken as 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ZeroDivision {
    /// The class code.
    pub class: u32,
    /// `precision`, `recall` or `f1_score`.
    pub metric: String,
    /// Why there is no denominator.
    pub reason: String,
}

/// True positives, rows predicted and rows true of one class.
struct Tally {
    correct: f64,
    predicted: f64,
    truth: f64,
}

impl Tally {
    fn precision(&self) -> f64 {
        ratio(self.correct, self.predicted)
    }

    fn recall(&self) -> f64 {
        ratio(self.correct, self.truth)
    }

    fn f1(&self) -> f64 {
        ratio(2.0 * self.correct, self.truth + self.predicted)
    }
}

/// 0 for a denominator of 0.
fn ratio(numerator: f64, denominator: f64) -> f64 {
    if denominator == 0.0 { 0.0 } else { numerator / denominator }
}

impl ConfusionMatrix {
    /// The share of rows predicted right.
    pub fn accuracy(&self) -> f64 {
        ratio(self.correct(), self.total())
    }

    /// The mean of the recalls of the classes that have rows.
    pub fn balanced_accuracy(&self) -> f64 {
        let tallies = self.tallies();
        let recalls: Vec<f64> = tallies.iter().filter(|tally| tally.truth > 0.0).map(Tally::recall).collect();
        ratio(recalls.iter().sum(), recalls.len() as f64)
    }

    /// Matthews' correlation of truth and prediction for any number of classes (Gorodkin, 2004); 0 when one of them
    /// is constant, as scikit-learn has it.
    pub fn matthews_correlation(&self) -> f64 {
        let (lines, columns, total) = (self.line_sums(), self.column_sums(), self.total());
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let joint = self.correct() * total - dot(&lines, &columns);
        let predicted = total * total - dot(&columns, &columns);
        let truth = total * total - dot(&lines, &lines);
        if predicted * truth <= 0.0 { 0.0 } else { joint / (predicted * truth).sqrt() }
    }

    /// Cohen's kappa: agreement beyond chance. Undefined when truth and prediction are one and the same class.
    pub fn cohen_kappa(&self) -> Measure {
        let (lines, columns, total) = (self.line_sums(), self.column_sums(), self.total());
        let chance: f64 = lines.iter().zip(&columns).map(|(line, column)| line * column / total).sum();
        let (disagreement, expected) = (total - self.correct(), total - chance);
        if lines.iter().zip(&columns).any(|(&line, &column)| line == total && column == total) || expected <= 0.0 {
            return Measure::undefined("truth and prediction hold one and the same class only");
        }
        Measure::of(1.0 - disagreement / expected)
    }

    /// The scores of each class, in the order of the codes.
    pub fn per_class(&self) -> Vec<ClassScores> {
        let scores = |(class, tally): (usize, Tally)| ClassScores {
            class: class as u32,
            precision: tally.precision(),
            recall: tally.recall(),
            f1_score: tally.f1(),
            support: self.counts[class].iter().sum(),
            predicted: self.counts.iter().map(|line| line[class]).sum(),
        };
        self.tallies().into_iter().enumerate().map(scores).collect()
    }

    /// Precision, recall and F1 over all classes, as `precision_recall_fscore_support(zero_division=0)`.
    ///
    /// `positive` is needed for [`Average::Binary`] and ignored for the others.
    pub fn averaged(&self, average: Average, positive: Option<u32>) -> Result<AveragedScores> {
        let tallies = self.tallies();
        let positive = match (average, positive) {
            (Average::Binary, Some(class)) => {
                input::class("positive_class", class, self.n_classes())?;
                Some(class)
            }
            (Average::Binary, None) => {
                return Err(input::parameter("positive_class", "missing", "a class code for the binary average"));
            }
            _ => None,
        };
        let all = |value: fn(&Tally) -> f64| -> f64 {
            match average {
                Average::Binary => tallies.get(positive.unwrap_or(0) as usize).map_or(0.0, value),
                Average::Micro => value(&Tally {
                    correct: tallies.iter().map(|tally| tally.correct).sum(),
                    predicted: tallies.iter().map(|tally| tally.predicted).sum(),
                    truth: tallies.iter().map(|tally| tally.truth).sum(),
                }),
                Average::Macro => {
                    let present = tallies.iter().filter(|tally| tally.truth + tally.predicted > 0.0);
                    input::mean(present.map(value), None)
                }
                Average::Weighted => {
                    let weights: Vec<f64> = tallies.iter().map(|tally| tally.truth).collect();
                    input::mean(tallies.iter().map(value), Some(&weights))
                }
            }
        };
        let zero_divisions = match (average, positive) {
            (Average::Micro, _) => Vec::new(),
            (_, Some(class)) => zero_divisions(&tallies).into_iter().filter(|zero| zero.class == class).collect(),
            _ => zero_divisions(&tallies),
        };
        Ok(AveragedScores {
            average,
            positive_class: positive,
            precision: all(Tally::precision),
            recall: all(Tally::recall),
            f1_score: all(Tally::f1),
            zero_divisions,
        })
    }

    /// Precision, recall and F1 for parameters that were checked.
    pub(super) fn averaged_values(&self, average: Average, positive: Option<u32>) -> Option<[f64; 3]> {
        let scores = self.averaged(average, positive).ok()?;
        Some([scores.precision, scores.recall, scores.f1_score])
    }

    fn tallies(&self) -> Vec<Tally> {
        let (lines, columns) = (self.line_sums(), self.column_sums());
        let tally = |class| Tally { correct: self.cell(class, class), predicted: columns[class], truth: lines[class] };
        (0..self.n_classes()).map(tally).collect()
    }
}

/// The scores that were taken as 0. A class that occurs nowhere has no part in any average, so it is not listed.
fn zero_divisions(tallies: &[Tally]) -> Vec<ZeroDivision> {
    let mut found = Vec::new();
    let mut add = |class: usize, metric: &str, reason: &str| {
        found.push(ZeroDivision { class: class as u32, metric: metric.to_owned(), reason: reason.to_owned() });
    };
    for (class, tally) in tallies.iter().enumerate() {
        match (tally.predicted == 0.0, tally.truth == 0.0) {
            (true, false) => add(class, "precision", "no row was predicted as this class"),
            (false, true) => add(class, "recall", "no row is of this class"),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matrix(truth: &[u32], predicted: &[u32]) -> ConfusionMatrix {
        ConfusionMatrix::new(truth, predicted, 3, None).unwrap()
    }

    #[test]
    fn a_class_that_was_never_predicted_counts_as_zero_and_is_reported() {
        let scores = matrix(&[0, 1, 2], &[0, 1, 1]).averaged(Average::Macro, None).unwrap();
        assert!((scores.precision - 0.5).abs() < 1e-15);
        let [zero] = &scores.zero_divisions[..] else { panic!("{scores:?}") };
        assert_eq!((zero.class, zero.metric.as_str()), (2, "precision"));
        let scores = matrix(&[0, 1, 1], &[0, 1, 2]).averaged(Average::Macro, None).unwrap();
        assert_eq!(scores.zero_divisions[0].metric, "recall");
    }

    #[test]
    fn a_class_that_occurs_nowhere_is_left_out_of_the_macro_average() {
        let scores = matrix(&[0, 1], &[0, 1]).averaged(Average::Macro, None).unwrap();
        assert_eq!((scores.precision, scores.recall, scores.f1_score), (1.0, 1.0, 1.0));
        assert!(scores.zero_divisions.is_empty());
    }

    #[test]
    fn the_binary_average_needs_a_known_positive_class() {
        let matrix = matrix(&[0, 1], &[1, 1]);
        assert!(
            matrix.averaged(Average::Binary, None).unwrap_err().to_string().starts_with("positive_class is missing")
        );
        assert!(matrix.averaged(Average::Binary, Some(3)).is_err());
        let scores = matrix.averaged(Average::Binary, Some(1)).unwrap();
        assert_eq!((scores.precision, scores.recall), (0.5, 1.0));
        let scores = matrix.averaged(Average::Binary, Some(2)).unwrap();
        assert_eq!((scores.precision, scores.f1_score), (0.0, 0.0));
    }

    #[test]
    fn one_class_only_has_no_kappa_and_no_correlation() {
        let matrix = matrix(&[1, 1], &[1, 1]);
        assert_eq!(matrix.matthews_correlation(), 0.0);
        assert_eq!(matrix.cohen_kappa().value, None);
        assert!(matrix.cohen_kappa().reason.is_some());
        assert_eq!(matrix.balanced_accuracy(), 1.0);
    }

    proptest! {
        #[test]
        fn scores_stay_in_their_ranges(rows in prop::collection::vec((0_u32..3, 0_u32..3), 1..40)) {
            let truth: Vec<u32> = rows.iter().map(|row| row.0).collect();
            let predicted: Vec<u32> = rows.iter().map(|row| row.1).collect();
            let matrix = matrix(&truth, &predicted);
            prop_assert!((-1.0 - 1e-12..=1.0 + 1e-12).contains(&matrix.matthews_correlation()));
            for average in [Average::Macro, Average::Micro, Average::Weighted] {
                let scores = matrix.averaged(average, None).unwrap();
                for value in [scores.precision, scores.recall, scores.f1_score] {
                    prop_assert!((0.0..=1.0 + 1e-12).contains(&value));
                }
            }
            let micro = matrix.averaged(Average::Micro, None).unwrap();
            prop_assert!((micro.f1_score - matrix.accuracy()).abs() < 1e-12);
            let weighted = matrix.averaged(Average::Weighted, None).unwrap();
            prop_assert!((weighted.recall - matrix.accuracy()).abs() < 1e-12);
        }
    }
}
