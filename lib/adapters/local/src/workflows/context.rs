//! What expressions and agents are told of the execution.

use jiff::Timestamp;
use mlops_core::ports::LARGEST_DATA;
use serde_json::{Map, Value, json};

use super::errors::{DATA_LIMIT, Failure};
use super::executions::Record;
use super::expressions::Scope;
use super::progress::Frame;

/// The scope of the current state. `outcome` is `result` or `errorOutput` with its value, once there is one; a task
/// that waits for its token is told of it.
pub(crate) fn scope(record: &Record, frame: &Frame, outcome: Option<(&str, Value)>, token: Option<&str>) -> Scope {
    let mut context = json!({
        "Execution": {
            "Id": record.arn(),
            "Input": record.input,
            "Name": record.name,
            "StartTime": time(record.started),
            "RedriveCount": frame.redrives,
        },
        "StateMachine": { "Id": record.machine_arn(), "Name": record.machine },
    });
    if let Some(current) = &frame.current {
        context["State"] = json!({
            "EnteredTime": time(current.entered.unwrap_or(record.started)),
            "Name": current.state,
            "RetryCount": current.failures.len(),
        });
    }
    if let Some(item) = &frame.item {
        context["Map"] = json!({ "Item": { "Index": item.index, "Value": item.value() } });
    }
    if let Some(token) = token {
        context["Task"] = json!({ "Token": token });
    }
    let mut states = Map::new();
    states.insert("input".to_owned(), Value::clone(&frame.data));
    states.insert("context".to_owned(), context);
    if let Some((name, value)) = outcome {
        states.insert(name.to_owned(), value);
    }
    Scope::new(Value::Object(states), &frame.variables)
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
