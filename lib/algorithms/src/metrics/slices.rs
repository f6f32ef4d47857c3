//! Measures by the values of a column, to see where a model is weak.

use std::collections::{BTreeMap, HashMap};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bootstrap::BootstrapOptions;
use super::classifier::{Classified, ClassifierMetrics, ClassifierOptions, evaluate_classifier};
use super::regressor::{RegressorMetrics, RegressorOptions, evaluate_regressor};
use super::{Interval, Result, input, quantile};
use crate::table::Values;

/// A slice with fewer rows than this is marked as small.
const SMALL: usize = 10;

/// How rows are put into slices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SliceOptions {
    /// The largest number of values of a text column that get a slice of their own; the others share one.
    pub most_slices: usize,
    /// How to resample for intervals, and their confidence level; `None` leaves intervals out.
    pub intervals: Option<BootstrapOptions>,
}

impl Default for SliceOptions {
    fn default() -> Self {
        let intervals = Some(BootstrapOptions { replicates: 200, ..BootstrapOptions::default() });
        Self { most_slices: 20, intervals }
    }
}

/// What the rows of a slice have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SliceKind {
    /// One value of the column.
    Value,
    /// A range of a number column between two quartiles.
    Range,
    /// The rarer values of a text column together.
    Other,
    /// Rows without a value.
    Missing,
}

/// Rows that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SliceRows {
    /// What the rows have in common.
    pub kind: SliceKind,
    /// The value, or the range such as `(1.5, 3]`.
    pub label: String,
    /// The positions of the rows.
    pub rows: Vec<usize>,
}

/// The measures of one slice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Slice {
    /// What the rows have in common.
    pub kind: SliceKind,
    /// The value, or the range such as `(1.5, 3]`.
    pub label: String,
    /// The number of rows.
    pub n: u64,
    /// Whether there are fewer than 10 rows, too few to conclude anything.
    pub small: bool,
    /// The measures that are defined on the slice, by name.
    pub metrics: BTreeMap<String, f64>,
    /// Their confidence intervals, by the name of the measure; none for a small slice but that of accuracy or `mae`.
    pub intervals: BTreeMap<String, Interval>,
    /// Why other measures are not defined on the slice, by name.
    pub undefined: BTreeMap<String, String>,
}

/// The measures of a model by the values of a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SliceReport {
    /// The name of the column.
    pub column: String,
    /// The slices: values by falling number of rows, ranges in ascending order, then other and missing values.
    pub slices: Vec<Slice>,
}

/// Puts rows into slices: a text column, or a number column with at most 4 distinct values, by value; other number
/// columns by quartile.
pub fn slice_rows(values: &Values, most_slices: usize) -> Vec<SliceRows> {
    let (missing, present): (Vec<usize>, Vec<usize>) = (0..values.len()).partition(|&row| values.is_missing(row));
    let mut slices = match values {
        Values::Number { values: numbers, kind } => {
            by_quartile(numbers, &present, |value| kind.show(value)).unwrap_or_else(|| by_value(values, &present, 4))
        }
        Values::Text { .. } => by_value(values, &present, most_slices.max(1)),
    };
    if !missing.is_empty() {
        slices.push(SliceRows { kind: SliceKind::Missing, label: "missing".to_owned(), rows: missing });
    }
    slices
}

fn by_value(values: &Values, rows: &[usize], most: usize) -> Vec<SliceRows> {
    let mut found: HashMap<String, Vec<usize>> = HashMap::new();
    for &row in rows {
        found.entry(values.label(row).unwrap_or_default()).or_default().push(row);
    }
    let mut found: Vec<(String, Vec<usize>)> = found.into_iter().collect();
    found.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.0.cmp(&b.0)));
    let rare: Vec<Vec<usize>> = found.split_off(most.min(found.len())).into_iter().map(|(_, rows)| rows).collect();
    let value = |(label, rows)| SliceRows { kind: SliceKind::Value, label, rows };
    let mut slices: Vec<SliceRows> = found.into_iter().map(value).collect();
    if !rare.is_empty() {
        let mut rows = rare.concat();
        rows.sort_unstable();
        slices.push(SliceRows { kind: SliceKind::Other, label: format!("{} other values", rare.len()), rows });
    }
    slices
}

/// Quartiles; `None` for at most 4 distinct values. Equal quartiles give fewer slices.
fn by_quartile(numbers: &[f64], rows: &[usize], show: impl Fn(f64) -> String) -> Option<Vec<SliceRows>> {
    let sorted = quantile::sorted(rows.iter().map(|&row| numbers[row]));
    let mut distinct = sorted.clone();
    distinct.dedup();
    if distinct.len() <= 4 {
        return None;
    }
    let mut edges: Vec<f64> =
        [0.0, 0.25, 0.5, 0.75, 1.0].iter().filter_map(|&at| quantile::of_sorted(&sorted, at)).collect();
    edges.dedup();
    let inner = &edges[1..edges.len() - 1];
    let mut slices: Vec<SliceRows> = edges
        .windows(2)
        .enumerate()
        .map(|(at, ends)| SliceRows {
            kind: SliceKind::Range,
            label: format!("{}{}, {}]", if at == 0 { '[' } else { '(' }, show(ends[0]), show(ends[1])),
            rows: Vec::new(),
        })
        .collect();
    for &row in rows {
        slices[inner.partition_point(|&edge| edge < numbers[row])].rows.push(row);
    }
    slices.retain(|slice| !slice.rows.is_empty());
    Some(slices)
}

/// The measures of a classifier in each slice of a column.
///
/// Fails when the column does not have a value for each row, or for arguments that [`evaluate_classifier`] refuses.
pub fn classifier_slices(
    column: &str,
    values: &Values,
    data: &Classified<'_>,
    metrics: &ClassifierOptions,
    options: &SliceOptions,
) -> Result<SliceReport> {
    input::same_length("slice column", values.len(), "truth", data.truth.len())?;
    input::same_length("predicted", data.predicted.len(), "truth", data.truth.len())?;
    if let Some(probabilities) = data.probabilities {
        input::same_length("probabilities", probabilities.nrows(), "truth", data.truth.len())?;
    }
    input::weights(data.weights, data.truth.len())?;
    let slice = |found: SliceRows| {
        let take = |codes: &[u32]| found.rows.iter().map(|&row| codes[row]).collect::<Vec<u32>>();
        let (truth, predicted) = (take(data.truth), take(data.predicted));
        let probabilities = data.probabilities.map(|all| all.select(ndarray::Axis(0), &found.rows));
        let weights = slice_weights(data.weights, &found.rows);
        let part = Classified {
            truth: &truth,
            predicted: &predicted,
            probabilities: probabilities.as_ref().map(ndarray::ArrayBase::view),
            n_classes: data.n_classes,
            weights: weights.as_deref(),
        };
        let measured = evaluate_classifier(&part, &ClassifierOptions { intervals: options.intervals, ..*metrics })?;
        let values = classifier_values(&measured);
        Ok(found.measured(&values, "accuracy", measured.intervals, measured.undefined))
    };
    let slices = slice_rows(values, options.most_slices).into_iter().map(slice).collect::<Result<_>>()?;
    Ok(SliceReport { column: column.to_owned(), slices })
}

/// The measures of a regressor in each slice of a column.
///
/// Fails when the column does not have a value for each row, or for arguments that [`evaluate_regressor`] refuses.
pub fn regressor_slices(
    column: &str,
    values: &Values,
    truth: &[f64],
    predicted: &[f64],
    weights: Option<&[f64]>,
    options: &SliceOptions,
) -> Result<SliceReport> {
    input::same_length("slice column", values.len(), "truth", truth.len())?;
    input::same_length("predicted", predicted.len(), "truth", truth.len())?;
    input::weights(weights, truth.len())?;
    let slice = |found: SliceRows| {
        let take = |values: &[f64]| found.rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
        let weights = slice_weights(weights, &found.rows);
        let how = RegressorOptions { quantile: None, intervals: options.intervals };
        let measured = evaluate_regressor(&take(truth), &take(predicted), weights.as_deref(), &how)?;
        let values = regressor_values(&measured);
        Ok(found.measured(&values, "mae", measured.intervals, measured.undefined))
    };
    let slices = slice_rows(values, options.most_slices).into_iter().map(slice).collect::<Result<_>>()?;
    Ok(SliceReport { column: column.to_owned(), slices })
}

/// The weights of a slice; rows that all weigh 0 are measured as if they weighed the same.
fn slice_weights(weights: Option<&[f64]>, rows: &[usize]) -> Option<Vec<f64>> {
    let taken: Vec<f64> = rows.iter().map(|&row| weights.map_or(0.0, |weights| weights[row])).collect();
    taken.iter().any(|&weight| weight > 0.0).then_some(taken)
}

fn classifier_values(metrics: &ClassifierMetrics) -> Vec<(&'static str, Option<f64>)> {
    vec![
        ("accuracy", Some(metrics.accuracy)),
        ("balanced_accuracy", Some(metrics.balanced_accuracy)),
        ("precision", Some(metrics.precision)),
        ("recall", Some(metrics.recall)),
        ("f1_score", Some(metrics.f1_score)),
        ("mcc", Some(metrics.mcc)),
        ("auc_roc", metrics.auc_roc),
        ("pr_auc", metrics.pr_auc),
        ("log_loss", metrics.log_loss),
        ("brier", metrics.brier),
        ("ece", metrics.ece),
    ]
}

fn regressor_values(metrics: &RegressorMetrics) -> Vec<(&'static str, Option<f64>)> {
    vec![
        ("rmse", Some(metrics.rmse)),
        ("mae", Some(metrics.mae)),
        ("r2", metrics.r2),
        ("mape", metrics.mape),
        ("median_ae", Some(metrics.median_ae)),
        ("mean_bias", Some(metrics.mean_bias)),
    ]
}

impl SliceRows {
    fn measured(
        self,
        values: &[(&'static str, Option<f64>)],
        closed_form: &str,
        mut intervals: BTreeMap<String, Interval>,
        mut undefined: BTreeMap<String, String>,
    ) -> Slice {
        let small = self.rows.len() < SMALL;
        let shown = |name: &str| values.iter().any(|(value, _)| *value == name);
        // Resampling a handful of rows gives intervals that are far too narrow.
        intervals.retain(|name, _| shown(name) && (!small || name == closed_form));
        undefined.retain(|name, _| shown(name));
        let defined = |(name, value): &(&'static str, Option<f64>)| Some(((*name).to_owned(), (*value)?));
        Slice {
            kind: self.kind,
            label: self.label,
            n: self.rows.len() as u64,
            small,
            metrics: values.iter().filter_map(defined).collect(),
            intervals,
            undefined,
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::table::NumberKind;

    fn number(values: &[f64], kind: NumberKind) -> Values {
        Values::Number { values: values.to_vec(), kind }
    }

    fn labels(values: &Values, most: usize) -> Vec<(String, usize)> {
        slice_rows(values, most).into_iter().map(|slice| (slice.label, slice.rows.len())).collect()
    }

    #[test]
    fn numbers_are_cut_at_quartiles() {
        let values: Vec<f64> = (0..9).map(f64::from).chain([f64::NAN]).collect();
        let found = labels(&number(&values, NumberKind::Integer), 20);
        let expected = [("[0, 2]", 3), ("(2, 4]", 2), ("(4, 6]", 2), ("(6, 8]", 2), ("missing", 1)];
        assert_eq!(found, expected.map(|(label, n)| (label.to_owned(), n)));
        let flat = number(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0], NumberKind::Integer);
        assert_eq!(labels(&flat, 20).iter().map(|slice| slice.1).sum::<usize>(), 11);
        let flags = number(&[1.0, 0.0, 1.0], NumberKind::Boolean);
        assert_eq!(labels(&flags, 20), [("true".to_owned(), 2), ("false".to_owned(), 1)]);
    }

    #[test]
    fn rare_values_share_a_slice() {
        let text = Values::from_text([Some("a"), Some("b"), Some("a"), Some("c"), None, Some("missing")]);
        let found = slice_rows(&text, 1);
        let kinds: Vec<SliceKind> = found.iter().map(|slice| slice.kind).collect();
        assert_eq!(kinds, [SliceKind::Value, SliceKind::Other, SliceKind::Missing]);
        assert_eq!((found[1].label.as_str(), &found[1].rows[..]), ("3 other values", &[1, 3, 5][..]));
        assert!(slice_rows(&Values::from_text([]), 20).is_empty());
    }

    #[test]
    fn small_slices_are_marked_and_keep_the_closed_form_only() {
        let column = Values::from_text((0..40).map(|row| Some(if row < 35 { "many" } else { "few" })));
        let truth: Vec<u32> = (0..40).map(|row| row % 2).collect();
        let predicted: Vec<u32> = (0..40).map(|row| u32::from(row % 3 == 0)).collect();
        let probabilities =
            ndarray::Array2::from_shape_fn(
                (40, 2),
                |(row, class)| {
                    if (row % 3 == 0) == (class == 1) { 0.75 } else { 0.25 }
                },
            );
        let data = Classified {
            truth: &truth,
            predicted: &predicted,
            probabilities: Some(probabilities.view()),
            n_classes: 2,
            weights: None,
        };
        let (how, options) = (ClassifierOptions::default(), SliceOptions::default());
        let report = classifier_slices("size", &column, &data, &how, &options).unwrap();
        let [many, few] = &report.slices[..] else { panic!("{report:?}") };
        assert_eq!((many.n, many.small, few.n, few.small), (35, false, 5, true));
        assert!(many.intervals.contains_key("f1_score") && many.metrics.contains_key("auc_roc"));
        assert_eq!(few.intervals.keys().collect::<Vec<_>>(), ["accuracy"]);
        let right = (0..35).filter(|&row| truth[row] == predicted[row]).count() as f64;
        assert_eq!(many.metrics["accuracy"], right / 35.0);

        let (truth, predicted): (Vec<f64>, Vec<f64>) =
            (0..40).map(|row| (f64::from(row), f64::from(row + row % 4))).unzip();
        let weights: Vec<f64> = (0..40).map(|row| f64::from(u8::from(row < 35))).collect();
        let report = regressor_slices("size", &column, &truth, &predicted, Some(&weights), &options).unwrap();
        assert!(report.slices[0].intervals.contains_key("rmse"));
        assert_eq!(report.slices[1].intervals.keys().collect::<Vec<_>>(), ["mae"]);
        assert_eq!(report.slices[1].metrics["mean_bias"], 1.8);
    }

    #[test]
    fn a_slice_of_one_class_has_no_area_but_a_reason() {
        let column = Values::from_text([Some("a"), Some("a"), Some("b"), Some("b")]);
        let probabilities = array![[0.4, 0.6], [0.3, 0.7], [0.9, 0.1], [0.2, 0.8]];
        let data = Classified {
            truth: &[1, 1, 0, 1],
            predicted: &[1, 1, 0, 1],
            probabilities: Some(probabilities.view()),
            n_classes: 2,
            weights: Some(&[1.0; 4]),
        };
        let options = SliceOptions { intervals: None, ..SliceOptions::default() };
        let report = classifier_slices("group", &column, &data, &ClassifierOptions::default(), &options).unwrap();
        assert!(!report.slices[0].metrics.contains_key("auc_roc"));
        assert!(report.slices[0].undefined["auc_roc"].contains("class 1"));
        assert_eq!(report.slices[1].metrics["auc_roc"], 1.0);
    }

    #[test]
    fn columns_that_do_not_fit_are_refused() {
        let column = Values::from_text([Some("a")]);
        let data = Classified { truth: &[0, 1], predicted: &[0, 1], probabilities: None, n_classes: 2, weights: None };
        let how = ClassifierOptions::default();
        assert!(classifier_slices("c", &column, &data, &how, &SliceOptions::default()).is_err());
        assert!(regressor_slices("c", &column, &[1.0, 2.0], &[1.0, 2.0], None, &SliceOptions::default()).is_err());
    }
}
