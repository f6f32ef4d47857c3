//! The steps of a run as they happen, on the standard error.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use mlops_core::ports::HistoryEvent;

use crate::output;

/// Prints a line for each step that ends.
#[derive(Default)]
pub(crate) struct Progress {
    entered: Mutex<BTreeMap<String, Timestamp>>,
}

impl Progress {
    /// Takes one event of the history.
    pub(crate) fn take(&self, event: &HistoryEvent) {
        let Some(state) = &event.state else { return };
        let mut entered = self.entered.lock().unwrap_or_else(PoisonError::into_inner);
        match event.kind.as_str() {
            "TaskStateEntered" => {
                entered.insert(state.clone(), event.timestamp);
            }
            "TaskStateExited" => {
                let took = entered.get(state).map_or(0.0, |since| elapsed(*since, event.timestamp));
                eprintln!("  ✓ {state:<16} {:>9}", output::seconds(took));
            }
            "TaskFailed" | "TaskTimedOut" => {
                let error = event.details["error"].as_str().unwrap_or("error");
                eprintln!("  ✗ {state:<16} {error}");
            }
            _ => {}
        }
    }
}

/// The seconds between two moments.
pub(crate) fn elapsed(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}
