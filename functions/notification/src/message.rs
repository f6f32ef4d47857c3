//! Which template an event is told with, its values, and what programs hear of it.

use std::collections::BTreeMap;

use mlops_core::{Task, masking, ports};
use mlops_notification::Template;
use mlops_notification::tools::{AppliedTemplate, ApplyNotificationTemplate};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

/// What there is to tell.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The run ended with a decision.
    Completed(Completed),
    /// A step failed.
    Failed(Failed),
    /// The run waits for a person.
    ApprovalRequest(ApprovalRequest),
    /// A version was taken back.
    RolledBack(RolledBack),
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
    /// What a person answered; null when none was asked.
    #[serde(default)]
    pub approval: Option<Answer>,
}

/// What a person answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Whether the model may be used.
    pub approved: bool,
    /// Who answered.
    pub by: String,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
}

/// A question to a person. It does not print its token.
#[derive(Debug, Clone, Deserialize)]
pub struct ApprovalRequest {
    /// By which the run goes on.
    #[serde(deserialize_with = "token")]
    pub task_token: SecretString,
    /// The version that is asked about.
    #[serde(default)]
    pub version: Option<u64>,
    /// Why a person is asked.
    pub reasons: Vec<String>,
    /// Where the report lies that the person reads.
    #[serde(default)]
    pub report_uri: Option<String>,
}

/// The token, which is kept out of everything that this process says from now on.
fn token<'de, D: Deserializer<'de>>(given: D) -> Result<SecretString, D::Error> {
    let token = SecretString::from(String::deserialize(given)?);
    masking::register(&token);
    Ok(token)
}

/// A version that was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolledBack {
    /// The version that is out of use.
    pub from: u64,
    /// The version that is in use now; null when there is none.
    #[serde(default)]
    pub to: Option<u64>,
    /// Why.
    pub reason: String,
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
            Self::ApprovalRequest(_) => "approval_request",
            Self::RolledBack(_) => "rolled_back",
        }
    }
}

/// The template of an event, with its values.
pub(crate) fn template(task: &Task<Event>) -> ApplyNotificationTemplate {
    let (template, own) = match &task.inputs {
        Event::Completed(run) => (
            Template::TrainingCompleted,
            json!({"decision": run.decision, "reasons": run.reasons, "algorithm": run.algorithm,
                "metrics": rounded(&run.metrics), "version": run.version, "report": run.report_uri,
                "approval": run.approval}),
        ),
        Event::Failed(run) => {
            (Template::TrainingFailed, json!({"stage": run.stage, "error": run.error, "cause": readable(&run.cause)}))
        }
        Event::ApprovalRequest(question) => (
            Template::ApprovalRequest,
            json!({"version": question.version, "reasons": question.reasons,
                "report": question.report_uri.as_deref().unwrap_or("–"),
                "issue": task.issue.as_ref().map(ToString::to_string)}),
        ),
        Event::RolledBack(change) => (
            Template::Rollback,
            json!({"from_version": change.from, "to_version": change.to, "reason": one_line(&change.reason)}),
        ),
    };
    let mut values = own.as_object().cloned().unwrap_or_default();
    values.insert("model_name".to_owned(), json!(task.config.model_name));
    values.insert("run_id".to_owned(), json!(task.run_id));
    let lang = Some(task.lang);
    ApplyNotificationTemplate { template: Some(template), custom: None, values, lang, preview: false }
}

/// What subscribers of the topic hear: the message as people read it, and what happened as programs read it. The token
/// of a question is no part of it.
pub(crate) fn event(task: &Task<Event>, rendered: &AppliedTemplate) -> ports::Event {
    let name = task.inputs.name();
    let details = match &task.inputs {
        Event::Completed(run) => json!(run),
        Event::Failed(run) => json!({"stage": run.stage, "error": run.error, "cause": readable(&run.cause)}),
        Event::ApprovalRequest(question) => {
            json!({"version": question.version, "reasons": question.reasons, "report_uri": question.report_uri})
        }
        Event::RolledBack(change) => json!(change),
    };
    let mut attributes = BTreeMap::from([
        ("event".to_owned(), name.to_owned()),
        ("run_id".to_owned(), task.run_id.clone()),
        ("model_name".to_owned(), task.config.model_name.clone()),
    ]);
    if let Event::Completed(run) = &task.inputs {
        attributes.insert("decision".to_owned(), run.decision.clone());
    }
    ports::Event {
        key: format!("{}/{name}", task.run_id),
        group: task.run_id.clone(),
        subject: subject(&rendered.subject),
        attributes,
        body: json!({"event": name, "run_id": task.run_id, "model_name": task.config.model_name, "issue": task.issue,
            "lang": rendered.lang, "subject": rendered.subject, "text": rendered.body, "details": details}),
    }
}

/// The subject in the length that every channel takes.
pub(crate) fn subject(text: &str) -> String {
    const LONGEST: usize = 250;
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some(_) => text.chars().take(LONGEST - 1).chain(['…']).collect(),
    }
}

fn rounded(metrics: &BTreeMap<String, Option<f64>>) -> Map<String, Value> {
    let shown = |value: &Option<f64>| value.map_or_else(|| json!("–"), |value| json!(format!("{value:.4}")));
    metrics.iter().map(|(name, value)| (name.clone(), shown(value))).collect()
}

/// The message inside a Lambda error payload, on one line; any other text as it is.
fn readable(cause: &str) -> String {
    let parsed = serde_json::from_str::<Value>(cause).ok();
    one_line(parsed.as_ref().and_then(|value| value["errorMessage"].as_str()).unwrap_or(cause))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
