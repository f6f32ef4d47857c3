//! The steps of a run as they happen, on the standard error.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use mlops_core::ports::HistoryEvent;

use crate::output;
use crate::output::tell;

/// Prints a line for each step that ends.
#[derive(Default)]
pub(crate) struct Progress {
    steps: Mutex<Steps>,
}

/// When each step was entered, and the error of those that failed.
#[derive(Default)]
struct Steps {
    entered: BTreeMap<String, Timestamp>,
    failed: BTreeMap<String, String>,
}

impl Progress {
    /// Knows of a run's events before this process came to it, so that a step under way has its whole time.
    pub(crate) fn know(&self, history: &[HistoryEvent]) {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        for event in history.iter().filter(|event| event.kind == "TaskStateEntered") {
            steps.entered.extend(event.state.clone().map(|state| (state, event.timestamp)));
        }
    }

    /// Takes one event of the history.
    pub(crate) fn take(&self, event: &HistoryEvent) {
        let Some(state) = &event.state else { return };
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let Steps { entered, failed } = &mut *steps;
        match event.kind.as_str() {
            "TaskStateEntered" => {
                entered.insert(state.clone(), event.timestamp);
            }
            "TaskStateExited" => {
                let took = entered.get(state).map_or(0.0, |since| elapsed(*since, event.timestamp));
                let took = output::seconds(took);
                match failed.remove(state) {
                    None => tell!("  ✓ {state:<16} {took:>9}"),
                    Some(error) => tell!("  ✗ {state:<16} {took:>9}  {error}"),
                }
            }
            // A retry may still succeed, so the failure is told when the state is left without a success.
            "TaskSucceeded" => {
                failed.remove(state);
            }
            "TaskFailed" | "TaskTimedOut" => {
                let error = event.details["error"].as_str().unwrap_or("error");
                failed.insert(state.clone(), error.to_owned());
            }
            _ => {}
        }
    }
}

/// The seconds between two moments.
pub(crate) fn elapsed(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}
