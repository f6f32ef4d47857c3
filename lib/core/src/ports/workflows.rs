//! Where state machines are executed.

use async_trait::async_trait;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, Result};

/// The most bytes of JSON that an execution or a state takes or gives: 256 KiB.
pub const LARGEST_DATA: usize = 256 * 1024;

/// A request to execute a state machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewExecution {
    /// The state machine's name: `training`.
    pub machine: String,
    /// The execution's name. The same name is the same execution.
    pub name: String,
    /// The input.
    pub input: Value,
}

/// What became of a request to execute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// The execution's ARN.
    pub execution_arn: String,
    /// Whether an execution of that name was there before, running or ended.
    pub already_exists: bool,
    /// Where a person can look at it.
    pub console_url: Option<String>,
}

/// How an execution stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExecutionStatus {
    /// It goes on, or it was interrupted and can go on.
    Running,
    /// It ended well.
    Succeeded,
    /// It ended with an error.
    Failed,
    /// It did not end in its time.
    TimedOut,
    /// It was stopped.
    Aborted,
}

/// An execution as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub execution_arn: String,
    /// The state machine's name.
    pub machine: String,
    /// How it stands.
    pub status: ExecutionStatus,
    /// When it started.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Its input.
    pub input: Value,
    /// Its output, when it succeeded.
    pub output: Option<Value>,
    /// The name of its error, when it failed.
    pub error: Option<String>,
    /// What the error was about.
    pub cause: Option<String>,
}

/// One event of an execution's history, in the words of Step Functions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryEvent {
    /// 1 for the first event.
    pub id: u64,
    /// When.
    pub timestamp: Timestamp,
    /// `ExecutionStarted`, `TaskStateEntered`, `TaskScheduled`, `TaskSucceeded`, `TaskFailed`, `TaskStateExited`, ….
    #[serde(rename = "type")]
    pub kind: String,
    /// The state that the event belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The branch or item that the event belongs to: `Fan.0` is the first branch of the state `Fan`, and `Fan.0/Each.3`
    /// the fourth item of the state `Each` in it. None for the states of the machine itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The input, output, error and cause of the event.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub details: Value,
}

/// An answer to a task that waits for its token to come back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskAnswer {
    /// The task is done; this is its output.
    Success(Value),
    /// The task failed.
    Failure {
        /// The error's name, as `ErrorEquals` has it.
        error: String,
        /// What it was about.
        cause: String,
    },
    /// The task is still worked on: its heartbeat begins anew.
    Heartbeat,
}

/// Executes state machines.
#[async_trait]
pub trait Workflows: Send + Sync {
    /// Starts an execution. A name that exists gives that execution when the input is the same, and `AlreadyExists`
    /// when it is another.
    async fn start(&self, execution: NewExecution) -> Result<Started>;

    /// The execution as it stands; `NotFound` when there is none of that name.
    async fn describe(&self, name: &str) -> Result<Execution>;

    /// The history of the execution, in order.
    async fn history(&self, name: &str) -> Result<Vec<HistoryEvent>>;

    /// The executions of a machine, the newest first, at most `limit`; `NotFound` when there is no such machine.
    async fn list(&self, machine: &str, limit: usize) -> Result<Vec<Execution>>;

    /// Lets a failed execution go on from the state that failed. `Conflict` when nothing failed, and when the machine
    /// itself ended in a Fail state: there it would only fail again.
    async fn redrive(&self, name: &str) -> Result<()>;

    /// Answers the task that waits with that token. The same answer again changes nothing; a token that nobody gave is
    /// `NotFound`, and one whose task ended otherwise (another answer, its time over, its execution stopped) is
    /// `Conflict`. Step Functions does not remember answers: there the same answer again is a `Conflict` too, and
    /// [`Self::history`] tells which answer counted.
    async fn answer(&self, token: &str, answer: TaskAnswer) -> Result<()>;

    /// Stops a running execution, which ends `ABORTED` with that error and cause. One that has ended stays as it is, and
    /// that is no error: `describe` says how it ended.
    async fn stop(&self, name: &str, error: &str, cause: &str) -> Result<()>;
}

/// Whether an execution failed in a Fail state of its machine and not in what it did, by the kinds of its events, the last
/// one first.
pub fn failed_by_decision<'a>(kinds_from_the_end: impl IntoIterator<Item = &'a str>) -> bool {
    let mut kinds =
        kinds_from_the_end.into_iter().skip_while(|kind| ["ExecutionFailed", "EvaluationFailed"].contains(kind));
    kinds.next() == Some("FailStateEntered")
}

/// Takes names that Step Functions takes and that can be names of folders: 1 to 80 letters, digits, hyphens, underscores
/// and points. Another one is `InvalidInput` at `name`.
pub fn check_execution_name(name: &str) -> Result<()> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.len() > 80 || name.starts_with('.') || !name.chars().all(allowed) {
        return Err(Error::invalid_input(format!("`{}` is not the name of an execution", name.escape_debug()))
            .at("name")
            .hint("write 1 to 80 letters, digits, hyphens, underscores and points"));
    }
    Ok(())
}

/// The JSON of an execution's `input`, or of the `output` of an answer; `InvalidInput` at that field when it has more
/// than [`LARGEST_DATA`] bytes.
pub fn check_size(field: &str, value: &Value) -> Result<String> {
    let json = value.to_string();
    if json.len() > LARGEST_DATA {
        return Err(Error::invalid_input(format!("the {field} has {} bytes", json.len()))
            .at(field)
            .hint(format!("at most {LARGEST_DATA} bytes pass between states: put the rest into the store")));
    }
    Ok(json)
}
