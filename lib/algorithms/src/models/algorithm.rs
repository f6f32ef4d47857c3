//! The learning algorithms and the tasks that they serve.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hyperparameters::nearest;

/// What a model predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// One of a few classes.
    Classification,
    /// A number.
    Regression,
}

/// A learning algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// Averages many randomised decision trees (Breiman, 2001).
    RandomForest,
    /// One classification or regression tree (Breiman and others, 1984).
    DecisionTree,
    /// A linear model of the log-odds of the classes.
    LogisticRegression,
    /// Ordinary least squares.
    LinearRegression,
    /// A network of dense layers.
    NeuralNetwork,
    /// Averages many trees whose thresholds are drawn (Geurts and others, 2006).
    ExtraTrees,
    /// Least squares with a penalty on squared coefficients (Hoerl and Kennard, 1970).
    Ridge,
    /// Least squares with a penalty on absolute coefficients (Tibshirani, 1996).
    Lasso,
    /// Least squares with both penalties (Zou and Hastie, 2005).
    ElasticNet,
    /// A support vector machine (Cortes and Vapnik, 1995).
    Svm,
    /// Gaussian naive Bayes.
    NaiveBayes,
    /// The k nearest neighbours (Fix and Hodges, 1951).
    Knn,
    /// Gradient-boosted trees (Chen and Guestrin, 2016).
    Xgboost,
    /// Linear discriminant analysis (Fisher, 1936).
    LinearDiscriminantAnalysis,
}

/// A name that is no algorithm or no task.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{given}' is not {what}; {hint}the names are {known}")]
pub struct UnknownName {
    /// The name that was given.
    pub given: String,
    /// `an algorithm` or `a task`.
    pub what: &'static str,
    /// Empty, or the nearest name as a question.
    pub hint: String,
    /// All the names, joined by commas.
    pub known: String,
}

impl Task {
    /// Every task.
    pub const ALL: [Self; 2] = [Self::Classification, Self::Regression];

    /// The name in files and requests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Classification => "classification",
            Self::Regression => "regression",
        }
    }
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 14] = [
        Self::RandomForest,
        Self::DecisionTree,
        Self::LogisticRegression,
        Self::LinearRegression,
        Self::NeuralNetwork,
        Self::ExtraTrees,
        Self::Ridge,
        Self::Lasso,
        Self::ElasticNet,
        Self::Svm,
        Self::NaiveBayes,
        Self::Knn,
        Self::Xgboost,
        Self::LinearDiscriminantAnalysis,
    ];

    /// The algorithms that serve a task, the one to try first in front.
    pub const fn for_task(task: Task) -> &'static [Self] {
        match task {
            Task::Classification => &[
                Self::RandomForest,
                Self::DecisionTree,
                Self::LogisticRegression,
                Self::NeuralNetwork,
                Self::ExtraTrees,
                Self::Svm,
                Self::NaiveBayes,
                Self::Knn,
                Self::Xgboost,
                Self::LinearDiscriminantAnalysis,
            ],
            Task::Regression => &[
                Self::RandomForest,
                Self::DecisionTree,
                Self::LinearRegression,
                Self::NeuralNetwork,
                Self::ExtraTrees,
                Self::Ridge,
                Self::Lasso,
                Self::ElasticNet,
                Self::Svm,
                Self::Knn,
                Self::Xgboost,
            ],
        }
    }

    /// Whether the algorithm serves the task.
    pub fn serves(self, task: Task) -> bool {
        Self::for_task(task).contains(&self)
    }

    /// The name in files and requests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RandomForest => "random_forest",
            Self::DecisionTree => "decision_tree",
            Self::LogisticRegression => "logistic_regression",
            Self::LinearRegression => "linear_regression",
            Self::NeuralNetwork => "neural_network",
            Self::Xgboost => "xgboost",
            Self::ExtraTrees => "extra_trees",
            Self::Ridge => "ridge",
            Self::Lasso => "lasso",
            Self::ElasticNet => "elastic_net",
            Self::Svm => "svm",
            Self::NaiveBayes => "naive_bayes",
            Self::Knn => "knn",
            Self::LinearDiscriminantAnalysis => "linear_discriminant_analysis",
        }
    }

    /// The name for readers.
    pub const fn display_name(self) -> &'static str {
        match self {
            Self::RandomForest => "Random forest",
            Self::DecisionTree => "Decision tree",
            Self::LogisticRegression => "Logistic regression",
            Self::LinearRegression => "Linear regression",
            Self::NeuralNetwork => "Neural network",
            Self::Xgboost => "XGBoost",
            Self::ExtraTrees => "Extra trees",
            Self::Ridge => "Ridge",
            Self::Lasso => "Lasso",
            Self::ElasticNet => "Elastic net",
            Self::Svm => "SVM",
            Self::NaiveBayes => "Naive Bayes",
            Self::Knn => "kNN",
            Self::LinearDiscriminantAnalysis => "Linear discriminant analysis",
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Task {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.into_iter().find(|task| task.as_str() == name);
        found.ok_or_else(|| UnknownName::of(name, "a task", &Self::ALL.map(Self::as_str)))
    }
}

impl FromStr for Algorithm {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name);
        found.ok_or_else(|| UnknownName::of(name, "an algorithm", &Self::ALL.map(Self::as_str)))
    }
}

impl UnknownName {
    fn of(given: &str, what: &'static str, names: &[&'static str]) -> Self {
        let hint = nearest(given, names.iter().copied()).map(|name| format!("did you mean '{name}'? "));
        Self { given: given.to_owned(), what, hint: hint.unwrap_or_default(), known: names.join(", ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.as_str().parse(), Ok(algorithm));
            assert_eq!(serde_json::to_value(algorithm).unwrap(), algorithm.to_string());
            assert_eq!(algorithm.display_name().to_lowercase().replace(' ', "_"), algorithm.as_str());
            assert!(Task::ALL.into_iter().any(|task| algorithm.serves(task)));
        }
        for task in Task::ALL {
            assert_eq!(task.to_string().parse(), Ok(task));
            assert_eq!(serde_json::to_value(task).unwrap(), task.as_str());
        }
    }

    #[test]
    fn an_unknown_name_gets_the_nearest() {
        let error = "randomforest".parse::<Algorithm>().unwrap_err();
        assert!(error.to_string().starts_with("'randomforest' is not an algorithm; did you mean 'random_forest'?"));
        let error = "xyz".parse::<Task>().unwrap_err();
        assert_eq!(error.to_string(), "'xyz' is not a task; the names are classification, regression");
    }
}
