//! What expressions and agents are told of the execution.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::errors::{DATA_LIMIT, Failure};
use super::executions::Record;
use super::expressions::Scope;
use super::progress::{Current, Progress};

/// The most bytes of JSON that a state takes or gives: 256 KiB.
pub(crate) const LARGEST_DATA: usize = 256 * 1024;

/// The scope of the current state. `outcome` is `result` or `errorOutput` with its value, once there is one.
pub(crate) fn scope(record: &Record, progress: &Progress, current: &Current, outcome: Option<(&str, Value)>) -> Scope {
    let entered = current.entered.unwrap_or(record.started);
    let mut states = Map::new();
    states.insert("input".to_owned(), progress.data.clone());
    states.insert(
        "context".to_owned(),
        json!({
            "Execution": {
                "Id": record.arn(),
                "Input": record.input,
                "Name": record.name,
                "StartTime": time(record.started),
                "RedriveCount": progress.redrives,
            },
            "State": {
                "EnteredTime": time(entered),
                "Name": current.state,
                "RetryCount": current.failures.len(),
            },
            "StateMachine": { "Id": record.machine_arn(), "Name": record.machine },
        }),
    );
    if let Some((name, value)) = outcome {
        states.insert(name.to_owned(), value);
    }
    Scope::new(Value::Object(states), &progress.variables)
}

/// The value, or the failure of one that is too large.
pub(crate) fn within_limit(value: Value, what: &str) -> Result<Value, Failure> {
    let bytes = value.to_string().len();
    if bytes <= LARGEST_DATA {
        return Ok(value);
    }
    Err(Failure::new(DATA_LIMIT, format!("{what} has {bytes} bytes, and at most {LARGEST_DATA} pass between states")))
}

fn time(timestamp: Timestamp) -> String {
    format!("{timestamp:.3}")
}
