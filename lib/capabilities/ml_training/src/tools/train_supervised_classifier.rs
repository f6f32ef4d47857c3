//! `train_supervised_classifier`: a model that predicts classes.

use mlops_algorithms::models::{Algorithm, Task};
use mlops_artifacts::ModelExport;
use mlops_core::values::ArtifactUri;
use mlops_core::{ArtifactLink, Call, Effect, Lang, Report, Result, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::MlTraining;
use crate::calibration::{Calibration, CalibrationResult};
use crate::cross_validation::CrossValidationResult;
use crate::estimate::TrainingEstimate;
use crate::importance::{FeatureImportance, highest};
use crate::job::{Trained, train};
use crate::learning_curve::LearningCurve;
use crate::request::{ClassWeights, CrossValidation, Request};
use crate::score::ClassResult;

/// Train a model that predicts one of two or more classes, and score it on training and validation rows. Give it the
/// tables that `preprocess_supervised` made; their manifests name the target and the preprocessor, which travels inside
/// the model. The same data, hyperparameters and seed give the same model, byte for byte.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainSupervisedClassifier {
    /// The algorithm.
    pub algorithm: ClassifierAlgorithm,
    /// The training rows: an `s3://` or `file://` URI, or a path.
    pub train_data_s3_uri: ArtifactUri,
    /// The rows that the model is scored on and does not learn from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_data_s3_uri: Option<ArtifactUri>,
    /// Hyperparameters by scikit-learn's names, such as `n_estimators` or `max_depth`; scikit-learn's defaults hold for the
    /// others.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub hyperparameters: Map<String, Value>,
    /// The name of the training: letters, digits, `-`, `_` and `.`, at most 63. It names the model's folder.
    #[schemars(length(min = 1, max = 63))]
    pub training_job_name: String,
    /// The column to predict. The manifest of the training rows names it when this does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_column: Option<String>,
    /// The preprocessor that goes into the model: the one of the manifest when not given. Raw columns are made into
    /// features with it first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocessor_uri: Option<ArtifactUri>,
    /// How much the rows of each class count: `balanced`, or a weight for each class. All count 1 when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_weight: Option<ClassWeights>,
    /// A column of weights of at least 0, one a row, that is no feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_weight_column: Option<String>,
    /// Scores the model on folds of the training rows as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_validation: Option<CrossValidation>,
    /// How the probabilities are calibrated: the model is fitted five times more, each time without a fifth of the training
    /// rows, and a map from what it says to what comes true is learnt from these predictions. Whatever predicts with the
    /// model then gives calibrated probabilities.
    #[serde(default, skip_serializing_if = "Calibration::is_none")]
    pub calibration: Calibration,
    /// The seed of every random choice, unless the hyperparameters have a `random_state`.
    #[serde(default = "mlops_core::values::default_seed")]
    pub seed: u64,
    /// The run whose folder the model goes to; the caller's run, or one made of the arguments, when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// Trains and scores, and writes nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// An algorithm that predicts classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClassifierAlgorithm {
    /// Averages many randomised decision trees.
    RandomForest,
    /// One decision tree.
    DecisionTree,
    /// A linear model of the log-odds of the classes.
    LogisticRegression,
    /// Boosted trees with the parameters of `XGBoost`.
    Xgboost,
    /// A network of dense layers.
    NeuralNetwork,
    /// Averages many trees whose thresholds are drawn.
    ExtraTrees,
    /// A support vector machine.
    Svm,
    /// Gaussian naive Bayes.
    NaiveBayes,
    /// The nearest rows decide.
    Knn,
    /// Classes that are normally distributed with the same covariance.
    LinearDiscriminantAnalysis,
}

impl ClassifierAlgorithm {
    const fn algorithm(self) -> Algorithm {
        match self {
            Self::RandomForest => Algorithm::RandomForest,
            Self::DecisionTree => Algorithm::DecisionTree,
            Self::LogisticRegression => Algorithm::LogisticRegression,
            Self::Xgboost => Algorithm::Xgboost,
            Self::NeuralNetwork => Algorithm::NeuralNetwork,
            Self::ExtraTrees => Algorithm::ExtraTrees,
            Self::Svm => Algorithm::Svm,
            Self::NaiveBayes => Algorithm::NaiveBayes,
            Self::Knn => Algorithm::Knn,
            Self::LinearDiscriminantAnalysis => Algorithm::LinearDiscriminantAnalysis,
        }
    }
}

/// A trained classifier.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct TrainedClassifier {
    /// Where the model lies.
    pub model_s3_uri: ArtifactUri,
    /// SHA-256 of the model's bytes; null after a dry run.
    pub model_sha256: Option<String>,
    /// The algorithm.
    pub algorithm: ClassifierAlgorithm,
    /// How well the model predicts.
    pub metrics: ClassifierTrainingMetrics,
    /// What fitting was expected to take.
    pub estimate: TrainingEstimate,
    /// The scores of each class on the validation rows, at most the hundred largest classes.
    pub per_class: Vec<ClassResult>,
    /// The classes in the order of the model's probabilities.
    pub classes: Vec<String>,
    /// The column that the model predicts.
    pub target_column: String,
    /// The number of features.
    pub num_features: usize,
    /// The fifty features that the model uses most; the model holds all.
    pub feature_importance: Vec<FeatureImportance>,
    /// Every hyperparameter with the value that held.
    pub hyperparameters: Map<String, Value>,
    /// The names of those that were not given.
    pub defaults_applied: Vec<String>,
    /// The seed that held.
    pub seed: u64,
    /// The number of training rows.
    pub train_rows: usize,
    /// The number of validation rows.
    pub validation_rows: usize,
    /// The iteration with the best validation score; null with the reason beside it.
    pub best_iteration: Option<usize>,
    /// Why there is no best iteration.
    pub best_iteration_reason: Option<String>,
    /// How many iterations were done; null for an algorithm that does not iterate.
    pub iterations: Option<usize>,
    /// Whether they reached the tolerance; null for an algorithm that does not iterate.
    pub converged: Option<bool>,
    /// The accuracy on rows that the trees of a forest did not draw; null unless `oob_score` asks for it.
    pub out_of_bag_score: Option<f64>,
    /// The losses by iteration and what they show; null for an algorithm that keeps none: all but xgboost, neural networks and
    /// logistic regression.
    pub learning_curve: Option<LearningCurve>,
    /// The scores over folds of the training rows; null unless asked for.
    pub cross_validation: Option<CrossValidationResult>,
    /// What calibration has changed; null unless asked for.
    pub calibration: Option<CalibrationResult>,
    /// The model in the formats that other programs load, beside it; empty after a dry run.
    pub exports: Vec<ModelExport>,
    /// SHA-256 of the preprocessor inside the model; null when it has none.
    pub preprocessor_sha256: Option<String>,
    /// What the reader should know, in plain sentences.
    pub warnings: Vec<String>,
    /// Whether nothing was written.
    pub dry_run: bool,
}

/// How well a classifier predicts. Validation metrics are null without validation rows.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct ClassifierTrainingMetrics {
    /// The share of the training rows predicted right.
    pub train_accuracy: Option<f64>,
    /// The share of the validation rows predicted right.
    pub validation_accuracy: Option<f64>,
    /// The log loss on the training rows, in nats.
    pub train_loss: Option<f64>,
    /// The log loss on the validation rows, in nats.
    pub validation_loss: Option<f64>,
    /// The plain mean of the classes' F1 on the training rows.
    pub train_f1_macro: Option<f64>,
    /// The plain mean of the classes' F1 on the validation rows.
    pub validation_f1_macro: Option<f64>,
    /// Seconds from columns in memory to the finished model.
    pub training_time_seconds: f64,
}

impl Tool for TrainSupervisedClassifier {
    const NAME: &'static str = "train_supervised_classifier";
    const TITLE: &'static str = "Train a classifier";
    const EFFECT: Effect = Effect::Create;
    type Capability = MlTraining;
    type Output = TrainedClassifier;

    async fn run(self, room: &MlTraining, call: &Call) -> Result<TrainedClassifier> {
        let trained = train(room, call, self.request(), &self).await?;
        Ok(TrainedClassifier::of(trained, self.algorithm, self.dry_run))
    }
}

impl TrainSupervisedClassifier {
    fn request(&self) -> Request {
        Request {
            task: Task::Classification,
            algorithm: self.algorithm.algorithm(),
            train: self.train_data_s3_uri.clone(),
            validation: self.validation_data_s3_uri.clone(),
            hyperparameters: self.hyperparameters.clone(),
            job_name: self.training_job_name.clone(),
            target_column: self.target_column.clone(),
            preprocessor_uri: self.preprocessor_uri.clone(),
            class_weight: self.class_weight.clone(),
            sample_weight_column: self.sample_weight_column.clone(),
            cross_validation: self.cross_validation,
            calibration: self.calibration,
            seed: self.seed,
            run_id: self.run_id.clone(),
            dry_run: self.dry_run,
        }
    }
}

impl TrainedClassifier {
    fn of(trained: Trained, algorithm: ClassifierAlgorithm, dry_run: bool) -> Self {
        let learnt = trained.learnt;
        let train = |name: &str| learnt.train.get(name).copied();
        let validation = |name: &str| learnt.validation.as_ref().and_then(|scores| scores.get(name).copied());
        let metrics = ClassifierTrainingMetrics {
            train_accuracy: train("accuracy"),
            validation_accuracy: validation("accuracy"),
            train_loss: train("loss"),
            validation_loss: validation("loss"),
            train_f1_macro: train("f1_macro"),
            validation_f1_macro: validation("f1_macro"),
            training_time_seconds: learnt.seconds,
        };
        let parameters = &trained.hyperparameters;
        Self {
            model_s3_uri: trained.uri,
            model_sha256: trained.sha256,
            algorithm,
            metrics,
            estimate: learnt.estimate,
            per_class: learnt.per_class,
            classes: learnt.classes.unwrap_or_default(),
            target_column: trained.target_column,
            num_features: learnt.feature_names.len(),
            feature_importance: highest(&learnt.feature_names, &learnt.fitted.feature_importance),
            hyperparameters: parameters.resolved().clone(),
            defaults_applied: parameters.defaults_applied().iter().map(ToString::to_string).collect(),
            seed: trained.seed,
            train_rows: learnt.rows[0],
            validation_rows: learnt.rows[1],
            best_iteration: learnt.fitted.best_iteration,
            best_iteration_reason: no_best_iteration(parameters.algorithm(), learnt.fitted.best_iteration),
            iterations: learnt.fitted.iterations,
            converged: learnt.fitted.converged,
            out_of_bag_score: learnt.fitted.out_of_bag_score,
            learning_curve: learnt.curve.map(|drawn| drawn.curve),
            cross_validation: learnt.cross_validation,
            calibration: learnt.calibration,
            exports: trained.exports,
            preprocessor_sha256: trained.preprocessor_sha256,
            warnings: learnt.warnings,
            dry_run,
        }
    }
}

/// Links to a model, its exports and the plot of its learning curve.
pub(super) fn links(model: &ArtifactUri, exports: &[ModelExport], curve: Option<&LearningCurve>) -> Vec<ArtifactLink> {
    let exports = exports.iter().filter_map(|export| {
        let name = format!("trained model as {}", export.format.as_str());
        Some(ArtifactLink::new(export.uri.as_ref()?.as_str(), name))
    });
    let plot = curve.and_then(|curve| curve.plot_uri.as_ref());
    let plot = plot.map(|plot| ArtifactLink::new(plot.as_str(), "learning curve"));
    std::iter::once(ArtifactLink::new(model.as_str(), "trained model")).chain(exports).chain(plot).collect()
}

/// Why the model of that algorithm has no best iteration.
pub(super) fn no_best_iteration(algorithm: Algorithm, best: Option<usize>) -> Option<String> {
    if best.is_some() {
        return None;
    }
    let name = algorithm.display_name();
    Some(match algorithm {
        Algorithm::Xgboost => format!("{name} stops early with early_stopping_rounds and validation data"),
        Algorithm::NeuralNetwork => format!("{name} stops early with early_stopping"),
        _ => format!("{name} does not stop early by a validation score"),
    })
}

impl Report for TrainedClassifier {
    fn summary(&self, lang: Lang) -> String {
        let name = self.algorithm.algorithm().display_name();
        let (part, accuracy) = match self.metrics.validation_accuracy {
            Some(accuracy) => (lang.pick("validation", "検証"), accuracy),
            None => (lang.pick("training", "学習"), self.metrics.train_accuracy.unwrap_or_default()),
        };
        let seconds = self.metrics.training_time_seconds;
        match lang {
            Lang::En => format!("{name} classifier trained in {seconds:.2} s: {part} accuracy {accuracy:.4}"),
            Lang::Ja => {
                format!("{name} 分類モデルの学習が {seconds:.2} 秒で完了しました（{part}正解率 {accuracy:.4}）")
            }
        }
    }

    fn artifacts(&self) -> Vec<ArtifactLink> {
        if self.dry_run { Vec::new() } else { links(&self.model_s3_uri, &self.exports, self.learning_curve.as_ref()) }
    }
}
