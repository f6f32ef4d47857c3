//! The tools of training.

mod train_supervised_classifier;
mod train_supervised_regressor;

use mlops_core::Entry;

use crate::MlTraining;

pub use crate::cross_validation::{CrossValidationResult, FoldScore};
pub use crate::importance::FeatureImportance;
pub use crate::request::{ClassWeightRule, ClassWeights, CrossValidation};
pub use crate::score::ClassResult;
pub use train_supervised_classifier::{
    ClassifierAlgorithm, ClassifierTrainingMetrics, TrainSupervisedClassifier, TrainedClassifier,
};
pub use train_supervised_regressor::{
    RegressorAlgorithm, RegressorTrainingMetrics, TrainSupervisedRegressor, TrainedRegressor,
};

/// Every tool of training.
pub static TOOLS: &[Entry<MlTraining>] =
    &[Entry::of::<TrainSupervisedClassifier>(), Entry::of::<TrainSupervisedRegressor>()];
