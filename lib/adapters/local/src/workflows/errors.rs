//! The errors of states: their names, who catches them, and when a task is tried again.

use std::time::Duration;

use mlops_core::ports::HistoryEvent;
use mlops_core::values::sha256_hex;
use mlops_core::{Error, masking};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::definition::{Handling, Retrier};

pub(crate) const ALL: &str = "States.ALL";
pub(crate) const TASK_FAILED: &str = "States.TaskFailed";
pub(crate) const TIMEOUT: &str = "States.Timeout";
pub(crate) const RUNTIME: &str = "States.Runtime";
pub(crate) const DATA_LIMIT: &str = "States.DataLimitExceeded";
pub(crate) const QUERY: &str = "States.QueryEvaluationError";
pub(crate) const NO_CHOICE: &str = "States.NoChoiceMatched";
pub(crate) const HEARTBEAT_TIMEOUT: &str = "States.HeartbeatTimeout";
pub(crate) const TOO_MANY_FAILURES: &str = "States.ExceedToleratedFailureThreshold";
pub(crate) const READER_FAILED: &str = "States.ItemReaderFailed";

/// The reserved names that a retrier or a catcher may name.
pub(crate) const RESERVED: [&str; 12] = [
    ALL,
    TASK_FAILED,
    TIMEOUT,
    RUNTIME,
    DATA_LIMIT,
    QUERY,
    NO_CHOICE,
    HEARTBEAT_TIMEOUT,
    TOO_MANY_FAILURES,
    READER_FAILED,
    "States.BranchFailed",
    "States.Permissions",
];

/// The longest text of an error that a cause repeats, in characters. A cause has at most 32,768.
const LONGEST: usize = 8000;

/// How a state failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub(crate) error: String,
    pub(crate) cause: String,
}

/// What follows on a failure.
#[derive(Debug, PartialEq)]
pub(crate) enum Decision {
    /// The state is tried again after that time.
    Retry(Duration),
    /// The catcher of that number takes over.
    Catch(usize),
    /// The execution fails.
    Fail,
}

impl Failure {
    pub(crate) fn new(error: &str, cause: impl Into<String>) -> Self {
        Self { error: error.to_owned(), cause: masking::mask_text(&cause.into()) }
    }

    /// The failure that an event tells of.
    pub(crate) fn of_event(event: &HistoryEvent) -> Self {
        let text = |name: &str| event.details[name].as_str().unwrap_or_default().to_owned();
        Self { error: text("error"), cause: text("cause") }
    }

    /// The failure of an agent, in the words in which a function's errors reach a state machine.
    pub(crate) fn of_agent(error: &Error) -> Self {
        let shorten = |text: &str| -> String { masking::mask_text(text).chars().take(LONGEST).collect() };
        let mut cause = json!({ "errorMessage": shorten(&error.message), "errorType": error.kind });
        for (name, text) in [("field", &error.field), ("hint", &error.hint)] {
            if let Some(text) = text {
                cause[name] = Value::String(shorten(text));
            }
        }
        Self { error: error.kind.to_string(), cause: cause.to_string() }
    }

    /// `$states.errorOutput`.
    pub(crate) fn output(&self) -> Value {
        json!({ "Error": self.error, "Cause": self.cause })
    }
}

/// Whether an `ErrorEquals` of those names takes the error. `States.ALL` takes all but `States.DataLimitExceeded`, and
/// `States.TaskFailed` takes what that takes but `States.Timeout`; nothing takes `States.Runtime`.
fn takes(names: &[String], error: &str) -> bool {
    error != RUNTIME
        && names.iter().any(|name| match name.as_str() {
            ALL => error != DATA_LIMIT,
            TASK_FAILED => error != DATA_LIMIT && error != TIMEOUT,
            name => name == error,
        })
}

/// What follows on the last of a state's failures, given all of them since it was entered. `draw` gives a number from 0
/// to 1 for the jitter.
pub(crate) fn decide(handling: &Handling, failures: &[Failure], draw: impl FnOnce() -> f64) -> Decision {
    let Some(last) = failures.last() else { return Decision::Fail };
    let retrier_of =
        |failure: &Failure| handling.retry.iter().position(|retrier| takes(&retrier.errors, &failure.error));
    if let Some(index) = retrier_of(last) {
        let retrier = &handling.retry[index];
        // A retrier counts the errors that it took, whichever they were.
        let count = failures.iter().filter(|failure| retrier_of(failure) == Some(index)).count() as u64;
        if count <= retrier.attempts {
            return Decision::Retry(delay(retrier, count, draw));
        }
    }
    let catcher = handling.catch.iter().position(|catcher| takes(&catcher.errors, &last.error));
    catcher.map_or(Decision::Fail, Decision::Catch)
}

/// The wait before the `count`-th retry: interval · backoff^(count − 1), at most the longest, times the draw.
fn delay(retrier: &Retrier, count: u64, draw: impl FnOnce() -> f64) -> Duration {
    /// The longest wait that Step Functions knows: 366 days.
    const YEAR: f64 = 31_622_400.0;
    let power = i32::try_from(count - 1).unwrap_or(i32::MAX);
    let seconds = retrier.interval as f64 * retrier.backoff.powi(power);
    let seconds = seconds.min(retrier.longest.map_or(YEAR, |longest| longest as f64));
    Duration::from_secs_f64(if retrier.jitter { seconds * draw() } else { seconds })
}

/// A number from 0 to 1 that is always the same for the same attempt.
pub(crate) fn draw_of(execution: &str, state: &str, attempt: usize) -> f64 {
    let hash = sha256_hex(format!("{execution}\n{state}\n{attempt}").as_bytes());
    u32::from_str_radix(&hash[..8], 16).map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflows::definition::{Catcher, Exit};

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    fn retrier(errors: &[&str], attempts: u64) -> Retrier {
        Retrier { errors: names(errors), interval: 2, backoff: 3.0, attempts, longest: Some(10), jitter: false }
    }

    fn handling(retry: Vec<Retrier>, catch: &[&[&str]]) -> Handling {
        let catch = catch
            .iter()
            .map(|errors| Catcher { errors: names(errors), exit: Exit::default(), next: "x".to_owned() })
            .collect();
        Handling { retry, catch }
    }

    fn failures(errors: &[&str]) -> Vec<Failure> {
        errors.iter().map(|error| Failure::new(error, "")).collect()
    }

    #[test]
    fn wildcards_take_what_the_documentation_says() {
        let takes = |name: &str, error: &str| takes(&names(&[name]), error);
        assert!(takes("InvalidInput", "InvalidInput") && !takes("InvalidInput", "Internal"));
        assert!(takes(ALL, "Internal") && takes(ALL, TIMEOUT) && takes(ALL, QUERY));
        assert!(!takes(ALL, DATA_LIMIT) && !takes(ALL, RUNTIME));
        assert!(takes(TASK_FAILED, "Internal") && !takes(TASK_FAILED, TIMEOUT) && !takes(TASK_FAILED, DATA_LIMIT));
        assert!(takes(DATA_LIMIT, DATA_LIMIT) && !takes(RUNTIME, RUNTIME));
    }

    #[test]
    fn each_retrier_counts_its_own_errors_and_waits_longer_each_time() {
        let handling = handling(vec![retrier(&["A", "B"], 3), retrier(&[ALL], 1)], &[&["C"], &[ALL]]);
        let after = |errors: &[&str]| decide(&handling, &failures(errors), || 0.5);
        let wait = |seconds| Decision::Retry(Duration::from_secs(seconds));
        assert_eq!(after(&["A"]), wait(2));
        assert_eq!(after(&["A", "B"]), wait(6));
        assert_eq!(after(&["A", "C", "B", "A"]), wait(10), "at most MaxDelaySeconds");
        assert_eq!(after(&["A", "B", "A", "B"]), Decision::Catch(1), "the next retrier is not asked");
        assert_eq!(after(&["C"]), wait(2));
        assert_eq!(after(&["C", "C"]), Decision::Catch(0));
        assert_eq!(after(&[DATA_LIMIT]), Decision::Fail);
        assert_eq!(after(&[]), Decision::Fail);
    }

    #[test]
    fn jitter_is_a_part_of_the_delay_and_always_the_same() {
        let handling = handling(vec![Retrier { jitter: true, ..retrier(&[ALL], 3) }], &[]);
        let wait = decide(&handling, &failures(&["A"]), || draw_of("run-1", "Train", 1));
        assert!(matches!(wait, Decision::Retry(wait) if wait > Duration::ZERO && wait < Duration::from_secs(2)));
        assert_eq!(wait, decide(&handling, &failures(&["A"]), || draw_of("run-1", "Train", 1)));
        assert_ne!(draw_of("run-1", "Train", 1), draw_of("run-1", "Train", 2));
    }

    #[test]
    fn a_cause_is_json_and_never_too_long() {
        let error = Error::invalid_input("x".repeat(100_000)).at("config.seed").hint("write 1");
        let failure = Failure::of_agent(&error);
        let cause: Value = serde_json::from_str(&failure.cause).unwrap();
        assert_eq!((&failure.error[..], &cause["errorType"]), ("InvalidInput", &json!("InvalidInput")));
        assert_eq!((&cause["field"], &cause["hint"]), (&json!("config.seed"), &json!("write 1")));
        assert!(failure.cause.len() < 32_768);
    }
}
