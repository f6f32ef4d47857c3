//! The judge agent: metrics, gates and a comparison in, a decision out.
//!
//! It is pure: it calls no tool and reads nothing but its task, so that a decision can be repeated from its record.

mod decide;
mod gates;
mod reasons;

use std::collections::BTreeMap;

use mlops_core::{Agent, Call, Result, Task, TaskResult};
use serde::{Deserialize, Serialize};

pub use decide::{Decision, decide};
pub use gates::{GateResult, Rule};

/// Decides whether a model is promoted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Judge;

/// What the judge looks at.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The candidate's metrics on the test rows; a metric that could not be computed is null.
    pub metrics: BTreeMap<String, Option<f64>>,
    /// 95 % intervals of the metrics that have one.
    #[serde(default)]
    pub intervals: BTreeMap<String, Interval>,
    /// Metrics by slice column, then by the slice's value.
    #[serde(default)]
    pub slices: BTreeMap<String, BTreeMap<String, BTreeMap<String, Option<f64>>>>,
    /// The model that is in use, when there is another one.
    #[serde(default)]
    pub champion: Option<Champion>,
    /// Whether the candidate beats a guess that looks at no feature; null when that is not known.
    #[serde(default)]
    pub beats_guessing: Option<bool>,
}

/// The bounds of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
}

/// The model in use, and how the candidate compares with it on the same rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Champion {
    /// Its version.
    pub version: u64,
    /// The comparison; null when the two could not be scored on the same rows.
    #[serde(default)]
    pub comparison: Option<Comparison>,
    /// Why there is no comparison.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Two models scored on the same rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The champion's metrics on these rows.
    pub baseline_metrics: BTreeMap<String, Option<f64>>,
    /// The metric of the paired test.
    pub metric: String,
    /// How much better the candidate is in that metric; below 0 it is worse, whichever way the metric counts.
    pub gain: f64,
    /// The name of the paired test.
    pub test: String,
    /// Its p-value.
    pub p_value: Option<f64>,
    /// Whether the difference is more than chance at the test's level.
    pub significant: bool,
}

/// What the judge decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The decision.
    pub decision: Decision,
    /// Why, in the run's language, the weightiest first.
    pub reasons: Vec<String>,
    /// How each gate was passed or not.
    pub gates: Vec<GateResult>,
    /// The version of the champion that was compared.
    pub champion_version: Option<u64>,
}

impl Agent for Judge {
    const NAME: &'static str = "judge";
    type Inputs = Evidence;
    type Outputs = Verdict;

    async fn handle(&self, task: Task<Evidence>, _: &Call) -> Result<TaskResult<Verdict>> {
        let verdict = decide(&task.config.gates, &task.inputs, task.lang);
        let hint = match verdict.decision {
            Decision::Promote => "register the model as the champion",
            Decision::NeedsHuman => "register the model as the challenger and ask a person",
            Decision::Reject => "write the report and leave the champion as it is",
        };
        Ok(TaskResult::succeeded::<Self>(task.run_id, verdict, hint))
    }
}
