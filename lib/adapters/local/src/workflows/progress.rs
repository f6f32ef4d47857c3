//! How far an execution is: what its events, in order, amount to.

use jiff::Timestamp;
use mlops_core::ports::ExecutionStatus;
use serde_json::{Map, Value};

use super::errors::Failure;
use super::journal::Line;

/// How far an execution is. It is made of events alone, the same way while they happen and after a crash.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Whether the first event happened.
    pub(crate) started: bool,
    /// The variables as the states assigned them.
    pub(crate) variables: Map<String, Value>,
    /// The state that is to be done; `None` when the last one is.
    pub(crate) current: Option<Current>,
    /// The input of the next state, and at last the output.
    pub(crate) data: Value,
    /// How the execution ended.
    pub(crate) ended: Option<Ended>,
    /// How often it was driven on after an end.
    pub(crate) redrives: u64,
}

/// The state that is to be done.
#[derive(Debug, Default)]
pub(crate) struct Current {
    pub(crate) state: String,
    pub(crate) entered: Option<Timestamp>,
    /// The failures since it was entered.
    pub(crate) failures: Vec<Failure>,
    /// Whether nothing followed on the last failure yet.
    pub(crate) undecided: bool,
    /// The task's result, when it has one.
    pub(crate) result: Option<Value>,
}

/// How an execution ended.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    pub(crate) status: ExecutionStatus,
    pub(crate) at: Timestamp,
    pub(crate) failure: Option<Failure>,
}

impl Progress {
    /// How far the execution is after those events.
    pub(crate) fn replay(start_at: &str, input: &Value, lines: &[Line]) -> Self {
        let mut progress = Self { current: Some(Current::of(start_at)), data: input.clone(), ..Self::default() };
        for line in lines {
            progress.apply(line);
        }
        progress
    }

    /// How the execution stands.
    pub(crate) fn status(&self) -> ExecutionStatus {
        self.ended.as_ref().map_or(ExecutionStatus::Running, |ended| ended.status)
    }

    /// One more event.
    pub(crate) fn apply(&mut self, line: &Line) {
        let event = &line.event;
        let failure = || Failure {
            error: event.details["error"].as_str().unwrap_or_default().to_owned(),
            cause: event.details["cause"].as_str().unwrap_or_default().to_owned(),
        };
        let mut end = |status, failure| self.ended = Some(Ended { status, at: event.timestamp, failure });
        match event.kind.as_str() {
            "ExecutionStarted" => self.started = true,
            "ExecutionSucceeded" => end(ExecutionStatus::Succeeded, None),
            "ExecutionFailed" => end(ExecutionStatus::Failed, Some(failure())),
            "ExecutionTimedOut" => end(ExecutionStatus::TimedOut, Some(failure())),
            "ExecutionRedriven" => {
                self.ended = None;
                self.redrives += 1;
                if let Some(current) = &mut self.current {
                    *current = Current::of(&current.state);
                }
            }
            kind if kind.ends_with("StateExited") => {
                let assigned = event.details["assignedVariables"].as_object();
                self.variables
                    .extend(assigned.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
                self.data = event.details["output"].clone();
                self.current = line.next.as_deref().map(Current::of);
            }
            kind => {
                if let Some(current) = &mut self.current {
                    current.apply(kind, line, failure);
                }
            }
        }
    }
}

impl Current {
    fn of(state: &str) -> Self {
        Self { state: state.to_owned(), ..Self::default() }
    }

    fn apply(&mut self, kind: &str, line: &Line, failure: impl FnOnce() -> Failure) {
        match kind {
            "TaskScheduled" => self.undecided = false,
            "TaskSucceeded" => self.result = Some(line.event.details["output"].clone()),
            "TaskFailed" | "TaskTimedOut" | "EvaluationFailed" => {
                self.failures.push(failure());
                self.undecided = true;
                // A retry does the task again, even if only its output could not be evaluated.
                self.result = None;
            }
            kind if kind.ends_with("StateEntered") => self.entered = Some(line.event.timestamp),
            _ => {}
        }
    }
}
