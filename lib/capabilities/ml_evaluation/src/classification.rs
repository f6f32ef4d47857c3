//! A classifier's answers, measured.

use std::collections::BTreeMap;

use mlops_algorithms::metrics::bootstrap::BootstrapOptions;
use mlops_algorithms::metrics::calibration::{self, DEFAULT_BINS};
use mlops_algorithms::metrics::classification::Average;
use mlops_algorithms::metrics::classifier::{Classified, ClassifierMetrics, ClassifierOptions, evaluate_classifier};
use mlops_algorithms::metrics::confusion::ConfusionMatrix;
use mlops_algorithms::metrics::roc::RankedScores;
use mlops_algorithms::metrics::threshold::{self, ThresholdObjective};
use mlops_algorithms::models::Baseline;
use mlops_algorithms::target::Target;
use mlops_core::{Call, Error, Result};
use ndarray::Array2;

use crate::evaluation::{ClassCurve, ClassResult, ClassificationDetail, ConfusedClasses, Guess, Metrics};
use crate::fault;
use crate::resampling::{self, MOST_CLASSES};
use crate::rounding::{settle_intervals, settled};

/// The most classes whose confusion matrix goes into a document.
const MATRIX_CLASSES: usize = 200;
/// The most classes whose curves go into a document.
const CURVES: usize = 50;
/// The most points of one curve, and of all curves together.
const POINTS: (usize, usize) = (200, 2000);
/// The most pairs of confused classes.
const CONFUSIONS: usize = 10;

/// How answers are made of probabilities and measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measuring {
    /// How precision, recall and F1 are averaged; `None` is binary for two classes and macro for more.
    pub average: Option<Average>,
    /// The positive class; `None` is the second of two.
    pub positive: Option<u32>,
    /// The probability from which the positive class is predicted.
    pub threshold: Option<f64>,
    /// How to resample for intervals, and their confidence.
    pub resampling: BootstrapOptions,
}

/// A classifier's answers on some rows.
pub(crate) struct Answers {
    /// The true class codes.
    pub truth: Vec<u32>,
    /// The predicted class codes.
    pub predicted: Vec<u32>,
    /// The probabilities, rows × classes.
    pub probabilities: Array2<f64>,
}

impl Answers {
    /// The answers that follow from the probabilities.
    pub(crate) fn new(truth: Vec<u32>, probabilities: Array2<f64>, how: &Measuring) -> Result<Self> {
        let predicted = match (how.threshold, how.positive) {
            (Some(cut), Some(positive)) => {
                threshold::predict_with_threshold(probabilities.view(), positive, cut).map_err(fault::of_metric)?
            }
            _ => threshold::most_probable(probabilities.view()),
        };
        Ok(Self { truth, predicted, probabilities })
    }

    /// The answers on some of the rows.
    pub(crate) fn take(&self, rows: &[usize]) -> Self {
        let take = |codes: &[u32]| rows.iter().map(|&row| codes[row]).collect();
        let probabilities = self.probabilities.select(ndarray::Axis(0), rows);
        Self { truth: take(&self.truth), predicted: take(&self.predicted), probabilities }
    }

    /// The answers as measures take them.
    pub(crate) fn classified(&self) -> Classified<'_> {
        Classified {
            truth: &self.truth,
            predicted: &self.predicted,
            probabilities: Some(self.probabilities.view()),
            n_classes: self.probabilities.ncols(),
            weights: None,
        }
    }

    /// All measures; with intervals when asked.
    pub(crate) fn measure(&self, how: &Measuring, intervals: bool) -> Result<ClassifierMetrics> {
        let data = self.classified();
        let many = data.n_classes > MOST_CLASSES;
        let mut found = evaluate_classifier(&data, &options(how, intervals && !many)).map_err(fault::of_metric)?;
        if intervals && many {
            resampling::add_overall(&mut found, &data, &how.resampling)?;
        }
        settle_intervals(&mut found.intervals);
        for (name, value) in metrics_of(&found) {
            if value.is_none() {
                found.undefined.entry(name).or_insert_with(|| "it has no value on these rows".to_owned());
            }
        }
        Ok(found)
    }

    /// The rows by true and predicted class.
    pub(crate) fn matrix(&self) -> Result<ConfusionMatrix> {
        ConfusionMatrix::new(&self.truth, &self.predicted, self.probabilities.ncols(), None).map_err(fault::of_metric)
    }

    /// What always naming the most frequent class of these rows reaches.
    pub(crate) fn guess(&self, labels: &[String], how: &Measuring) -> Result<Guess> {
        let target = Target::Classes { labels: labels.to_vec(), codes: self.truth.clone() };
        let missing = || Error::internal("there is no baseline for these rows");
        let baseline = Baseline::fit(&target).ok_or_else(missing)?;
        let Target::Classes { codes, .. } = baseline.predict(self.truth.len()) else { return Err(missing()) };
        let probabilities = baseline.predict_proba(self.truth.len()).ok_or_else(missing)?;
        let class = codes.first().and_then(|&code| labels.get(code as usize)).cloned().unwrap_or_default();
        let guesses = Self { truth: self.truth.clone(), predicted: codes, probabilities };
        let metrics = metrics_of(&guesses.measure(how, false)?);
        Ok(Guess { strategy: "majority_class".to_owned(), predicts: class.into(), metrics })
    }

    /// What only classifiers have.
    pub(crate) fn detail(
        &self,
        labels: &[String],
        how: &Measuring,
        metrics: &ClassifierMetrics,
        call: &Call,
    ) -> Result<ClassificationDetail> {
        let matrix = self.matrix()?;
        let label = |code: u32| labels.get(code as usize).cloned().unwrap_or_default();
        let binary = metrics.positive_class.filter(|_| labels.len() == 2);
        let table = calibration::calibration(&self.truth, self.probabilities.view(), binary, DEFAULT_BINS);
        Ok(ClassificationDetail {
            labels: labels.to_vec(),
            average: metrics.average,
            auc_averaging: metrics.auc_averaging,
            positive_class: metrics.positive_class.map(label),
            threshold: how.threshold,
            per_class: class_results(metrics, labels),
            top_confusions: top_confusions(&matrix, labels),
            curves: self.curves(labels, binary, call)?,
            calibration: Some(table.map_err(fault::of_metric)?),
            confusion_matrix: if labels.len() <= MATRIX_CLASSES { matrix.counts } else { Vec::new() },
        })
    }

    /// The curves of the positive class of two, or of each class; of too many, those with the smallest areas.
    pub(crate) fn curves(&self, labels: &[String], binary: Option<u32>, call: &Call) -> Result<Vec<ClassCurve>> {
        let classes: Vec<u32> = binary.map_or_else(|| (0..labels.len() as u32).collect(), |class| vec![class]);
        let points = (POINTS.1 / classes.len().clamp(1, CURVES)).min(POINTS.0);
        let mut curves = Vec::new();
        for class in classes {
            call.check()?;
            let ranked = self.ranked(class)?;
            let (roc, recall) = (ranked.roc_curve(true), ranked.precision_recall_curve());
            curves.push(ClassCurve {
                label: labels.get(class as usize).cloned().unwrap_or_default(),
                prevalence: recall.prevalence,
                auc_roc: roc.auc.map(settled),
                average_precision: recall.average_precision.map(settled),
                roc: roc.decimated(points).points,
                precision_recall: recall.decimated(points).points,
            });
        }
        if curves.len() > CURVES {
            let area = |curve: &ClassCurve| curve.auc_roc.unwrap_or(f64::INFINITY);
            curves.sort_by(|a, b| area(a).total_cmp(&area(b)));
            curves.truncate(CURVES);
        }
        Ok(curves)
    }

    /// The rows ranked by the probability of that class.
    pub(crate) fn ranked(&self, class: u32) -> Result<RankedScores> {
        RankedScores::from_probabilities(&self.truth, class, self.probabilities.view(), None).map_err(fault::of_metric)
    }

    /// The threshold that is best for that on these rows.
    pub(crate) fn best_threshold(&self, positive: u32, objective: ThresholdObjective) -> Result<f64> {
        let choice = self.ranked(positive)?.best_threshold(objective).map_err(fault::of_metric)?;
        let reason = choice.reason.unwrap_or_default();
        // The threshold that takes no row lies a little above the highest score, which may be 1.
        choice.threshold.map(|threshold| threshold.min(1.0)).ok_or_else(|| {
            Error::invalid_input(format!("there is no best threshold on this data: {reason}"))
                .at("optimize_for")
                .hint("leave `optimize_for` out, or give test data with both classes")
        })
    }
}

/// The options of the measures.
pub(crate) fn options(how: &Measuring, intervals: bool) -> ClassifierOptions {
    ClassifierOptions {
        average: how.average,
        positive: how.positive,
        intervals: intervals.then_some(how.resampling),
        ..ClassifierOptions::default()
    }
}

/// The metrics by the names that results use.
pub(crate) fn metrics_of(metrics: &ClassifierMetrics) -> Metrics {
    let values = [
        ("accuracy", Some(metrics.accuracy)),
        ("precision", Some(metrics.precision)),
        ("recall", Some(metrics.recall)),
        ("f1_score", Some(metrics.f1_score)),
        ("auc_roc", metrics.auc_roc),
        ("log_loss", metrics.log_loss),
        ("brier", metrics.brier),
        ("ece", metrics.ece),
        ("mcc", Some(metrics.mcc)),
        ("balanced_accuracy", Some(metrics.balanced_accuracy)),
        ("pr_auc", metrics.pr_auc),
    ];
    values.into_iter().map(|(name, value)| (name.to_owned(), value.map(settled))).collect()
}

/// The scores of each class under its name.
pub(crate) fn class_results(metrics: &ClassifierMetrics, labels: &[String]) -> Vec<ClassResult> {
    let areas: BTreeMap<u32, Option<f64>> =
        metrics.per_class_auc.iter().map(|class| (class.class, class.auc)).collect();
    let result = metrics.per_class.iter().map(|class| ClassResult {
        label: labels.get(class.class as usize).cloned().unwrap_or_default(),
        precision: settled(class.precision),
        recall: settled(class.recall),
        f1_score: settled(class.f1_score),
        support: class.support,
        predicted: class.predicted,
        auc_roc: areas.get(&class.class).copied().flatten().map(settled),
    });
    result.collect()
}

/// The classes that were most often taken for each other.
pub(crate) fn top_confusions(matrix: &ConfusionMatrix, labels: &[String]) -> Vec<ConfusedClasses> {
    let label = |code: u32| labels.get(code as usize).cloned().unwrap_or_default();
    let named = matrix.top_confusions(CONFUSIONS).into_iter().map(|pair| ConfusedClasses {
        actual: label(pair.truth),
        predicted: label(pair.predicted),
        count: pair.count,
        share_of_actual: pair.share_of_true,
    });
    named.collect()
}

/// A reason with the classes' names in place of their codes.
pub(crate) fn in_names(reason: &str, labels: &[String]) -> String {
    let mut pieces = reason.split("class ");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
        let label = piece[..digits].parse::<usize>().ok().and_then(|code| labels.get(code));
        match label {
            Some(label) => text.extend(["class `", label.as_str(), "`", &piece[digits..]]),
            None => text.extend(["class ", piece]),
        }
    }
    text
}

/// What a reader must know about classes that have no row or were never predicted.
pub(crate) fn notes(results: &[ClassResult]) -> Vec<String> {
    let note = |class: &ClassResult| match (class.support, class.predicted) {
        (0, 0) => Some(format!(
            "the class `{}` is neither in the test data nor predicted; averages leave it out",
            class.label
        )),
        (0, _) => Some(format!("the class `{}` is not in the test data; its recall counts as 0", class.label)),
        (_, 0) => Some(format!("the class `{}` is never predicted; its precision counts as 0", class.label)),
        _ => None,
    };
    results.iter().filter_map(note).take(20).collect()
}
