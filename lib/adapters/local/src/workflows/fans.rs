//! Walks the branches of a Parallel state and the items of a Map state, many at the same time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use mlops_core::Result;
use serde_json::{Value, json};

use super::context::{scope, within_limit};
use super::definition::State;
use super::errors::{Decision, Failure, READER_FAILED, TOO_MANY_FAILURES};
use super::fan_definition::Mapping;
use super::journal::{Limits, More, NewEvent};
use super::progress::Frame;
use super::step::{Step, failed};
use super::thread::{Current, Item, within};
use super::walker::{Ending, Walker, event};

/// How long the walk of branches goes on before it looks again at those that wait for an answer.
const LOOK: Duration = Duration::from_millis(250);

/// The branches or items of a state as they are when their walk begins.
struct Open {
    limits: Limits,
    items: Arc<Vec<Value>>,
    /// Those that are not written as ended.
    todo: VecDeque<usize>,
    failures: Vec<(usize, Failure)>,
    failure: Option<Failure>,
    /// Whether the failure is written as that of the run.
    is_failed: bool,
    is_running: bool,
    is_done: bool,
}

impl Walker<'_> {
    /// Begins the branches or items of the state, anew after that failure.
    pub(crate) async fn start_fan(&self, frame: &Frame, state: &State, failure: Option<Failure>) -> Result<()> {
        let (kind, details, more) = match state {
            State::Parallel(parallel) => {
                let filled = parallel.arguments.as_ref().map(|arguments| {
                    within_limit(scope(self.record, frame, None, None).fill(arguments)?, "the input of the branches")
                });
                let begins = parallel.branches.iter().map(|branch| branch.start_at.clone()).collect();
                let data = filled.transpose().map(|input| input.into_iter().collect());
                let more = data.map(|data| More { begins, data, ..More::default() });
                ("ParallelStateStarted", Value::Null, more)
            }
            State::Map(mapping) => {
                let (items, unread) = match self.items(frame, mapping).await {
                    Err(failure) if failure.error == READER_FAILED => (Ok(Vec::new()), Some(failure)),
                    items => (items, None),
                };
                let limited = items.and_then(|items| Ok((self.limits(frame, mapping, &items)?, items)));
                let length = limited.as_ref().map_or(0, |(_, items)| items.len());
                let more = limited.map(|(limits, data)| More { data, limits: Some(limits), unread, ..More::default() });
                ("MapStateStarted", json!({ "length": length }), more)
            }
            _ => return Ok(()),
        };
        let written = match more {
            Ok(more) => Some(NewEvent { more: More { failure, ..more }, ..event(frame, kind, details) }),
            Err(failure) => match failed(frame, state, failure) {
                Step::Write(event) => Some(event),
                _ => None,
            },
        };
        match written {
            Some(written) => self.write(written).await.map(drop),
            None => Ok(()),
        }
    }

    /// Walks the branches or items to their end. `Done` says that an event of the state tells how it goes on.
    pub(crate) async fn fan(&self, frame: &Frame, current: &Current, state: &State) -> Result<Ending> {
        let Some(mut open) = self.open(frame, state) else { return Ok(Ending::Done) };
        let distributed = matches!(state, State::Map(mapping) if mapping.distributed);
        if distributed && !open.is_running {
            let arn = format!("{}:mapRun:{}/{}", self.record.machine_arn(), self.record.name, current.state);
            self.write(event(frame, "MapRunStarted", json!({ "mapRunArn": arn }))).await?;
        }
        let weigh = |index: usize| match state {
            State::Map(mapping) if mapping.batch.is_some() => {
                open.items.get(index).and_then(|batch| batch["Items"].as_array()).map_or(1, Vec::len)
            }
            _ => 1,
        };
        let mut failed = open.failures.iter().map(|(index, _)| weigh(*index)).sum::<usize>();
        let mut first = open.failures.first().map(|(_, failure)| failure.clone());
        let mut running = FuturesUnordered::new();
        let mut parked = Vec::new();
        while open.failure.is_none() && failed <= open.limits.tolerated {
            while running.len() + parked.len() < open.limits.concurrency {
                let Some(index) = open.todo.pop_front() else { break };
                running.push(self.child(frame, current, state, index));
            }
            if running.is_empty() {
                if parked.is_empty() {
                    break;
                }
                return Ok(Ending::Parked);
            }
            tokio::select! {
                Some((index, ending)) = running.next() => match ending? {
                    Ending::Done => {}
                    Ending::Parked => parked.push(index),
                    Ending::Failed(failure) => {
                        failed += weigh(index);
                        first.get_or_insert(failure);
                    }
                },
                () = tokio::time::sleep(LOOK), if !parked.is_empty() => {
                    running.extend(parked.drain(..).map(|index| self.child(frame, current, state, index)));
                }
            }
        }
        // The first failure breaks off whatever is still walked.
        drop(running);
        let failure = match (open.failure.take(), first) {
            (Some(failure), _) => Some(failure),
            (None, Some(first)) if failed > open.limits.tolerated && distributed => {
                let cause = format!(
                    "{failed} items failed, and at most {} may; the first: {}: {}",
                    open.limits.tolerated, first.error, first.cause
                );
                Some(Failure::new(TOO_MANY_FAILURES, cause))
            }
            (None, Some(first)) if failed > open.limits.tolerated => Some(first),
            _ => self.too_large(frame),
        };
        if let Some(failure) = failure {
            self.fan_failed(frame, current, state, failure).await?;
        } else {
            if distributed && !open.is_done {
                self.write(event(frame, "MapRunSucceeded", Value::Null)).await?;
            }
            self.write(event(frame, format!("{}StateSucceeded", state.kind()), Value::Null)).await?;
        }
        Ok(Ending::Done)
    }

    fn open(&self, frame: &Frame, state: &State) -> Option<Open> {
        let progress = self.progress.get();
        let fan = progress.root.at(&frame.path)?.fan.as_ref()?;
        let count = if matches!(state, State::Map(_)) { fan.items.len() } else { fan.threads.len() };
        let ended = |index: &usize| fan.threads.get(index).is_some_and(|thread| thread.ended.is_some());
        let failures = fan.threads.iter().filter_map(|(index, thread)| match &thread.ended {
            Some(Err(failure)) => Some((*index, failure.clone())),
            _ => None,
        });
        Some(Open {
            limits: fan.limits.unwrap_or(Limits { concurrency: usize::MAX, tolerated: 0 }),
            items: Arc::clone(&fan.items),
            todo: (0..count).filter(|index| !ended(index)).collect(),
            failures: failures.collect(),
            failure: fan.failure.clone().or_else(|| fan.unread.clone()),
            is_failed: fan.failure.is_some(),
            is_running: fan.running,
            is_done: fan.done,
        })
    }

    fn too_large(&self, frame: &Frame) -> Option<Failure> {
        let progress = self.progress.get();
        let results = progress.root.at(&frame.path)?.fan.as_ref()?.results();
        within_limit(results, "the result of the branches or items").err()
    }

    /// Begins again, or writes that the state failed: what follows is decided by the next step.
    async fn fan_failed(&self, frame: &Frame, current: &Current, state: &State, failure: Failure) -> Result<()> {
        let written = self.open(frame, state).is_some_and(|open| open.is_failed);
        if matches!(state, State::Map(mapping) if mapping.distributed) && !written {
            self.write(event(frame, "MapRunFailed", json!(failure))).await?;
        }
        let mut failures = current.failures.clone();
        failures.push(failure.clone());
        if let Decision::Retry(wait) = self.decision(frame, state, &failures) {
            self.sleep(wait).await?;
            return self.start_fan(frame, state, Some(failure)).await;
        }
        self.write(event(frame, format!("{}StateFailed", state.kind()), json!(failure))).await.map(drop)
    }

    async fn child(&self, frame: &Frame, current: &Current, state: &State, index: usize) -> (usize, Result<Ending>) {
        let path = within(&frame.path, &current.state, index);
        let ending = match state {
            State::Map(mapping) => self.item(frame, &current.state, mapping, (path, index)).await,
            State::Parallel(parallel) => match parallel.branches.get(index) {
                Some(branch) => self.thread(path, branch).await,
                None => Ok(Ending::Done),
            },
            _ => Ok(Ending::Done),
        };
        (index, ending)
    }

    async fn item(
        &self,
        frame: &Frame,
        state: &str,
        mapping: &Mapping,
        (path, index): (String, usize),
    ) -> Result<Ending> {
        let of_item = |kind: &str, details: Value, more: More| NewEvent {
            kind: kind.to_owned(),
            path: path.clone(),
            state: Some(state.to_owned()),
            details,
            more,
        };
        let named = json!({ "name": state, "index": index });
        if self.progress.get().root.at(&path).is_none() {
            let data = match self.selected(frame, mapping, index) {
                Ok(input) => input.into_iter().collect(),
                Err(failure) => return Ok(Ending::Failed(failure)),
            };
            let next = Some(mapping.processor.start_at.clone());
            let more = More { next, data, isolated: mapping.distributed, ..More::default() };
            self.write(of_item("MapIterationStarted", named.clone(), more)).await?;
        }
        let ending = self.thread(path.clone(), &mapping.processor).await?;
        match &ending {
            Ending::Parked => {}
            Ending::Done => drop(self.write(of_item("MapIterationSucceeded", named, More::default())).await?),
            Ending::Failed(failure) => {
                let mut details = named;
                details["error"] = json!(failure.error);
                details["cause"] = json!(failure.cause);
                self.write(of_item("MapIterationFailed", details, More::default())).await?;
            }
        }
        Ok(ending)
    }

    /// What the item's states get, where it is not the item itself.
    fn selected(&self, frame: &Frame, mapping: &Mapping, index: usize) -> Result<Option<Value>, Failure> {
        let Some(selector) = mapping.selector.as_ref().filter(|_| mapping.batch.is_none()) else { return Ok(None) };
        let items = {
            let progress = self.progress.get();
            let fan = progress.root.at(&frame.path).and_then(|thread| thread.fan.as_ref());
            fan.map(|fan| Arc::clone(&fan.items)).unwrap_or_default()
        };
        let frame = Frame { item: Some(Item::of(&items, index)), ..frame.clone() };
        let input = scope(self.record, &frame, None, None).fill(selector)?;
        within_limit(input, "the input of the item").map(Some)
    }
}
