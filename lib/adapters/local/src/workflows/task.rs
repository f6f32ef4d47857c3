//! Calls an agent for a task.

use std::sync::Arc;
use std::time::Duration;

use mlops_core::{AgentHandler, Call, Cancellation, Error, ErrorKind, panic_message};
use serde_json::{Value, json};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::context::within_limit;
use super::errors::{Failure, TIMEOUT};

/// How a task ended.
pub(crate) enum Outcome {
    Succeeded(Value),
    Failed(Failure),
    TimedOut(Failure),
    /// The time of the whole execution is over.
    ExecutionTimedOut,
}

/// Stops the agent when nobody waits for it any more.
struct StopWhenDropped(Cancellation, AbortHandle);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.cancel();
        self.1.abort();
    }
}

/// Calls the agent and gives its result in the shape in which an invoked function's result comes.
pub(crate) async fn invoke(
    agent: Arc<dyn AgentHandler>,
    payload: Value,
    mut call: Call,
    (timeout, deadline): (Option<Duration>, Option<Instant>),
) -> Outcome {
    call.cancellation = call.cancellation.child();
    let until_deadline = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    let limit = match (timeout, until_deadline) {
        (Some(timeout), Some(until)) => Some(timeout.min(until)),
        (timeout, until) => timeout.or(until),
    };
    if let Some(limit) = limit {
        call = call.within(limit);
    }
    let cancellation = call.cancellation.clone();
    // A task of its own, so that an agent that does not yield cannot hold up the limits.
    let work = tokio::spawn(async move { agent.invoke(payload, &call).await });
    let _guard = StopWhenDropped(cancellation, work.abort_handle());
    let begun = Instant::now();
    let ended = match limit {
        Some(limit) => tokio::time::timeout(limit, work).await,
        None => Ok(work.await),
    };
    // An agent can notice that its time is over before the timer does.
    let is_over = |result: &Result<_, Error>| {
        let late = limit.is_some_and(|limit| begun.elapsed() >= limit);
        late && result.as_ref().is_err_and(|error| error.kind == ErrorKind::TimedOut)
    };
    let result = match ended {
        Ok(result) if !result.as_ref().is_ok_and(is_over) => result,
        _ if until_deadline.is_some_and(|until| timeout.is_none_or(|timeout| until <= timeout)) => {
            return Outcome::ExecutionTimedOut;
        }
        _ => {
            let seconds = timeout.unwrap_or_default().as_secs();
            return Outcome::TimedOut(Failure::new(TIMEOUT, format!("the task did not end in {seconds} s")));
        }
    };
    let result = result.unwrap_or_else(|error| {
        let panic = error.try_into_panic().ok();
        let cause = panic.as_deref().map_or("it was broken off", |panic| panic_message(panic));
        Err(Error::internal(format!("the agent failed: {cause}")))
    });
    match result {
        Err(error) => Outcome::Failed(Failure::of_agent(&error)),
        Ok(payload) => {
            let result = json!({ "ExecutedVersion": "$LATEST", "Payload": payload, "StatusCode": 200 });
            within_limit(result, "the result of the task").map_or_else(Outcome::Failed, Outcome::Succeeded)
        }
    }
}
