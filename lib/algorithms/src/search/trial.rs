//! A trial: parameters, and what came of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Whether a lower or a higher value is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Lower is better.
    #[default]
    Minimize,
    /// Higher is better.
    Maximize,
}

/// Where a trial stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrialStatus {
    /// Its parameters are to be tried next.
    Waiting,
    /// It was given out and has not ended.
    Running,
    /// It has its value.
    Complete,
    /// It was stopped early, because it did worse than others at the same step.
    Pruned,
    /// It gave no value.
    Failed,
}

/// Who chose the parameters of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The strategy of the study.
    Sampled,
    /// The caller, to be tried before anything else.
    Enqueued,
    /// The caller, who knew the value already.
    Known,
}

/// What a trial has shown before its end.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IntermediateValue {
    /// How far it was: folds, iterations or whatever the objective counts; rising.
    pub step: u64,
    /// The value there.
    pub value: f64,
}

/// One trial of a study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trial {
    /// Its number, from 0.
    pub number: usize,
    /// The parameters that have a value.
    pub params: Map<String, Value>,
    /// Who chose them.
    pub origin: Origin,
    /// Where it stands.
    pub status: TrialStatus,
    /// The value of the objective; absent unless complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// What it has shown before its end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub intermediate: Vec<IntermediateValue>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How a trial ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// With a finite value.
    Complete(f64),
    /// It was stopped early; its intermediate values count.
    Pruned,
    /// Without a value, for that reason.
    Failed(String),
}

impl Direction {
    /// The value with its sign turned where higher is better, so that lower is better always; turns it back as well.
    pub fn minimized(self, value: f64) -> f64 {
        match self {
            Self::Minimize => value,
            Self::Maximize => -value,
        }
    }
}

impl TrialStatus {
    /// Whether nothing more comes.
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Complete | Self::Pruned | Self::Failed)
    }
}
