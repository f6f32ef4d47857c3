//! How far an execution is: what its events, in order, amount to.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use mlops_core::ports::{ExecutionStatus, TaskAnswer};
use serde_json::Value;

use super::errors::Failure;
use super::journal::{Line, NewEvent};
use super::thread::{Attempt, Current, Item, Thread};

/// How far an execution is. It is made of events alone, the same way while they happen and after a crash.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Whether the first event happened.
    pub(crate) started: bool,
    /// The machine's own thread of control; those of branches and items are below it.
    pub(crate) root: Thread,
    /// How the execution ended.
    pub(crate) ended: Option<Ended>,
    /// How often it was driven on after an end.
    pub(crate) redrives: u64,
    /// The tokens whose tasks ended, each with the answer that ended it; none when its time was over.
    pub(crate) answers: BTreeMap<String, Option<TaskAnswer>>,
}

/// How an execution ended.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    pub(crate) status: ExecutionStatus,
    pub(crate) at: Timestamp,
    pub(crate) failure: Option<Failure>,
}

/// A thread of control at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) path: String,
    pub(crate) variables: Arc<serde_json::Map<String, Value>>,
    pub(crate) data: Arc<Value>,
    pub(crate) current: Option<Current>,
    pub(crate) item: Option<Item>,
    pub(crate) redrives: u64,
}

impl Progress {
    /// How far an execution is that begins with that state.
    pub(crate) fn starting(start_at: &str, input: &Value) -> Self {
        Self { root: Thread::starting(start_at, Arc::new(input.clone())), ..Self::default() }
    }

    /// How the execution stands.
    pub(crate) fn status(&self) -> ExecutionStatus {
        self.ended.as_ref().map_or(ExecutionStatus::Running, |ended| ended.status)
    }

    /// The thread of that path as it is now; `None` when it is not begun, or gone.
    pub(crate) fn frame(&self, path: &str) -> Option<Frame> {
        let thread = self.root.at(path)?;
        Some(Frame {
            path: path.to_owned(),
            variables: Arc::clone(&thread.variables),
            data: Arc::clone(&thread.data),
            current: thread.current.clone(),
            item: thread.item.clone(),
            redrives: self.redrives,
        })
    }

    /// The attempts that wait for their tokens, each with its path and state.
    pub(crate) fn attempts(&self) -> Vec<(String, String, &Attempt)> {
        let mut attempts = Vec::new();
        self.root.each("", &mut |path, thread| {
            let Some(current) = &thread.current else { return };
            attempts.extend(current.attempt.as_ref().map(|attempt| (path.to_owned(), current.state.clone(), attempt)));
        });
        attempts
    }

    /// Whether the event can still happen: the execution goes on, and the task's attempt was not answered meanwhile.
    pub(crate) fn accepts(&self, draft: &NewEvent) -> bool {
        if self.ended.is_some() {
            return draft.kind == "ExecutionRedriven";
        }
        if draft.kind == "TaskScheduled" {
            return true;
        }
        let Some(token) = &draft.more.token else { return true };
        let current = self.root.at(&draft.path).and_then(|thread| thread.current.as_ref());
        let attempt = current.and_then(|current| current.attempt.as_ref());
        attempt.is_some_and(|attempt| attempt.token == *token)
    }

    /// One more line of the journal.
    pub(crate) fn apply(&mut self, line: &Line) {
        let event = &line.event;
        let mut end = |status, failure| self.ended = Some(Ended { status, at: event.timestamp, failure });
        let failure = || Some(Failure::of_event(event));
        match event.kind.as_str() {
            "ExecutionStarted" => self.started = true,
            "ExecutionSucceeded" => end(ExecutionStatus::Succeeded, None),
            "ExecutionFailed" => end(ExecutionStatus::Failed, failure()),
            "ExecutionAborted" => end(ExecutionStatus::Aborted, failure()),
            "ExecutionTimedOut" => end(ExecutionStatus::TimedOut, failure()),
            "ExecutionRedriven" => {
                self.ended = None;
                self.redrives += 1;
                self.root.redrive();
            }
            "MapIterationStarted" => self.root.begin_item(line),
            kind => {
                if let Some(token) = &line.more.token {
                    let answer = match kind {
                        "TaskSucceeded" => Some(Some(TaskAnswer::Success(event.details["output"].clone()))),
                        "TaskFailed" => {
                            failure().map(|Failure { error, cause }| Some(TaskAnswer::Failure { error, cause }))
                        }
                        "TaskTimedOut" => Some(None),
                        _ => None,
                    };
                    self.answers.extend(answer.map(|answer| (token.clone(), answer)));
                }
                if let Some(thread) = self.root.at_mut(event.path.as_deref().unwrap_or_default()) {
                    thread.apply(line);
                }
            }
        }
    }
}
