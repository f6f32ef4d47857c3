//! `train_supervised_regressor`: a model that predicts numbers.

use mlops_algorithms::models::{Algorithm, Task};
use mlops_artifacts::ModelExport;
use mlops_core::values::ArtifactUri;
use mlops_core::{ArtifactLink, Call, Effect, Lang, Report, Result, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::MlTraining;
use crate::calibration::Calibration;
use crate::cross_validation::CrossValidationResult;
use crate::estimate::TrainingEstimate;
use crate::importance::{FeatureImportance, highest};
use crate::job::{Trained, train};
use crate::learning_curve::LearningCurve;
use crate::request::{CrossValidation, Request};
use crate::tools::train_supervised_classifier::{links, no_best_iteration};

/// Train a model that predicts a number, and score it on training and validation rows. Give it the tables that
/// `preprocess_supervised` made; their manifests name the target and the preprocessor, which travels inside the model. The
/// same data, hyperparameters and seed give the same model, byte for byte.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainSupervisedRegressor {
    /// The algorithm.
    pub algorithm: RegressorAlgorithm,
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
    /// A column of weights of at least 0, one a row, that is no feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_weight_column: Option<String>,
    /// Scores the model on folds of the training rows as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_validation: Option<CrossValidation>,
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

/// An algorithm that predicts numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RegressorAlgorithm {
    /// Averages many randomised decision trees.
    RandomForest,
    /// One decision tree.
    DecisionTree,
    /// Ordinary least squares.
    LinearRegression,
    /// Boosted trees with the parameters of `XGBoost`.
    Xgboost,
    /// A network of dense layers.
    NeuralNetwork,
    /// Averages many trees whose thresholds are drawn.
    ExtraTrees,
    /// Least squares with a squared penalty.
    Ridge,
    /// Least squares with an absolute penalty, which leaves features out.
    Lasso,
    /// Least squares with both penalties.
    ElasticNet,
    /// Support vector regression.
    Svm,
    /// The mean of the nearest rows.
    Knn,
}

impl RegressorAlgorithm {
    const fn algorithm(self) -> Algorithm {
        match self {
            Self::RandomForest => Algorithm::RandomForest,
            Self::DecisionTree => Algorithm::DecisionTree,
            Self::LinearRegression => Algorithm::LinearRegression,
            Self::Xgboost => Algorithm::Xgboost,
            Self::NeuralNetwork => Algorithm::NeuralNetwork,
            Self::ExtraTrees => Algorithm::ExtraTrees,
            Self::Ridge => Algorithm::Ridge,
            Self::Lasso => Algorithm::Lasso,
            Self::ElasticNet => Algorithm::ElasticNet,
            Self::Svm => Algorithm::Svm,
            Self::Knn => Algorithm::Knn,
        }
    }
}

/// A trained regressor.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct TrainedRegressor {
    /// Where the model lies.
    pub model_s3_uri: ArtifactUri,
    /// SHA-256 of the model's bytes; null after a dry run.
    pub model_sha256: Option<String>,
    /// The algorithm.
    pub algorithm: RegressorAlgorithm,
    /// How well the model predicts.
    pub metrics: RegressorTrainingMetrics,
    /// What fitting was expected to take.
    pub estimate: TrainingEstimate,
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
    /// R² on rows that the trees of a forest did not draw; null unless `oob_score` asks for it.
    pub out_of_bag_score: Option<f64>,
    /// The losses by iteration and what they show; null for an algorithm that keeps none: all but xgboost and neural networks.
    pub learning_curve: Option<LearningCurve>,
    /// The scores over folds of the training rows; null unless asked for.
    pub cross_validation: Option<CrossValidationResult>,
    /// The model in the formats that other programs load, beside it; empty after a dry run.
    pub exports: Vec<ModelExport>,
    /// SHA-256 of the preprocessor inside the model; null when it has none.
    pub preprocessor_sha256: Option<String>,
    /// What the reader should know, in plain sentences.
    pub warnings: Vec<String>,
    /// Whether nothing was written.
    pub dry_run: bool,
}

/// How well a regressor predicts. Validation metrics are null without validation rows, and any metric is null where it is
/// not defined: R² for a single row, MAPE when every target is zero.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct RegressorTrainingMetrics {
    /// The root of the mean squared error on the training rows, in the target's unit.
    pub train_rmse: Option<f64>,
    /// The root of the mean squared error on the validation rows, in the target's unit.
    pub validation_rmse: Option<f64>,
    /// The mean absolute error on the training rows, in the target's unit.
    pub train_mae: Option<f64>,
    /// The mean absolute error on the validation rows, in the target's unit.
    pub validation_mae: Option<f64>,
    /// The coefficient of determination on the training rows.
    pub train_r2: Option<f64>,
    /// The coefficient of determination on the validation rows.
    pub validation_r2: Option<f64>,
    /// The mean absolute error as a share of the target on the training rows whose target is not zero.
    pub train_mape: Option<f64>,
    /// The mean absolute error as a share of the target on the validation rows whose target is not zero.
    pub validation_mape: Option<f64>,
    /// Seconds from columns in memory to the finished model.
    pub training_time_seconds: f64,
}

impl Tool for TrainSupervisedRegressor {
    const NAME: &'static str = "train_supervised_regressor";
    const TITLE: &'static str = "Train a regressor";
    const EFFECT: Effect = Effect::Create;
    type Capability = MlTraining;
    type Output = TrainedRegressor;

    async fn run(self, room: &MlTraining, call: &Call) -> Result<TrainedRegressor> {
        let trained = train(room, call, self.request(), &self).await?;
        Ok(TrainedRegressor::of(trained, self.algorithm, self.dry_run))
    }
}

impl TrainSupervisedRegressor {
    fn request(&self) -> Request {
        Request {
            task: Task::Regression,
            algorithm: self.algorithm.algorithm(),
            train: self.train_data_s3_uri.clone(),
            validation: self.validation_data_s3_uri.clone(),
            hyperparameters: self.hyperparameters.clone(),
            job_name: self.training_job_name.clone(),
            target_column: self.target_column.clone(),
            preprocessor_uri: self.preprocessor_uri.clone(),
            class_weight: None,
            sample_weight_column: self.sample_weight_column.clone(),
            cross_validation: self.cross_validation,
            calibration: Calibration::None,
            seed: self.seed,
            run_id: self.run_id.clone(),
            dry_run: self.dry_run,
        }
    }
}

impl TrainedRegressor {
    fn of(trained: Trained, algorithm: RegressorAlgorithm, dry_run: bool) -> Self {
        let learnt = trained.learnt;
        let train = |name: &str| learnt.train.get(name).copied();
        let validation = |name: &str| learnt.validation.as_ref().and_then(|scores| scores.get(name).copied());
        let metrics = RegressorTrainingMetrics {
            train_rmse: train("rmse"),
            validation_rmse: validation("rmse"),
            train_mae: train("mae"),
            validation_mae: validation("mae"),
            train_r2: train("r2"),
            validation_r2: validation("r2"),
            train_mape: train("mape"),
            validation_mape: validation("mape"),
            training_time_seconds: learnt.seconds,
        };
        let parameters = &trained.hyperparameters;
        Self {
            model_s3_uri: trained.uri,
            model_sha256: trained.sha256,
            algorithm,
            metrics,
            estimate: learnt.estimate,
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
            exports: trained.exports,
            preprocessor_sha256: trained.preprocessor_sha256,
            warnings: learnt.warnings,
            dry_run,
        }
    }
}

impl Report for TrainedRegressor {
    fn summary(&self, lang: Lang) -> String {
        let name = self.algorithm.algorithm().display_name();
        let (part, error) = match self.metrics.validation_rmse {
            Some(error) => (lang.pick("validation", "検証"), error),
            None => (lang.pick("training", "学習"), self.metrics.train_rmse.unwrap_or_default()),
        };
        let seconds = self.metrics.training_time_seconds;
        match lang {
            Lang::En => format!("{name} regressor trained in {seconds:.2} s: {part} RMSE {error:.4}"),
            Lang::Ja => format!("{name} 回帰モデルの学習が {seconds:.2} 秒で完了しました（{part} RMSE {error:.4}）"),
        }
    }

    fn artifacts(&self) -> Vec<ArtifactLink> {
        if self.dry_run { Vec::new() } else { links(&self.model_s3_uri, &self.exports, self.learning_curve.as_ref()) }
    }
}
