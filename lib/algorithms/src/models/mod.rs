//! Models: what can be learnt, how it is fitted, and how a fitted model predicts.

mod algorithm;
mod baseline;
pub mod boosting;
mod calibrated;
pub mod calibration;
mod cholesky;
mod class_weight;
mod cost;
mod decision_tree;
mod elastic_net;
mod fit;
mod fit_error;
mod hyperparameters;
mod knn;
pub(crate) mod lbfgs;
mod learning_curve;
mod least_squares;
mod linear_discriminant_analysis;
mod linear_regression;
mod logistic_regression;
mod moments;
mod naive_bayes;
mod neural_network;
mod onnx;
pub mod permutation_importance;
mod predictor;
mod priors;
mod random_forest;
mod ridge;
mod svm;
mod tree;
mod vector;

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

pub use algorithm::{Algorithm, Task, UnknownName};
pub use baseline::Baseline;
pub use boosting::{BoostedTrees, BoostingInputs, BoostingParameters};
pub use calibrated::CalibratedModel;
pub use class_weight::ClassWeight;
pub use cost::{FitCost, FitSize, two_digits};
pub use decision_tree::DecisionTree;
pub use fit::{CurvePoint, Examples, FitError, Fitted, fit, fit_boosted, fit_watched};
pub use hyperparameters::{
    Accepts, Amount, BatchSize, ClassCovariance, DefaultValue, DiscriminantParameters, ElasticNetParameters,
    ForestParameters, Gamma, HyperparameterError, HyperparameterSpec, Hyperparameters, ImpurityMeasure, KernelName,
    KnnParameters, LinearParameters, LogisticParameters, MaxFeatures, NaiveBayesParameters, NeighbourWeights,
    NeuralNetworkParameters, NumberLoss, Parameters, RidgeParameters, SearchMethod, SvmParameters, TreeParameters,
    hyperparameter_table,
};
pub(crate) use hyperparameters::{Checked, nearest};
pub use knn::{Knn, Metric};
pub use learning_curve::{Diagnosed, Diagnosis, diagnose, thinned};
pub use linear_regression::LinearRegression;
pub use logistic_regression::LogisticRegression;
pub use naive_bayes::NaiveBayes;
pub use neural_network::{NeuralNetwork, Scaling};
pub use random_forest::RandomForest;
pub use svm::{Kernel, SupportVectorMachine};
pub use tree::shap::{ExplainError, ExplainedOutput, Explanation};
pub use tree::{Node, Nodes};

use crate::probe::Probe;
use crate::target::Target;
use predictor::Predictor;
use tree::shap;

/// Defines [`Model`] with one variant a kind of model, named like its algorithm. The order is that of files: new ones
/// come last, behind calibrated models, which came before them.
macro_rules! models {
    ({ $($(#[$first_doc:meta])+ $first:ident($first_kind:ty),)+ } { $($(#[$doc:meta])+ $name:ident($kind:ty),)+ }) => {
        /// A fitted model.
        ///
        /// Reading one with serde checks it with [`Model::validate`], so a model from outside is refused rather than
        /// trusted.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case", try_from = "UncheckedModel")]
        pub enum Model {
            $($(#[$first_doc])+ $first($first_kind),)+
            /// One of the others with its probabilities calibrated.
            Calibrated(CalibratedModel),
            $($(#[$doc])+ $name($kind),)+
        }

        /// A model as it was read, before the check.
        #[derive(Deserialize)]
        #[serde(rename_all = "snake_case", rename = "Model")]
        enum UncheckedModel {
            $($first($first_kind),)+
            Calibrated(UncheckedCalibrated),
            $($name($kind),)+
        }

        /// What is calibrated; itself not calibrated, so that a file cannot nest without end.
        #[derive(Deserialize)]
        #[serde(rename_all = "snake_case", rename = "Model")]
        enum UncheckedBase {
            $($first($first_kind),)+
            Calibrated(Nested),
            $($name($kind),)+
        }

        impl TryFrom<UncheckedModel> for Model {
            type Error = InvalidModel;

            fn try_from(model: UncheckedModel) -> Result<Self, InvalidModel> {
                let model = match model {
                    $(UncheckedModel::$first(model) => Self::$first(model),)+
                    $(UncheckedModel::$name(model) => Self::$name(model),)+
                    UncheckedModel::Calibrated(UncheckedCalibrated { model, calibrator }) => {
                        let model = match model {
                            $(UncheckedBase::$first(model) => Self::$first(model),)+
                            $(UncheckedBase::$name(model) => Self::$name(model),)+
                            UncheckedBase::Calibrated(nested) => match nested {},
                        };
                        Self::Calibrated(CalibratedModel::new(model, calibrator))
                    }
                };
                model.validate()?;
                Ok(model)
            }
        }

        impl Model {
            /// The algorithm that made the model.
            pub fn algorithm(&self) -> Algorithm {
                match self {
                    $(Self::$first(_) => Algorithm::$first,)+
                    $(Self::$name(_) => Algorithm::$name,)+
                    Self::Calibrated(model) => model.model().algorithm(),
                }
            }

            fn predictor(&self) -> &dyn Predictor {
                match self {
                    $(Self::$first(model) => model,)+
                    $(Self::$name(model) => model,)+
                    Self::Calibrated(model) => model,
                }
            }
        }
    };
}

models! {
    {
        /// A random forest.
        RandomForest(RandomForest),
        /// A decision tree.
        DecisionTree(DecisionTree),
        /// A logistic regression.
        LogisticRegression(LogisticRegression),
        /// A linear regression.
        LinearRegression(LinearRegression),
        /// A neural network.
        NeuralNetwork(NeuralNetwork),
        /// Extra trees.
        ExtraTrees(RandomForest),
        /// A ridge regression.
        Ridge(LinearRegression),
        /// A lasso.
        Lasso(LinearRegression),
        /// An elastic net.
        ElasticNet(LinearRegression),
        /// A support vector machine.
        Svm(SupportVectorMachine),
        /// A naive Bayes classifier.
        NaiveBayes(NaiveBayes),
        /// The nearest neighbours.
        Knn(Knn),
        /// Gradient-boosted trees.
        Xgboost(BoostedTrees),
    }
    {
        /// A linear discriminant analysis.
        LinearDiscriminantAnalysis(LogisticRegression),
    }
}

/// A calibrated model inside another one, of which there is none.
#[derive(Deserialize)]
enum Nested {}

/// A calibrated model as it was read, before the check.
#[derive(Deserialize)]
#[serde(rename = "CalibratedModel")]
struct UncheckedCalibrated {
    model: UncheckedBase,
    calibrator: calibration::Calibrator,
}

/// A model that contradicts itself: it was damaged or made by something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the model is not valid: {reason}")]
pub struct InvalidModel {
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Why a model cannot predict.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PredictError {
    /// The number of features differs.
    #[error("the model was fitted to {expected} features, but {given} were given")]
    Features {
        /// The number of features that the model knows.
        expected: usize,
        /// The number of columns given.
        given: usize,
    },
    /// A feature is missing or infinite.
    #[error("the feature in column {column} is {value} in row {row} (both counted from 0); fill such values first")]
    NotFinite {
        /// The row, counted from 0.
        row: usize,
        /// The column, counted from 0.
        column: usize,
        /// The value.
        value: f64,
    },
    /// Probabilities or numbers were asked of a model that has none.
    #[error("the model does {task}; it has no {asked}")]
    Task {
        /// What the model does.
        task: Task,
        /// What was asked for.
        asked: &'static str,
    },
}

impl InvalidModel {
    const fn new(reason: &'static str) -> Self {
        Self { reason }
    }
}

impl Model {
    /// What the model predicts.
    pub fn task(&self) -> Task {
        if self.labels().is_empty() { Task::Regression } else { Task::Classification }
    }

    /// The classes in the order of the probabilities; none for regression.
    pub fn labels(&self) -> &[String] {
        self.predictor().labels()
    }

    /// The number of features.
    pub fn num_features(&self) -> usize {
        self.predictor().num_features()
    }

    /// Whether the model takes NaN for a missing feature; the others refuse it.
    pub fn takes_missing(&self) -> bool {
        self.predictor().takes_missing()
    }

    /// Checks that every index is in range, that trees are trees, that shapes agree and that numbers are finite.
    pub fn validate(&self) -> Result<(), InvalidModel> {
        self.predictor().validate()
    }

    /// The predicted classes or numbers, one a row of `x` (rows × features).
    ///
    /// The class is the one of the highest probability; of equally probable ones the first.
    pub fn predict(&self, x: ArrayView2<'_, f64>) -> Result<Target, PredictError> {
        if self.task() == Task::Regression {
            return self.predict_values(x).map(Target::Numbers);
        }
        let probabilities = self.predict_proba(x)?;
        let codes = probabilities.rows().into_iter().map(|row| largest_index(row.as_slice().unwrap_or(&[]))).collect();
        Ok(Target::Classes { labels: self.labels().to_vec(), codes })
    }

    /// The probabilities of the classes, rows × classes in the order of [`Model::labels`]; every row sums to 1.
    pub fn predict_proba(&self, x: ArrayView2<'_, f64>) -> Result<Array2<f64>, PredictError> {
        self.check(x, Task::Classification, "probabilities")?;
        let width = self.labels().len();
        let values = self.predictor().predict(x);
        Ok(Array2::from_shape_vec((x.nrows(), width), values).unwrap_or_else(|_| Array2::zeros((x.nrows(), width))))
    }

    /// The predicted numbers of a regression model, one a row of `x` (rows × features).
    pub fn predict_values(&self, x: ArrayView2<'_, f64>) -> Result<Vec<f64>, PredictError> {
        self.check(x, Task::Regression, "numbers to predict")?;
        Ok(self.predictor().predict(x))
    }

    /// The exact Shapley values of the rows of `x` (rows × features), for models of trees.
    ///
    /// Without `background` rows they are path-dependent, with them interventional; either way the values of a row and
    /// the base value of an output add up to that output. A calibrated model is explained as it is before its calibration.
    pub fn explain<'a>(
        &self,
        x: ArrayView2<'a, f64>,
        background: Option<ArrayView2<'a, f64>>,
        output: ExplainedOutput,
        probe: &dyn Probe,
    ) -> Result<Explanation, ExplainError> {
        let ensemble = self.predictor().ensemble().ok_or(ExplainError::NoTrees)?;
        for (what, rows) in [("rows", Some(x)), ("background rows", background)] {
            let Some(rows) = rows else { continue };
            let (expected, given) = (self.num_features(), rows.ncols());
            if expected != given {
                return Err(ExplainError::Features { what, expected, given });
            }
            let refused = |value: &f64| !(value.is_finite() || self.takes_missing() && value.is_nan());
            if let Some(((row, column), &value)) = rows.indexed_iter().find(|(_, value)| refused(value)) {
                return Err(ExplainError::NotFinite { what, row, column, value });
            }
        }
        shap::explain(&ensemble, x, background, output, probe)
    }

    fn check(&self, x: ArrayView2<'_, f64>, needed: Task, asked: &'static str) -> Result<(), PredictError> {
        let model = self.predictor();
        if x.ncols() != model.num_features() {
            return Err(PredictError::Features { expected: model.num_features(), given: x.ncols() });
        }
        let missing = model.takes_missing();
        let refused = |value: &f64| !(value.is_finite() || missing && value.is_nan());
        if let Some(((row, column), &value)) = x.indexed_iter().find(|(_, value)| refused(value)) {
            return Err(PredictError::NotFinite { row, column, value });
        }
        let task = self.task();
        if task == needed { Ok(()) } else { Err(PredictError::Task { task, asked }) }
    }
}

/// The index of the first largest value; 0 for an empty slice.
fn largest_index(values: &[f64]) -> u32 {
    let mut largest = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[largest] {
            largest = index;
        }
    }
    largest as u32
}
