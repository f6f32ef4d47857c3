//! Answers deliveries of GitHub's webhook: fast, and each once.

use std::collections::BTreeMap;
use std::sync::Arc;

use mlops_core::masking::mask_value;
use mlops_core::ports::{CodeHost, Comment, Reaction};
use mlops_core::values::IssueRef;
use mlops_core::{Call, Error, ErrorKind, Lang, Result};
use mlops_github_integration::tools::DetectedMlopsIssue;
use mlops_github_integration::{Intent, LARGEST_DELIVERY, language_of};
use mlops_records::{Deliveries, IssueRuns};
use serde::Serialize;
use serde_json::{Value, json};

use crate::replies::{self, Reply};
use crate::{Accepted, Actor, Checked, Command, CommandEffect, Commands, IssueDetector, IssueRequest, Target};

/// The comment that says what is wrong with a request, or that it was read.
const REQUEST: &str = "request";
/// The comment that answers the last command.
const COMMAND: &str = "command";
/// The field of the error of a body that is no JSON.
const CONTENT_TYPE: &str = "headers.content-type";

/// Answers deliveries.
#[derive(Clone)]
pub struct Webhook {
    detector: IssueDetector,
    commands: Commands,
    code_host: Arc<dyn CodeHost>,
    deliveries: Deliveries,
    issue_runs: IssueRuns,
}

/// The answer to a delivery.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WebhookAnswer {
    /// The status of HTTP: 202 when a run was started or a command was taken, 200 when nothing was to be done or the
    /// request holds errors, 400, 401, 413 and 415 when the delivery is at fault, 500 and 503 when it should be made
    /// again.
    pub status: u16,
    /// The body.
    pub body: Value,
}

impl Webhook {
    /// A webhook that starts runs by that detector, does commands by those, and answers in the issues of that host.
    pub fn new(
        detector: IssueDetector,
        commands: Commands,
        code_host: Arc<dyn CodeHost>,
        deliveries: Deliveries,
        issue_runs: IssueRuns,
    ) -> Self {
        Self { detector, commands, code_host, deliveries, issue_runs }
    }

    /// The answer to a delivery: its headers, and its body as it was sent. A delivery that was answered is remembered, so
    /// that a repeat does nothing; one that failed can be made again.
    pub async fn answer(&self, headers: &BTreeMap<String, String>, body: &[u8], call: &Call) -> WebhookAnswer {
        if body.len() > LARGEST_DELIVERY {
            let message = format!("the body has {} bytes, and at most {LARGEST_DELIVERY} are read", body.len());
            return WebhookAnswer { status: 413, body: refused(&Error::invalid_input(message).at("body")) };
        }
        self.take(headers, body, call).await.unwrap_or_else(|error| {
            let status = match error.kind {
                ErrorKind::Forbidden => 401,
                ErrorKind::InvalidInput if error.field.as_deref() == Some(CONTENT_TYPE) => 415,
                ErrorKind::InvalidInput => 400,
                // A webhook without its secret is not set up yet: the delivery can be made again.
                ErrorKind::NotFound | ErrorKind::Throttled | ErrorKind::Unavailable | ErrorKind::TimedOut => 503,
                _ => 500,
            };
            WebhookAnswer { status, body: refused(&error) }
        })
    }

    async fn take(&self, headers: &BTreeMap<String, String>, body: &[u8], call: &Call) -> Result<WebhookAnswer> {
        let detected = self.detector.detect(headers.clone(), body, call).await?;
        let (Some(issue), Some(delivery_id), Some(body_sha256)) =
            (detected.issue_ref.clone(), detected.delivery_id.clone(), detected.body_sha256.clone())
        else {
            return Ok(ignored(&detected, &detected.reasons));
        };
        if !detected.is_mlops {
            return Ok(ignored(&detected, &detected.reasons));
        }
        let now = call.clock.now();
        if !self.deliveries.first(&delivery_id, &body_sha256, now).await? {
            let reason = call.lang.pick("the delivery is being answered already", "この配信はすでに処理中です");
            return Ok(ignored(&detected, &[reason.to_owned()]));
        }
        match self.act(&detected, &issue, call).await {
            Ok(answer) => {
                self.deliveries.settle(&delivery_id, &body_sha256, now).await?;
                Ok(answer)
            }
            Err(error) => {
                // Whether or not this is remembered, the error is what the caller must hear of.
                drop(self.deliveries.release(&delivery_id, &body_sha256).await);
                // The delivery was sound: what failed is on this side, and it can be made again.
                let is_ours = matches!(error.kind, ErrorKind::Throttled | ErrorKind::Unavailable | ErrorKind::TimedOut);
                let status = if is_ours { 503 } else { 500 };
                Ok(WebhookAnswer { status, body: refused(&error) })
            }
        }
    }

    async fn act(&self, detected: &DetectedMlopsIssue, issue: &IssueRef, call: &Call) -> Result<WebhookAnswer> {
        let lang = language_of(&detected.title, &detected.body).unwrap_or(call.lang);
        let arguments = &detected.arguments;
        let reason = arguments.reason.clone();
        let command = match detected.intent {
            Intent::Train | Intent::Retrain => return self.request(detected, issue, call).await,
            Intent::Evaluate | Intent::Deploy => {
                let reason = lang.pick(
                    "a model is evaluated as a part of its training, and nothing is deployed by an issue",
                    "評価は学習の一部として行われます。Issue によるデプロイは行いません",
                );
                return Ok(ignored(detected, &[reason.to_owned()]));
            }
            Intent::None => {
                let usage = replies::usage(detected.command.as_deref().unwrap_or_default(), lang);
                let url = self.comment(issue, COMMAND, usage).await?;
                return Ok(ok(&json!({"refused": true, "errors": detected.reasons, "comment_url": url})));
            }
            Intent::Approve => Command::Approve { reason },
            Intent::Reject => Command::Reject { reason },
            Intent::Retry => Command::Retry,
            Intent::Rollback => Command::Rollback { version: arguments.version, reason },
            Intent::Cancel => Command::Cancel { reason },
            Intent::Status => Command::Status,
        };
        if let Some(comment_id) = detected.comment_id {
            // A sign that somebody listens; the answer itself is a comment, and that must be there.
            drop(self.code_host.react(issue, Some(comment_id), Reaction::Eyes).await);
        }
        let actor = actor(detected);
        let call = call.clone().by(IssueDetector::NAME).in_lang(lang);
        let outcome = match self.commands.run(command, Target::Issue(issue.clone()), actor, &call).await {
            Ok(outcome) => outcome,
            // It stays wrong however often it is said: who said it should know.
            Err(error) if !error.kind.is_transient() && error.kind != ErrorKind::Internal => {
                let url = self.comment(issue, COMMAND, replies::failure(&error.message, lang)).await?;
                return Ok(ok(&json!({"refused": true, "errors": [error.to_value()], "comment_url": url})));
            }
            Err(error) => return Err(error),
        };
        let url = self.comment(issue, COMMAND, outcome.message.clone()).await?;
        let status = if outcome.effect == CommandEffect::Done { 202 } else { 200 };
        let body = json!({
            "command": detected.command, "effect": outcome.effect, "run_id": outcome.run_id,
            "message": outcome.message, "comment_url": url,
        });
        Ok(WebhookAnswer { status, body: mask_value(&body) })
    }

    /// Starts what the issue asks for, or says in it what is wrong.
    async fn request(&self, detected: &DetectedMlopsIssue, issue: &IssueRef, call: &Call) -> Result<WebhookAnswer> {
        let source_name = issue.to_string();
        let request = IssueRequest {
            title: detected.title.clone(),
            body: detected.body.clone(),
            issue: Some(issue.clone()),
            source_name: source_name.clone(),
            data_version: None,
            default_lang: call.lang,
        };
        // The data is looked at by the first task of the run: that can take longer than a webhook may.
        match self.detector.check_and_start(request, false, call).await {
            Ok(Checked::Accepted(accepted)) => self.accepted(detected, issue, &accepted).await,
            Ok(Checked::Refused { errors, lang }) => {
                let lines: Vec<String> = errors.iter().map(|error| error.to_line(&source_name, lang)).collect();
                let url = self.refuse(issue, &lines, lang).await?;
                Ok(ok(&json!({"refused": true, "errors": errors, "comment_url": url})))
            }
            // No request could be read at all.
            Err(error) if error.kind == ErrorKind::InvalidInput => {
                let lang = language_of(&detected.title, &detected.body).unwrap_or(call.lang);
                let url = self.refuse(issue, std::slice::from_ref(&error.message), lang).await?;
                Ok(ok(&json!({"refused": true, "errors": [error.to_value()], "comment_url": url})))
            }
            Err(error) => Err(error),
        }
    }

    async fn accepted(
        &self,
        detected: &DetectedMlopsIssue,
        issue: &IssueRef,
        accepted: &Accepted,
    ) -> Result<WebhookAnswer> {
        let Accepted { run_id, already_running, .. } = accepted;
        self.issue_runs.add(issue, run_id).await?;
        let lang = accepted.config.lang;
        let (begins, there) = (Reply::Begins { run_id }, Reply::ThereAlready { run_id });
        let comment = match (detected.command.is_some(), already_running) {
            (true, true) => Some((COMMAND, there)),
            (true, false) => Some((COMMAND, begins)),
            // What was said of the request before no longer holds. An issue that is new has no such comment.
            (false, false) if detected.action.as_deref() != Some("opened") => Some((REQUEST, begins)),
            (false, _) => None,
        };
        let mut warnings = accepted.warnings.clone();
        let mut url = None;
        if let Some((marker, reply)) = comment {
            // The run goes on whether or not its issue can be reached.
            match self.comment(issue, marker, reply.text(lang)).await {
                Ok(posted) => url = Some(posted),
                Err(error) => warnings.push(error.message),
            }
        }
        let body = json!({
            "run_id": run_id, "already_running": already_running, "execution_arn": accepted.execution_arn,
            "console_url": accepted.console_url, "issue": issue, "warnings": warnings, "comment_url": url,
        });
        Ok(WebhookAnswer { status: 202, body: mask_value(&body) })
    }

    async fn refuse(&self, issue: &IssueRef, lines: &[String], lang: Lang) -> Result<String> {
        self.comment(issue, REQUEST, replies::refusal(lines.iter().map(String::as_str), lang)).await
    }

    async fn comment(&self, issue: &IssueRef, marker: &str, body: String) -> Result<String> {
        let comment = Comment { marker: marker.to_owned(), body };
        Ok(self.code_host.comment(issue, &comment).await?.url)
    }
}

/// Who said it. A comment is known by its number; whatever else is said is known by its delivery.
fn actor(detected: &DetectedMlopsIssue) -> Actor {
    let login = detected.author.as_deref().unwrap_or("nobody");
    let key = match (detected.comment_id, &detected.delivery_id) {
        (Some(comment), _) => format!("comment {comment}"),
        (None, delivery) => format!("delivery {}", delivery.as_deref().unwrap_or_default()),
    };
    Actor { name: format!("github:{login}"), key }
}

fn ok(body: &Value) -> WebhookAnswer {
    WebhookAnswer { status: 200, body: mask_value(body) }
}

fn ignored(detected: &DetectedMlopsIssue, reasons: &[String]) -> WebhookAnswer {
    ok(&json!({"ignored": true, "reasons": reasons, "delivery_id": detected.delivery_id}))
}

fn refused(error: &Error) -> Value {
    mask_value(&json!({"error": error.to_value()}))
}

#[cfg(test)]
#[path = "webhook/webhook_tests.rs"]
mod tests;
