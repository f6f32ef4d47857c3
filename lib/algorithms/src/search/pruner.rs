//! Stopping a trial early that does worse than others did at the same step.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::SearchError;
use super::trial::{Direction, Trial, TrialStatus};

/// When a trial is stopped before its end.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Pruner {
    /// When its best value so far is worse than the median of what the others had at the same step.
    Median {
        /// How many trials must be complete first.
        #[serde(default = "startup_trials")]
        startup_trials: usize,
        /// How many of its first steps no trial is stopped at.
        #[serde(default)]
        warmup_steps: u64,
    },
    /// Asynchronous successive halving (Li et al., 2020): at the steps `min_steps`, `min_steps × factor`, `min_steps ×
    /// factor²` … a trial goes on only when it is among the best share of 1 / `factor` of all that were there.
    SuccessiveHalving {
        /// The first step at which a trial can be stopped.
        #[serde(default = "min_steps")]
        min_steps: u64,
        /// Of how many trials one goes on.
        #[serde(default = "factor")]
        factor: u64,
    },
}

fn startup_trials() -> usize {
    5
}

fn min_steps() -> u64 {
    1
}

fn factor() -> u64 {
    3
}

impl Pruner {
    /// Refuses settings outside their range.
    pub(super) fn check(&self) -> Result<(), SearchError> {
        let wrong = |name, value: u64, allowed| Err(SearchError::Setting { name, value: value.to_string(), allowed });
        match *self {
            Self::SuccessiveHalving { min_steps: 0, .. } => wrong("pruner.min_steps", 0, "at least 1"),
            Self::SuccessiveHalving { factor, .. } if !(2..=1000).contains(&factor) => {
                wrong("pruner.factor", factor, "2 to 1000")
            }
            _ => Ok(()),
        }
    }

    /// Whether a trial that has just reported its last value should stop, given all trials of its study.
    pub(super) fn stops(&self, trial: &Trial, all: &[Trial], direction: Direction) -> bool {
        let Some(last) = trial.intermediate.last() else { return false };
        match *self {
            Self::Median { startup_trials, warmup_steps } => {
                let complete = all.iter().filter(|other| other.status == TrialStatus::Complete);
                let others = complete.filter(|other| other.number != trial.number && !other.intermediate.is_empty());
                let others = others.collect::<Vec<_>>();
                if last.step <= warmup_steps || others.len() < startup_trials.max(1) {
                    return false;
                }
                let mut values = others.iter().filter_map(|other| at(other, last.step, direction)).collect::<Vec<_>>();
                let own = trial.intermediate.iter().map(|one| direction.minimized(one.value));
                median(&mut values).is_some_and(|median| own.fold(f64::INFINITY, f64::min) > median)
            }
            Self::SuccessiveHalving { min_steps, factor } => {
                let before = trial.intermediate.iter().rev().nth(1).map_or(0, |one| one.step);
                let mut rung = min_steps;
                while rung <= last.step {
                    // A rung that was passed at an earlier step has let the trial through.
                    if rung > before && !is_among_best(trial, all, rung, factor, direction) {
                        return true;
                    }
                    let Some(next) = rung.checked_mul(factor) else { break };
                    rung = next;
                }
                false
            }
        }
    }
}

/// The value at the first report at or after a step, lower being better.
fn at(trial: &Trial, step: u64, direction: Direction) -> Option<f64> {
    let reached = trial.intermediate.iter().find(|one| one.step >= step)?;
    Some(direction.minimized(reached.value))
}

fn is_among_best(trial: &Trial, all: &[Trial], rung: u64, factor: u64, direction: Direction) -> bool {
    let Some(own) = at(trial, rung, direction) else { return true };
    let others = all.iter().filter(|other| other.number != trial.number).filter_map(|other| at(other, rung, direction));
    let others = others.collect::<Vec<_>>();
    let better = others.iter().filter(|other| **other < own).count() as u64;
    // Of the first few, fewer than `factor`, the best goes on.
    better < ((others.len() as u64 + 1) / factor).max(1)
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        count if count % 2 == 1 => Some(values[middle]),
        _ => Some(0.5 * (values[middle - 1] + values[middle])),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::super::trial::{IntermediateValue, Origin};
    use super::*;

    fn trial(number: usize, status: TrialStatus, values: &[f64]) -> Trial {
        let intermediate = values.iter().zip(1..).map(|(&value, step)| IntermediateValue { step, value }).collect();
        let (params, origin) = (Map::new(), Origin::Sampled);
        Trial { number, params, origin, status, value: None, intermediate, reason: None }
    }

    #[test]
    fn the_median_stops_what_is_worse_than_half() {
        let pruner: Pruner = serde_json::from_value(json!({"kind": "median", "warmup_steps": 1})).unwrap();
        let all = (0..5).map(|at| trial(at, TrialStatus::Complete, &[9.0, at as f64])).collect::<Vec<_>>();
        let stops = |values: &[f64], direction| pruner.stops(&trial(9, TrialStatus::Running, values), &all, direction);
        assert!(stops(&[9.0, 2.5], Direction::Minimize) && !stops(&[9.0, 2.0], Direction::Minimize));
        assert!(!stops(&[2.0, 2.5], Direction::Minimize), "its best so far counts");
        assert!(!stops(&[99.0], Direction::Minimize), "the first step is for warming up");
        assert!(stops(&[1.0, 1.5], Direction::Maximize) && !stops(&[1.0, 2.5], Direction::Maximize));
        assert!(!pruner.stops(&trial(9, TrialStatus::Running, &[9.0, 9.0]), &all[..4], Direction::Minimize));
    }

    #[test]
    fn halving_lets_one_of_factor_through_at_each_rung() {
        let pruner: Pruner = serde_json::from_value(json!({"kind": "successive_halving", "factor": 2})).unwrap();
        let mut all = Vec::new();
        let mut went_on = Vec::new();
        for number in 0..8 {
            let new = trial(number, TrialStatus::Running, &[number as f64]);
            if !pruner.stops(&new, &all, Direction::Maximize) {
                went_on.push(number);
            }
            all.push(new);
        }
        assert_eq!(went_on.len(), 8, "each is better than all before it");
        let worst = trial(9, TrialStatus::Running, &[-1.0]);
        assert!(pruner.stops(&worst, &all, Direction::Maximize));
        assert!(!pruner.stops(&trial(9, TrialStatus::Running, &[5.5]), &all, Direction::Maximize));
        // Step 3 is no rung, and the rung at step 2 was passed before.
        assert!(!pruner.stops(&trial(9, TrialStatus::Running, &[5.5, 0.0, -9.0]), &all, Direction::Maximize));
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let message = |pruner: Pruner| pruner.check().unwrap_err().to_string();
        let factor = Pruner::SuccessiveHalving { min_steps: 1, factor: 1 };
        assert_eq!(message(factor), "pruner.factor is 1, but it must be 2 to 1000");
        assert!(message(Pruner::SuccessiveHalving { min_steps: 0, factor: 3 }).contains("min_steps"));
    }
}
