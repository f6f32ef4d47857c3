//! What a training request asks of a search of hyperparameters.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::form::ParameterForm;
use super::pruner::Pruner;
use super::study::Strategy;

/// The section `hyperparameter_optimization` of a request.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchConfig {
    /// How the next trial is chosen.
    #[serde(default)]
    pub strategy: Strategy,
    /// The number of trials of each algorithm that is searched.
    #[serde(default = "max_trials")]
    #[schemars(range(min = 1, max = 2000))]
    pub max_trials: usize,
    /// What counts: `log_loss`, `accuracy` or `f1_score` (the plain mean of the classes' F1) for classification, `rmse`,
    /// `mae`, `r2` or `mape` for regression; the first when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// Into how many folds the training rows are divided; the score of a trial is the mean over them.
    #[serde(default = "folds")]
    #[schemars(range(min = 2, max = 100))]
    pub folds: usize,
    /// What is searched, by the names of the hyperparameters, such as `{max_depth: {int: [3, 12]}}`; the algorithm's own
    /// space when not given.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schemars(with = "std::collections::BTreeMap<String, ParameterForm>")]
    pub search_space: Map<String, Value>,
    /// The seconds that all searches of the request may take together. The time that the function has left counts as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1.0, max = 604_800.0))]
    pub time_limit_seconds: Option<f64>,
    /// How many trials run at once; they are also chosen together, so that the result depends on this number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 64))]
    pub parallel: Option<usize>,
    /// Ends a trial early whose mean over the first folds is worse than that of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pruner: Option<Pruner>,
    /// How many values of a range a grid has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub grid_points: Option<usize>,
}

fn max_trials() -> usize {
    30
}

fn folds() -> usize {
    5
}

impl Default for SearchConfig {
    fn default() -> Self {
        Self {
            strategy: Strategy::default(),
            max_trials: max_trials(),
            metric: None,
            folds: folds(),
            search_space: Map::new(),
            time_limit_seconds: None,
            parallel: None,
            pruner: None,
            grid_points: None,
        }
    }
}
