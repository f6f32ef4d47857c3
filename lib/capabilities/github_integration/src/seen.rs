//! What was seen of the data of a request, for people to check.

use std::collections::BTreeMap;

use mlops_algorithms::table::Values;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::Facts;

/// The most classes that are listed.
const MOST_CLASSES: usize = 20;
/// The most characters of a label that are shown.
const LONGEST_LABEL: usize = 100;

/// What was seen of the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeenData {
    /// The rows; reckoned from the size of the file when not all were read.
    pub rows: u64,
    /// Whether every row was read, so that all counts are exact.
    pub complete: bool,
    /// The columns, the target among them.
    pub columns: u64,
    /// The column to predict; null where nothing is predicted.
    pub target: Option<SeenTarget>,
}

/// What was seen of the column to predict, in the rows that were read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeenTarget {
    /// Its name.
    pub column: String,
    /// The rows in which it is missing.
    pub missing: u64,
    /// How many different values it has.
    pub distinct: u64,
    /// Its most frequent values, at most 20, the most frequent first.
    pub classes: Vec<SeenClass>,
    /// Its smallest value when it holds numbers; null otherwise.
    pub minimum: Option<f64>,
    /// Its largest value when it holds numbers; null otherwise.
    pub maximum: Option<f64>,
}

/// A value of the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SeenClass {
    /// The value.
    pub label: String,
    /// The rows that have it.
    pub rows: u64,
}

impl SeenData {
    /// What the facts say about a request, for that target where there is one; `None` when there is no such column.
    pub(crate) fn of(facts: &Facts, target: Option<&str>) -> Option<Self> {
        let target = match target {
            Some(name) => Some(SeenTarget::of(name, &facts.table.column(name)?.values)),
            None => None,
        };
        Some(Self { rows: facts.rows, complete: facts.is_complete, columns: facts.table.num_columns() as u64, target })
    }
}

impl SeenTarget {
    fn of(column: &str, values: &Values) -> Self {
        let mut counts = BTreeMap::<String, u64>::new();
        for label in (0..values.len()).filter_map(|row| values.label(row)) {
            *counts.entry(label).or_default() += 1;
        }
        let distinct = counts.len() as u64;
        let mut classes: Vec<SeenClass> = counts.into_iter().map(|(label, rows)| SeenClass { label, rows }).collect();
        // The sort is stable: values that are equally frequent stay in the order of their names.
        classes.sort_by_key(|class| std::cmp::Reverse(class.rows));
        classes.truncate(MOST_CLASSES);
        for class in &mut classes {
            class.label = class.label.chars().take(LONGEST_LABEL).collect();
        }
        let numbers = values.numbers().ok();
        let known = || numbers.iter().flat_map(|numbers| numbers.iter().copied()).filter(|number| number.is_finite());
        Self {
            column: column.to_owned(),
            missing: values.missing() as u64,
            distinct,
            classes,
            minimum: known().reduce(f64::min),
            maximum: known().reduce(f64::max),
        }
    }
}

#[cfg(test)]
mod tests {
    use mlops_algorithms::table::{Column, NumberKind, Table};

    use super::*;

    #[test]
    fn classes_are_counted_and_numbers_have_a_range() {
        let text = Values::from_text([Some("b"), Some("a"), None, Some("b"), Some("c")]);
        let number = Values::Number { values: vec![2.0, f64::NAN, -1.5, 4.0, 2.0], kind: NumberKind::Float };
        let columns = vec![Column { name: "t".into(), values: text }, Column { name: "n".into(), values: number }];
        let facts = Facts::new(Table { columns }, 100);
        let seen = SeenData::of(&facts, Some("t")).unwrap();
        let found = seen.target.unwrap();
        assert_eq!((seen.rows, seen.complete, seen.columns), (5, true, 2));
        let classes: Vec<(&str, u64)> = found.classes.iter().map(|one| (&one.label[..], one.rows)).collect();
        assert_eq!(classes, [("b", 2), ("a", 1), ("c", 1)]);
        assert_eq!((found.missing, found.distinct, found.minimum), (1, 3, None));
        let target = SeenData::of(&facts, Some("n")).unwrap().target.unwrap();
        assert_eq!((target.minimum, target.maximum, target.missing), (Some(-1.5), Some(4.0), 1));
        assert_eq!(SeenData::of(&facts, Some("zzz")), None);
        assert_eq!(SeenData::of(&facts, None).unwrap().target, None);
    }

    #[test]
    fn a_target_of_many_values_is_cut() {
        let labels: Vec<String> = (0..50).map(|at| format!("{at:02}{}", "x".repeat(200))).collect();
        let values = Values::from_text(labels.iter().map(|label| Some(label.as_str())));
        let target = SeenTarget::of("t", &values);
        assert_eq!((target.distinct, target.classes.len(), target.classes[0].label.len()), (50, 20, 100));
    }
}
