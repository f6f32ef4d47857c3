//! Models to and from ONNX; each kind says how beside its own code.

use super::boosting::BoostedTrees;
use super::calibrated::CalibratedModel;
use super::decision_tree::DecisionTree;
use super::knn::Knn;
use super::linear_regression::LinearRegression;
use super::logistic_regression::LogisticRegression;
use super::naive_bayes::NaiveBayes;
use super::neural_network::NeuralNetwork;
use super::random_forest::RandomForest;
use super::svm::SupportVectorMachine;
use super::{Algorithm, Model};
use crate::onnx::{Graph, OnnxError, OnnxReadError, Parts};

impl Model {
    /// Adds the model to a graph: from the features (rows × features) to the probabilities (rows × classes) or to the
    /// numbers (rows × 1).
    pub(crate) fn onnx(&self, graph: &mut Graph, features: &str) -> Result<String, OnnxError> {
        self.predictor().onnx(graph, features)
    }

    /// The model of a graph that [`Model::onnx`] made; it is not validated.
    pub(crate) fn from_onnx(algorithm: Algorithm, parts: &Parts<'_>) -> Result<Self, OnnxReadError> {
        let model = match algorithm {
            Algorithm::RandomForest => Self::RandomForest(RandomForest::from_onnx(parts)?),
            Algorithm::DecisionTree => Self::DecisionTree(DecisionTree::from_onnx(parts)?),
            Algorithm::LogisticRegression => Self::LogisticRegression(LogisticRegression::from_onnx(parts)?),
            Algorithm::LinearRegression => Self::LinearRegression(LinearRegression::from_onnx(parts)?),
            Algorithm::NeuralNetwork => Self::NeuralNetwork(NeuralNetwork::from_onnx(parts)?),
            Algorithm::ExtraTrees => Self::ExtraTrees(RandomForest::from_onnx(parts)?),
            Algorithm::Ridge => Self::Ridge(LinearRegression::from_onnx(parts)?),
            Algorithm::Lasso => Self::Lasso(LinearRegression::from_onnx(parts)?),
            Algorithm::ElasticNet => Self::ElasticNet(LinearRegression::from_onnx(parts)?),
            Algorithm::Svm => Self::Svm(SupportVectorMachine::from_onnx(parts)?),
            Algorithm::NaiveBayes => Self::NaiveBayes(NaiveBayes::from_onnx(parts)?),
            Algorithm::Knn => Self::Knn(Knn::from_onnx(parts)?),
            Algorithm::Xgboost => Self::Xgboost(BoostedTrees::from_onnx(parts)?),
            Algorithm::LinearDiscriminantAnalysis => {
                Self::LinearDiscriminantAnalysis(LogisticRegression::from_onnx(parts)?)
            }
        };
        CalibratedModel::from_onnx(model, parts)
    }
}
