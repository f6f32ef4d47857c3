//! Walks a state machine: each step writes an event, and the next step follows from the events alone.

use std::time::Duration;

use futures::future::BoxFuture;
use mlops_core::{Call, Error, Result};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::agents::Agents;
use super::definition::{Flow, Machine, State};
use super::errors::{Failure, TIMEOUT};
use super::executions::{Executions, Record};
use super::journal::NewEvent;
use super::ledger::Shared;
use super::progress::Frame;
use super::scribe::Request;
use super::step::Step;
use crate::files::FileStore;

/// How long a wait goes on before it looks whether it was cancelled.
const LOOK: Duration = Duration::from_millis(250);

/// A walk through one execution.
pub(crate) struct Walker<'a> {
    pub(crate) record: &'a Record,
    pub(crate) machine: &'a Machine,
    pub(crate) executions: &'a Executions,
    pub(crate) agents: &'a Agents,
    pub(crate) call: &'a Call,
    /// What a second of waiting takes, in seconds.
    pub(crate) wait_scale: f64,
    /// Where the items of maps are read from.
    pub(crate) store: &'a FileStore,
    pub(crate) progress: Shared,
    pub(crate) requests: mpsc::UnboundedSender<Request>,
    /// When the time of the execution is over.
    pub(crate) deadline: Option<Instant>,
}

/// How the walk of a thread of control ended.
#[derive(Debug, PartialEq)]
pub(crate) enum Ending {
    /// Its last state is left.
    Done,
    Failed(Failure),
    /// It goes no further without an answer.
    Parked,
}

impl Walker<'_> {
    /// Walks until the execution has ended, or goes no further without an answer. The time limit of the machine counts
    /// from the beginning of this walk: the time in which nobody walked does not count.
    pub(crate) async fn walk(&self) -> Result<()> {
        if !self.progress.get().started {
            self.write(started(self.record)).await?;
        }
        let over = async {
            match self.deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        let (kind, details) = tokio::select! {
            ending = self.thread(String::new(), &self.machine.flow) => match ending? {
                Ending::Done => {
                    let output = self.frame("")?.data;
                    ("ExecutionSucceeded", json!({ "output": *output }))
                }
                Ending::Failed(failure) => ("ExecutionFailed", json!(failure)),
                Ending::Parked => return Ok(()),
            },
            () = over => {
                let failure = Failure::new(TIMEOUT, "the execution did not end in its TimeoutSeconds");
                ("ExecutionTimedOut", json!(failure))
            }
        };
        self.write(NewEvent { kind: kind.to_owned(), details, ..NewEvent::default() }).await?;
        Ok(())
    }

    /// Walks one thread of control to its end, from wherever its events left it.
    pub(crate) fn thread<'s>(&'s self, path: String, flow: &'s Flow) -> BoxFuture<'s, Result<Ending>> {
        Box::pin(async move {
            loop {
                self.check()?;
                let frame = self.frame(&path)?;
                let Some(current) = &frame.current else { return Ok(Ending::Done) };
                let state = flow.states.get(&current.state).ok_or_else(|| {
                    Error::internal(format!("the journal speaks of a state `{}` that is not there", current.state))
                })?;
                match self.step(&frame, current, state) {
                    Step::Write(event) => drop(self.write(event).await?),
                    Step::Fail(failure) => return Ok(Ending::Failed(failure)),
                    Step::Sleep(wait, event) => {
                        self.sleep(wait).await?;
                        self.write(event).await?;
                    }
                    Step::Do(wait) => {
                        self.sleep(wait).await?;
                        match state {
                            State::Task(task) => self.task(&frame, current, task).await?,
                            _ => self.start_fan(&frame, state, None).await?,
                        }
                    }
                    Step::Await(attempt) => match self.overdue(&frame, current, attempt) {
                        Some(event) => drop(self.write(event).await?),
                        None => return Ok(Ending::Parked),
                    },
                    Step::Fan => {
                        if self.fan(&frame, current, state).await? == Ending::Parked {
                            return Ok(Ending::Parked);
                        }
                    }
                }
            }
        })
    }

    /// Makes the event durable. `false` when it cannot happen any more: what was written meanwhile decides.
    pub(crate) async fn write(&self, draft: NewEvent) -> Result<bool> {
        let lost = || Error::internal("the journal was lost in a failed write");
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request { draft, reply }).map_err(|_| lost())?;
        answer.await.map_err(|_| lost())
    }

    /// Waits that many seconds of the walk's scale.
    pub(crate) async fn sleep(&self, wait: Duration) -> Result<()> {
        let scaled = Duration::try_from_secs_f64(wait.as_secs_f64() * self.wait_scale).unwrap_or(Duration::MAX);
        let until = Instant::now().checked_add(scaled);
        loop {
            let left = until.map_or(LOOK, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Ok(());
            }
            tokio::time::sleep(left.min(LOOK)).await;
            self.check()?;
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.call.cancellation.is_cancelled() {
            return Err(Error::cancelled().hint("start the same run again: it goes on where it was"));
        }
        Ok(())
    }

    pub(crate) fn frame(&self, path: &str) -> Result<Frame> {
        let frame = self.progress.get().frame(path);
        frame.ok_or_else(|| Error::internal(format!("the journal knows no branch or item `{path}`")))
    }
}

/// The first event of an execution.
pub(crate) fn started(record: &Record) -> NewEvent {
    let details = json!({ "input": record.input });
    NewEvent { kind: "ExecutionStarted".to_owned(), details, ..NewEvent::default() }
}

/// An event of the current state.
pub(crate) fn event(frame: &Frame, kind: impl Into<String>, details: Value) -> NewEvent {
    NewEvent {
        kind: kind.into(),
        path: frame.path.clone(),
        state: frame.current.as_ref().map(|current| current.state.clone()),
        details,
        ..NewEvent::default()
    }
}
