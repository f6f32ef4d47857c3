//! Does the task of a state once.

use std::sync::Arc;
use std::time::Duration;

use mlops_core::{Error, Result};
use serde_json::{Value, json};

use super::context::{scope, within_limit};
use super::definition::Task;
use super::errors::{Failure, HEARTBEAT_TIMEOUT, QUERY, TIMEOUT};
use super::expressions::{Scope, Template};
use super::journal::{More, NewEvent};
use super::progress::Frame;
use super::task::{Outcome, invoke};
use super::thread::{Attempt, Current};
use super::tokens;
use super::walker::{Walker, event};
use crate::files::blocking;

/// The longest time that an expression may give, in seconds.
const LONGEST: u64 = 99_999_999;
/// How long an agent works on before the walk looks whether its token came back.
const LOOK: Duration = Duration::from_millis(250);

/// What a task is asked.
struct Arguments {
    payload: Value,
    timeout: Option<u64>,
    heartbeat: Option<u64>,
}

impl Walker<'_> {
    /// Does the task once. Of a task that waits for its token, this is the part of the agent.
    pub(crate) async fn task(&self, frame: &Frame, current: &Current, task: &Task) -> Result<()> {
        let token = match &current.attempt {
            // The agent may have passed the token on before the walk was broken off: it stays good.
            Some(attempt) => Some(attempt.token.clone()),
            None if task.waits_for_token => Some(self.token().await?),
            None => None,
        };
        let arguments = match self.arguments(frame, task, token.as_deref()) {
            Ok(arguments) => arguments,
            Err(failure) => {
                let kind = if failure.error == QUERY { "EvaluationFailed" } else { "TaskFailed" };
                return self.write(event(frame, kind, json!(failure))).await.map(drop);
            }
        };
        let Some(agent) = self.agents.handlers.get(&task.agent).map(Arc::clone) else {
            return Err(Error::unavailable(format!("the agent {} is not in this process", task.agent))
                .hint("walk the execution where its agents are"));
        };
        let mut call = self.call.clone().by(task.agent.clone()).in_run(self.record.name.clone());
        let place = if frame.path.is_empty() { String::new() } else { format!("{}/", frame.path) };
        call.request_id = format!("{}/{place}{}/{}", self.record.name, current.state, current.failures.len() + 1);
        let of_task = |kind: &str, details: Value| NewEvent {
            more: More { token: token.clone(), ..More::default() },
            ..event(frame, kind, details)
        };
        let resource = if token.is_some() { "invoke.waitForTaskToken" } else { "invoke" };
        let Arguments { payload, timeout, heartbeat } = arguments;
        let mut scheduled = json!({
            "resourceType": "lambda",
            "resource": resource,
            "parameters": { "FunctionName": task.agent, "Payload": without(&payload, token.as_deref()) },
        });
        for (name, seconds) in [("timeoutInSeconds", timeout), ("heartbeatInSeconds", heartbeat)] {
            if let Some(seconds) = seconds {
                scheduled[name] = json!(seconds);
            }
        }
        self.write(of_task("TaskScheduled", scheduled)).await?;
        self.write(event(frame, "TaskStarted", json!({ "resourceType": "lambda", "resource": resource }))).await?;
        let limits = (timeout.map(Duration::from_secs), self.deadline);
        let outcome = tokio::select! {
            outcome = invoke(agent, payload, call, limits) => outcome,
            () = self.answered(token.as_deref()) => return Ok(()),
        };
        // What the agent says of a call that was cancelled is not a result of the task.
        self.check()?;
        let ended = match outcome {
            Outcome::Succeeded(output) if token.is_some() => {
                let output = without(&output, token.as_deref());
                let details = json!({ "resourceType": "lambda", "resource": resource, "output": output });
                of_task("TaskSubmitted", details)
            }
            Outcome::Succeeded(output) => of_task("TaskSucceeded", json!({ "output": output })),
            Outcome::Failed(failure) => of_task("TaskFailed", json!(failure)),
            Outcome::TimedOut(failure) => of_task("TaskTimedOut", json!(failure)),
            // The walk itself ends the execution.
            Outcome::ExecutionTimedOut => return std::future::pending().await,
        };
        // A token that came back before the agent had ended has decided.
        self.write(ended).await.map(drop)
    }

    /// The event of an attempt whose time is over.
    pub(crate) fn overdue(&self, frame: &Frame, current: &Current, attempt: &Attempt) -> Option<NewEvent> {
        let now = self.call.clock.now();
        let is_over = |moment: Option<jiff::Timestamp>| moment.is_some_and(|moment| moment <= now);
        let failure = if is_over(attempt.timeout_at()) {
            Failure::new(TIMEOUT, format!("the answer to `{}` did not come in its time", current.state))
        } else if is_over(attempt.heartbeat_at()) {
            Failure::new(HEARTBEAT_TIMEOUT, format!("`{}` gave no sign of life in its time", current.state))
        } else {
            return None;
        };
        let more = More { token: Some(attempt.token.clone()), ..More::default() };
        Some(NewEvent { more, ..event(frame, "TaskTimedOut", json!(failure)) })
    }

    /// Comes when the token has come back.
    async fn answered(&self, token: Option<&str>) {
        let Some(token) = token else { return std::future::pending().await };
        while !self.progress.get().answers.contains_key(token) {
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn token(&self) -> Result<String> {
        let (executions, record) = (self.executions.clone(), self.record.clone());
        blocking(move || tokens::create(&executions, &record)).await
    }

    fn arguments(&self, frame: &Frame, task: &Task, token: Option<&str>) -> Result<Arguments, Failure> {
        let mut scope = scope(self.record, frame, None, token);
        let payload = within_limit(scope.fill(&task.payload)?, "the payload of the task")?;
        let timeout = seconds(&mut scope, task.timeout.as_ref(), "TimeoutSeconds")?;
        let heartbeat = seconds(&mut scope, task.heartbeat.as_ref(), "HeartbeatSeconds")?;
        Ok(Arguments { payload, timeout, heartbeat })
    }
}

fn seconds(scope: &mut Scope, template: Option<&Template>, name: &str) -> Result<Option<u64>, Failure> {
    let Some(template) = template else { return Ok(None) };
    let seconds = scope.fill(template)?;
    match seconds.as_u64().filter(|seconds| (1..=LONGEST).contains(seconds)) {
        Some(seconds) => Ok(Some(seconds)),
        None => Err(Failure::new(QUERY, format!("{name} is a whole number from 1, and this is {seconds}"))),
    }
}

/// A value as the history shows it: whoever has the token can answer the task.
fn without(value: &Value, token: Option<&str>) -> Value {
    match (value, token) {
        (Value::String(text), Some(token)) => Value::String(text.replace(token, "(task token)")),
        (Value::Array(items), Some(_)) => items.iter().map(|item| without(item, token)).collect(),
        (Value::Object(entries), Some(_)) => {
            entries.iter().map(|(name, value)| (name.clone(), without(value, token))).collect()
        }
        (value, _) => value.clone(),
    }
}
