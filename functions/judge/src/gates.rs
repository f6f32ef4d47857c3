//! Gates: what each metric must reach, and whether it does.

use std::collections::BTreeMap;

use mlops_core::values::Gate;
use serde::{Deserialize, Serialize};

use crate::Evidence;

/// Room for the rounding of decimal numbers: 0.9 - 0.8 is not quite 0.1.
const ROUNDING: f64 = 1e-12;

/// The rule of a gate that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The metric is at least this.
    Min,
    /// The metric is at most this.
    Max,
    /// The metric changed against the champion by at least this.
    MinChange,
    /// The metric changed against the champion by at most this.
    MaxChange,
    /// The metric changed by at least this share of the champion's.
    MinRelativeChange,
    /// The metric changed by at most this share of the champion's.
    MaxRelativeChange,
}

/// One rule of one gate, held against what was observed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateResult {
    /// The metric.
    pub metric: String,
    /// The slice, as `sex=female`, when the gate holds by slice.
    pub slice: Option<String>,
    /// The rule.
    pub rule: Rule,
    /// What is required.
    pub required: f64,
    /// What was observed: the metric, or its change; null when it is not known.
    pub observed: Option<f64>,
    /// Whether it passed.
    pub passed: bool,
    /// Whether the gate alone can reject the model.
    pub blocking: bool,
    /// There is no champion to compare with, so the rule passed without a comparison.
    pub without_champion: bool,
    /// The gate was passed, but the metric's interval reaches to the other side of it.
    pub uncertain: bool,
}

/// Every rule of every gate, in the order of the metrics.
pub(crate) fn check(gates: &BTreeMap<String, Gate>, evidence: &Evidence) -> Vec<GateResult> {
    let mut results = Vec::new();
    for (metric, gate) in gates {
        let observed = evidence.metrics.get(metric).copied().flatten();
        check_absolute(metric, gate, None, observed, evidence, &mut results);
        if let Some(column) = &gate.slice {
            match evidence.slices.get(column).filter(|slices| !slices.is_empty()) {
                Some(slices) => {
                    for (value, metrics) in slices {
                        let observed = metrics.get(metric).copied().flatten();
                        let name = format!("{column}={value}");
                        check_absolute(metric, gate, Some(&name), observed, evidence, &mut results);
                    }
                }
                // A gate by slice without its slices is a missing metric.
                None => check_absolute(metric, gate, Some(column), None, evidence, &mut results),
            }
        }
        check_change(metric, gate, observed, evidence, &mut results);
    }
    results
}

fn check_absolute(
    metric: &str,
    gate: &Gate,
    slice: Option<&str>,
    observed: Option<f64>,
    evidence: &Evidence,
    results: &mut Vec<GateResult>,
) {
    let interval = evidence.intervals.get(metric).filter(|_| slice.is_none());
    let mut push = |rule, required: Option<f64>, passes: fn(f64, f64) -> bool, beyond: Option<f64>| {
        let Some(required) = required else { return };
        let passed = observed.is_some_and(|observed| passes(observed, required));
        results.push(GateResult {
            metric: metric.to_owned(),
            slice: slice.map(str::to_owned),
            rule,
            required,
            observed,
            passed,
            blocking: gate.blocking,
            without_champion: false,
            uncertain: passed && beyond.is_some_and(|bound| !passes(bound, required)),
        });
    };
    push(Rule::Min, gate.min, |a, b| a >= b - ROUNDING, interval.map(|interval| interval.low));
    push(Rule::Max, gate.max, |a, b| a <= b + ROUNDING, interval.map(|interval| interval.high));
}

fn check_change(metric: &str, gate: &Gate, observed: Option<f64>, evidence: &Evidence, results: &mut Vec<GateResult>) {
    let champion = evidence.champion.as_ref();
    let before = champion.and_then(|champion| champion.comparison.as_ref());
    let before = before.and_then(|comparison| comparison.baseline_metrics.get(metric).copied().flatten());
    let change = observed.zip(before).map(|(after, before)| after - before);
    let relative = change.zip(before).and_then(|(change, before)| (before != 0.0).then(|| change / before.abs()));
    let rules: [(Rule, Option<f64>, Option<f64>, bool); 4] = [
        (Rule::MinChange, gate.min_change, change, true),
        (Rule::MaxChange, gate.max_change, change, false),
        (Rule::MinRelativeChange, gate.min_relative_change, relative, true),
        (Rule::MaxRelativeChange, gate.max_relative_change, relative, false),
    ];
    for (rule, required, observed, at_least) in rules {
        let Some(required) = required else { continue };
        let meets = |seen: f64| if at_least { seen >= required - ROUNDING } else { seen <= required + ROUNDING };
        results.push(GateResult {
            metric: metric.to_owned(),
            slice: None,
            rule,
            required,
            observed,
            passed: champion.is_none() || observed.is_some_and(meets),
            blocking: gate.blocking,
            without_champion: champion.is_none(),
            uncertain: false,
        });
    }
}
