//! The normal form of a history: what can be compared, in an order that is defined.

use std::collections::BTreeMap;

use mlops_core::ports::HistoryEvent;
use mlops_core::values::sha256_hex;
use serde_json::{Map, Value, json};

/// Events beside those of entering and leaving a state.
pub(super) const KINDS: [&str; 28] = [
    "ExecutionStarted",
    "ExecutionSucceeded",
    "ExecutionFailed",
    "ExecutionTimedOut",
    "ExecutionAborted",
    "FailStateEntered",
    "TaskScheduled",
    "TaskStarted",
    "TaskSubmitted",
    "TaskSucceeded",
    "TaskFailed",
    "TaskTimedOut",
    "EvaluationFailed",
    "ParallelStateStarted",
    "ParallelStateSucceeded",
    "ParallelStateFailed",
    "MapStateStarted",
    "MapStateSucceeded",
    "MapStateFailed",
    "MapIterationStarted",
    "MapIterationSucceeded",
    "MapIterationFailed",
    "MapRunStarted",
    "MapRunSucceeded",
    "MapRunFailed",
    "ChoiceStateEntered",
    "WaitStateEntered",
    "SucceedStateEntered",
];

/// The kinds whose details name the error. A state that fails because of what is in it names none.
const WITH_ERROR: [&str; 7] = [
    "TaskFailed",
    "TaskTimedOut",
    "EvaluationFailed",
    "MapRunFailed",
    "ExecutionFailed",
    "ExecutionTimedOut",
    "ExecutionAborted",
];

/// The last events of a branch or an item that failed.
const FAILED: [&str; 8] = [
    "TaskFailed",
    "TaskTimedOut",
    "EvaluationFailed",
    "FailStateEntered",
    "ChoiceStateEntered",
    "ParallelStateFailed",
    "MapStateFailed",
    "MapIterationFailed",
];

/// An event and where it happened: the states around it, each with the index of the branch or item.
#[derive(Clone)]
struct Placed {
    path: Vec<(String, usize)>,
    event: Value,
}

/// The history in the normal form.
pub(super) fn normal(events: &[HistoryEvent], definition: &Value) -> Vec<Value> {
    let placed = events.iter().filter_map(|event| {
        let path = path_of(event);
        let ended_by_others = event.kind.ends_with("Aborted") && event.kind != "ExecutionAborted";
        // The items of a distributed Map are executions of their own in Step Functions.
        let distributed = path.iter().any(|(state, _)| is_distributed(definition, state));
        (!ended_by_others && !distributed).then(|| Placed { event: normal_event(event, &path), path })
    });
    arrange(placed.collect(), 0, definition)
}

fn path_of(event: &HistoryEvent) -> Vec<(String, usize)> {
    let parts = event.path.as_deref().into_iter().flat_map(|path| path.split('/'));
    let parts = parts.map(|part| part.rsplit_once('.').unwrap_or_else(|| panic!("{part} is no branch or item")));
    parts.map(|(state, index)| (state.to_owned(), index.parse().unwrap())).collect()
}

fn normal_event(event: &HistoryEvent, path: &[(String, usize)]) -> Value {
    let mut normal = Map::new();
    normal.insert("type".to_owned(), json!(event.kind));
    if let Some(state) = &event.state {
        normal.insert("state".to_owned(), json!(state));
    }
    let error = event.details["error"].as_str().filter(|error| !error.is_empty());
    if let Some(error) = error.filter(|_| WITH_ERROR.contains(&event.kind.as_str())) {
        normal.insert("error".to_owned(), json!(error));
    }
    if let Some(output) = event.details.get("output").filter(|_| event.kind != "TaskSubmitted") {
        normal.insert("output_sha256".to_owned(), json!(sha256_hex(canonical(output).to_string().as_bytes())));
    }
    if !path.is_empty() {
        let parts: Vec<String> = path.iter().map(|(state, index)| format!("{state}.{index}")).collect();
        normal.insert("path".to_owned(), json!(parts.join("/")));
    }
    Value::Object(normal)
}

/// JSON with sorted names; whole numbers have no point; of an invocation only its result.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let invocation = object.contains_key("Payload") && object.get("StatusCode") == Some(&json!(200));
            let kept =
                object.iter().filter(|(name, _)| !invocation || ["Payload", "StatusCode"].contains(&name.as_str()));
            let sorted: BTreeMap<_, _> = kept.map(|(name, value)| (name.clone(), canonical(value))).collect();
            Value::Object(sorted.into_iter().collect())
        }
        Value::Array(items) => items.iter().map(canonical).collect(),
        Value::Number(number) => match number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0) {
            Some(float) => json!(float as i64),
            None => value.clone(),
        },
        other => other.clone(),
    }
}

/// Puts together what happened in each branch or item, in the order of the indexes.
fn arrange(events: Vec<Placed>, depth: usize, definition: &Value) -> Vec<Value> {
    let mut arranged = Vec::new();
    let mut inside = BTreeMap::<usize, Vec<Placed>>::new();
    for placed in events {
        if let Some((_, index)) = placed.path.get(depth) {
            inside.entry(*index).or_default().push(placed);
        } else {
            arranged.extend(attempt(std::mem::take(&mut inside), depth, definition));
            arranged.push(placed.event);
        }
    }
    arranged.extend(attempt(inside, depth, definition));
    arranged
}

/// One attempt of a Parallel or Map state. What the others did when one failed is defined only one at a time.
fn attempt(inside: BTreeMap<usize, Vec<Placed>>, depth: usize, definition: &Value) -> Vec<Value> {
    let failed = inside.iter().find(|(_, events)| has_failed(events, depth)).map(|(index, _)| *index);
    let state = inside.values().flatten().next().map(|placed| placed.path[depth].0.clone());
    let sequential = state.is_some_and(|state| state_of(definition, &state)["MaxConcurrency"] == 1);
    let kept = inside.into_iter().filter(|(index, _)| sequential || failed.is_none_or(|failed| failed == *index));
    kept.flat_map(|(_, events)| arrange(events, depth + 1, definition)).collect()
}

fn has_failed(events: &[Placed], depth: usize) -> bool {
    let own = events.iter().rfind(|placed| placed.path.len() == depth + 1);
    own.is_some_and(|last| FAILED.iter().any(|kind| last.event["type"] == **kind))
}

/// The definition of the state of that name, wherever it is.
fn state_of<'a>(definition: &'a Value, name: &str) -> &'a Value {
    fn find<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
        match value {
            Value::Object(object) => {
                let here = object.get("States").and_then(|states| states.get(name));
                here.or_else(|| object.values().find_map(|value| find(value, name)))
            }
            Value::Array(items) => items.iter().find_map(|value| find(value, name)),
            _ => None,
        }
    }
    find(definition, name).unwrap_or_else(|| panic!("there is no state {name}"))
}

fn is_distributed(definition: &Value, state: &str) -> bool {
    state_of(definition, state)["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
}

/// The first difference, if there is one.
pub(super) fn difference(golden: &[Value], walked: &[Value]) -> Option<String> {
    let length = golden.len().max(walked.len());
    let place = (0..length).find(|place| golden.get(*place) != walked.get(*place))?;
    let tell = |event: Option<&Value>| event.map_or_else(|| "nothing".to_owned(), Value::to_string);
    let before = place.checked_sub(1).map_or_else(String::new, |before| format!(" after {}", golden[before]));
    let (expected, found) = (tell(golden.get(place)), tell(walked.get(place)));
    Some(format!("event {}{before}:\n    MiniStack {expected}\n    walker    {found}", place + 1))
}
