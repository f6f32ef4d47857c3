//! `evaluate_classifier`: how good a classifier is on test data, and how sure that is.

use std::collections::BTreeMap;

use mlops_algorithms::metrics::Interval;
use mlops_algorithms::metrics::classification::Average;
use mlops_algorithms::metrics::multiclass_roc::AucAveraging;
use mlops_algorithms::metrics::slices::SliceReport;
use mlops_algorithms::metrics::threshold::ThresholdObjective;
use mlops_artifacts::{Kind, run_id};
use mlops_core::values::{ArtifactUri, SupervisedTask};
use mlops_core::{ArtifactLink, Call, Effect, Error, Lang, Report, Result, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::classifier_run::{self, ClassifierRequest};
use crate::evaluation::{ClassResult, ConfusedClasses, Evaluation, Guess, PlotFile};
use crate::plots::lettering::decimal;
use crate::storing::{self, Folder};
use crate::{Comparison, MlEvaluation, scoring, slicing};

/// The most classes whose own scores go into a result; `evaluation.json` has all.
const CLASSES: usize = 100;

/// Measure a classifier on test data: accuracy, precision, recall, F1, areas under curves, calibration, each with its
/// interval, by class and by slice, against guessing and, if asked, against another model on the same rows with paired
/// tests. Writes evaluation.json, the predictions and plots. Test data may be raw: the model brings its preprocessor.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvaluateClassifier {
    /// Where the model lies, as training gave it.
    pub model_s3_uri: ArtifactUri,
    /// Where the test data lies: raw columns, or columns that the model's own preprocessor made. The target is in it.
    pub test_data_s3_uri: ArtifactUri,
    /// Whether plots are drawn as PNG and SVG.
    #[serde(default = "yes")]
    pub generate_plots: bool,
    /// The probability from which the positive class is predicted, 0 to 1; otherwise the most probable class is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub threshold: Option<f64>,
    /// Chooses the threshold that is best for this on the test data itself, which flatters the metrics a little.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optimize_for: Option<Objective>,
    /// How precision, recall and F1 are averaged: binary for two classes and macro for more when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average: Option<Average>,
    /// The class that counts as positive; the second of two when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive_class: Option<String>,
    /// Columns of the test data by whose values the metrics are shown as well, at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<String>,
    /// The confidence level of intervals and tests, above 0 and below 1.
    #[serde(default = "usual_confidence")]
    pub confidence: f64,
    /// Another model, such as the champion, that is scored on the same rows and compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_model_s3_uri: Option<ArtifactUri>,
    /// The seed of resampling.
    #[serde(default = "usual_seed")]
    pub seed: u64,
    /// The run whose folder the files go to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// Measures and writes nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// What a threshold is chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// The largest F1 of the positive class.
    F1Score,
    /// The largest difference of true and false positive rate.
    Youden,
}

pub(super) fn yes() -> bool {
    true
}

pub(super) fn usual_confidence() -> f64 {
    0.95
}

pub(super) fn usual_seed() -> u64 {
    42
}

/// The metrics of a classifier; null where one is not defined, and `undefined` says why.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct ClassifierScores {
    /// The share of rows predicted right.
    pub accuracy: Option<f64>,
    /// Precision, averaged as `average` says.
    pub precision: Option<f64>,
    /// Recall, averaged as `average` says.
    pub recall: Option<f64>,
    /// F1, averaged as `average` says.
    pub f1_score: Option<f64>,
    /// The area under the ROC curve, averaged as `auc_averaging` says.
    pub auc_roc: Option<f64>,
    /// The mean negative logarithm of the probability of the true class, in nats.
    pub log_loss: Option<f64>,
    /// The Brier score: 0 to 1 for two classes, 0 to 2 for more.
    pub brier: Option<f64>,
    /// The expected calibration error over ten bins.
    pub ece: Option<f64>,
    /// Matthews' correlation coefficient, −1 to 1.
    pub mcc: Option<f64>,
    /// The mean recall of the classes that have rows.
    pub balanced_accuracy: Option<f64>,
    /// Average precision: of the positive class of two, else the plain mean over classes.
    pub pr_auc: Option<f64>,
}

/// How good a classifier is.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct EvaluatedClassifier {
    /// The metrics on the test data.
    pub metrics: ClassifierScores,
    /// How precision, recall and F1 are averaged.
    pub average: Average,
    /// How the area under the ROC curve is averaged.
    pub auc_averaging: AucAveraging,
    /// The class that counts as positive; null when there are more than two and none was named.
    pub positive_class: Option<String>,
    /// The probability from which the positive class is predicted; null when the most probable class is.
    pub threshold: Option<f64>,
    /// Whether accuracy is above that of guessing; null when every row is of one class.
    pub beats_guessing: Option<bool>,
    /// How many rows were evaluated.
    pub n: usize,
    /// How many rows were left out.
    pub dropped_rows: usize,
    /// By column, how many values were categories that training had not seen.
    pub unseen: BTreeMap<String, usize>,
    /// The intervals of the metrics.
    pub intervals: BTreeMap<String, Interval>,
    /// Why a metric or an interval is not defined, by name.
    pub undefined: BTreeMap<String, String>,
    /// What a reader must know about the numbers.
    pub notes: Vec<String>,
    /// The scores of each class, at most 100.
    pub per_class: Vec<ClassResult>,
    /// The classes that were most often taken for each other.
    pub top_confusions: Vec<ConfusedClasses>,
    /// The metrics by the values of the columns in `slices`: at most 120 slices, with intervals when there are few; the
    /// document has all.
    pub slices: Vec<SliceReport>,
    /// What always naming the most frequent class reaches on the same rows. This guess knows the test rows' own class
    /// shares.
    pub baseline: Guess,
    /// How the model compares with the other one; null when none was given or it is the same model.
    pub comparison: Option<Comparison>,
    /// Everything as one document, from which `create_evaluation_report` makes the report.
    pub evaluation_uri: String,
    /// The predictions as Parquet: row, actual, predicted and the probability of each class.
    pub predictions_uri: String,
    /// The plots.
    pub plots: Vec<PlotFile>,
    /// SHA-256 of the model's bytes.
    pub model_sha256: String,
    /// SHA-256 of the test data's bytes.
    pub test_data_sha256: String,
    /// Whether nothing was written.
    pub dry_run: bool,
}

impl Tool for EvaluateClassifier {
    const NAME: &'static str = "evaluate_classifier";
    const TITLE: &'static str = "Evaluate a classifier";
    const EFFECT: Effect = Effect::Create;
    type Capability = MlEvaluation;
    type Output = EvaluatedClassifier;

    async fn run(self, room: &MlEvaluation, call: &Call) -> Result<EvaluatedClassifier> {
        let artifacts = &room.artifacts;
        let task = SupervisedTask::Classification;
        let model = scoring::read_model(artifacts, &self.model_s3_uri, task, "model_s3_uri").await?;
        let other = scoring::read_other(artifacts, self.baseline_model_s3_uri.as_ref(), &model).await?;
        let data = scoring::read_test_data(artifacts, &self.test_data_s3_uri, call).await?;
        let hashes = [model.sha256.as_str(), data.source.sha256.as_str()];
        let run_id = run_id(self.run_id.as_deref(), call, &self, &hashes)?;
        let (request, draw) = (self.request(), self.generate_plots);
        let (mut evaluated, plots) = call
            .compute(move |call| {
                let evaluated = classifier_run::run(&model, &data, other.as_ref(), &request, call)?;
                let plots = if draw { storing::draw_all(&evaluated.evaluation)? } else { Vec::new() };
                Ok((evaluated, plots))
            })
            .await?;
        let folder = Folder { artifacts, kind: Kind::Evaluations, run_id: &run_id, dry_run: self.dry_run };
        let evaluation_uri = storing::write(&folder, &mut evaluated, plots, call).await?;
        result(evaluated.evaluation, evaluation_uri, self.dry_run)
    }
}

impl EvaluateClassifier {
    fn request(&self) -> ClassifierRequest {
        ClassifierRequest {
            confidence: self.confidence,
            seed: self.seed,
            average: self.average,
            positive_class: self.positive_class.clone(),
            threshold: self.threshold,
            objective: self.optimize_for.map(|objective| match objective {
                Objective::F1Score => ThresholdObjective::F1,
                Objective::Youden => ThresholdObjective::Youden,
            }),
            slices: self.slices.clone(),
        }
    }
}

fn result(evaluation: Evaluation, evaluation_uri: String, dry_run: bool) -> Result<EvaluatedClassifier> {
    let detail = evaluation.classification.ok_or_else(|| Error::internal("a classifier's details are missing"))?;
    let value = |name: &str| evaluation.metrics.get(name).copied().flatten();
    Ok(EvaluatedClassifier {
        metrics: ClassifierScores {
            accuracy: value("accuracy"),
            precision: value("precision"),
            recall: value("recall"),
            f1_score: value("f1_score"),
            auc_roc: value("auc_roc"),
            log_loss: value("log_loss"),
            brier: value("brier"),
            ece: value("ece"),
            mcc: value("mcc"),
            balanced_accuracy: value("balanced_accuracy"),
            pr_auc: value("pr_auc"),
        },
        average: detail.average,
        auc_averaging: detail.auc_averaging,
        positive_class: detail.positive_class,
        threshold: detail.threshold,
        beats_guessing: evaluation.beats_guessing,
        n: evaluation.data.evaluated,
        dropped_rows: evaluation.data.dropped_rows,
        unseen: evaluation.data.unseen,
        intervals: evaluation.intervals,
        undefined: evaluation.undefined,
        notes: evaluation.notes,
        per_class: detail.per_class.into_iter().take(CLASSES).collect(),
        top_confusions: detail.top_confusions,
        slices: slicing::for_result(evaluation.slices),
        baseline: evaluation.baseline.ok_or_else(|| Error::internal("what guessing reaches is missing"))?,
        comparison: evaluation.comparison,
        evaluation_uri,
        predictions_uri: evaluation.predictions_uri,
        plots: evaluation.plots,
        model_sha256: evaluation.model.sha256,
        test_data_sha256: evaluation.data.sha256,
        dry_run,
    })
}

impl Report for EvaluatedClassifier {
    fn summary(&self, lang: Lang) -> String {
        let percent = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| decimal(100.0 * value, 1));
        let (right, n) = (percent(self.metrics.accuracy), self.n);
        let guess = percent(self.baseline.metrics.get("accuracy").copied().flatten());
        match lang {
            Lang::En => format!("{right} % of {n} test rows are classified right; guessing reaches {guess} %"),
            Lang::Ja => format!("テスト {n} 行のうち {right} % を正しく分類（当て推量では {guess} %）"),
        }
    }

    fn artifacts(&self) -> Vec<ArtifactLink> {
        links(self.dry_run, &self.evaluation_uri, &self.predictions_uri, &self.plots)
    }
}

/// The files of an evaluation; none after a dry run.
pub(super) fn links(dry_run: bool, evaluation: &str, predictions: &str, plots: &[PlotFile]) -> Vec<ArtifactLink> {
    if dry_run {
        return Vec::new();
    }
    let mut links =
        vec![ArtifactLink::new(evaluation, "evaluation.json"), ArtifactLink::new(predictions, "predictions")];
    links.extend(plots.iter().map(|plot| ArtifactLink::new(plot.png_uri.as_str(), plot.name.replace('_', " "))));
    links
}
