//! What follows from the events of a thread of control so far.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::context::{scope, within_limit};
use super::definition::{Choice, Exit, State, Until, Wait};
use super::errors::{Decision, Failure, NO_CHOICE, QUERY, decide, draw_of};
use super::expressions::Template;
use super::journal::{More, NewEvent};
use super::progress::Frame;
use super::thread::{Attempt, Current};
use super::walker::{Walker, event};

/// The longest wait, in seconds.
const LONGEST_WAIT: u64 = 99_999_999;

/// What to do next.
pub(crate) enum Step<'a> {
    /// Write the event.
    Write(NewEvent),
    /// Wait, then write the event.
    Sleep(Duration, NewEvent),
    /// Wait, then do the task, or begin the branches or items anew.
    Do(Duration),
    /// The task waits for its token.
    Await(&'a Attempt),
    /// Walk the branches or items.
    Fan,
    /// The thread has failed.
    Fail(Failure),
}

impl Walker<'_> {
    pub(crate) fn step<'f>(&self, frame: &Frame, current: &'f Current, state: &State) -> Step<'f> {
        if current.entered.is_none() {
            let kind = format!("{}StateEntered", state.kind());
            return Step::Write(event(frame, kind, json!({ "input": *frame.data })));
        }
        if current.undecided {
            return self.decided(frame, current, state);
        }
        match state {
            State::Task(_) | State::Parallel(_) | State::Map(_) => match (&current.result, &current.attempt) {
                (Some(result), _) => {
                    let result = Value::clone(result);
                    self.leave(frame, state, Some(("result", result.clone())), &result)
                }
                (None, Some(attempt)) if attempt.submitted => Step::Await(attempt),
                (None, _) if matches!(state, State::Task(_)) => Step::Do(Duration::ZERO),
                (None, _) if self.has_fan(&frame.path) => Step::Fan,
                (None, _) => Step::Do(Duration::ZERO),
            },
            State::Pass(_) => self.leave(frame, state, None, &frame.data),
            State::Wait(wait) => match self.left_of(frame, current, wait) {
                Err(failure) => failed(frame, state, failure),
                Ok(left) => match self.leave(frame, state, None, &frame.data) {
                    Step::Write(event) => Step::Sleep(left, event),
                    other => other,
                },
            },
            State::Succeed { output } => self.filled(frame, output.as_ref()).map_or_else(
                |failure| failed(frame, state, failure),
                |output| Step::Write(exited(frame, state, &output, &Map::new(), None)),
            ),
            State::Choice(choice) => self.choose(frame, state, choice),
            State::Fail { error, cause } => self.fail(frame, state, error.as_ref(), cause.as_ref()),
        }
    }

    fn has_fan(&self, path: &str) -> bool {
        self.progress.get().root.at(path).is_some_and(|thread| thread.fan.is_some())
    }

    /// What follows on a failure of a state.
    pub(crate) fn decision(&self, frame: &Frame, state: &State, failures: &[Failure]) -> Decision {
        let Some(handling) = state.handling() else { return Decision::Fail };
        let name = frame.current.as_ref().map_or("", |current| current.state.as_str());
        decide(handling, failures, || draw_of(&self.record.name, &format!("{}{name}", frame.path), failures.len()))
    }

    fn decided<'f>(&self, frame: &Frame, current: &Current, state: &State) -> Step<'f> {
        let Some(failure) = current.failures.last().cloned() else { return Step::Do(Duration::ZERO) };
        let decision = self.decision(frame, state, &current.failures);
        let divides = matches!(state, State::Parallel(_) | State::Map(_));
        if divides && !current.closed && !matches!(decision, Decision::Retry(_)) {
            return Step::Write(event(frame, format!("{}StateFailed", state.kind()), json!(failure)));
        }
        match (decision, state.handling()) {
            (Decision::Retry(wait), _) => Step::Do(wait),
            (Decision::Catch(index), Some(handling)) => {
                let catcher = &handling.catch[index];
                let output = failure.output();
                match self.exit(frame, &catcher.exit, Some(("errorOutput", output.clone())), &output) {
                    Ok((output, assigned)) => {
                        Step::Write(exited(frame, state, &output, &assigned, Some(&catcher.next)))
                    }
                    // A catcher that fails is not caught again.
                    Err(failure) => Step::Fail(failure),
                }
            }
            _ => Step::Fail(failure),
        }
    }

    fn choose<'f>(&self, frame: &Frame, state: &State, choice: &Choice) -> Step<'f> {
        let mut scope = scope(self.record, frame, None, None);
        for rule in &choice.rules {
            match scope.evaluate(&rule.condition) {
                Ok(Value::Bool(false)) => {}
                Ok(Value::Bool(true)) => {
                    return self.exit(frame, &rule.exit, None, &frame.data).map_or_else(
                        |failure| failed(frame, state, failure),
                        |(output, assigned)| Step::Write(exited(frame, state, &output, &assigned, Some(&rule.next))),
                    );
                }
                Ok(other) => {
                    let what = format!("{}: a condition is true or false, and this is {other}", rule.condition.path);
                    return failed(frame, state, Failure::new(QUERY, what));
                }
                Err(failure) => return failed(frame, state, failure),
            }
        }
        if let Some(next) = &choice.default {
            return Step::Write(exited(frame, state, &frame.data, &Map::new(), Some(next)));
        }
        let name = frame.current.as_ref().map_or("", |current| current.state.as_str());
        Step::Fail(Failure::new(NO_CHOICE, format!("no rule of `{name}` fits, and it has no Default")))
    }

    fn fail<'f>(&self, frame: &Frame, state: &State, error: Option<&Template>, cause: Option<&Template>) -> Step<'f> {
        let mut scope = scope(self.record, frame, None, None);
        let mut text = |template: Option<&Template>| match template.map(|template| scope.fill(template)).transpose()? {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text),
            Some(other) => Err(Failure::new(QUERY, format!("Error and Cause are texts, and this is {other}"))),
        };
        match text(error).and_then(|error| Ok(Failure { error, cause: text(cause)? })) {
            Ok(failure) => Step::Fail(failure),
            Err(failure) => failed(frame, state, failure),
        }
    }

    /// How long a Wait state still waits. The beginning is when it was entered, so a walk that was broken off goes on
    /// with the rest.
    fn left_of(&self, frame: &Frame, current: &Current, wait: &Wait) -> Result<Duration, Failure> {
        let entered = current.entered.unwrap_or(self.record.started);
        let mut scope = scope(self.record, frame, None, None);
        let until = match &wait.until {
            Until::Seconds(template) => {
                let seconds = scope.fill(template)?;
                let whole = seconds.as_u64().filter(|seconds| *seconds <= LONGEST_WAIT);
                let wait = whole.map(|seconds| SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX)));
                wait.and_then(|wait| entered.checked_add(wait).ok()).ok_or_else(|| {
                    Failure::new(QUERY, format!("Seconds is a whole number to {LONGEST_WAIT}, and this is {seconds}"))
                })?
            }
            Until::Timestamp(template) => {
                let text = scope.fill(template)?;
                let moment = text.as_str().and_then(|text| text.parse::<Timestamp>().ok());
                moment.ok_or_else(|| {
                    Failure::new(QUERY, format!("Timestamp is a moment as 2026-01-31T12:00:00Z, and this is {text}"))
                })?
            }
        };
        Ok(Duration::try_from(until.duration_since(self.call.clock.now())).unwrap_or_default())
    }

    /// Leaves the state for the next one, or fails it.
    fn leave<'f>(&self, frame: &Frame, state: &State, outcome: Option<(&str, Value)>, default: &Value) -> Step<'f> {
        let nothing = Exit::default();
        let (exit, next) = state.way_out().unwrap_or((&nothing, None));
        match self.exit(frame, exit, outcome, default) {
            Ok((output, assigned)) => Step::Write(exited(frame, state, &output, &assigned, next)),
            Err(failure) => failed(frame, state, failure),
        }
    }

    /// Output and assigned variables. All of them see the variables as they were when the state was entered.
    fn exit(
        &self,
        frame: &Frame,
        exit: &Exit,
        outcome: Option<(&str, Value)>,
        default: &Value,
    ) -> Result<(Value, Map<String, Value>), Failure> {
        if exit.output.is_none() && exit.assign.is_empty() {
            return Ok((within_limit(default.clone(), "the output of the state")?, Map::new()));
        }
        let mut scope = scope(self.record, frame, outcome, None);
        let output = exit.output.as_ref().map_or_else(|| Ok(default.clone()), |output| scope.fill(output))?;
        let output = within_limit(output, "the output of the state")?;
        let mut assigned = Map::new();
        for (name, template) in &exit.assign {
            let value = within_limit(scope.fill(template)?, "a variable")?;
            assigned.insert(name.clone(), value);
        }
        Ok((output, assigned))
    }

    fn filled(&self, frame: &Frame, template: Option<&Template>) -> Result<Value, Failure> {
        let Some(template) = template else { return Ok(Value::clone(&frame.data)) };
        let value = scope(self.record, frame, None, None).fill(template)?;
        within_limit(value, "the output of the state")
    }
}

fn exited(frame: &Frame, state: &State, output: &Value, assigned: &Map<String, Value>, next: Option<&str>) -> NewEvent {
    let mut details = json!({ "output": output });
    if !assigned.is_empty() {
        details["assignedVariables"] = json!(assigned);
    }
    let more = More { next: next.map(str::to_owned), ..More::default() };
    NewEvent { more, ..event(frame, format!("{}StateExited", state.kind()), details) }
}

/// The failure of a state; what follows on it is decided by the next step.
pub(crate) fn failed<'f>(frame: &Frame, state: &State, failure: Failure) -> Step<'f> {
    let kind = match state {
        _ if failure.error == QUERY => "EvaluationFailed",
        State::Task(_) => "TaskFailed",
        State::Parallel(_) => "ParallelStateFailed",
        State::Map(_) => "MapStateFailed",
        _ => return Step::Fail(failure),
    };
    Step::Write(event(frame, kind, json!(failure)))
}
