//! A thread of control: the machine's own, that of a branch, or that of an item, as its events leave it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::errors::Failure;
use super::journal::{HEARTBEAT, Limits, Line};

/// How far one thread of control is.
#[derive(Debug, Default)]
pub(crate) struct Thread {
    /// The variables that it sees: its own, and those outside of it as they were when it began.
    pub(crate) variables: Arc<Map<String, Value>>,
    /// The input of the current state, and at last the output.
    pub(crate) data: Arc<Value>,
    /// The state that is to be done; `None` when the last one is.
    pub(crate) current: Option<Current>,
    /// The item that it is about, or that the thread is about in which it began.
    pub(crate) item: Option<Item>,
    /// The branches or items of the current state.
    pub(crate) fan: Option<Fan>,
    /// How an item's thread ended, once that is written.
    pub(crate) ended: Option<Result<(), Failure>>,
}

/// An item of a map.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) index: usize,
    items: Arc<Vec<Value>>,
}

/// The state that is to be done.
#[derive(Debug, Clone, Default)]
pub(crate) struct Current {
    pub(crate) state: String,
    pub(crate) entered: Option<Timestamp>,
    /// The failures since it was entered.
    pub(crate) failures: Vec<Failure>,
    /// Whether nothing followed on the last failure yet.
    pub(crate) undecided: bool,
    /// Whether the last failure is written as that of the whole Parallel or Map state.
    pub(crate) closed: bool,
    /// Its result, when it has one.
    pub(crate) result: Option<Arc<Value>>,
    /// The attempt that waits for its token.
    pub(crate) attempt: Option<Attempt>,
}

/// An attempt of a task that ends when its token comes back.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) token: String,
    pub(crate) since: Timestamp,
    /// Whether the agent has passed the token on.
    pub(crate) submitted: bool,
    timeout: Option<i64>,
    heartbeat: Option<i64>,
    beat: Timestamp,
}

/// The branches or the items of a state.
#[derive(Debug, Default)]
pub(crate) struct Fan {
    pub(crate) items: Arc<Vec<Value>>,
    pub(crate) threads: BTreeMap<usize, Thread>,
    pub(crate) limits: Option<Limits>,
    /// Whether the run of all items is written as begun.
    pub(crate) running: bool,
    /// Why the items could not be read.
    pub(crate) unread: Option<Failure>,
    /// The failure of the run of all items, once that is written.
    pub(crate) failure: Option<Failure>,
    /// Whether the run of all items is written as done.
    pub(crate) done: bool,
}

impl Item {
    pub(crate) fn of(items: &Arc<Vec<Value>>, index: usize) -> Self {
        Self { index, items: Arc::clone(items) }
    }

    pub(crate) fn value(&self) -> &Value {
        self.items.get(self.index).unwrap_or(&Value::Null)
    }
}

impl Attempt {
    /// When the time of the attempt is over.
    pub(crate) fn timeout_at(&self) -> Option<Timestamp> {
        after(self.since, self.timeout)
    }

    /// When the next sign of life must have come.
    pub(crate) fn heartbeat_at(&self) -> Option<Timestamp> {
        after(self.beat, self.heartbeat)
    }
}

fn after(begin: Timestamp, seconds: Option<i64>) -> Option<Timestamp> {
    begin.checked_add(SignedDuration::from_secs(seconds?)).ok()
}

impl Current {
    pub(crate) fn of(state: &str) -> Self {
        Self { state: state.to_owned(), ..Self::default() }
    }

    fn fail(&mut self, failure: Failure) {
        self.failures.push(failure);
        self.undecided = true;
        // A retry does the state again, even if only its output could not be evaluated.
        (self.result, self.attempt) = (None, None);
    }
}

/// The number of the branch or item of that state that a path begins with, and the rest of the path.
fn descend<'a>(state: &str, path: &'a str) -> Option<(usize, &'a str)> {
    let rest = path.strip_prefix(state)?.strip_prefix('.')?;
    let (index, rest) = rest.split_once('/').unwrap_or((rest, ""));
    Some((index.parse().ok()?, rest))
}

impl Thread {
    /// A thread that begins with that state.
    pub(crate) fn starting(state: &str, input: Arc<Value>) -> Self {
        Self { current: Some(Current::of(state)), data: input, ..Self::default() }
    }

    /// The thread of that path within this one.
    pub(crate) fn at(&self, path: &str) -> Option<&Self> {
        if path.is_empty() {
            return Some(self);
        }
        let (index, rest) = descend(&self.current.as_ref()?.state, path)?;
        self.fan.as_ref()?.threads.get(&index)?.at(rest)
    }

    pub(crate) fn at_mut(&mut self, path: &str) -> Option<&mut Self> {
        if path.is_empty() {
            return Some(self);
        }
        let (index, rest) = descend(&self.current.as_ref()?.state, path)?;
        self.fan.as_mut()?.threads.get_mut(&index)?.at_mut(rest)
    }

    /// The thread in which that of the path begins, and its number there.
    fn around(&mut self, path: &str) -> Option<(&mut Self, usize)> {
        let (index, rest) = descend(&self.current.as_ref()?.state, path)?;
        if rest.is_empty() {
            return Some((self, index));
        }
        self.fan.as_mut()?.threads.get_mut(&index)?.around(rest)
    }

    /// Every thread, each with its path.
    pub(crate) fn each<'a>(&'a self, path: &str, visit: &mut impl FnMut(&str, &'a Self)) {
        visit(path, self);
        let (Some(fan), Some(current)) = (&self.fan, &self.current) else { return };
        for (index, thread) in &fan.threads {
            thread.each(&within(path, &current.state, *index), visit);
        }
    }

    /// Goes on from where it failed: what ended well stays as it is.
    pub(crate) fn redrive(&mut self) {
        if matches!(self.ended, Some(Ok(()))) {
            return;
        }
        self.ended = None;
        if let Some(current) = &mut self.current {
            *current = Current::of(&current.state);
        }
        // Items that could not be read are read again.
        self.fan.take_if(|fan| fan.unread.is_some());
        if let Some(fan) = &mut self.fan {
            fan.failure = None;
            fan.threads.values_mut().for_each(Self::redrive);
        }
    }

    /// An item begins.
    pub(crate) fn begin_item(&mut self, line: &Line) {
        let path = line.event.path.as_deref().unwrap_or_default();
        let Some((outer, index)) = self.around(path) else { return };
        let variables = if line.more.isolated { Arc::default() } else { Arc::clone(&outer.variables) };
        let Some(fan) = &mut outer.fan else { return };
        let item = Item::of(&fan.items, index);
        let input = line.more.data.first().unwrap_or_else(|| item.value()).clone();
        let begun = Self::starting(line.more.next.as_deref().unwrap_or_default(), Arc::new(input));
        fan.threads.insert(index, Self { variables, item: Some(item), ..begun });
    }

    /// One more event of this thread.
    pub(crate) fn apply(&mut self, line: &Line) {
        let (event, more) = (&line.event, &line.more);
        if event.kind == "ParallelStateStarted" || event.kind == "MapStateStarted" {
            let input = more.data.first().map_or_else(|| Arc::clone(&self.data), |input| Arc::new(input.clone()));
            let branch = |state: &String| Self {
                variables: Arc::clone(&self.variables),
                item: self.item.clone(),
                ..Self::starting(state, Arc::clone(&input))
            };
            let threads = more.begins.iter().map(branch).enumerate().collect();
            let items = if event.kind == "MapStateStarted" { more.data.clone() } else { Vec::new() };
            self.fan = Some(Fan {
                items: Arc::new(items),
                threads,
                limits: more.limits,
                unread: more.unread.clone(),
                ..Fan::default()
            });
        }
        match event.kind.as_str() {
            "MapIterationSucceeded" => {
                self.ended = Some(Ok(()));
                // Its output is kept, and what it took to come to it is not.
                self.variables = Arc::default();
            }
            "MapIterationFailed" => self.ended = Some(Err(Failure::of_event(event))),
            _ => self.apply_to_state(line),
        }
    }

    fn apply_to_state(&mut self, line: &Line) {
        let (event, more) = (&line.event, &line.more);
        let Some(current) = &mut self.current else { return };
        match event.kind.as_str() {
            "ParallelStateStarted" | "MapStateStarted" => {
                current.failures.extend(more.failure.clone());
                (current.undecided, current.closed, current.result) = (false, false, None);
            }
            "MapRunStarted" => self.fan.iter_mut().for_each(|fan| fan.running = true),
            "MapRunFailed" => self.fan.iter_mut().for_each(|fan| fan.failure = Some(Failure::of_event(event))),
            "MapRunSucceeded" => self.fan.iter_mut().for_each(|fan| fan.done = true),
            "ParallelStateSucceeded" | "MapStateSucceeded" => {
                current.result = self.fan.take().map(|fan| Arc::new(fan.results()));
            }
            "TaskScheduled" => {
                current.undecided = false;
                let seconds = |name: &str| event.details[name].as_i64();
                current.attempt = more.token.clone().map(|token| Attempt {
                    token,
                    since: event.timestamp,
                    submitted: false,
                    timeout: seconds("timeoutInSeconds"),
                    heartbeat: seconds("heartbeatInSeconds"),
                    beat: event.timestamp,
                });
            }
            "TaskSubmitted" => current.attempt.iter_mut().for_each(|attempt| attempt.submitted = true),
            HEARTBEAT => current.attempt.iter_mut().for_each(|attempt| attempt.beat = event.timestamp),
            "TaskSucceeded" => {
                (current.result, current.attempt) = (Some(Arc::new(event.details["output"].clone())), None);
            }
            "TaskFailed" | "TaskTimedOut" | "EvaluationFailed" => current.fail(Failure::of_event(event)),
            "ParallelStateFailed" | "MapStateFailed" => {
                // What could not be evaluated is counted already.
                if !current.undecided {
                    current.fail(Failure::of_event(event));
                }
                current.closed = true;
            }
            kind if kind.ends_with("StateExited") => {
                if let Some(assigned) = event.details["assignedVariables"].as_object() {
                    let variables = Arc::make_mut(&mut self.variables);
                    variables.extend(assigned.iter().map(|(name, value)| (name.clone(), value.clone())));
                }
                self.data = Arc::new(event.details["output"].clone());
                self.current = more.next.as_deref().map(Current::of);
                self.fan = None;
            }
            kind if kind.ends_with("StateEntered") => current.entered = Some(event.timestamp),
            _ => {}
        }
    }
}

impl Fan {
    /// The outputs of what ended well, in order.
    pub(crate) fn results(&self) -> Value {
        let done = self.threads.values().filter(|thread| thread.current.is_none());
        Value::Array(done.map(|thread| Value::clone(&thread.data)).collect())
    }
}

/// The path of a branch or an item of a state in the thread of that path.
pub(crate) fn within(path: &str, state: &str, index: usize) -> String {
    if path.is_empty() { format!("{state}.{index}") } else { format!("{path}/{state}.{index}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_threads_whatever_their_states_are_called() {
        let mut root = Thread::starting("A.0/B", Arc::default());
        let inner = Thread::starting("C", Arc::default());
        let fan = |thread| Some(Fan { threads: [(12, thread)].into(), ..Fan::default() });
        root.fan = fan(Thread { fan: fan(inner), ..Thread::starting("1.1", Arc::default()) });
        let path = within(&within("", "A.0/B", 12), "1.1", 12);
        assert_eq!(path, "A.0/B.12/1.1.12");
        assert_eq!(root.at(&path).unwrap().current.as_ref().unwrap().state, "C");
        let (outer, index) = root.around(&path).unwrap();
        assert_eq!((outer.current.as_ref().unwrap().state.as_str(), index), ("1.1", 12));
        let mut seen = Vec::new();
        root.each("", &mut |path, _| seen.push(path.to_owned()));
        assert_eq!(seen, ["", "A.0/B.12", "A.0/B.12/1.1.12"]);
        for wrong in ["A.0", "A.0/B", "A.0/B.x", "A.0/B.3", "A.0/B.12/C.1", "A.0/B.12/1.1.12/C.0"] {
            assert!(root.at(wrong).is_none(), "{wrong}");
        }
    }
}
