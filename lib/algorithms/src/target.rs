//! The column that a model learns to predict, as class codes or as numbers.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::table::{NumberKind, Values};

/// The most distinct whole numbers that look like classes.
const CLASS_LIMIT: usize = 20;

/// A target without missing values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Classes, for classification.
    Classes {
        /// The names of the classes: in numeric order for a number column, in lexicographic order of bytes for text.
        labels: Vec<String>,
        /// One index into `labels` a row.
        codes: Vec<u32>,
    },
    /// Finite numbers, one a row, for regression.
    Numbers(Vec<f64>),
}

/// Why a column cannot be a target. The caller knows the column's name and adds it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// There is no row.
    #[error("the target has no rows")]
    Empty,
    /// Every value is missing.
    #[error("every one of the target's {rows} values is missing; choose another target column")]
    AllMissing {
        /// The number of rows.
        rows: usize,
    },
    /// Some values are missing.
    #[error(
        "{count} of the target's {rows} values are missing, the first in row {first} (counted from 0); drop those rows first"
    )]
    Missing {
        /// How many are missing.
        count: usize,
        /// The number of rows.
        rows: usize,
        /// The first row that is missing, counted from 0.
        first: usize,
    },
    /// Some values are infinite.
    #[error(
        "{count} of the target's values are infinite, the first in row {first} (counted from 0); remove or correct those rows"
    )]
    Infinite {
        /// How many are infinite.
        count: usize,
        /// The first row that is infinite, counted from 0.
        first: usize,
    },
    /// A classifier cannot be learnt from one class.
    #[error("the target has only one class, '{label}'; a classifier needs at least two")]
    OneClass {
        /// The only class.
        label: String,
    },
    /// A value that is none of the classes that the model knows.
    #[error(
        "row {row} (counted from 0) has the class '{label}', which is none of the {known} known classes: {classes}"
    )]
    UnseenLabel {
        /// The class.
        label: String,
        /// The row, counted from 0.
        row: usize,
        /// How many classes are known.
        known: usize,
        /// The first ten of the known classes, for the reader.
        classes: String,
    },
    /// Text where numbers are needed.
    #[error(
        "the target holds text such as '{value}' where regression needs numbers; choose a number column or classification"
    )]
    NotNumbers {
        /// The first value that is not a number.
        value: String,
    },
}

impl Target {
    /// The classes of a column.
    ///
    /// Without `labels` the classes are found in the column, in the order that scikit-learn's `LabelEncoder` gives:
    /// numeric for a number column, lexicographic for text; one class only is an error. With `labels`, as when a
    /// fitted model is applied, their order holds, a single class is enough, and a value outside them is an error.
    /// A number matches a label of equal value, so that `1` and `1.0` are the same class.
    pub fn classes(values: &Values, labels: Option<&[String]>) -> Result<Self, TargetError> {
        check_present(values)?;
        if let Values::Number { values, .. } = values {
            check_finite(values)?;
        }
        let found = Distinct::of(values);
        let Some(labels) = labels else {
            if let [label] = found.labels.as_slice() {
                return Err(TargetError::OneClass { label: label.clone() });
            }
            return Ok(Self::Classes { labels: found.labels, codes: found.codes });
        };
        let known = positions(&found.labels, labels);
        let code = |(row, &code): (usize, &u32)| {
            known[code as usize].ok_or_else(|| TargetError::UnseenLabel {
                label: found.labels[code as usize].clone(),
                row,
                known: labels.len(),
                classes: labels.iter().take(10).cloned().collect::<Vec<_>>().join(", "),
            })
        };
        let codes = found.codes.iter().enumerate().map(code).collect::<Result<_, _>>()?;
        Ok(Self::Classes { labels: labels.to_vec(), codes })
    }

    /// The numbers of a column. Text is read as numbers when all of it can be.
    pub fn numbers(values: &Values) -> Result<Self, TargetError> {
        check_present(values)?;
        let values = values.numbers().map_err(|value| TargetError::NotNumbers { value })?.into_owned();
        // Text such as "nan" becomes missing only now.
        let values = Values::Number { values, kind: NumberKind::Float };
        check_present(&values)?;
        let Values::Number { values, .. } = values else { return Err(TargetError::Empty) };
        check_finite(&values)?;
        Ok(Self::Numbers(values))
    }

    /// The rows whose value is none of `labels`, with that value; as in [`Target::classes`], a number matches a label of
    /// equal value. Rows without a value are not among them.
    pub fn unknown_classes(values: &Values, labels: &[String]) -> Vec<(usize, String)> {
        let present = (0..values.len()).filter(|&row| !values.is_missing(row)).collect::<Vec<_>>();
        let found = Distinct::of(&values.take(&present));
        let known = positions(&found.labels, labels);
        let rows = present.into_iter().zip(&found.codes).map(|(row, &code)| (row, code as usize));
        rows.filter(|(_, code)| known[*code].is_none()).map(|(row, code)| (row, found.labels[code].clone())).collect()
    }

    /// Whether a column looks like classes rather than like a quantity: text, true and false, or whole numbers with at
    /// most 20 distinct values. Used where nobody said what the task is.
    pub fn looks_like_classes(values: &Values) -> bool {
        let Values::Number { values, kind } = values else { return true };
        let mut distinct = BTreeSet::new();
        *kind == NumberKind::Boolean
            || values.iter().filter(|value| !value.is_nan()).all(|value| {
                distinct.insert((value + 0.0).to_bits());
                value.fract() == 0.0 && distinct.len() <= CLASS_LIMIT
            })
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Classes { codes, .. } => codes.len(),
            Self::Numbers(values) => values.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The target at `rows`, in that order; the labels stay as they are.
    ///
    /// # Panics
    /// When a row is not below [`Target::len`].
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        match self {
            Self::Classes { labels, codes } => {
                Self::Classes { labels: labels.clone(), codes: rows.iter().map(|&row| codes[row]).collect() }
            }
            Self::Numbers(values) => Self::Numbers(rows.iter().map(|&row| values[row]).collect()),
        }
    }
}

/// The distinct values of a column without missing values, in order, and the index of each row's value among them.
struct Distinct {
    labels: Vec<String>,
    codes: Vec<u32>,
}

impl Distinct {
    fn of(values: &Values) -> Self {
        match values {
            Values::Number { values, kind } => {
                // Adding zero turns -0 into 0; the two are one class.
                let key = |value: &f64| value + 0.0;
                let mut distinct = values.iter().map(key).collect::<Vec<_>>();
                distinct.sort_unstable_by(f64::total_cmp);
                distinct.dedup();
                let code = |value| distinct.partition_point(|&other| other < key(value)) as u32;
                let codes = values.iter().map(code).collect();
                Self { labels: distinct.iter().map(|&value| kind.show(value)).collect(), codes }
            }
            Values::Text { codes, categories } => {
                let mut used = vec![false; categories.len()];
                for &code in codes {
                    used[code as usize] = true;
                }
                let seen = categories.iter().zip(&used).filter(|(_, used)| **used).map(|(label, _)| label);
                let mut labels = seen.cloned().collect::<Vec<_>>();
                labels.sort_unstable();
                labels.dedup();
                let order = labels.iter().enumerate().map(|(code, label)| (label.as_str(), code as u32));
                let order = order.collect::<HashMap<_, _>>();
                let recode = |&code: &u32| order.get(categories[code as usize].as_str()).copied().unwrap_or_default();
                let codes = codes.iter().map(recode).collect();
                Self { labels, codes }
            }
        }
    }
}

/// The index of each found label among the known ones, by its text or else by its value as a number.
fn positions(found: &[String], known: &[String]) -> Vec<Option<u32>> {
    // Adding zero turns -0 into 0.
    let bits = |label: &str| label.parse::<f64>().ok().map(|number| (number + 0.0).to_bits());
    let by_text = known.iter().zip(0..).map(|(label, code)| (label.as_str(), code)).collect::<HashMap<_, u32>>();
    let by_number = known.iter().zip(0..).filter_map(|(label, code)| Some((bits(label)?, code)));
    let by_number = by_number.collect::<HashMap<_, u32>>();
    let position = |label: &String| {
        by_text.get(label.as_str()).or_else(|| bits(label).and_then(|bits| by_number.get(&bits))).copied()
    };
    found.iter().map(position).collect()
}

fn check_present(values: &Values) -> Result<(), TargetError> {
    let rows = values.len();
    let count = values.missing();
    match (0..rows).find(|&row| values.is_missing(row)) {
        _ if rows == 0 => Err(TargetError::Empty),
        Some(_) if count == rows => Err(TargetError::AllMissing { rows }),
        Some(first) => Err(TargetError::Missing { count, rows, first }),
        None => Ok(()),
    }
}

fn check_finite(values: &[f64]) -> Result<(), TargetError> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(first) => {
            Err(TargetError::Infinite { count: values.iter().filter(|value| !value.is_finite()).count(), first })
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(values: &[f64], kind: NumberKind) -> Values {
        Values::Number { values: values.to_vec(), kind }
    }

    fn text(values: &[&str]) -> Values {
        Values::from_text(values.iter().map(|value| Some(*value)))
    }

    fn classes(labels: &[&str], codes: &[u32]) -> Target {
        Target::Classes { labels: labels.iter().map(ToString::to_string).collect(), codes: codes.to_vec() }
    }

    #[test]
    fn number_classes_are_in_numeric_order() {
        let values = number(&[10.0, 9.0, -0.0, 0.0, 10.0], NumberKind::Integer);
        assert_eq!(Target::classes(&values, None), Ok(classes(&["0", "9", "10"], &[2, 1, 0, 0, 2])));
        let values = number(&[1.0, 0.0], NumberKind::Boolean);
        assert_eq!(Target::classes(&values, None), Ok(classes(&["false", "true"], &[1, 0])));
    }

    #[test]
    fn text_classes_are_in_lexicographic_order() {
        let target = Target::classes(&text(&["b", "a", "B", "b"]), None).unwrap();
        assert_eq!(target, classes(&["B", "a", "b"], &[2, 1, 0, 2]));
        assert_eq!(target.take(&[1, 1]), classes(&["B", "a", "b"], &[1, 1]));
    }

    #[test]
    fn categories_that_no_row_uses_are_no_classes() {
        let values = text(&["x", "y", "z"]).take(&[2, 1]);
        assert_eq!(Target::classes(&values, None), Ok(classes(&["y", "z"], &[1, 0])));
    }

    #[test]
    fn given_labels_hold_and_others_are_refused() {
        let labels = ["b".to_owned(), "a".to_owned()];
        assert_eq!(Target::classes(&text(&["a"]), Some(&labels)), Ok(classes(&["b", "a"], &[1])));
        let error = Target::classes(&text(&["a", "c"]), Some(&labels)).unwrap_err();
        assert!(error.to_string().starts_with("row 1 (counted from 0) has the class 'c'"), "{error}");
        let labels = ["1.0".to_owned(), "2.0".to_owned()];
        let values = number(&[2.0, 1.0], NumberKind::Integer);
        assert_eq!(Target::classes(&values, Some(&labels)), Ok(classes(&["1.0", "2.0"], &[1, 0])));
    }

    #[test]
    fn unknown_classes_are_found() {
        let labels = ["1".to_owned(), "b".to_owned()];
        let found = Target::unknown_classes(&number(&[1.0, f64::NAN, 2.0], NumberKind::Float), &labels);
        assert_eq!(found, [(2, "2".to_owned())]);
        let values = Values::from_text([Some("zz"), None, Some("b"), Some("1.0"), Some("zz")]);
        assert_eq!(Target::unknown_classes(&values, &labels), [(0, "zz".to_owned()), (4, "zz".to_owned())]);
    }

    #[test]
    fn few_whole_numbers_look_like_classes() {
        let whole = |count: i32| number(&(0..count).map(f64::from).collect::<Vec<_>>(), NumberKind::Float);
        assert!(Target::looks_like_classes(&whole(20)));
        assert!(!Target::looks_like_classes(&whole(21)));
        assert!(!Target::looks_like_classes(&number(&[0.5, 1.0], NumberKind::Float)));
        assert!(Target::looks_like_classes(&text(&["a"])));
    }

    #[test]
    fn one_class_is_refused() {
        let error = Target::classes(&text(&["a", "a"]), None).unwrap_err();
        assert_eq!(error, TargetError::OneClass { label: "a".to_owned() });
    }

    #[test]
    fn missing_and_infinite_values_are_counted() {
        let values = number(&[1.0, f64::NAN, f64::NAN], NumberKind::Float);
        assert_eq!(Target::numbers(&values), Err(TargetError::Missing { count: 2, rows: 3, first: 1 }));
        let values = number(&[f64::NAN], NumberKind::Float);
        assert_eq!(Target::classes(&values, None), Err(TargetError::AllMissing { rows: 1 }));
        let values = number(&[0.0, f64::INFINITY, f64::NEG_INFINITY], NumberKind::Float);
        assert_eq!(Target::numbers(&values), Err(TargetError::Infinite { count: 2, first: 1 }));
        assert_eq!(Target::classes(&values, None), Err(TargetError::Infinite { count: 2, first: 1 }));
        assert_eq!(Target::numbers(&number(&[], NumberKind::Float)), Err(TargetError::Empty));
        let values = Values::from_text([Some("a"), None]);
        assert_eq!(Target::classes(&values, None), Err(TargetError::Missing { count: 1, rows: 2, first: 1 }));
    }

    #[test]
    fn text_is_a_number_target_when_all_of_it_reads_as_numbers() {
        assert_eq!(Target::numbers(&text(&["1.5", " 2 "])), Ok(Target::Numbers(vec![1.5, 2.0])));
        let error = Target::numbers(&text(&["1.5", "two"])).unwrap_err();
        assert_eq!(error, TargetError::NotNumbers { value: "two".to_owned() });
        let error = Target::numbers(&text(&["1.5", "nan"])).unwrap_err();
        assert_eq!(error, TargetError::Missing { count: 1, rows: 2, first: 1 });
    }

    #[test]
    fn numbers_can_be_taken_and_saved() {
        let target = Target::numbers(&number(&[3.0, 4.0], NumberKind::Float)).unwrap();
        assert_eq!((target.len(), target.is_empty()), (2, false));
        assert_eq!(target.take(&[1]), Target::Numbers(vec![4.0]));
        let json = serde_json::to_string(&target).unwrap();
        assert_eq!(serde_json::from_str::<Target>(&json).unwrap(), target);
    }
}
