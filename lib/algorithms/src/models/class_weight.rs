//! The weights of the classes, and what they make of the weights of the rows.

use std::collections::BTreeMap;

use super::fit::FitError;
use super::hyperparameters::nearest;

/// How much the rows of each class count.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum ClassWeight {
    /// Every class counts 1.
    #[default]
    Even,
    /// Each class counts `rows / (classes · rows of the class)`, so that all classes weigh the same in total.
    Balanced,
    /// As balanced, but by the rows that each tree of a forest has drawn.
    BalancedSubsample,
    /// The weight of each named class; the others count 1.
    Given(BTreeMap<String, f64>),
}

impl ClassWeight {
    /// The weight of each class, or `None` when all count 1.
    ///
    /// `row_weights` enter the frequencies of [`ClassWeight::Balanced`]; classes without rows weigh 1.
    pub(super) fn of_classes(
        &self,
        labels: &[String],
        codes: &[u32],
        row_weights: Option<&[f64]>,
    ) -> Result<Option<Vec<f64>>, FitError> {
        match self {
            Self::Even => Ok(None),
            Self::Balanced | Self::BalancedSubsample => {
                let weight = |row: usize| row_weights.map_or(1.0, |weights| weights[row]);
                Ok(Some(balanced(labels.len(), codes.iter().enumerate().map(|(row, &code)| (code, weight(row))))))
            }
            Self::Given(given) => {
                let mut weights = vec![1.0; labels.len()];
                for (label, weight) in given {
                    let Some(code) = labels.iter().position(|other| other == label) else {
                        let near = nearest(label, labels.iter().map(String::as_str));
                        let hint = near.map(|near| format!(" did you mean '{near}'?")).unwrap_or_default();
                        return Err(FitError::UnknownClass { label: label.clone(), hint });
                    };
                    weights[code] = *weight;
                }
                Ok(Some(weights))
            }
        }
    }
}

/// `total / (classes · total of the class)` for every class that has weight, 1 for the others.
pub(super) fn balanced(classes: usize, rows: impl Iterator<Item = (u32, f64)>) -> Vec<f64> {
    let mut totals = vec![0.0; classes];
    rows.for_each(|(code, weight)| totals[code as usize] += weight);
    let present = totals.iter().filter(|total| **total > 0.0).count() as f64;
    let all: f64 = totals.iter().sum();
    totals.iter().map(|&total| if total > 0.0 { all / (present * total) } else { 1.0 }).collect()
}

/// The row weights times the weights of the rows' classes; `None` when every row counts 1.
pub(super) fn weighted_rows(
    codes: &[u32],
    row_weights: Option<&[f64]>,
    class_weights: Option<&[f64]>,
) -> Option<Vec<f64>> {
    match (row_weights, class_weights) {
        (None, None) => None,
        (Some(rows), None) => Some(rows.to_vec()),
        (None, Some(classes)) => Some(codes.iter().map(|&code| classes[code as usize]).collect()),
        (Some(rows), Some(classes)) => {
            Some(rows.iter().zip(codes).map(|(weight, &code)| weight * classes[code as usize]).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_classes_weigh_the_same_in_total() {
        let labels = ["a", "b", "unused"].map(str::to_owned);
        let weights = ClassWeight::Balanced.of_classes(&labels, &[0, 0, 0, 1], None).unwrap().unwrap();
        assert_eq!(weights, [4.0 / 6.0, 2.0, 1.0]);
        let rows = weighted_rows(&[0, 0, 0, 1], None, Some(&weights)).unwrap();
        assert_eq!(rows, [4.0 / 6.0, 4.0 / 6.0, 4.0 / 6.0, 2.0]);
    }

    #[test]
    fn given_weights_go_by_label() {
        let labels = ["yes", "no"].map(str::to_owned);
        let given = ClassWeight::Given(BTreeMap::from([("no".to_owned(), 3.0)]));
        let weights = given.of_classes(&labels, &[0, 1], None).unwrap();
        assert_eq!(weighted_rows(&[0, 1], Some(&[2.0, 5.0]), weights.as_deref()), Some(vec![2.0, 15.0]));
        let wrong = ClassWeight::Given(BTreeMap::from([("yess".to_owned(), 3.0)]));
        let error = wrong.of_classes(&labels, &[0, 1], None).unwrap_err();
        assert!(error.to_string().contains("did you mean 'yes'?"), "{error}");
    }
}
