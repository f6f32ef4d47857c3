//! Models: what can be learnt, how it is fitted, and how a fitted model predicts.

mod algorithm;
mod baseline;
mod class_weight;
mod decision_tree;
mod fit;
mod hyperparameters;
mod lbfgs;
mod least_squares;
mod linear_regression;
mod logistic_regression;
mod random_forest;
mod tree;
mod vector;

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

pub use algorithm::{Algorithm, Task, UnknownName};
pub use baseline::Baseline;
pub use class_weight::ClassWeight;
pub use decision_tree::DecisionTree;
pub use fit::{FitError, Fitted, fit};
pub use hyperparameters::{
    Accepts, Amount, DefaultValue, ForestParameters, HyperparameterError, HyperparameterSpec, Hyperparameters,
    ImpurityMeasure, LinearParameters, LogisticParameters, MaxFeatures, Parameters, TreeParameters,
    hyperparameter_table,
};
pub use linear_regression::LinearRegression;
pub use logistic_regression::LogisticRegression;
pub use random_forest::RandomForest;
pub use tree::{Node, Nodes};

use crate::target::Target;

/// A fitted model.
///
/// Reading one with serde checks it with [`Model::validate`], so a model from outside is refused rather than trusted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", try_from = "UncheckedModel")]
pub enum Model {
    /// A random forest.
    RandomForest(RandomForest),
    /// A decision tree.
    DecisionTree(DecisionTree),
    /// A logistic regression.
    LogisticRegression(LogisticRegression),
    /// A linear regression.
    LinearRegression(LinearRegression),
}

/// A model as it was read, before the check.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", rename = "Model")]
enum UncheckedModel {
    RandomForest(RandomForest),
    DecisionTree(DecisionTree),
    LogisticRegression(LogisticRegression),
    LinearRegression(LinearRegression),
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

impl TryFrom<UncheckedModel> for Model {
    type Error = InvalidModel;

    fn try_from(model: UncheckedModel) -> Result<Self, InvalidModel> {
        let model = match model {
            UncheckedModel::RandomForest(forest) => Self::RandomForest(forest),
            UncheckedModel::DecisionTree(tree) => Self::DecisionTree(tree),
            UncheckedModel::LogisticRegression(logistic) => Self::LogisticRegression(logistic),
            UncheckedModel::LinearRegression(linear) => Self::LinearRegression(linear),
        };
        model.validate()?;
        Ok(model)
    }
}

impl Model {
    /// The algorithm that made the model.
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::RandomForest(_) => Algorithm::RandomForest,
            Self::DecisionTree(_) => Algorithm::DecisionTree,
            Self::LogisticRegression(_) => Algorithm::LogisticRegression,
            Self::LinearRegression(_) => Algorithm::LinearRegression,
        }
    }

    /// What the model predicts.
    pub fn task(&self) -> Task {
        if self.labels().is_empty() { Task::Regression } else { Task::Classification }
    }

    /// The classes in the order of the probabilities; none for regression.
    pub fn labels(&self) -> &[String] {
        match self {
            Self::RandomForest(forest) => forest.labels(),
            Self::DecisionTree(tree) => tree.labels(),
            Self::LogisticRegression(logistic) => logistic.labels(),
            Self::LinearRegression(_) => &[],
        }
    }

    /// The number of features.
    pub fn num_features(&self) -> usize {
        match self {
            Self::RandomForest(forest) => forest.num_features(),
            Self::DecisionTree(tree) => tree.num_features(),
            Self::LogisticRegression(logistic) => logistic.num_features(),
            Self::LinearRegression(linear) => linear.coefficients().len(),
        }
    }

    /// Checks that every index is in range, that trees are trees, that shapes agree and that numbers are finite.
    pub fn validate(&self) -> Result<(), InvalidModel> {
        match self {
            Self::RandomForest(forest) => forest.validate(),
            Self::DecisionTree(tree) => tree.validate(),
            Self::LogisticRegression(logistic) => logistic.validate(),
            Self::LinearRegression(linear) => linear.validate(),
        }
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
        self.check(x)?;
        let values = match self {
            Self::LogisticRegression(logistic) => return Ok(logistic.predict_proba(x)),
            Self::RandomForest(forest) if !forest.labels().is_empty() => forest.predict(x),
            Self::DecisionTree(tree) if !tree.labels().is_empty() => tree.predict(x),
            _ => return Err(PredictError::Task { task: Task::Regression, asked: "probabilities" }),
        };
        let width = self.labels().len();
        Ok(Array2::from_shape_fn((x.nrows(), width), |(row, class)| values[row * width + class]))
    }

    /// The predicted numbers of a regression model, one a row of `x` (rows × features).
    pub fn predict_values(&self, x: ArrayView2<'_, f64>) -> Result<Vec<f64>, PredictError> {
        self.check(x)?;
        match self {
            Self::RandomForest(forest) if forest.labels().is_empty() => Ok(forest.predict(x)),
            Self::DecisionTree(tree) if tree.labels().is_empty() => Ok(tree.predict(x)),
            Self::LinearRegression(linear) => Ok(linear.predict(x)),
            _ => Err(PredictError::Task { task: Task::Classification, asked: "numbers to predict" }),
        }
    }

    fn check(&self, x: ArrayView2<'_, f64>) -> Result<(), PredictError> {
        if x.ncols() != self.num_features() {
            return Err(PredictError::Features { expected: self.num_features(), given: x.ncols() });
        }
        match x.indexed_iter().find(|(_, value)| !value.is_finite()) {
            Some(((row, column), &value)) => Err(PredictError::NotFinite { row, column, value }),
            None => Ok(()),
        }
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
