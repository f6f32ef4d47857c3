//! The tools of evaluation.

mod create_evaluation_report;
mod evaluate_classifier;
mod evaluate_clustering;
mod evaluate_regressor;
mod generate_confusion_matrix;
mod generate_roc_curve;

use mlops_core::Entry;

use crate::MlEvaluation;

pub use create_evaluation_report::{CreateEvaluationReport, EvaluationReport};
pub use evaluate_classifier::{ClassifierScores, EvaluateClassifier, EvaluatedClassifier, Objective};
pub use evaluate_clustering::{ClusteringScores, EvaluateClustering, EvaluatedClustering, MeasuredCluster};
pub use evaluate_regressor::{EvaluateRegressor, EvaluatedRegressor, RegressorScores};
pub use generate_confusion_matrix::{GenerateConfusionMatrix, GeneratedConfusionMatrix};
pub use generate_roc_curve::{BestThreshold, ClassArea, Cost, GenerateRocCurve, GeneratedRocCurve, ThresholdGoal};

/// Every tool of evaluation.
pub static TOOLS: &[Entry<MlEvaluation>] = &[
    Entry::of::<EvaluateClassifier>(),
    Entry::of::<EvaluateRegressor>(),
    Entry::of::<EvaluateClustering>(),
    Entry::of::<GenerateConfusionMatrix>(),
    Entry::of::<GenerateRocCurve>(),
    Entry::of::<CreateEvaluationReport>(),
];
