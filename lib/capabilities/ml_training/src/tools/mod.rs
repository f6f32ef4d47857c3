//! The tools of training.

mod hyperparameter_optimization;
mod train_supervised_classifier;
mod train_supervised_regressor;
mod train_unsupervised_clustering;
mod train_unsupervised_dimensionality_reduction;

use mlops_core::Entry;

use crate::MlTraining;

pub use crate::calibration::{Calibration, CalibrationResult};
pub use crate::cross_validation::{CrossValidationResult, FoldScore};
pub use crate::importance::FeatureImportance;
pub use crate::learning_curve::{LearningCurve, LearningPoint};
pub use crate::request::{ClassWeightRule, ClassWeights, CrossValidation};
pub use crate::score::ClassResult;
pub use crate::search::SearchEnd;
pub use crate::search_result::{OptimizedHyperparameters, ParameterImportance};
pub use hyperparameter_optimization::{HyperparameterOptimization, WarmStartTrial};
pub use mlops_algorithms::models::{Diagnosis, Task};
pub use mlops_algorithms::search::{ConvergencePoint, SearchConfig, SearchMetric};
pub use train_supervised_classifier::{
    ClassifierAlgorithm, ClassifierTrainingMetrics, TrainSupervisedClassifier, TrainedClassifier,
};
pub use train_supervised_regressor::{
    RegressorAlgorithm, RegressorTrainingMetrics, TrainSupervisedRegressor, TrainedRegressor,
};
pub use train_unsupervised_clustering::{ClusteringMetrics, TrainUnsupervisedClustering, TrainedClustering};
pub use train_unsupervised_dimensionality_reduction::{
    ReductionMetrics, TrainUnsupervisedDimensionalityReduction, TrainedReduction,
};

/// Every tool of training.
pub static TOOLS: &[Entry<MlTraining>] = &[
    Entry::of::<TrainSupervisedClassifier>(),
    Entry::of::<TrainSupervisedRegressor>(),
    Entry::of::<TrainUnsupervisedClustering>(),
    Entry::of::<TrainUnsupervisedDimensionalityReduction>(),
    Entry::of::<HyperparameterOptimization>(),
];
