//! Tokens of tasks that somebody outside answers: `<home>/tokens/<hash>.json` says whose a token is.

use std::fs::{self, File};
use std::io::{self, Read as _};

use jiff::Timestamp;
use mlops_core::ports::{TaskAnswer, check_size};
use mlops_core::values::sha256_hex;
use mlops_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::errors::Failure;
use super::executions::{Executions, Record};
use super::journal::{HEARTBEAT, More, NewEvent};
use super::progress::Progress;
use crate::files::{create_once, failure};

/// A task that waits for its token to come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingTask {
    /// The name of the state.
    pub state: String,
    /// The branch or item that the state is in, as in [`mlops_core::ports::HistoryEvent::path`].
    pub path: Option<String>,
    /// Whoever has it can answer the task.
    pub token: String,
    /// Since when it waits.
    pub since: Timestamp,
    /// When its time is over: `TimeoutSeconds` after `since`.
    pub timeout_at: Option<Timestamp>,
    /// When the next sign of life must have come: `HeartbeatSeconds` after the one before.
    pub heartbeat_at: Option<Timestamp>,
}

/// What is kept of a token.
#[derive(Debug, Serialize, Deserialize)]
struct Owner {
    execution: String,
}

/// A new token of that execution, which cannot be guessed.
pub(crate) fn create(executions: &Executions, record: &Record) -> Result<String> {
    let mut random = [0_u8; 32];
    let source = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut random));
    source.map_err(|error| failure(error, "read", "/dev/urandom"))?;
    let token = sha256_hex(&random);
    let owner = serde_json::to_vec(&Owner { execution: record.name.clone() })
        .map_err(|error| Error::internal("a token could not be written as JSON").caused_by(error))?;
    create_once(&executions.drafts(), &executions.token(&sha256_hex(token.as_bytes())), &owner)
        .map_err(|error| failure(error, "written", "a task's token"))?;
    Ok(token)
}

/// The execution that the token belongs to; `NotFound` when nobody gave it.
pub(crate) fn owner(executions: &Executions, token: &str) -> Result<Record> {
    let path = executions.token(&sha256_hex(token.as_bytes()));
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(unknown()),
        Err(error) => return Err(failure(error, "read", "a task's token")),
    };
    let owner: Owner = serde_json::from_slice(&bytes)
        .map_err(|error| Error::internal("a task's token is damaged").caused_by(error))?;
    executions.get(&owner.execution)
}

fn unknown() -> Error {
    Error::not_found("no task was given that token").hint("answer with the token that the task passed on")
}

/// The event of an answer; `None` when the same answer was given before.
pub(crate) fn event(progress: &Progress, token: &str, answer: TaskAnswer, now: Timestamp) -> Result<Option<NewEvent>> {
    let conflict = |what: &str| Err(Error::new(ErrorKind::Conflict, format!("the task of that token {what}")));
    let answer = checked(answer)?;
    match progress.answers.get(token) {
        Some(Some(before)) if *before == answer => return Ok(None),
        Some(Some(_)) => return conflict("was answered before"),
        Some(None) => return conflict("was not answered in its time"),
        None => {}
    }
    let attempts = progress.attempts();
    let Some((path, state, attempt)) = attempts.into_iter().find(|(_, _, attempt)| attempt.token == token) else {
        return if progress.started { conflict("does not wait any more") } else { Err(unknown()) };
    };
    if progress.ended.is_some() {
        return conflict("does not wait any more: its execution has ended");
    }
    let is_over = |moment: Option<Timestamp>| moment.is_some_and(|moment| moment <= now);
    if is_over(attempt.timeout_at()) || is_over(attempt.heartbeat_at()) {
        return conflict("was not answered in its time");
    }
    let (kind, details) = match answer {
        TaskAnswer::Success(output) => ("TaskSucceeded", json!({ "output": output })),
        TaskAnswer::Failure { error, cause } => ("TaskFailed", json!({ "error": error, "cause": cause })),
        TaskAnswer::Heartbeat => (HEARTBEAT, json!(null)),
    };
    let more = More { token: Some(token.to_owned()), ..More::default() };
    Ok(Some(NewEvent { kind: kind.to_owned(), path, state: Some(state), details, more }))
}

/// The answer as it is kept: not too large, and without secrets in its cause.
fn checked(answer: TaskAnswer) -> Result<TaskAnswer> {
    match answer {
        TaskAnswer::Success(output) => {
            check_size("output", &output)?;
            Ok(TaskAnswer::Success(output))
        }
        TaskAnswer::Failure { error, cause } => {
            let Failure { error, cause } = Failure::new(&error, cause);
            Ok(TaskAnswer::Failure { error, cause })
        }
        TaskAnswer::Heartbeat => Ok(TaskAnswer::Heartbeat),
    }
}

/// The tasks that wait for their tokens, in the order of their branches and items.
pub(crate) fn waiting(progress: &Progress) -> Vec<WaitingTask> {
    let ended = progress.ended.is_some();
    let attempts = progress.attempts().into_iter().filter(|(_, _, attempt)| attempt.submitted && !ended);
    let tasks = attempts.map(|(path, state, attempt)| WaitingTask {
        state,
        path: Some(path).filter(|path| !path.is_empty()),
        token: attempt.token.clone(),
        since: attempt.since,
        timeout_at: attempt.timeout_at(),
        heartbeat_at: attempt.heartbeat_at(),
    });
    tasks.collect()
}
