//! The evaluation of a model as a document: `evaluation.json`, from which reports are made.

use std::collections::BTreeMap;

use mlops_algorithms::metrics::Interval;
use mlops_algorithms::metrics::calibration::Calibration;
use mlops_algorithms::metrics::classification::Average;
use mlops_algorithms::metrics::multiclass_roc::AucAveraging;
use mlops_algorithms::metrics::precision_recall::PrecisionRecallPoint;
use mlops_algorithms::metrics::residuals::ResidualSummary;
use mlops_algorithms::metrics::roc::RocPoint;
use mlops_algorithms::metrics::slices::SliceReport;
use mlops_artifacts::ReadNotes;
use mlops_core::values::TaskType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::comparison::Comparison;
use crate::structure::{ClusteringDetail, ReductionDetail};

/// The number of the document's format.
pub const FORMAT: u32 = 1;

/// Metrics by name; one that is not defined is null.
pub type Metrics = BTreeMap<String, Option<f64>>;

/// Everything that was found out about a model on test data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The number of this format: 1.
    pub format: u32,
    /// The run in whose folder the evaluation lies.
    pub run_id: String,
    /// The kind of learning.
    pub task: TaskType,
    /// The model.
    pub model: ModelFacts,
    /// The test data.
    pub data: TestFacts,
    /// The metrics.
    pub metrics: Metrics,
    /// Their intervals, by the metric's name.
    pub intervals: BTreeMap<String, Interval>,
    /// The confidence level of the intervals.
    pub confidence: f64,
    /// Why a metric or an interval is not defined, by name.
    pub undefined: BTreeMap<String, String>,
    /// What a reader must know about the numbers.
    pub notes: Vec<String>,
    /// Whether accuracy is above that of guessing, or R² above 0; null when that cannot be told.
    #[serde(default)]
    pub beats_guessing: Option<bool>,
    /// What guessing reaches on the same rows; null where nothing is predicted.
    #[serde(default)]
    pub baseline: Option<Guess>,
    /// How the model compares with another one on the same rows.
    pub comparison: Option<Comparison>,
    /// The metrics by the values of columns.
    pub slices: Vec<SliceReport>,
    /// What only classifiers have.
    pub classification: Option<ClassificationDetail>,
    /// What only regressors have.
    pub regression: Option<RegressionDetail>,
    /// What only clusterings have.
    #[serde(default)]
    pub clustering: Option<ClusteringDetail>,
    /// What only reductions have.
    #[serde(default)]
    pub reduction: Option<ReductionDetail>,
    /// Where the predictions lie, one row each.
    pub predictions_uri: String,
    /// The pictures.
    pub plots: Vec<PlotFile>,
}

/// Which model, and what it was made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelFacts {
    /// Where it lies.
    pub uri: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// The algorithm.
    pub algorithm: String,
    /// The column that it predicts; null where nothing is predicted.
    pub target_column: Option<String>,
    /// The classes in the order of their codes.
    pub classes: Option<Vec<String>>,
    /// How many features it takes.
    pub features: usize,
    /// Its hyperparameters.
    pub hyperparameters: Map<String, Value>,
    /// The seed of its training.
    pub seed: u64,
    /// SHA-256 of the training data.
    pub train_sha256: String,
    /// SHA-256 of the validation data.
    pub validation_sha256: Option<String>,
    /// SHA-256 of the preprocessor.
    pub preprocessor_sha256: Option<String>,
    /// The version of the library that trained it.
    pub library_version: String,
    /// The metrics of its training.
    pub training_metrics: BTreeMap<String, f64>,
    /// The importance of each feature.
    pub feature_importance: BTreeMap<String, f64>,
}

/// Which test data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestFacts {
    /// Where it lies.
    pub uri: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// SHA-256 of the table that it was made from, when its manifest says so.
    pub source_sha256: Option<String>,
    /// The part of the split that it is, when its manifest says so.
    pub split_role: Option<String>,
    /// What was odd in it when it was read.
    #[serde(default)]
    pub read: ReadNotes,
    /// How many rows it has.
    pub rows: usize,
    /// How many rows were evaluated.
    pub evaluated: usize,
    /// How many rows were left out, because the target is missing or the model's preprocessor drops them.
    pub dropped_rows: usize,
    /// By column, how many values were categories that training had not seen.
    pub unseen: BTreeMap<String, usize>,
}

/// A prediction without a look at any feature, measured on the same rows. It knows these rows' own class shares or mean,
/// which no one knows of new rows, so it is the best that a constant can do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Guess {
    /// `majority_class` or `mean`, of the test rows.
    pub strategy: String,
    /// What is always predicted: a class, or a number.
    pub predicts: Value,
    /// The metrics of it; one that is not defined is null.
    pub metrics: Metrics,
}

/// What only classifiers have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassificationDetail {
    /// The classes in the order of their codes.
    pub labels: Vec<String>,
    /// How precision, recall and F1 are averaged.
    pub average: Average,
    /// How the area under the ROC curve is averaged.
    pub auc_averaging: AucAveraging,
    /// The class that counts as positive.
    pub positive_class: Option<String>,
    /// The probability from which the positive class is predicted; absent when the most probable class is.
    pub threshold: Option<f64>,
    /// Rows by true class (lines) and predicted class (columns); empty for more than 200 classes.
    pub confusion_matrix: Vec<Vec<u64>>,
    /// The scores of each class.
    pub per_class: Vec<ClassResult>,
    /// The classes that were most often taken for each other.
    pub top_confusions: Vec<ConfusedClasses>,
    /// ROC and precision-recall curves: of the positive class, or of every class (the 50 with the smallest areas).
    pub curves: Vec<ClassCurve>,
    /// Whether probabilities come true.
    pub calibration: Option<Calibration>,
}

/// The scores of one class against all others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClassResult {
    /// The class.
    pub label: String,
    /// The share of the rows predicted as this class that are of it; 0 when none was predicted.
    pub precision: f64,
    /// The share of the rows of this class that were predicted as it; 0 when there is none.
    pub recall: f64,
    /// The harmonic mean of precision and recall.
    pub f1_score: f64,
    /// The number of rows of this class.
    pub support: u64,
    /// The number of rows predicted as this class.
    pub predicted: u64,
    /// The area under the ROC curve against all others; null when the class has no row or all of them.
    pub auc_roc: Option<f64>,
}

/// Two classes that were taken for each other, in one direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfusedClasses {
    /// The true class.
    pub actual: String,
    /// The class that was predicted instead.
    pub predicted: String,
    /// How many rows.
    pub count: u64,
    /// The same as a share of the rows of the true class.
    pub share_of_actual: f64,
}

/// The curves of one class against all others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassCurve {
    /// The class.
    pub label: String,
    /// The share of its rows.
    pub prevalence: f64,
    /// The area under the ROC curve.
    pub auc_roc: Option<f64>,
    /// Average precision.
    pub average_precision: Option<f64>,
    /// The ROC curve, thinned out.
    pub roc: Vec<RocPoint>,
    /// The precision-recall curve, thinned out.
    pub precision_recall: Vec<PrecisionRecallPoint>,
}

/// What only regressors have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegressionDetail {
    /// How many rows were left out of MAPE because their true value is 0.
    pub mape_excluded_zero_targets: u64,
    /// The quantile of the pinball loss.
    pub pinball_alpha: f64,
    /// How much too high predictions are on average: the mean of predicted minus actual, which is the mean residual with
    /// its sign turned.
    pub mean_bias: f64,
    /// The residuals.
    pub residuals: ResidualSummary,
    /// `[predicted, actual]` of rows spread evenly over the data, at most 1,000.
    pub points: Vec<[f64; 2]>,
    /// The rows with the largest errors.
    pub worst: Vec<WorstRow>,
}

/// A row that was predicted badly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WorstRow {
    /// Its position in the test data, from 0.
    pub row: usize,
    /// The true value.
    pub actual: f64,
    /// The predicted value.
    pub predicted: f64,
    /// Actual minus predicted: above 0 when the prediction is too low.
    pub residual: f64,
}

/// A picture in its two forms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlotFile {
    /// What it shows, as `confusion_matrix`.
    pub name: String,
    /// The picture as PNG.
    pub png_uri: String,
    /// The picture as SVG.
    pub svg_uri: String,
}
