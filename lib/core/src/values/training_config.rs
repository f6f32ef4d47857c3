//! What an issue asks for, checked and complete.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Lang;
use crate::values::ArtifactUri;

/// The kind of learning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaskType {
    /// Predict one of several classes.
    Classification,
    /// Predict a number.
    Regression,
    /// Find groups of rows that nobody has labelled.
    Clustering,
    /// Describe rows by fewer numbers.
    DimensionalityReduction,
}

/// A kind of learning with a column to predict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SupervisedTask {
    /// Predict one of several classes.
    Classification,
    /// Predict a number.
    Regression,
}

impl TaskType {
    /// Every kind.
    pub const ALL: [Self; 4] =
        [Self::Classification, Self::Regression, Self::Clustering, Self::DimensionalityReduction];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Classification => "classification",
            Self::Regression => "regression",
            Self::Clustering => "clustering",
            Self::DimensionalityReduction => "dimensionality_reduction",
        }
    }

    /// The kind of learning from a column to predict; `None` where there is no such column.
    pub const fn supervised(self) -> Option<SupervisedTask> {
        match self {
            Self::Classification => Some(SupervisedTask::Classification),
            Self::Regression => Some(SupervisedTask::Regression),
            Self::Clustering | Self::DimensionalityReduction => None,
        }
    }
}

impl SupervisedTask {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        self.task().as_str()
    }

    /// The same among all kinds of learning.
    pub const fn task(self) -> TaskType {
        match self {
            Self::Classification => TaskType::Classification,
            Self::Regression => TaskType::Regression,
        }
    }
}

/// A training request in which every default is written out. The sections that are maps belong to the tool that reads
/// them: their names and values were checked against that tool's own schema.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrainingConfig {
    /// The kind of learning.
    pub task: TaskType,
    /// Where the raw table lies.
    pub dataset_s3_uri: ArtifactUri,
    /// The column to predict; absent for clustering and dimensionality reduction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_column: Option<String>,
    /// The algorithm, or `auto`.
    pub algorithm: String,
    /// The name under which the model is registered.
    pub model_name: String,
    /// Hyperparameters by the algorithm's own names.
    #[serde(default)]
    pub hyperparameters: Map<String, Value>,
    /// How hyperparameters are searched: strategy, `max_trials`, metric, folds and more; empty when they are not.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub hyperparameter_optimization: Map<String, Value>,
    /// How rows are divided: train, validation, test, strategy, key, seed. Empty where nothing is predicted, since every row
    /// is learnt from.
    #[serde(default)]
    pub split: Map<String, Value>,
    /// How columns are prepared.
    #[serde(default)]
    pub preprocessing_config: Map<String, Value>,
    /// How the model is evaluated.
    #[serde(default)]
    pub evaluation: EvaluationConfig,
    /// What the model must reach, by metric.
    #[serde(default)]
    pub gates: BTreeMap<String, Gate>,
    /// The channels that hear of the result.
    #[serde(default)]
    pub notify: Vec<String>,
    /// The seed of everything random.
    pub seed: u64,
    /// The language of results.
    pub lang: Lang,
}

/// How a model is evaluated.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EvaluationConfig {
    /// The class that counts as positive when there are two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub positive_class: Option<String>,
    /// Columns by whose values the metrics are shown as slices.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<String>,
    /// The column of known groups that clusters are held against. It is no feature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truth_column: Option<String>,
}

/// What one metric must reach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// The least value that passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The greatest value that passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// The least change against the champion: 0.0 asks to be no worse in a metric where more is better.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_change: Option<f64>,
    /// The greatest change against the champion, for metrics where less is better.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_change: Option<f64>,
    /// The least change against the champion as a share of the champion's value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_relative_change: Option<f64>,
    /// The greatest change against the champion as a share of the champion's value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_relative_change: Option<f64>,
    /// The gate holds for every slice of this column as well; the column must be one of `evaluation.slices`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slice: Option<String>,
    /// Whether the gate alone can reject the model. A gate that does not block is reported and asks a person.
    #[serde(default = "yes")]
    pub blocking: bool,
}

fn yes() -> bool {
    true
}
