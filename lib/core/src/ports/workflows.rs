//! Where state machines are executed.

use async_trait::async_trait;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Result;

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

    /// The executions of a machine, the newest first, at most `limit`.
    async fn list(&self, machine: &str, limit: usize) -> Result<Vec<Execution>>;

    /// Lets a failed execution go on from the state that failed.
    async fn redrive(&self, name: &str) -> Result<()>;

    /// Answers the task that waits with that token. The same answer again changes nothing; a token that nobody gave is
    /// `NotFound`, and one whose task ended otherwise (another answer, its time over, its execution stopped) is
    /// `Conflict`.
    async fn answer(&self, token: &str, answer: TaskAnswer) -> Result<()>;

    /// Stops a running execution, which ends `ABORTED` with that error and cause. One that has ended stays as it is, and
    /// that is no error: `describe` says how it ended.
    async fn stop(&self, name: &str, error: &str, cause: &str) -> Result<()>;
}
