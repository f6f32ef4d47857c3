//! What people ask of a run: in a comment of its issue, and on the command line.

use std::sync::Arc;

use mlops_core::ports::{Execution, ExecutionStatus, NewExecution, TaskAnswer, Workflows};
use mlops_core::values::{IssueRef, TrainingConfig, sha256_hex};
use mlops_core::{Call, Error, ErrorKind, Lang, Result};
use mlops_records::{Approvals, IssueRuns};
use schemars::JsonSchema;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::IssueDetector;
use crate::replies::{self, Reply};

mod standing;

/// The state machine that puts an earlier version in the place of the present one.
const ROLLBACK_MACHINE: &str = "rollback";
/// The error with which a run ends that was cancelled.
const CANCELLED: &str = "Cancelled";

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// The model that waits for a person is accepted.
    Approve {
        /// Why.
        reason: Option<String>,
    },
    /// It is not.
    Reject {
        /// Why.
        reason: Option<String>,
    },
    /// A run that was broken off goes on from there; one that ended well, or remembered its failure, is run again.
    Retry,
    /// An earlier version of the run's model takes the place of the present one.
    Rollback {
        /// The version; the one before the present one when none is named.
        version: Option<u64>,
        /// Why.
        reason: Option<String>,
    },
    /// The run ends now.
    Cancel {
        /// Why.
        reason: Option<String>,
    },
    /// How the run stands.
    Status,
}

/// Of which run it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Of the run of that id.
    Run(String),
    /// Of the run that the issue asked for last.
    Issue(IssueRef),
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The name in records: `github:octocat`, `cli:me`.
    pub name: String,
    /// What makes the command this one when it is repeated, such as the id of its comment: the same key does the same
    /// thing once.
    pub key: String,
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandOutcome {
    /// Whether something was done.
    pub effect: CommandEffect,
    /// The run that it is about; the new one when a run was started.
    pub run_id: Option<String>,
    /// What was done, or why nothing was, for people, in the language of the call.
    pub message: String,
    /// The facts behind the message.
    pub details: Value,
}

/// Whether a command did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommandEffect {
    /// What was asked holds now.
    Done,
    /// There was nothing to do it to.
    NothingToDo,
}

/// Does what commands ask.
#[derive(Clone)]
pub struct Commands {
    detector: IssueDetector,
    workflows: Arc<dyn Workflows>,
    approvals: Approvals,
    issue_runs: IssueRuns,
}

impl Commands {
    /// Commands over those runs; the detector starts new ones.
    pub fn new(
        detector: IssueDetector,
        workflows: Arc<dyn Workflows>,
        approvals: Approvals,
        issue_runs: IssueRuns,
    ) -> Self {
        Self { detector, workflows, approvals, issue_runs }
    }

    /// Does what is asked; the same command of the same actor again changes nothing more. The message is in the language
    /// of the call.
    ///
    /// A run that does not exist is `NotFound`. That an issue has no run, that nothing waits for an approval, or that it
    /// was answered otherwise before, is no error: the outcome says so.
    pub async fn run(&self, command: Command, target: Target, actor: Actor, call: &Call) -> Result<CommandOutcome> {
        let run_id = match target {
            Target::Run(run_id) => run_id,
            Target::Issue(issue) => match self.issue_runs.latest(&issue).await? {
                Some(run_id) => run_id,
                None => return Ok(nothing(None, &Reply::NoRun { issue: &issue }, call.lang)),
            },
        };
        let execution = self.workflows.describe(&run_id).await?;
        call.check()?;
        match command {
            Command::Approve { reason } => self.answer(&execution, (true, reason), &actor, call).await,
            Command::Reject { reason } => self.answer(&execution, (false, reason), &actor, call).await,
            Command::Retry => self.retry(execution, &actor, call).await,
            Command::Rollback { version, reason } => self.roll_back(&execution, version, reason, &actor, call).await,
            Command::Cancel { reason } => self.cancel(&execution, reason, &actor, call).await,
            Command::Status => self.status(execution, call).await,
        }
    }

    async fn answer(
        &self,
        execution: &Execution,
        (approved, reason): (bool, Option<String>),
        actor: &Actor,
        call: &Call,
    ) -> Result<CommandOutcome> {
        let (run_id, lang) = (execution.name.as_str(), call.lang);
        let Some(approval) = self.approvals.find(run_id).await? else {
            return Ok(nothing(Some(run_id), &Reply::NothingWaits { run_id }, lang));
        };
        let is_given = |given: &mlops_records::Answered| given.approved == approved;
        if execution.status != ExecutionStatus::Running && !approval.answer.as_ref().is_some_and(is_given) {
            return Ok(nothing(Some(run_id), &Reply::Ended { run_id, status: execution.status }, lang));
        }
        let answered =
            match self.approvals.answer(run_id, approved, &actor.name, reason.as_deref(), call.clock.now()).await {
                Ok(answered) => answered,
                Err(error) if error.kind == ErrorKind::Conflict => {
                    let Some(given) = self.approvals.find(run_id).await?.and_then(|of| of.answer) else {
                        return Err(error);
                    };
                    return Ok(nothing(Some(run_id), &Reply::AnsweredOtherwise { run_id, given: &given }, lang));
                }
                Err(error) => return Err(error),
            };
        let Some(given) = answered.answer else {
            return Err(Error::internal(format!("the answer for the run {run_id} was not kept")));
        };
        // What was written first counts: a repeat and a run that went on after a crash get the very same answer.
        let output = json!({"approved": given.approved, "by": given.by, "reason": given.reason});
        match self.workflows.answer(answered.token.expose_secret(), TaskAnswer::Success(output.clone())).await {
            Ok(()) => {}
            Err(error) if matches!(error.kind, ErrorKind::Conflict | ErrorKind::NotFound) => {
                if !self.was_answered(run_id, &output).await? {
                    return Ok(nothing(Some(run_id), &Reply::TooLate { run_id }, lang));
                }
            }
            Err(error) => return Err(error),
        }
        let reply =
            Reply::Answered { run_id, model_name: &answered.model_name, version: answered.version, given: &given };
        let details = json!({
            "approved": given.approved, "by": given.by, "reason": given.reason, "at": given.at,
            "model_name": answered.model_name, "version": answered.version,
        });
        Ok(done(run_id, &reply, details, lang))
    }

    /// Whether a task of the run has that answer already: Step Functions refuses the same answer when it comes again.
    async fn was_answered(&self, run_id: &str, output: &Value) -> Result<bool> {
        let history = self.workflows.history(run_id).await?;
        Ok(history.iter().any(|event| event.kind == "TaskSucceeded" && event.details["output"] == *output))
    }

    async fn retry(&self, execution: Execution, actor: &Actor, call: &Call) -> Result<CommandOutcome> {
        let (run_id, lang) = (execution.name.as_str(), call.lang);
        match execution.status {
            ExecutionStatus::Running => {
                return Ok(nothing(Some(run_id), &Reply::StillRunning { run_id }, lang));
            }
            ExecutionStatus::Succeeded => {}
            ExecutionStatus::Failed | ExecutionStatus::TimedOut | ExecutionStatus::Aborted => {
                match self.workflows.redrive(run_id).await {
                    Ok(()) => {
                        let error = execution.error.as_deref();
                        return Ok(done(
                            run_id,
                            &Reply::GoesOn { run_id },
                            json!({"redriven": true, "error": error}),
                            lang,
                        ));
                    }
                    // It cannot go on from where it ended: it was stopped, or that is too long ago.
                    Err(error) if matches!(error.kind, ErrorKind::Conflict | ErrorKind::InvalidInput) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        let (config, issue, run_lang) = asked(&execution)?;
        let version = format!("retry {}", actor.key);
        let new = self.detector.start(config, issue.clone(), run_lang, Some(version), call).await?.execution_name;
        if let Some(issue) = &issue {
            self.issue_runs.add(issue, &new).await?;
        }
        let details = json!({"redriven": false, "retry_of": run_id});
        Ok(done(&new, &Reply::RunAgain { run_id: &new, before: run_id }, details, lang))
    }

    async fn roll_back(
        &self,
        execution: &Execution,
        version: Option<u64>,
        reason: Option<String>,
        actor: &Actor,
        call: &Call,
    ) -> Result<CommandOutcome> {
        let (config, issue, run_lang) = asked(execution)?;
        let model_name = config.model_name.clone();
        let reason = reason.unwrap_or_else(|| replies::asked_by(&actor.name, run_lang));
        let identity = json!([model_name, version, actor.name, actor.key]).to_string();
        let name = format!("rollback-{}-{}", slug(&model_name), &sha256_hex(identity.as_bytes())[..16]);
        let mut inputs = json!({"step": "rollback", "model_name": model_name, "reason": reason, "by": actor.name});
        if let Some(version) = version {
            inputs["to_version"] = json!(version);
        }
        let mut input = json!({"run_id": name, "config": config, "lang": run_lang, "inputs": inputs});
        if let Some(issue) = issue {
            input["issue"] = json!(issue);
        }
        let execution = NewExecution { machine: ROLLBACK_MACHINE.to_owned(), name: name.clone(), input };
        let started = self.workflows.start(execution).await?;
        let details =
            json!({"model_name": model_name, "to_version": version, "already_started": started.already_exists});
        let reply = Reply::RollsBack { run_id: &name, model_name: &model_name, version };
        Ok(done(&name, &reply, details, call.lang))
    }

    async fn cancel(
        &self,
        execution: &Execution,
        reason: Option<String>,
        actor: &Actor,
        call: &Call,
    ) -> Result<CommandOutcome> {
        let (run_id, lang) = (execution.name.as_str(), call.lang);
        if execution.status == ExecutionStatus::Running {
            let reason = reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
            self.workflows.stop(run_id, CANCELLED, &format!("cancelled by {}{reason}", actor.name)).await?;
        }
        // It may have ended by itself in the meantime: what is reported is what is seen now.
        let status = self.workflows.describe(run_id).await?.status;
        let details = json!({"status": status});
        match status {
            ExecutionStatus::Aborted => Ok(done(run_id, &Reply::Cancelled { run_id }, details, lang)),
            ExecutionStatus::Running => Ok(done(run_id, &Reply::Stopping { run_id }, details, lang)),
            status => Ok(nothing(Some(run_id), &Reply::Ended { run_id, status }, lang)),
        }
    }
}

/// What the run was asked for: its request, its issue and its language.
fn asked(execution: &Execution) -> Result<(TrainingConfig, Option<IssueRef>, Lang)> {
    let input = &execution.input;
    let part = |name: &str| input.get(name).cloned().unwrap_or(Value::Null);
    let config: TrainingConfig = serde_json::from_value(part("config")).map_err(|error| {
        Error::invalid_input(format!("the request of the run {} is not in its input", execution.name))
            .at("run_id")
            .hint("name a run of the state machine `training`")
            .caused_by(error)
    })?;
    let issue = serde_json::from_value(part("issue")).unwrap_or_default();
    let lang = serde_json::from_value(part("lang")).unwrap_or(config.lang);
    Ok((config, issue, lang))
}

/// The model's name as a part of an execution's name: at most 40 letters, digits and dashes.
fn slug(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).take(40).collect()
}

fn done(run_id: &str, reply: &Reply<'_>, details: Value, lang: Lang) -> CommandOutcome {
    let message = reply.text(lang);
    CommandOutcome { effect: CommandEffect::Done, run_id: Some(run_id.to_owned()), message, details }
}

fn nothing(run_id: Option<&str>, reply: &Reply<'_>, lang: Lang) -> CommandOutcome {
    let (run_id, message) = (run_id.map(str::to_owned), reply.text(lang));
    CommandOutcome { effect: CommandEffect::NothingToDo, run_id, message, details: Value::Null }
}

#[cfg(test)]
#[path = "commands/commands_tests.rs"]
mod tests;
