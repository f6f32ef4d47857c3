//! The history of an execution in the words in which the local walker writes its own.

use std::collections::BTreeMap;

use aws_sdk_sfn::types::{HistoryEvent as Told, MapIterationEventDetails};
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use mlops_core::ports::HistoryEvent;
use mlops_core::{Error, Result};
use serde_json::{Map, Value};

use crate::places::{Place, Step, places};

/// Whether the branch of a state must be looked up in the definition of its machine.
pub(crate) fn has_branches(events: &[Told]) -> bool {
    events.iter().any(|event| event.r#type().as_str() == "ParallelStateStarted")
}

/// The events with their states and paths. `branches` is what [`crate::places::branches`] gives.
pub(crate) fn history(events: &[Told], branches: &BTreeMap<String, usize>) -> Result<Vec<HistoryEvent>> {
    let steps: Vec<Step> = events.iter().map(step).collect();
    let placed = events.iter().zip(places(&steps, branches));
    placed
        .map(|(event, Place { state, path })| {
            Ok(HistoryEvent {
                id: u64::try_from(event.id()).map_err(|error| wrong("the number of an event", error))?,
                timestamp: timestamp(event.timestamp())?,
                kind: event.r#type().as_str().to_owned(),
                state,
                path,
                details: details(event),
            })
        })
        .collect()
}

/// The moment, to the nanosecond.
pub(crate) fn timestamp(moment: &DateTime) -> Result<Timestamp> {
    Timestamp::new(moment.secs(), moment.subsec_nanos().try_into().unwrap_or_default())
        .map_err(|error| wrong("a time", error))
}

/// The value of a JSON text; what is no JSON, because it was cut off, is a text.
pub(crate) fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|_| Value::String(json.to_owned()))
}

fn wrong(what: &str, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::internal(format!("Step Functions told {what} that cannot be read")).caused_by(error)
}

fn step(event: &Told) -> Step {
    let entered = event.state_entered_event_details().map(|state| state.name().to_owned());
    let left = event.state_exited_event_details().map(|state| state.name().to_owned());
    let item = [
        event.map_iteration_started_event_details(),
        event.map_iteration_succeeded_event_details(),
        event.map_iteration_failed_event_details(),
        event.map_iteration_aborted_event_details(),
    ];
    let item = item.into_iter().flatten().next();
    Step {
        id: event.id(),
        previous: event.previous_event_id(),
        kind: event.r#type().as_str().to_owned(),
        name: entered.or(left).or_else(|| item.and_then(|item| item.name().map(str::to_owned))),
        index: item.map(MapIterationEventDetails::index),
    }
}

/// The details of an event, as far as they are told.
#[derive(Default)]
struct Details(Map<String, Value>);

impl Details {
    fn put(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value.into());
        }
    }

    fn json(&mut self, name: &str, json: Option<&str>) {
        self.put(name, json.map(parsed));
    }

    /// A JSON text in which the token of a task may stand: who has that can answer the task.
    fn without_token(&mut self, name: &str, json: Option<&str>, resource: &str) {
        let waits = resource.ends_with(".waitForTaskToken");
        self.put(name, json.map(parsed).map(|value| if waits { without_token(value) } else { value }));
    }

    fn service(&mut self, kind: &str, resource: &str) {
        self.put("resourceType", Some(kind));
        self.put("resource", Some(resource));
    }
}

/// The value without what stands under `token`, `task_token` or `TaskToken`.
fn without_token(value: Value) -> Value {
    match value {
        Value::Object(entries) => {
            let entries = entries.into_iter().map(|(name, value)| match value {
                Value::String(_) if name.to_ascii_lowercase().ends_with("token") => (name, "(task token)".into()),
                value => (name, without_token(value)),
            });
            Value::Object(entries.collect())
        }
        Value::Array(items) => items.into_iter().map(without_token).collect(),
        value => value,
    }
}

fn details(event: &Told) -> Value {
    let mut details = Details::default();
    details.json("input", event.execution_started_event_details().and_then(|of| of.input()));
    details.json("input", event.state_entered_event_details().and_then(|of| of.input()));
    of_task(event, &mut details);
    of_items(event, &mut details);
    if let Some(left) = event.state_exited_event_details() {
        details.json("output", left.output());
        let assigned = left.assigned_variables().map(|variables| {
            let sorted: BTreeMap<_, _> = variables.iter().map(|(name, json)| (name.clone(), parsed(json))).collect();
            Value::Object(sorted.into_iter().collect())
        });
        details.put("assignedVariables", assigned.filter(|variables| *variables != Value::Object(Map::new())));
    }
    if let Some(redriven) = event.execution_redriven_event_details() {
        details.put("redriveCount", redriven.redrive_count());
    }
    details.json("output", event.execution_succeeded_event_details().and_then(|of| of.output()));
    if let Some((error, cause)) = failure(event) {
        details.put("error", error);
        details.put("cause", cause);
    }
    if details.0.is_empty() { Value::Null } else { Value::Object(details.0) }
}

fn of_task(event: &Told, details: &mut Details) {
    if let Some(task) = event.task_scheduled_event_details() {
        details.service(task.resource_type(), task.resource());
        let parameters = Some(task.parameters()).filter(|parameters| !parameters.is_empty());
        details.without_token("parameters", parameters, task.resource());
        details.put("timeoutInSeconds", task.timeout_in_seconds());
        details.put("heartbeatInSeconds", task.heartbeat_in_seconds());
    }
    if let Some(task) = event.task_started_event_details() {
        details.service(task.resource_type(), task.resource());
    }
    if let Some(task) = event.task_submitted_event_details() {
        details.service(task.resource_type(), task.resource());
        details.without_token("output", task.output(), task.resource());
    }
    details.json("output", event.task_succeeded_event_details().and_then(|of| of.output()));
}

fn of_items(event: &Told, details: &mut Details) {
    if let Some(map) = event.map_state_started_event_details() {
        details.put("length", Some(map.length()));
    }
    if let Some(run) = event.map_run_started_event_details() {
        details.put("mapRunArn", run.map_run_arn());
    }
    if event.r#type().as_str().starts_with("MapIteration") {
        let step = step(event);
        details.put("name", step.name);
        details.put("index", step.index);
    }
}

/// Error and cause of an event that tells of a failure.
fn failure(event: &Told) -> Option<(Option<&str>, Option<&str>)> {
    macro_rules! first_of {
        ($($details:ident),* $(,)?) => {
            [$(event.$details().map(|of| (of.error(), of.cause()))),*].into_iter().flatten().next()
        };
    }
    first_of!(
        task_failed_event_details,
        task_timed_out_event_details,
        task_start_failed_event_details,
        task_submit_failed_event_details,
        evaluation_failed_event_details,
        map_run_failed_event_details,
        execution_failed_event_details,
        execution_timed_out_event_details,
        execution_aborted_event_details,
    )
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
