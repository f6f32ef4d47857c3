//! Walks a state machine: each step writes an event, and the next step follows from the events alone.

use std::sync::Arc;
use std::time::Duration;

use mlops_core::ports::HistoryEvent;
use mlops_core::{Call, Error, Result};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::context::{scope, within_limit};
use super::definition::{Choice, Exit, Machine, State, Task};
use super::errors::{Decision, Failure, NO_CHOICE, QUERY, TIMEOUT, decide, draw_of};
use super::executions::Record;
use super::expressions::Template;
use super::journal::{Journal, NewEvent};
use super::progress::{Current, Progress};
use super::task::{Outcome, invoke};
use super::validate::Agents;
use crate::files::blocking;

/// The longest timeout of a task that an expression may give, in seconds.
const LONGEST_TIMEOUT: u64 = 99_999_999;

/// A walk through one execution.
pub(crate) struct Walker<'a> {
    pub(crate) record: &'a Record,
    pub(crate) machine: &'a Machine,
    pub(crate) agents: &'a Agents,
    pub(crate) call: &'a Call,
    /// What a second of waiting before a retry takes, in seconds.
    pub(crate) wait_scale: f64,
    pub(crate) observer: &'a (dyn Fn(&HistoryEvent) + Send + Sync),
    pub(crate) progress: Progress,
    pub(crate) journal: Option<Journal>,
}

/// What to do next.
enum Step {
    /// Write the event.
    Write(NewEvent),
    /// Wait, then do the task.
    Task(Duration),
}

impl Walker<'_> {
    /// Walks until the execution has ended. The time limit of the machine counts from the beginning of this walk:
    /// the time in which nobody walked does not count.
    pub(crate) async fn walk(mut self) -> Result<Progress> {
        let deadline = self.machine.timeout.map(|timeout| Instant::now() + timeout);
        while self.progress.ended.is_none() {
            if self.call.cancellation.is_cancelled() {
                return Err(Error::cancelled().hint("start the same run again: it goes on where it was"));
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                self.write(timed_out()).await?;
                continue;
            }
            match self.step()? {
                Step::Write(event) => self.write(event).await?,
                Step::Task(wait) => {
                    let wait = wait.mul_f64(self.wait_scale);
                    match deadline {
                        Some(deadline) if Instant::now() + wait >= deadline => {
                            tokio::time::sleep_until(deadline).await;
                            continue;
                        }
                        _ => tokio::time::sleep(wait).await,
                    }
                    self.task(deadline).await?;
                }
            }
        }
        Ok(self.progress)
    }

    async fn write(&mut self, event: NewEvent) -> Result<()> {
        let Some(mut journal) = self.journal.take() else {
            return Err(Error::internal("the journal was lost in a failed write"));
        };
        let now = self.call.clock.now();
        // The journal holds the lock of the execution and goes along: when this walk is dropped in the middle of a
        // write, nobody else begins before the write has ended.
        let (journal, line) = blocking(move || journal.append(event, now).map(|line| (journal, line))).await?;
        self.journal = Some(journal);
        self.progress.apply(&line);
        (self.observer)(&line.event);
        tokio::task::yield_now().await;
        Ok(())
    }

    /// What follows from the events so far.
    fn step(&self) -> Result<Step> {
        let event = |kind: String, details: Value| NewEvent { kind, details, ..NewEvent::default() };
        if !self.progress.started {
            return Ok(Step::Write(event("ExecutionStarted".to_owned(), json!({ "input": self.record.input }))));
        }
        let Some(current) = &self.progress.current else {
            return Ok(Step::Write(event("ExecutionSucceeded".to_owned(), json!({ "output": self.progress.data }))));
        };
        let state = self.machine.states.get(&current.state).ok_or_else(|| {
            Error::internal(format!("the journal speaks of a state `{}` that is not there", current.state))
        })?;
        if current.entered.is_none() {
            let entered = event(format!("{}StateEntered", state.kind()), json!({ "input": self.progress.data }));
            return Ok(Step::Write(NewEvent { state: Some(current.state.clone()), ..entered }));
        }
        if current.undecided {
            return Ok(self.decided(state, current));
        }
        Ok(match state {
            State::Task(task) => match &current.result {
                None => Step::Task(Duration::ZERO),
                Some(result) => {
                    let outcome = Some(("result", result.clone()));
                    self.leave(state, current, &task.exit, task.next.state(), outcome, result)
                }
            },
            State::Pass(pass) => self.leave(state, current, &pass.exit, pass.next.state(), None, &self.progress.data),
            State::Succeed { output } => self.filled(current, output.as_ref(), &self.progress.data).map_or_else(
                |failure| Step::Write(failed(state, current, &failure)),
                |output| Step::Write(exited(state, current, &output, &Map::new(), None)),
            ),
            State::Choice(choice) => self.choose(state, choice, current),
            State::Fail { error, cause } => Step::Write(self.fail(state, current, error.as_ref(), cause.as_ref())),
        })
    }

    /// What follows on a failure of the current state.
    fn decided(&self, state: &State, current: &Current) -> Step {
        let Some(failure) = current.failures.last() else { return Step::Task(Duration::ZERO) };
        let State::Task(task) = state else { return Step::Write(execution_failed(failure)) };
        let draw = || draw_of(&self.record.name, &current.state, current.failures.len());
        match decide(task, &current.failures, draw) {
            Decision::Retry(wait) => Step::Task(wait),
            Decision::Fail => Step::Write(execution_failed(failure)),
            Decision::Catch(index) => {
                let catcher = &task.catch[index];
                let output = failure.output();
                let outcome = Some(("errorOutput", output.clone()));
                match self.exit(current, &catcher.exit, outcome, &output) {
                    Ok((output, assigned)) => {
                        Step::Write(exited(state, current, &output, &assigned, Some(&catcher.next)))
                    }
                    // A catcher that fails is not caught again.
                    Err(failure) => Step::Write(execution_failed(&failure)),
                }
            }
        }
    }

    fn choose(&self, state: &State, choice: &Choice, current: &Current) -> Step {
        let mut scope = scope(self.record, &self.progress, current, None);
        for rule in &choice.rules {
            match scope.evaluate(&rule.condition) {
                Ok(Value::Bool(false)) => {}
                Ok(Value::Bool(true)) => {
                    return self.leave(state, current, &rule.exit, Some(&rule.next), None, &self.progress.data);
                }
                Ok(other) => {
                    let what = format!("{}: a condition is true or false, and this is {other}", rule.condition.path);
                    return Step::Write(failed(state, current, &Failure::new(QUERY, what)));
                }
                Err(failure) => return Step::Write(failed(state, current, &failure)),
            }
        }
        match &choice.default {
            Some(next) => Step::Write(exited(state, current, &self.progress.data, &Map::new(), Some(next))),
            None => Step::Write(execution_failed(&Failure::new(
                NO_CHOICE,
                format!("no rule of `{}` fits, and it has no Default", current.state),
            ))),
        }
    }

    fn fail(&self, state: &State, current: &Current, error: Option<&Template>, cause: Option<&Template>) -> NewEvent {
        let mut scope = scope(self.record, &self.progress, current, None);
        let mut text = |template: Option<&Template>| match template.map(|template| scope.fill(template)).transpose()? {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text),
            Some(other) => Err(Failure::new(QUERY, format!("Error and Cause are texts, and this is {other}"))),
        };
        match text(error).and_then(|error| Ok(Failure { error, cause: text(cause)? })) {
            Ok(failure) => execution_failed(&failure),
            Err(failure) => failed(state, current, &failure),
        }
    }

    /// Leaves the state for the next one, or fails it.
    fn leave(
        &self,
        state: &State,
        current: &Current,
        exit: &Exit,
        next: Option<&str>,
        outcome: Option<(&str, Value)>,
        default: &Value,
    ) -> Step {
        Step::Write(match self.exit(current, exit, outcome, default) {
            Ok((output, assigned)) => exited(state, current, &output, &assigned, next),
            Err(failure) => failed(state, current, &failure),
        })
    }

    /// Output and assigned variables. All of them see the variables as they were when the state was entered.
    fn exit(
        &self,
        current: &Current,
        exit: &Exit,
        outcome: Option<(&str, Value)>,
        default: &Value,
    ) -> Result<(Value, Map<String, Value>), Failure> {
        let mut scope = scope(self.record, &self.progress, current, outcome);
        let output = exit.output.as_ref().map_or_else(|| Ok(default.clone()), |output| scope.fill(output))?;
        let output = within_limit(output, "the output of the state")?;
        let mut assigned = Map::new();
        for (name, template) in &exit.assign {
            let value = within_limit(scope.fill(template)?, "a variable")?;
            assigned.insert(name.clone(), value);
        }
        Ok((output, assigned))
    }

    fn filled(&self, current: &Current, template: Option<&Template>, default: &Value) -> Result<Value, Failure> {
        let Some(template) = template else { return Ok(default.clone()) };
        let value = scope(self.record, &self.progress, current, None).fill(template)?;
        within_limit(value, "the output of the state")
    }

    /// Does the current state's task once.
    async fn task(&mut self, deadline: Option<Instant>) -> Result<()> {
        let Some(current) = &self.progress.current else { return Ok(()) };
        let Some(state @ State::Task(task)) = self.machine.states.get(&current.state) else { return Ok(()) };
        let (payload, timeout) = match self.arguments(task, current) {
            Ok(arguments) => arguments,
            Err(failure) => return self.write(failed(state, current, &failure)).await,
        };
        let Some(agent) = self.agents.handlers.get(&task.agent).map(Arc::clone) else {
            return Err(Error::internal(format!("the agent {} is gone", task.agent)));
        };
        let name = current.state.clone();
        let mut call = self.call.clone().by(task.agent.clone()).in_run(self.record.name.clone());
        call.request_id = format!("{}/{name}/{}", self.record.name, current.failures.len() + 1);
        let event = |kind: &str, details: Value| NewEvent {
            kind: kind.to_owned(),
            state: Some(name.clone()),
            details,
            next: None,
        };
        let mut scheduled = json!({
            "resourceType": "lambda",
            "resource": "invoke",
            "parameters": { "FunctionName": task.agent, "Payload": payload },
        });
        if let Some(timeout) = timeout {
            scheduled["timeoutInSeconds"] = json!(timeout.as_secs());
        }
        self.write(event("TaskScheduled", scheduled)).await?;
        self.write(event("TaskStarted", json!({ "resourceType": "lambda", "resource": "invoke" }))).await?;
        let outcome = invoke(agent, payload, call, (timeout, deadline)).await;
        if self.call.cancellation.is_cancelled() {
            // What the agent says of a call that was cancelled is not a result of the task.
            return Ok(());
        }
        self.write(match outcome {
            Outcome::Succeeded(output) => event("TaskSucceeded", json!({ "output": output })),
            Outcome::Failed(failure) => event("TaskFailed", json!(failure)),
            Outcome::TimedOut(failure) => event("TaskTimedOut", json!(failure)),
            Outcome::ExecutionTimedOut => timed_out(),
        })
        .await
    }

    fn arguments(&self, task: &Task, current: &Current) -> Result<(Value, Option<Duration>), Failure> {
        let mut scope = scope(self.record, &self.progress, current, None);
        let payload = within_limit(scope.fill(&task.payload)?, "the payload of the task")?;
        let Some(timeout) = &task.timeout else { return Ok((payload, None)) };
        let seconds = scope.fill(timeout)?;
        match seconds.as_u64().filter(|seconds| (1..=LONGEST_TIMEOUT).contains(seconds)) {
            Some(seconds) => Ok((payload, Some(Duration::from_secs(seconds)))),
            None => Err(Failure::new(QUERY, format!("TimeoutSeconds is a whole number from 1, and this is {seconds}"))),
        }
    }
}

fn exited(
    state: &State,
    current: &Current,
    output: &Value,
    assigned: &Map<String, Value>,
    next: Option<&str>,
) -> NewEvent {
    let mut details = json!({ "output": output });
    if !assigned.is_empty() {
        details["assignedVariables"] = json!(assigned);
    }
    NewEvent {
        kind: format!("{}StateExited", state.kind()),
        state: Some(current.state.clone()),
        details,
        next: next.map(str::to_owned),
    }
}

/// The failure of a state; what follows on it is decided by the next step.
fn failed(state: &State, current: &Current, failure: &Failure) -> NewEvent {
    let kind = match state {
        _ if failure.error == QUERY => "EvaluationFailed",
        State::Task(_) => "TaskFailed",
        _ => return execution_failed(failure),
    };
    NewEvent { kind: kind.to_owned(), state: Some(current.state.clone()), details: json!(failure), next: None }
}

fn execution_failed(failure: &Failure) -> NewEvent {
    NewEvent { kind: "ExecutionFailed".to_owned(), details: json!(failure), ..NewEvent::default() }
}

fn timed_out() -> NewEvent {
    let failure = Failure::new(TIMEOUT, "the execution did not end in its TimeoutSeconds");
    NewEvent { kind: "ExecutionTimedOut".to_owned(), details: json!(failure), ..NewEvent::default() }
}
