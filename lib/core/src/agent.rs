//! What an agent is: a task payload in, tools called, a task result out.

use std::collections::BTreeMap;
use std::future::Future;

use futures::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::masking::mask_value;
use crate::reading;
use crate::values::{IssueRef, TrainingConfig};
use crate::{Call, Error, Lang, Result};

/// The largest task result, in bytes of JSON. The host that runs an agent puts what is larger into the store, and claim
/// checks into the result.
pub const LARGEST_RESULT: usize = 100 * 1024;

/// A task of a state machine, as every agent receives it. Fields that an agent does not know are kept out of its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task<I> {
    /// The run that the task belongs to.
    pub run_id: String,
    /// The issue that asked for the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue: Option<IssueRef>,
    /// What the issue asked for, checked and complete.
    pub config: TrainingConfig,
    /// What this agent needs from the states before.
    pub inputs: I,
    /// 1 for the first attempt; a retry counts on.
    #[serde(default = "first")]
    pub attempt: u32,
    /// The language of everything that people read.
    #[serde(default)]
    pub lang: Lang,
}

fn first() -> u32 {
    1
}

/// What an agent answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskResult<O> {
    /// `succeeded`; a failure is an error and not a result.
    pub status: Status,
    /// The agent's name.
    pub agent: String,
    /// The run that the task belonged to.
    pub run_id: String,
    /// What the next states need.
    pub outputs: O,
    /// The artifacts that the task made.
    #[serde(default)]
    pub artifacts: Vec<Artifact>,
    /// The numbers that a person looks at first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, f64>,
    /// What would be done next, in one line for a person.
    pub next_hint: String,
}

/// How a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It did what it was asked.
    Succeeded,
}

/// An artifact with the hash of its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// Where it lies.
    pub uri: String,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
}

/// An agent of the fleet.
pub trait Agent: Send + Sync + 'static {
    /// The agent's name; its folder and its function have the same name in kebab-case.
    const NAME: &'static str;
    /// What it needs from the states before.
    type Inputs: DeserializeOwned + Send;
    /// What the next states need.
    type Outputs: Serialize + Send;

    /// Does one task. A repeated task gives the same result and changes nothing more.
    fn handle(
        &self,
        task: Task<Self::Inputs>,
        call: &Call,
    ) -> impl Future<Output = Result<TaskResult<Self::Outputs>>> + Send;
}

/// An agent behind its wire format.
pub trait AgentHandler: Send + Sync {
    /// The agent's name.
    fn name(&self) -> &'static str;

    /// A task payload in, a task result out.
    fn invoke<'a>(&'a self, payload: Value, call: &'a Call) -> BoxFuture<'a, Result<Value>>;
}

impl<A: Agent> AgentHandler for A {
    fn name(&self) -> &'static str {
        A::NAME
    }

    fn invoke<'a>(&'a self, payload: Value, call: &'a Call) -> BoxFuture<'a, Result<Value>> {
        Box::pin(async move {
            let task: Task<A::Inputs> = reading::read(payload).map_err(|error| {
                Error::invalid_input(format!("the task of {} is wrong {error}", A::NAME)).at(error.path)
            })?;
            let call = call.clone().by(A::NAME).in_run(task.run_id.clone()).in_lang(task.lang);
            let result = self.handle(task, &call).await?;
            let value = serde_json::to_value(&result)
                .map_err(|error| Error::internal("the task result could not be written as JSON").caused_by(error))?;
            Ok(mask_value(&value))
        })
    }
}

impl<O> TaskResult<O> {
    /// The result of a task that did what it was asked.
    pub fn succeeded<A: Agent>(run_id: impl Into<String>, outputs: O, next_hint: impl Into<String>) -> Self {
        Self {
            status: Status::Succeeded,
            agent: A::NAME.to_owned(),
            run_id: run_id.into(),
            outputs,
            artifacts: Vec::new(),
            metrics: BTreeMap::new(),
            next_hint: next_hint.into(),
        }
    }
}
