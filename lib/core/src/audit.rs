//! One audit line per call to a tool.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::masking::{mask_text, mask_value};
use crate::{Call, Error};

/// The longest text that an audit line repeats of an argument, in characters.
const LONGEST: usize = 500;

/// What was called, by whom, with what and how it ended. The keys are those of the design document, section 9.5.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditLine {
    /// When the call ended, RFC 3339 with milliseconds.
    pub timestamp: String,
    /// `INFO`, or `ERROR` when the call failed.
    pub level: String,
    /// The capability of the tool.
    pub capability: String,
    /// The tool.
    pub tool_name: String,
    /// Who called.
    pub agent_id: String,
    /// The id of the request.
    pub request_id: String,
    /// The arguments, masked and shortened.
    pub arguments: Value,
    /// How long the call took, in milliseconds.
    pub duration_ms: u64,
    /// `success`, or the kind of the error.
    pub status: String,
    /// The result's one line, or the error's message.
    pub result_summary: String,
}

/// Where audit lines go.
pub trait Audit: Send + Sync {
    /// Takes one line. It must not fail the call that it speaks of.
    fn write(&self, line: &AuditLine);
}

/// Keeps no line: for tests and for callers that write their own.
#[derive(Debug, Clone, Copy)]
pub struct Discard;

impl Audit for Discard {
    fn write(&self, _: &AuditLine) {}
}

impl AuditLine {
    /// The line of a call that ended.
    pub fn of(
        (capability, tool): (&str, &str),
        arguments: &Value,
        call: &Call,
        took: Duration,
        outcome: Result<&str, &Error>,
    ) -> Self {
        let (level, status, summary) = match outcome {
            Ok(summary) => ("INFO", "success", summary),
            Err(error) => ("ERROR", error.kind.as_str(), error.message.as_str()),
        };
        Self {
            timestamp: format!("{:.3}", call.clock.now()),
            level: level.to_owned(),
            capability: capability.to_owned(),
            tool_name: tool.to_owned(),
            agent_id: mask_text(&call.agent_id),
            request_id: mask_text(&call.request_id),
            arguments: shorten(&mask_value(arguments)),
            duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            status: status.to_owned(),
            result_summary: mask_text(summary),
        }
    }
}

fn shorten(value: &Value) -> Value {
    match value {
        Value::String(text) if text.chars().count() > LONGEST => {
            let kept: String = text.chars().take(LONGEST).collect();
            Value::String(format!("{kept}… ({} characters)", text.chars().count()))
        }
        Value::Array(items) if items.len() > 20 => {
            let mut kept: Vec<Value> = items.iter().take(20).map(shorten).collect();
            kept.push(Value::String(format!("… ({} items)", items.len())));
            Value::Array(kept)
        }
        Value::Array(items) => Value::Array(items.iter().map(shorten).collect()),
        Value::Object(object) => {
            let shortened: Map<String, Value> =
                object.iter().map(|(key, value)| (key.clone(), shorten(value))).collect();
            Value::Object(shortened)
        }
        other => other.clone(),
    }
}
