//! Which template an event is told with, and its values.

use std::collections::BTreeMap;

use mlops_core::Task;
use mlops_notification::Template;
use mlops_notification::tools::ApplyNotificationTemplate;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A decision was made.
    Completed(Completed),
    /// A step failed.
    Failed(Failed),
}

/// A run with a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Completed {
    /// `promote`, `reject` or `needs_human`.
    pub decision: String,
    /// Why.
    pub reasons: Vec<String>,
    /// The algorithm of the model.
    pub algorithm: String,
    /// The metrics on the test rows.
    pub metrics: BTreeMap<String, Option<f64>>,
    /// The version that the model was registered as; null when it was not.
    #[serde(default)]
    pub version: Option<u64>,
    /// Where the report lies.
    pub report_uri: String,
}

/// A run that failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failed {
    /// The step that failed.
    pub stage: String,
    /// The error's kind.
    pub error: String,
    /// What it was about.
    pub cause: String,
}

impl Event {
    /// The event's name, part of the message's key.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Completed(_) => "completed",
            Self::Failed(_) => "failed",
        }
    }
}

/// The template of a run's end, with its values.
pub(crate) fn template(task: &Task<Event>) -> ApplyNotificationTemplate {
    let (template, own) = match &task.inputs {
        Event::Completed(run) if run.decision == "needs_human" => (
            Template::ApprovalRequest,
            json!({"version": run.version, "reasons": run.reasons, "report": run.report_uri}),
        ),
        Event::Completed(run) => (
            Template::TrainingCompleted,
            json!({"decision": run.decision, "reasons": run.reasons, "algorithm": run.algorithm,
                "metrics": rounded(&run.metrics), "version": run.version, "report": run.report_uri}),
        ),
        Event::Failed(run) => {
            (Template::TrainingFailed, json!({"stage": run.stage, "error": run.error, "cause": readable(&run.cause)}))
        }
    };
    let mut values = own.as_object().cloned().unwrap_or_default();
    values.insert("model_name".to_owned(), json!(task.config.model_name));
    values.insert("run_id".to_owned(), json!(task.run_id));
    let lang = Some(task.lang);
    ApplyNotificationTemplate { template: Some(template), custom: None, values, lang, preview: false }
}

fn rounded(metrics: &BTreeMap<String, Option<f64>>) -> Map<String, Value> {
    let shown = |value: &Option<f64>| value.map_or_else(|| json!("–"), |value| json!(format!("{value:.4}")));
    metrics.iter().map(|(name, value)| (name.clone(), shown(value))).collect()
}

/// The message inside a Lambda error payload, on one line; any other text as it is.
fn readable(cause: &str) -> String {
    let parsed = serde_json::from_str::<Value>(cause).ok();
    let message = parsed.as_ref().and_then(|value| value["errorMessage"].as_str()).unwrap_or(cause);
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
