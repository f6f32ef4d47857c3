//! Two models on the same rows: what differs, and whether it is more than chance.

use std::collections::BTreeMap;

use mlops_algorithms::metrics::bootstrap::BootstrapOptions;
use mlops_algorithms::metrics::classification::Average;
use mlops_algorithms::metrics::confusion::ConfusionMatrix;
use mlops_algorithms::metrics::delong::{self, DelongTest};
use mlops_algorithms::metrics::paired::{self, BootstrapDifference, McnemarTest, PairedTTest};
use mlops_algorithms::metrics::regression::Predictions;
use mlops_core::Result;
use ndarray::Array2;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::evaluation::Metrics;
use crate::{fault, resampling, rounding};

/// How a model compares with another one on the rows that both can score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// The model that is compared with.
    pub baseline: ComparedModel,
    /// How many rows both models scored.
    pub n: usize,
    /// The metrics of the model that is compared with, on these rows; one that is not defined is null.
    pub baseline_metrics: Metrics,
    /// The model's metric minus that of the other, for metrics that both have.
    pub deltas: BTreeMap<String, f64>,
    /// The metric of the headline test: `accuracy`, `rmse` or `silhouette`.
    pub metric: String,
    /// How much better the model is in that metric; below 0 it is worse, whichever way the metric counts.
    pub gain: f64,
    /// The name of the headline test.
    pub test: String,
    /// Its two-sided p-value; null when there is no test, as when both predict the same.
    pub p_value: Option<f64>,
    /// The p-value below which the difference counts as more than chance: 1 minus the confidence.
    pub level: f64,
    /// Whether the difference in that metric is more than chance.
    pub significant: bool,
    /// All tests that were made.
    pub tests: Tests,
}

/// A model that another one is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ComparedModel {
    /// Where it lies.
    pub uri: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Its algorithm.
    pub algorithm: String,
}

/// Paired tests; A is the model, B the one that it is compared with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tests {
    /// `McNemar`'s test of equal accuracy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcnemar: Option<McnemarTest>,
    /// The bootstrap of the difference in accuracy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<BootstrapDifference>,
    /// The bootstrap of the difference in F1, for at most 50 classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub f1_score: Option<BootstrapDifference>,
    /// `DeLong`'s test of equal areas under the ROC curve, for two classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auc_roc: Option<DelongTest>,
    /// The paired t-test of equal mean squared error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub squared_error: Option<PairedTTest>,
    /// The bootstrap of the difference in root mean squared error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rmse: Option<BootstrapDifference>,
    /// The bootstrap of the difference in the mean silhouette of the same rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silhouette: Option<BootstrapDifference>,
}

/// A classifier's answers on the common rows.
pub(crate) struct ClassAnswers<'a> {
    /// The predicted class codes.
    pub predicted: &'a [u32],
    /// The probabilities, rows × classes.
    pub probabilities: &'a Array2<f64>,
    /// The metrics on these rows.
    pub metrics: &'a Metrics,
}

/// Compares two classifiers on the rows of `truth`.
pub(crate) fn of_classifiers(
    other: ComparedModel,
    truth: &[u32],
    model: &ClassAnswers<'_>,
    baseline: &ClassAnswers<'_>,
    (average, positive): (Average, Option<u32>),
    options: &BootstrapOptions,
) -> Result<Comparison> {
    let classes = model.probabilities.ncols();
    let mcnemar = paired::mcnemar(truth, model.predicted, baseline.predicted).map_err(fault::of_metric)?;
    let accuracy = |predicted: &[u32], rows: &[usize]| {
        let right = rows.iter().filter(|&&row| truth[row] == predicted[row]).count();
        (!rows.is_empty()).then(|| right as f64 / rows.len() as f64)
    };
    let f1 = |predicted: &[u32], rows: &[usize]| {
        let take = |codes: &[u32]| rows.iter().map(|&row| codes[row]).collect::<Vec<_>>();
        let matrix = ConfusionMatrix::new(&take(truth), &take(predicted), classes, None).ok()?;
        Some(matrix.averaged(average, positive).ok()?.f1_score)
    };
    let (a, b) = (model.predicted, baseline.predicted);
    let rows = truth.len();
    let accuracy = paired::bootstrap_difference(rows, options, |rows| accuracy(a, rows), |rows| accuracy(b, rows));
    let by_class = classes <= resampling::MOST_CLASSES;
    let f1_score = by_class
        .then(|| paired::bootstrap_difference(rows, options, |rows| f1(a, rows), |rows| f1(b, rows)))
        .transpose();
    let auc_roc = positive.filter(|_| classes == 2).map(|positive| {
        let scores = |of: &ClassAnswers<'_>| of.probabilities.column(positive as usize).to_vec();
        delong::delong_test(truth, positive, &scores(model), &scores(baseline), options.confidence)
    });
    let deltas = deltas(model.metrics, baseline.metrics);
    let level = rounding::level(options.confidence);
    Ok(Comparison {
        baseline: other,
        n: rows,
        baseline_metrics: baseline.metrics.clone(),
        metric: "accuracy".to_owned(),
        gain: deltas.get("accuracy").copied().unwrap_or(0.0),
        deltas,
        test: "McNemar's test".to_owned(),
        p_value: Some(mcnemar.p_value),
        level,
        significant: mcnemar.p_value < level,
        tests: Tests {
            mcnemar: Some(mcnemar),
            accuracy: Some(accuracy.map_err(fault::of_metric)?),
            f1_score: f1_score.map_err(fault::of_metric)?,
            auc_roc: auc_roc.transpose().map_err(fault::of_metric)?,
            ..Tests::default()
        },
    })
}

/// Compares two regressors, given as predictions and metrics, on the rows of `truth`.
pub(crate) fn of_regressors(
    other: ComparedModel,
    truth: &[f64],
    (model, metrics): (&[f64], &Metrics),
    (baseline, baseline_metrics): (&[f64], &Metrics),
    options: &BootstrapOptions,
) -> Result<Comparison> {
    let test = paired::squared_error_t_test(truth, model, baseline, options.confidence).map_err(fault::of_metric)?;
    let rmse = |predicted: &[f64], rows: &[usize]| {
        let take = |values: &[f64]| rows.iter().map(|&row| values[row]).collect::<Vec<_>>();
        let (truth, predicted) = (take(truth), take(predicted));
        Some(Predictions::new(&truth, &predicted, None).ok()?.root_mean_squared_error())
    };
    let difference =
        paired::bootstrap_difference(truth.len(), options, |rows| rmse(model, rows), |rows| rmse(baseline, rows));
    let deltas = deltas(metrics, baseline_metrics);
    let level = rounding::level(options.confidence);
    Ok(Comparison {
        baseline: other,
        n: truth.len(),
        baseline_metrics: baseline_metrics.clone(),
        metric: "rmse".to_owned(),
        gain: -deltas.get("rmse").copied().unwrap_or(0.0),
        deltas,
        test: "paired t-test of squared errors".to_owned(),
        p_value: test.p_value,
        level,
        significant: test.p_value.is_some_and(|p_value| p_value < level),
        tests: Tests {
            squared_error: Some(test),
            rmse: Some(difference.map_err(fault::of_metric)?),
            ..Tests::default()
        },
    })
}

/// The model's metric minus that of the other, for metrics that both have.
pub(crate) fn deltas(model: &Metrics, baseline: &Metrics) -> BTreeMap<String, f64> {
    let delta = |(name, value): (&String, &Option<f64>)| {
        let difference = (*value)? - (*baseline.get(name)?)?;
        Some((name.clone(), difference))
    };
    model.iter().filter_map(delta).collect()
}

/// The positions in `rows` and in `others` of the values that are in both; both ascend.
pub(crate) fn common(rows: &[usize], others: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let mut place = 0;
    for (at, row) in rows.iter().enumerate() {
        while others.get(place).is_some_and(|other| other < row) {
            place += 1;
        }
        if others.get(place) == Some(row) {
            ours.push(at);
            theirs.push(place);
        }
    }
    (ours, theirs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn other() -> ComparedModel {
        ComparedModel { uri: "u".to_owned(), sha256: "s".to_owned(), algorithm: "decision_tree".to_owned() }
    }

    #[test]
    fn the_common_rows_are_found_on_both_sides() {
        assert_eq!(common(&[0, 2, 3, 7], &[1, 2, 7, 9]), (vec![1, 3], vec![1, 2]));
        assert_eq!(common(&[], &[1]), (vec![], vec![]));
    }

    #[test]
    fn a_regressor_with_smaller_errors_gains() {
        let truth: Vec<f64> = (0..40).map(f64::from).collect();
        let near: Vec<f64> = truth.iter().map(|value| value + 0.1 * (value % 3.0 - 1.0)).collect();
        let far: Vec<f64> = truth.iter().map(|value| value + 3.0 * (value % 5.0 - 2.0)).collect();
        let metrics = |rmse: f64| Metrics::from([("rmse".to_owned(), Some(rmse)), ("r2".to_owned(), None)]);
        let options = BootstrapOptions { replicates: 100, confidence: 0.95, seed: 1 };
        let found = of_regressors(other(), &truth, (&near, &metrics(0.1)), (&far, &metrics(4.2)), &options).unwrap();
        assert!(found.significant && (found.gain - 4.1).abs() < 1e-12, "{found:?}");
        assert_eq!(found.deltas.len(), 1);
        let same = of_regressors(other(), &truth, (&near, &metrics(0.1)), (&near, &metrics(0.1)), &options).unwrap();
        assert!(!same.significant && same.p_value.is_none());
    }
}
