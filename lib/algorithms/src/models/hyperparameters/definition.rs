//! Where each algorithm's hyperparameters are defined.

use super::specification::HyperparameterSpec;
use super::unavailable::Unavailable;
use super::values::Values;
use super::{
    HyperparameterError, boosting, discriminant, linear, neighbours, neural, penalised, support_vectors, trees,
};
use crate::models::algorithm::{Algorithm, Task};
use crate::models::boosting::BoostingParameters;

/// What the hyperparameters of one algorithm are: names and defaults of scikit-learn (or of the library that the
/// algorithm is named after), with the ranges that are accepted here.
pub(super) struct Definition {
    /// The table for classification; empty where the algorithm does not do it.
    pub(super) classification: &'static [HyperparameterSpec],
    /// The table for regression; empty where the algorithm does not do it.
    pub(super) regression: &'static [HyperparameterSpec],
    /// The other library's names that are not built.
    pub(super) unavailable: &'static [Unavailable],
    /// Turns checked values into their typed form, once they do not contradict each other.
    pub(super) parse: fn(&Values<'_>) -> Result<Parameters, HyperparameterError>,
}

/// The hyperparameters of one algorithm.
#[derive(Debug, Clone, PartialEq)]
pub enum Parameters {
    /// Those of a random forest.
    RandomForest(trees::ForestParameters),
    /// Those of a decision tree.
    DecisionTree(trees::TreeParameters),
    /// Those of logistic regression.
    LogisticRegression(linear::LogisticParameters),
    /// Those of linear regression.
    LinearRegression(linear::LinearParameters),
    /// Those of gradient-boosted trees.
    Xgboost(BoostingParameters),
    /// Those of a neural network.
    NeuralNetwork(neural::NeuralNetworkParameters),
    /// Those of extra trees.
    ExtraTrees(trees::ForestParameters),
    /// Those of a ridge regression.
    Ridge(penalised::RidgeParameters),
    /// Those of a lasso.
    Lasso(penalised::ElasticNetParameters),
    /// Those of an elastic net.
    ElasticNet(penalised::ElasticNetParameters),
    /// Those of a support vector machine.
    Svm(support_vectors::SvmParameters),
    /// Those of naive Bayes.
    NaiveBayes(neighbours::NaiveBayesParameters),
    /// Those of nearest neighbours.
    Knn(neighbours::KnnParameters),
    /// Those of linear discriminant analysis.
    LinearDiscriminantAnalysis(discriminant::DiscriminantParameters),
}

/// The definition of each algorithm's hyperparameters.
pub(super) fn definition(algorithm: Algorithm) -> &'static Definition {
    match algorithm {
        Algorithm::RandomForest => &trees::RANDOM_FOREST,
        Algorithm::DecisionTree => &trees::DECISION_TREE,
        Algorithm::LogisticRegression => &linear::LOGISTIC_REGRESSION,
        Algorithm::LinearRegression => &linear::LINEAR_REGRESSION,
        Algorithm::Xgboost => &boosting::XGBOOST,
        Algorithm::NeuralNetwork => &neural::NEURAL_NETWORK,
        Algorithm::ExtraTrees => &trees::EXTRA_TREES,
        Algorithm::Ridge => &penalised::RIDGE,
        Algorithm::Lasso => &penalised::LASSO,
        Algorithm::ElasticNet => &penalised::ELASTIC_NET,
        Algorithm::Svm => &support_vectors::SVM,
        Algorithm::NaiveBayes => &neighbours::NAIVE_BAYES,
        Algorithm::Knn => &neighbours::KNN,
        Algorithm::LinearDiscriminantAnalysis => &discriminant::LINEAR_DISCRIMINANT_ANALYSIS,
    }
}

/// The hyperparameters of an algorithm for a task: for documentation, forms and search spaces.
///
/// Empty when the algorithm does not serve the task.
pub fn hyperparameter_table(algorithm: Algorithm, task: Task) -> &'static [HyperparameterSpec] {
    match task {
        Task::Classification => definition(algorithm).classification,
        Task::Regression => definition(algorithm).regression,
    }
}
