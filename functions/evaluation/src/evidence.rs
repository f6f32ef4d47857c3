//! What the judge looks at, in the words that it reads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The evidence for a decision.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The metrics on the test rows; one that is not defined is null.
    pub metrics: BTreeMap<String, Option<f64>>,
    /// Whether the main metric is better than that of guessing; null when that cannot be told.
    #[serde(default)]
    pub beats_guessing: Option<bool>,
    /// The intervals of the metrics that have one.
    pub intervals: BTreeMap<String, Interval>,
    /// Metrics by slice column, then by the slice's value; only what a gate asks for.
    pub slices: BTreeMap<String, BTreeMap<String, BTreeMap<String, Option<f64>>>>,
    /// The model that is in use, when there is another one.
    pub champion: Option<Champion>,
}

/// The bounds of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
}

/// The model in use, and how the candidate compares with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Champion {
    /// Its version.
    pub version: u64,
    /// The comparison; null when the two could not be scored on the same rows.
    pub comparison: Option<Comparison>,
    /// Why there is no comparison.
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
    /// Whether the difference is more than chance.
    pub significant: bool,
}
