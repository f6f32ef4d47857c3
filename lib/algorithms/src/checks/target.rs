//! The checks of the target column.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::findings::FailedRows;
use super::{Check, CheckResult, Severity, Task, Thresholds};
use crate::table::{Column, Values};
use crate::target::Target;

/// The target as the checks read it; rows without a usable value are `None` or `NaN`.
pub(super) enum View {
    Classes {
        /// The class of each row.
        codes: Vec<Option<u32>>,
        /// The classes.
        labels: Vec<String>,
    },
    Numbers {
        /// The number of each row.
        values: Vec<f64>,
    },
}

impl View {
    pub(super) fn of(target: &Column, task: Option<Task>) -> Self {
        let classes = match task {
            Some(task) => task == Task::Classification,
            None => Target::looks_like_classes(&target.values),
        };
        match target.values.numbers() {
            Ok(numbers) if !classes => {
                let finite = numbers.iter().map(|&value| if value.is_finite() { value } else { f64::NAN });
                Self::Numbers { values: finite.collect() }
            }
            _ => {
                let (codes, first) = codes(&target.values);
                let label = |row: &usize| target.values.label(*row).unwrap_or_default();
                Self::Classes { codes, labels: first.iter().map(label).collect() }
            }
        }
    }
}

/// The index of each row's value among the distinct ones in order of first appearance, and the row where each appears.
pub(super) fn codes(values: &Values) -> (Vec<Option<u32>>, Vec<usize>) {
    let mut seen = HashMap::new();
    let mut first = Vec::new();
    let mut code = |row: usize| {
        let key = match values {
            Values::Number { values, .. } => (values[row] + 0.0).to_bits(),
            Values::Text { codes, .. } => u64::from(codes[row]),
        };
        let present = !values.is_missing(row);
        present.then(|| {
            *seen.entry(key).or_insert_with(|| {
                first.push(row);
                first.len() as u32 - 1
            })
        })
    };
    let codes = (0..values.len()).map(&mut code).collect();
    (codes, first)
}

pub(super) fn check(target: &Column, view: &View, thresholds: &Thresholds) -> Vec<CheckResult> {
    let mut results = unusable(target);
    results.extend(match view {
        View::Classes { codes, labels } => classes(&target.name, codes, labels, thresholds),
        View::Numbers { values } => one_number(&target.name, values).into_iter().collect(),
    });
    results
}

/// Missing and infinite values.
fn unusable(target: &Column) -> Vec<CheckResult> {
    let rows = target.values.len();
    let name = Some(target.name.as_str());
    let mut results = Vec::new();
    let missing = (0..rows).filter(|&row| target.values.is_missing(row)).collect::<FailedRows>();
    if missing.count > 0 {
        let all = missing.count == rows;
        let severity = if all { Severity::Error } else { Severity::Warning };
        let end = if all { "there is nothing to learn" } else { "their rows cannot be used" };
        let message = format!("{} of {rows} values of the target are missing; {end}", missing.count);
        let share = missing.count as f64 / rows as f64;
        results.push(CheckResult::new(Check::Target, name, severity, share, message).failed(&missing));
    }
    if let Values::Number { values, .. } = &target.values {
        let infinite = (0..rows).filter(|&row| values[row].is_infinite()).collect::<FailedRows>();
        if infinite.count > 0 {
            let message = format!("{} values of the target are infinite; remove or correct those rows", infinite.count);
            let result = CheckResult::new(Check::Target, name, Severity::Error, infinite.count, message);
            results.push(result.failed(&infinite));
        }
    }
    results
}

fn one_number(name: &str, values: &[f64]) -> Option<CheckResult> {
    let mut present = values.iter().filter(|value| !value.is_nan());
    let first = present.next()?;
    let message = format!("every value of the target is {first}; there is nothing to learn");
    let result = CheckResult::new(Check::Target, Some(name), Severity::Error, *first, message);
    present.all(|value| value == first).then_some(result)
}

fn classes(name: &str, codes: &[Option<u32>], labels: &[String], thresholds: &Thresholds) -> Vec<CheckResult> {
    let mut counts = vec![0_usize; labels.len()];
    codes.iter().flatten().for_each(|&code| counts[code as usize] += 1);
    let mut order = (0..labels.len()).collect::<Vec<_>>();
    order.sort_by_key(|&class| (Reverse(counts[class]), &labels[class]));
    let name = Some(name);
    let (Some(&most), Some(&least)) = (order.first(), order.last()) else { return Vec::new() };
    if most == least {
        let message = format!("the target has only one class, '{}'; a classifier needs at least two", labels[most]);
        return vec![CheckResult::new(Check::Target, name, Severity::Error, 1, message).threshold(2)];
    }
    let mut results = Vec::new();
    let listed = order.iter().take(20).map(|&class| format!("{} {}", labels[class], counts[class]));
    let listed = listed.collect::<Vec<_>>().join(", ") + if order.len() > 20 { ", …" } else { "" };
    let message = format!("the target has {} classes: {listed}", labels.len());
    results.push(CheckResult::new(Check::ClassCounts, name, Severity::Info, listed, message));
    let small = order.iter().filter(|&&class| counts[class] < thresholds.class_rows).count();
    if small > 0 {
        let of_small = |row: &usize| codes[*row].is_some_and(|code| counts[code as usize] < thresholds.class_rows);
        let message = format!(
            "{small} classes have fewer than {} rows; the smallest, '{}', has {}",
            thresholds.class_rows, labels[least], counts[least]
        );
        let result = CheckResult::new(Check::ClassCounts, name, Severity::Warning, counts[least], message);
        results.push(result.threshold(thresholds.class_rows).failed(&(0..codes.len()).filter(of_small).collect()));
    }
    let ratio = counts[most] as f64 / counts[least] as f64;
    if ratio > thresholds.class_ratio {
        let message = format!(
            "the classes are out of balance: '{}' has {} rows and '{}' has {}",
            labels[most], counts[most], labels[least], counts[least]
        );
        let result = CheckResult::new(Check::ClassCounts, name, Severity::Warning, ratio, message);
        results.push(result.threshold(thresholds.class_ratio));
    }
    results
}
