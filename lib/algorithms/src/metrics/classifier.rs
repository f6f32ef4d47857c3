//! All measures of a classifier on one data set, with their intervals.

use std::collections::BTreeMap;

use ndarray::ArrayView2;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bootstrap::{self, BootstrapOptions};
use super::classification::{Average, ClassScores};
use super::confusion::ConfusionMatrix;
use super::multiclass_roc::{self, AucAveraging, ClassAuc};
use super::resampled::ResampledScores;
use super::{Interval, Result, calibration, delong, input, intervals, probability};

/// The predictions of a classifier and the truth, one value each row.
#[derive(Debug, Clone, Copy)]
pub struct Classified<'a> {
    /// The true class codes.
    pub truth: &'a [u32],
    /// The predicted class codes.
    pub predicted: &'a [u32],
    /// The predicted probabilities, rows × classes, when the model gives them.
    pub probabilities: Option<ArrayView2<'a, f64>>,
    /// The number of classes.
    pub n_classes: usize,
    /// Sample weights.
    pub weights: Option<&'a [f64]>,
}

/// How [`evaluate_classifier`] measures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassifierOptions {
    /// How precision, recall and F1 are averaged; `None` is binary for 2 classes and macro for more.
    pub average: Option<Average>,
    /// The positive class; `None` is class 1 of 2.
    pub positive: Option<u32>,
    /// How the area under the ROC curve of 3 or more classes is averaged.
    pub auc_averaging: AucAveraging,
    /// The number of bins of the expected calibration error.
    pub calibration_bins: usize,
    /// How to resample for intervals, and their confidence level; `None` leaves intervals out.
    pub intervals: Option<BootstrapOptions>,
}

impl Default for ClassifierOptions {
    fn default() -> Self {
        Self {
            average: None,
            positive: None,
            auc_averaging: AucAveraging::OneVsRestMacro,
            calibration_bins: calibration::DEFAULT_BINS,
            intervals: Some(BootstrapOptions::default()),
        }
    }
}

/// The measures of a classifier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClassifierMetrics {
    /// The number of rows.
    pub n: u64,
    /// The share of rows predicted right.
    pub accuracy: f64,
    /// The mean recall of the classes that have rows.
    pub balanced_accuracy: f64,
    /// Precision, averaged as `average` says.
    pub precision: f64,
    /// Recall, averaged as `average` says.
    pub recall: f64,
    /// F1, averaged as `average` says.
    pub f1_score: f64,
    /// How precision, recall and F1 are averaged over classes.
    pub average: Average,
    /// The positive class; null when there are 3 or more classes and none was named.
    pub positive_class: Option<u32>,
    /// Matthews' correlation coefficient, −1 to 1; 0 when truth or predictions are constant.
    pub mcc: f64,
    /// Cohen's kappa; null when truth and predictions hold one and the same class.
    pub cohen_kappa: Option<f64>,
    /// The area under the ROC curve; null without probabilities or when only one class is present.
    pub auc_roc: Option<f64>,
    /// How `auc_roc` is averaged over classes.
    pub auc_averaging: AucAveraging,
    /// Average precision, the area under the precision-recall curve: of the positive class of 2, else the plain mean
    /// over classes.
    pub pr_auc: Option<f64>,
    /// The mean negative logarithm of the probability of the true class, in nats.
    pub log_loss: Option<f64>,
    /// The Brier score: 0 to 1 for 2 classes, the sum over classes from 0 to 2 for more.
    pub brier: Option<f64>,
    /// The expected calibration error over bins of equal width.
    pub ece: Option<f64>,
    /// Precision, recall and F1 of each class.
    pub per_class: Vec<ClassScores>,
    /// The area under the ROC curve of each class against all others; empty without probabilities.
    pub per_class_auc: Vec<ClassAuc>,
    /// Confidence intervals by the name of the measure.
    pub intervals: BTreeMap<String, Interval>,
    /// Why measures that are null, or intervals that are missing, are not defined, by the name of the measure.
    pub undefined: BTreeMap<String, String>,
    /// What a reader must know about the numbers, such as scores that were taken as 0.
    pub notes: Vec<String>,
}

/// Measures predicted classes and probabilities against the truth.
///
/// The interval of accuracy is Wilson's and that of a binary area under the ROC curve `DeLong`'s; with weights, and for
/// all others, they are percentile bootstraps. Fails for arguments that do not fit or options outside their range.
pub fn evaluate_classifier(data: &Classified<'_>, options: &ClassifierOptions) -> Result<ClassifierMetrics> {
    let matrix = ConfusionMatrix::new(data.truth, data.predicted, data.n_classes, data.weights)?;
    let positive = options.positive.or((data.n_classes == 2).then_some(1));
    if let Some(positive) = positive {
        input::class("positive_class", positive, data.n_classes)?;
    }
    let average = options.average.unwrap_or(if data.n_classes == 2 { Average::Binary } else { Average::Macro });
    let scores = matrix.averaged(average, positive)?;
    let kappa = matrix.cohen_kappa();
    let taken_as_zero = scores
        .zero_divisions
        .iter()
        .map(|zero| format!("{} of class {} is taken as 0: {}", zero.metric, zero.class, zero.reason));
    let mut metrics = ClassifierMetrics {
        n: matrix.n(),
        accuracy: matrix.accuracy(),
        balanced_accuracy: matrix.balanced_accuracy(),
        precision: scores.precision,
        recall: scores.recall,
        f1_score: scores.f1_score,
        average,
        positive_class: positive,
        mcc: matrix.matthews_correlation(),
        cohen_kappa: kappa.value,
        auc_roc: None,
        auc_averaging: options.auc_averaging,
        pr_auc: None,
        log_loss: None,
        brier: None,
        ece: None,
        per_class: matrix.per_class(),
        per_class_auc: Vec::new(),
        intervals: BTreeMap::new(),
        undefined: kappa.reason.map(|reason| ("cohen_kappa".to_owned(), reason)).into_iter().collect(),
        notes: taken_as_zero.collect(),
    };
    match data.probabilities {
        Some(probabilities) => add_probability_scores(&mut metrics, data, probabilities, options)?,
        None => {
            for name in ["auc_roc", "pr_auc", "log_loss", "brier", "ece"] {
                metrics.undefined.insert(name.to_owned(), "the model gives classes without probabilities".to_owned());
            }
        }
    }
    if let Some(resampling) = &options.intervals {
        add_intervals(&mut metrics, data, resampling)?;
        add_closed_forms(&mut metrics, data, resampling.confidence)?;
    }
    Ok(metrics)
}

fn add_probability_scores(
    metrics: &mut ClassifierMetrics,
    data: &Classified<'_>,
    probabilities: ArrayView2<'_, f64>,
    options: &ClassifierOptions,
) -> Result<()> {
    let (truth, weights, positive) = (data.truth, data.weights, metrics.positive_class);
    input::same_length("classes of probabilities", probabilities.ncols(), "n_classes", data.n_classes)?;
    let auc = multiclass_roc::averaged_auc(truth, probabilities, positive, options.auc_averaging, weights)?;
    let precision = multiclass_roc::averaged_precision(truth, probabilities, positive, weights)?;
    for (name, reason) in [("auc_roc", auc.reason), ("pr_auc", precision.reason)] {
        metrics.undefined.extend(reason.map(|reason| (name.to_owned(), reason)));
    }
    metrics.auc_roc = auc.value;
    metrics.auc_averaging = auc.averaging;
    metrics.pr_auc = precision.value;
    metrics.per_class_auc = auc.per_class;
    metrics.notes.extend(
        auc.left_out.iter().map(|class| format!("class {class} has no row, so it has no part in averages of areas")),
    );
    metrics.log_loss = Some(probability::log_loss(truth, probabilities, weights)?);
    metrics.brier = Some(probability::brier_score(truth, probabilities, weights)?);
    let of = positive.filter(|_| data.n_classes == 2);
    let table = calibration::calibration(truth, probabilities, of, options.calibration_bins)?;
    metrics.ece = Some(table.expected_calibration_error);
    Ok(())
}

/// The measures that have bootstrap intervals, in the order in which a resample gives them.
const RESAMPLED: [&str; 11] = [
    "accuracy",
    "balanced_accuracy",
    "precision",
    "recall",
    "f1_score",
    "mcc",
    "cohen_kappa",
    "auc_roc",
    "pr_auc",
    "log_loss",
    "brier",
];

fn add_intervals(metrics: &mut ClassifierMetrics, data: &Classified<'_>, options: &BootstrapOptions) -> Result<()> {
    let (average, positive) = (metrics.average, metrics.positive_class);
    let binary = metrics.positive_class.filter(|_| metrics.auc_averaging == AucAveraging::Binary);
    let areas =
        data.probabilities.map(|all| ResampledScores::new(data, all, metrics.auc_averaging, binary)).transpose()?;
    let found = bootstrap::bootstrap_all(data.truth.len(), options, |rows| {
        let weights = data.weights;
        let drawn = rows.iter().copied();
        let matrix = ConfusionMatrix::of_rows(data.truth, data.predicted, data.n_classes, weights, drawn);
        if matrix.total() <= 0.0 {
            return [None; 11];
        }
        let [precision, recall, f1] = matrix.averaged_values(average, positive).map_or([None; 3], |v| v.map(Some));
        let [auc, average_precision, log_loss, brier] = areas.as_ref().map_or([None; 4], |areas| areas.of(rows));
        [
            Some(matrix.accuracy()),
            Some(matrix.balanced_accuracy()),
            precision,
            recall,
            f1,
            Some(matrix.matthews_correlation()),
            matrix.cohen_kappa().value,
            auc,
            average_precision,
            log_loss,
            brier,
        ]
    })?;
    for (name, found) in RESAMPLED.into_iter().zip(found) {
        if metrics.undefined.contains_key(name) {
            continue;
        }
        match (found.interval, found.reason) {
            (Some(interval), _) => drop(metrics.intervals.insert(name.to_owned(), interval)),
            (None, reason) => drop(metrics.undefined.insert(format!("{name}_interval"), reason.unwrap_or_default())),
        }
    }
    Ok(())
}

/// Replaces intervals by those that need no resampling. They do not know weights.
fn add_closed_forms(metrics: &mut ClassifierMetrics, data: &Classified<'_>, confidence: f64) -> Result<()> {
    if data.weights.is_some() {
        return Ok(());
    }
    let right = data.truth.iter().zip(data.predicted).filter(|(truth, predicted)| truth == predicted).count();
    let interval = intervals::wilson(right as u64, data.truth.len() as u64, confidence)?;
    metrics.intervals.insert("accuracy".to_owned(), interval);
    let binary = (metrics.auc_averaging == AucAveraging::Binary).then_some(metrics.positive_class).flatten();
    if let (Some(probabilities), Some(positive)) = (data.probabilities, binary) {
        let scores = probabilities.column(positive as usize).to_vec();
        let found = delong::delong_interval(data.truth, positive, &scores, confidence)?;
        if let Some(interval) = found.interval {
            metrics.intervals.insert("auc_roc".to_owned(), interval);
            metrics.notes.extend(found.reason.map(|reason| format!("auc_roc: {reason}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;
    use crate::metrics::IntervalMethod;

    fn options(auc_averaging: AucAveraging) -> ClassifierOptions {
        let intervals = Some(BootstrapOptions { replicates: 200, ..BootstrapOptions::default() });
        ClassifierOptions { auc_averaging, intervals, ..ClassifierOptions::default() }
    }

    /// 60 rows whose most probable class is mostly right.
    fn rows(n_classes: usize) -> (Vec<u32>, Vec<u32>, Array2<f64>) {
        let truth: Vec<u32> = (0..60).map(|row| (row % n_classes) as u32).collect();
        let probabilities = Array2::from_shape_fn((60, n_classes), |(row, class)| {
            let strength = 0.2 + 0.6 * ((row * 37 % 60) as f64 / 60.0);
            let own = if class == row % n_classes { 1.0 } else { 0.0 };
            strength * own + (1.0 - strength) * (1.0 - own) / (n_classes as f64 - 1.0)
        });
        let predicted = super::super::threshold::most_probable(probabilities.view());
        (truth, predicted, probabilities)
    }

    fn evaluate(n_classes: usize, averaging: AucAveraging, weights: Option<&[f64]>) -> ClassifierMetrics {
        let (truth, predicted, all) = rows(n_classes);
        let data =
            Classified { truth: &truth, predicted: &predicted, probabilities: Some(all.view()), n_classes, weights };
        evaluate_classifier(&data, &options(averaging)).unwrap()
    }

    #[test]
    fn two_classes_have_closed_forms_where_there_are_some() {
        let metrics = evaluate(2, AucAveraging::OneVsRestMacro, None);
        assert_eq!((metrics.auc_averaging, metrics.positive_class), (AucAveraging::Binary, Some(1)));
        assert_eq!(metrics.intervals["accuracy"].method, IntervalMethod::Wilson);
        assert_eq!(metrics.intervals["auc_roc"].method, IntervalMethod::Delong);
        assert_eq!(metrics.intervals["f1_score"].method, IntervalMethod::PercentileBootstrap);
        assert_eq!((metrics.intervals.len(), metrics.per_class_auc.len()), (11, 2));
        let weighted = evaluate(2, AucAveraging::OneVsRestMacro, Some(&[2.0; 60]));
        assert_eq!(weighted.intervals["auc_roc"].method, IntervalMethod::PercentileBootstrap);
        assert!((weighted.auc_roc.unwrap() - metrics.auc_roc.unwrap()).abs() < 1e-12);
    }

    #[test]
    fn the_interval_of_each_averaging_holds_its_area() {
        for averaging in [AucAveraging::OneVsRestMacro, AucAveraging::OneVsRestWeighted, AucAveraging::OneVsOneMacro] {
            let metrics = evaluate(3, averaging, None);
            let (auc, interval) = (metrics.auc_roc.unwrap(), &metrics.intervals["auc_roc"]);
            assert!(interval.lower < auc && auc < interval.upper, "{averaging:?} {auc} {interval:?}");
            assert_eq!((metrics.auc_averaging, metrics.average), (averaging, Average::Macro));
        }
    }

    #[test]
    fn one_class_has_reasons_and_no_number_that_is_not_finite() {
        let probabilities = array![[0.4, 0.6], [0.3, 0.7]];
        let data = Classified {
            truth: &[1, 1],
            predicted: &[1, 1],
            probabilities: Some(probabilities.view()),
            n_classes: 2,
            weights: None,
        };
        let metrics = evaluate_classifier(&data, &options(AucAveraging::OneVsRestMacro)).unwrap();
        assert_eq!((metrics.auc_roc, metrics.cohen_kappa, metrics.accuracy), (None, None, 1.0));
        assert!(metrics.undefined["auc_roc"].contains("every row is of class 1"));
        assert!(!metrics.intervals.contains_key("auc_roc"));
        assert!(!serde_json::to_string(&metrics).unwrap().contains("NaN"));
    }

    #[test]
    fn without_probabilities_the_rest_is_there() {
        let data =
            Classified { truth: &[0, 1, 2], predicted: &[0, 1, 1], probabilities: None, n_classes: 4, weights: None };
        let metrics = evaluate_classifier(&data, &options(AucAveraging::OneVsRestMacro)).unwrap();
        assert_eq!((metrics.log_loss, metrics.ece, metrics.n), (None, None, 3));
        assert!(metrics.undefined["log_loss"].contains("without probabilities"));
        assert!(metrics.notes[0].contains("precision of class 2"));
        assert_eq!(metrics.intervals.len(), 7);
    }

    #[test]
    fn arguments_that_do_not_fit_are_refused() {
        let probabilities = array![[0.4, 0.6], [0.3, 0.7]];
        let data = Classified {
            truth: &[0, 1],
            predicted: &[0, 1],
            probabilities: Some(probabilities.view()),
            n_classes: 3,
            weights: None,
        };
        let options = options(AucAveraging::OneVsRestMacro);
        assert!(evaluate_classifier(&data, &options).is_err());
        let positive = ClassifierOptions { positive: Some(3), ..options };
        assert!(evaluate_classifier(&Classified { probabilities: None, ..data }, &positive).is_err());
        let binary = ClassifierOptions { average: Some(Average::Binary), ..options };
        assert!(evaluate_classifier(&Classified { probabilities: None, ..data }, &binary).is_err());
    }
}
