//! The scores that a search of hyperparameters can go by.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::trial::Direction;
use crate::models::Task;

/// A score that a search goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchMetric {
    /// Classification: the log loss in nats; lower is better.
    Loss,
    /// Classification: the share of the rows predicted right; higher is better.
    Accuracy,
    /// Classification: the plain mean of the classes' F1; higher is better.
    F1Macro,
    /// Regression: the root mean squared error; lower is better.
    Rmse,
    /// Regression: the mean absolute error; lower is better.
    Mae,
    /// Regression: the coefficient of determination; higher is better.
    R2,
    /// Regression: the mean absolute percentage error; lower is better.
    Mape,
}

/// Each metric with the names that requests may use beside its own; the first is the one of evaluations.
const OTHER_NAMES: [(SearchMetric, &[&str]); 7] = [
    (SearchMetric::Loss, &["log_loss", "logloss", "cross_entropy"]),
    (SearchMetric::Accuracy, &["accuracy", "acc"]),
    (SearchMetric::F1Macro, &["f1_score", "f1", "macro_f1"]),
    (SearchMetric::Rmse, &["rmse", "root_mean_squared_error"]),
    (SearchMetric::Mae, &["mae", "mean_absolute_error"]),
    (SearchMetric::R2, &["r2", "r2_score", "r_squared"]),
    (SearchMetric::Mape, &["mape", "mean_absolute_percentage_error"]),
];

impl SearchMetric {
    /// The name in results.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Accuracy => "accuracy",
            Self::F1Macro => "f1_macro",
            Self::Rmse => "rmse",
            Self::Mae => "mae",
            Self::R2 => "r2",
            Self::Mape => "mape",
        }
    }

    /// The metric that a request names: by its name in results, or by the name that evaluations have for it. Case and
    /// hyphens do not matter.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.trim().to_lowercase().replace(['-', ' '], "_");
        let is_meant = |(metric, others): &&(Self, &[&str])| metric.as_str() == name || others.contains(&name.as_str());
        OTHER_NAMES.iter().find(is_meant).map(|(metric, _)| *metric)
    }

    /// The names that a request may use for a metric of that task, those of evaluations.
    pub fn names_for(task: Task) -> impl Iterator<Item = &'static str> {
        OTHER_NAMES.iter().filter(move |(metric, _)| metric.task() == task).map(|(_, names)| names[0])
    }

    /// The name of the same metric in evaluations and reports.
    pub const fn evaluation_name(self) -> &'static str {
        match self {
            Self::Loss => "log_loss",
            Self::F1Macro => "f1_score",
            _ => self.as_str(),
        }
    }

    /// The metric of a search that names none.
    pub const fn of(task: Task) -> Self {
        match task {
            Task::Classification => Self::Loss,
            Task::Regression => Self::Rmse,
        }
    }

    /// The task whose models have it.
    pub const fn task(self) -> Task {
        match self {
            Self::Loss | Self::Accuracy | Self::F1Macro => Task::Classification,
            Self::Rmse | Self::Mae | Self::R2 | Self::Mape => Task::Regression,
        }
    }

    /// Which way is better.
    pub const fn direction(self) -> Direction {
        match self {
            Self::Loss | Self::Rmse | Self::Mae | Self::Mape => Direction::Minimize,
            Self::Accuracy | Self::F1Macro | Self::R2 => Direction::Maximize,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_for_one_metric() {
        assert_eq!(SearchMetric::named("F1-Score"), Some(SearchMetric::F1Macro));
        assert_eq!(SearchMetric::named("f1_macro"), Some(SearchMetric::F1Macro));
        assert_eq!(SearchMetric::named("auc_roc"), None);
        let names = SearchMetric::names_for(Task::Classification).collect::<Vec<_>>();
        assert_eq!(names, ["log_loss", "accuracy", "f1_score"]);
        for (metric, others) in OTHER_NAMES {
            assert_eq!(SearchMetric::named(metric.as_str()), Some(metric));
            assert_eq!(metric.evaluation_name(), others[0]);
            for name in others {
                assert_eq!(SearchMetric::named(name), Some(metric), "{name}");
            }
        }
    }
}
