//! The metrics against values that scikit-learn and `SciPy` computed on real data (`tests/golden/metrics.py`).

#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of these tests fail by panicking, as the tests do")]

use mlops_algorithms::metrics::calibration::calibration;
use mlops_algorithms::metrics::classification::Average;
use mlops_algorithms::metrics::confusion::{ConfusionMatrix, Normalisation};
use mlops_algorithms::metrics::delong::{delong_interval, delong_test};
use mlops_algorithms::metrics::multiclass_roc::{AucAveraging, averaged_auc, averaged_precision};
use mlops_algorithms::metrics::paired::{McnemarMethod, mcnemar, squared_error_t_test};
use mlops_algorithms::metrics::probability::{brier_score, log_loss};
use mlops_algorithms::metrics::regression::Predictions;
use mlops_algorithms::metrics::residuals::ResidualSummary;
use mlops_algorithms::metrics::roc::RankedScores;
use mlops_algorithms::metrics::threshold::{ThresholdObjective, most_probable, predict_with_threshold};
use mlops_algorithms::metrics::{Interval, intervals};
use ndarray::Array2;
use serde_json::Value;

fn cases(text: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(text).unwrap();
    all["cases"].as_array().unwrap().clone()
}

fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn optional_floats(value: &Value) -> Vec<Option<f64>> {
    value.as_array().unwrap().iter().map(Value::as_f64).collect()
}

fn codes(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|value| value.as_u64().unwrap() as u32).collect()
}

fn matrix(value: &Value) -> Array2<f64> {
    let lines: Vec<Vec<f64>> = value.as_array().unwrap().iter().map(floats).collect();
    let shape = (lines.len(), lines[0].len());
    Array2::from_shape_vec(shape, lines.concat()).unwrap()
}

#[track_caller]
fn near(what: &str, found: f64, expected: f64) {
    // Relative, so that small variances and p-values count too; values of 0 may differ by rounding.
    assert!((found - expected).abs() <= 1e-9 * expected.abs() + 1e-14, "{what}: {found} is not {expected}");
}

#[track_caller]
fn near_value(what: &str, found: f64, expected: &Value) {
    near(what, found, expected.as_f64().unwrap_or_else(|| panic!("{what}: there is no golden value")));
}

#[track_caller]
fn near_all(what: &str, found: &[f64], expected: &Value) {
    let expected = floats(expected);
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        near(what, *found, expected);
    }
}

#[track_caller]
fn near_option(what: &str, found: Option<f64>, expected: &Value) {
    assert_eq!(found.is_some(), expected.is_number(), "{what}: {found:?} is not {expected}");
    near(what, found.unwrap_or(0.0), expected.as_f64().unwrap_or(0.0));
}

#[track_caller]
fn near_interval(what: &str, found: &Interval, expected: &Value) {
    near_all(what, &[found.lower, found.upper], expected);
}

#[test]
fn classes_agree_with_scikit_learn() {
    for case in cases(include_str!("golden/metrics_classification.json")) {
        let (name, expected) = (case["name"].as_str().unwrap(), &case["expected"]);
        let (truth, predicted) = (codes(&case["truth"]), codes(&case["predicted"]));
        let probabilities = matrix(&case["probabilities"]);
        let weights = case["weights"].as_array().map(|_| floats(&case["weights"]));
        let weights = weights.as_deref();
        assert_eq!(most_probable(probabilities.view()), predicted, "{name}");

        let confusion = ConfusionMatrix::new(&truth, &predicted, probabilities.ncols(), weights).unwrap();
        assert_eq!(serde_json::to_value(&confusion.counts).unwrap(), expected["confusion"], "{name}");
        for (by, key) in [
            (Normalisation::True, "confusion_true"),
            (Normalisation::Pred, "confusion_pred"),
            (Normalisation::All, "confusion_all"),
        ] {
            for (line, expected) in confusion.normalised(by).iter().zip(expected[key].as_array().unwrap()) {
                near_all(name, line, expected);
            }
        }
        near_value(name, confusion.accuracy(), &expected["accuracy"]);
        near_value(name, confusion.balanced_accuracy(), &expected["balanced_accuracy"]);
        near_value(name, confusion.matthews_correlation(), &expected["mcc"]);
        near_option(name, confusion.cohen_kappa().value, &expected["kappa"]);
        let classes = confusion.per_class();
        near_all(name, &classes.iter().map(|class| class.precision).collect::<Vec<_>>(), &expected["per_class"][0]);
        near_all(name, &classes.iter().map(|class| class.recall).collect::<Vec<_>>(), &expected["per_class"][1]);
        near_all(name, &classes.iter().map(|class| class.f1_score).collect::<Vec<_>>(), &expected["per_class"][2]);
        for (average, key) in [
            (Average::Macro, "macro"),
            (Average::Micro, "micro"),
            (Average::Weighted, "weighted"),
            (Average::Binary, "binary"),
        ] {
            if expected[key].is_array() {
                let scores = confusion.averaged(average, Some(1)).unwrap();
                near_all(name, &[scores.precision, scores.recall, scores.f1_score], &expected[key]);
            }
        }
        near_value(name, log_loss(&truth, probabilities.view(), weights).unwrap(), &expected["log_loss"]);
        near_value(name, brier_score(&truth, probabilities.view(), weights).unwrap(), &expected["brier"]);
    }
}

#[test]
fn calibration_and_intervals_agree() {
    for case in cases(include_str!("golden/metrics_classification.json")) {
        let (name, expected) = (case["name"].as_str().unwrap(), &case["expected"]);
        let (truth, predicted) = (codes(&case["truth"]), codes(&case["predicted"]));
        let probabilities = matrix(&case["probabilities"]);
        let positive = (probabilities.ncols() == 2).then_some(1);
        let table = calibration(&truth, probabilities.view(), positive, 10).unwrap();
        let counts: Vec<u64> = table.bins.iter().map(|bin| bin.n).collect();
        assert_eq!(serde_json::to_value(counts).unwrap(), expected["reliability"]["n"], "{name}");
        let observed: Vec<f64> = table.bins.iter().filter_map(|bin| bin.observed).collect();
        near_all(name, &observed, &expected["reliability"]["observed"]);
        let mean: Vec<f64> = table.bins.iter().filter_map(|bin| bin.mean_probability).collect();
        near_all(name, &mean, &expected["reliability"]["mean"]);
        near_value(name, table.expected_calibration_error, &expected["ece"]);
        let right = truth.iter().zip(&predicted).filter(|(truth, predicted)| truth == predicted).count() as u64;
        let wilson = intervals::wilson(right, truth.len() as u64, 0.95).unwrap();
        near_interval(name, &wilson, &expected["wilson"]);
    }
}

#[test]
fn curves_and_areas_agree() {
    for case in cases(include_str!("golden/metrics_classification.json")) {
        let name = case["name"].as_str().unwrap();
        let truth = codes(&case["truth"]);
        let probabilities = matrix(&case["probabilities"]);
        let weights = case["weights"].as_array().map(|_| floats(&case["weights"]));
        for expected in case["expected"]["ranked"].as_array().unwrap() {
            let positive = expected["positive"].as_u64().unwrap() as u32;
            let ranked =
                RankedScores::from_probabilities(&truth, positive, probabilities.view(), weights.as_deref()).unwrap();
            let curve = ranked.roc_curve(true);
            let rate = |value: fn(&mlops_algorithms::metrics::roc::RocPoint) -> f64| -> Vec<f64> {
                curve.points.iter().map(value).collect()
            };
            near_all(name, &rate(|point| point.false_positive_rate), &expected["roc"][0]);
            near_all(name, &rate(|point| point.true_positive_rate), &expected["roc"][1]);
            let thresholds: Vec<Option<f64>> = curve.points.iter().map(|point| point.threshold).collect();
            assert_eq!(thresholds, optional_floats(&expected["roc"][2]), "{name}");
            let full = ranked.roc_curve(false);
            assert_eq!(full.points.len() as u64, expected["roc_points"].as_u64().unwrap(), "{name}");
            near_option(name, curve.auc, &expected["auc"]);
            near_option(name, full.auc, &expected["auc"]);

            let curve = ranked.precision_recall_curve();
            near_all(name, &curve.points.iter().map(|point| point.recall).collect::<Vec<_>>(), &expected["pr"][0]);
            near_all(name, &curve.points.iter().map(|point| point.precision).collect::<Vec<_>>(), &expected["pr"][1]);
            let thresholds: Vec<Option<f64>> = curve.points.iter().map(|point| point.threshold).collect();
            assert_eq!(thresholds, optional_floats(&expected["pr"][2]), "{name}");
            near_option(name, curve.average_precision, &expected["average_precision"]);

            let cost = ThresholdObjective::Cost { false_positive_cost: 2.0, false_negative_cost: 5.0 };
            for (objective, key) in [
                (ThresholdObjective::Youden, "best_youden"),
                (ThresholdObjective::F1, "best_f1"),
                (cost, "best_cost"),
                (ThresholdObjective::PrecisionAt { precision: 0.8 }, "recall_at_precision_0_8"),
                (ThresholdObjective::RecallAt { recall: 0.8 }, "precision_at_recall_0_8"),
            ] {
                near_option(name, ranked.best_threshold(objective).unwrap().value, &expected[key]);
            }
            if expected["delong"].is_object() {
                let scores = probabilities.column(positive as usize).to_vec();
                let found = delong_interval(&truth, positive, &scores, 0.95).unwrap();
                near_option(name, found.auc, &expected["auc"]);
                near_option(name, found.variance, &expected["delong"]["variance"]);
                near_interval(name, &found.interval.unwrap(), &expected["delong"]["interval"]);
            }
        }
    }
}

#[test]
fn areas_of_several_classes_agree() {
    let mut checked = 0;
    for case in cases(include_str!("golden/metrics_classification.json")) {
        let (name, expected) = (case["name"].as_str().unwrap(), &case["expected"]);
        let truth = codes(&case["truth"]);
        let probabilities = matrix(&case["probabilities"]);
        let weights = case["weights"].as_array().map(|_| floats(&case["weights"]));
        for (averaging, key) in [
            (AucAveraging::OneVsRestMacro, "ovr_macro"),
            (AucAveraging::OneVsRestWeighted, "ovr_weighted"),
            (AucAveraging::OneVsOneMacro, "ovo_macro"),
        ] {
            if expected[key].is_number() {
                let found = averaged_auc(&truth, probabilities.view(), None, averaging, weights.as_deref()).unwrap();
                assert_eq!(found.averaging, averaging, "{name}");
                near_option(name, found.value, &expected[key]);
                let absent = (0..3).filter(|class| !truth.contains(class)).collect::<Vec<u32>>();
                assert_eq!(found.left_out, absent, "{name}");
                checked += 1;
            }
        }
        if expected["macro_average_precision"].is_number() {
            let found = averaged_precision(&truth, probabilities.view(), None, weights.as_deref()).unwrap();
            near_option(name, found.value, &expected["macro_average_precision"]);
        }
    }
    assert!(checked >= 15, "{checked}");
}

#[test]
fn a_chosen_threshold_gives_the_predictions_that_it_was_chosen_for() {
    for case in cases(include_str!("golden/metrics_classification.json")).iter().take(4) {
        let truth = codes(&case["truth"]);
        let probabilities = matrix(&case["probabilities"]);
        let ranked = RankedScores::from_probabilities(&truth, 1, probabilities.view(), None).unwrap();
        let choice = ranked.best_threshold(ThresholdObjective::F1).unwrap();
        let predicted = predict_with_threshold(probabilities.view(), 1, choice.threshold.unwrap()).unwrap();
        let scores = ConfusionMatrix::new(&truth, &predicted, 2, None).unwrap();
        let scores = scores.averaged(Average::Binary, Some(1)).unwrap();
        near("f1", scores.f1_score, choice.value.unwrap());
        near("recall", scores.recall, choice.true_positive_rate.unwrap());
        near("precision", scores.precision, choice.precision.unwrap());
    }
}

#[test]
fn numbers_agree_with_scikit_learn() {
    for case in cases(include_str!("golden/metrics_regression.json")) {
        let (name, expected) = (case["name"].as_str().unwrap(), &case["expected"]);
        let (truth, predicted) = (floats(&case["truth"]), floats(&case["predicted"]));
        let weights = case["weights"].as_array().map(|_| floats(&case["weights"]));
        let all = Predictions::new(&truth, &predicted, weights.as_deref()).unwrap();
        near_value(name, all.root_mean_squared_error(), &expected["rmse"]);
        near_value(name, all.mean_absolute_error(), &expected["mae"]);
        near_option(name, all.r2().value, &expected["r2"]);
        near_option(name, all.explained_variance().value, &expected["explained_variance"]);
        near_value(name, all.median_absolute_error(), &expected["median_ae"]);
        near_value(name, all.max_error(), &expected["max_error"]);
        let percentage = all.mean_absolute_percentage_error();
        near_option(name, percentage.value, &expected["mape"]);
        assert_eq!(percentage.excluded_zero_targets, expected["zero_targets"].as_u64().unwrap(), "{name}");
        near_value(name, all.symmetric_mean_absolute_percentage_error(), &expected["smape"]);
        near_value(name, all.mean_bias(), &expected["mean_bias"]);
        let pinball: Vec<f64> = [0.1, 0.5, 0.9].iter().map(|&alpha| all.pinball_loss(alpha).unwrap()).collect();
        near_all(name, &pinball, &expected["pinball"]);
        for (confidence, key) in [(0.95, "mae_interval"), (0.999, "mae_interval_999")] {
            let found = intervals::mean_absolute_error_interval(&truth, &predicted, confidence).unwrap().unwrap();
            // SciPy has no interval without spread.
            if expected[key][1].is_number() {
                near_interval(name, &found, &expected[key]);
            } else {
                assert_eq!((found.lower, found.upper), (0.0, 0.0), "{name}");
            }
        }
        let summary = ResidualSummary::new(&truth, &predicted, 12, 8).unwrap();
        near_value(name, summary.mean, &expected["residual_mean"]);
        near_option(name, summary.standard_deviation, &expected["residual_deviation"]);
        let quantiles: Vec<f64> = summary.quantiles.iter().map(|quantile| quantile.value).collect();
        near_all(name, &quantiles, &expected["residual_quantiles"]);
        assert_eq!(serde_json::to_value(&summary.histogram.counts).unwrap(), expected["histogram"][0], "{name}");
        near_all(name, &summary.histogram.edges, &expected["histogram"][1]);
    }
}

#[test]
fn paired_tests_agree_with_scipy() {
    let golden: Value = serde_json::from_str(include_str!("golden/metrics_paired.json")).unwrap();
    let truth = codes(&golden["truth"]);
    let scores: Vec<Vec<f64>> = golden["scores"].as_array().unwrap().iter().map(floats).collect();
    let mut methods = Vec::new();
    for test in golden["tests"].as_array().unwrap() {
        let models = codes(&test["models"]);
        let (a, b) = (&scores[models[0] as usize], &scores[models[1] as usize]);
        let found = delong_test(&truth, 1, a, b, 0.95).unwrap();
        near_all("areas", &[found.auc_a.unwrap(), found.auc_b.unwrap()], &test["areas"]);
        near_option("z", found.z, &test["z"]);
        near_option("p", found.p_value, &test["p"]);
        near_interval("interval", &found.interval.unwrap(), &test["interval"]);

        let cut = |scores: &[f64]| scores.iter().map(|&score| u32::from(score >= 0.5)).collect::<Vec<u32>>();
        let (found, expected) = (mcnemar(&truth, &cut(a), &cut(b)).unwrap(), &test["mcnemar"]);
        assert_eq!(vec![found.only_a_right as u32, found.only_b_right as u32], codes(&expected["only"]));
        assert_eq!(found.method == McnemarMethod::ExactBinomial, expected["exact"].as_bool().unwrap());
        near_value("statistic", found.statistic, &expected["statistic"]);
        near_value("p", found.p_value, &expected["p"]);
        methods.push(found.method);
    }
    assert!(methods.contains(&McnemarMethod::ExactBinomial) && methods.contains(&McnemarMethod::ChiSquaredCorrected));

    let numbers = |key: &str| floats(&golden["numbers"][key]);
    let found = squared_error_t_test(&numbers("truth"), &numbers("a"), &numbers("b"), 0.95).unwrap();
    near_option("t", found.t, &golden["t_test"]["t"]);
    near_option("p", found.p_value, &golden["t_test"]["p"]);
    near_interval("interval", &found.interval.unwrap(), &golden["t_test"]["interval"]);

    for row in golden["wilson"].as_array().unwrap() {
        let (successes, trials) = (row[0].as_u64().unwrap(), row[1].as_u64().unwrap());
        let found = intervals::wilson(successes, trials, row[2].as_f64().unwrap()).unwrap();
        near_value("wilson", found.lower, &row[3]);
        near_value("wilson", found.upper, &row[4]);
    }
    let many: Vec<f64> = (0..200_000).map(|row| f64::from(row % 7)).collect();
    for row in golden["t_of_many"].as_array().unwrap() {
        let found = intervals::t_interval(&many, row[0].as_f64().unwrap()).unwrap().unwrap();
        near_value("mean of many", found.lower, &row[1]);
        near_value("mean of many", found.upper, &row[2]);
    }
    for row in golden["t_means"].as_array().unwrap() {
        let found = intervals::t_interval(&floats(&row[0]), row[1].as_f64().unwrap()).unwrap().unwrap();
        near_value("mean", found.lower, &row[2]);
        near_value("mean", found.upper, &row[3]);
    }
}
