//! The port of workflows over the executions of a home folder.

use async_trait::async_trait;
use mlops_core::arguments::nearest;
use mlops_core::ports::{Execution, ExecutionStatus, HistoryEvent, NewExecution, Started, TaskAnswer, Workflows};
use mlops_core::{Error, ErrorKind, Result};
use serde_json::json;

use super::LocalWorkflows;
use super::context::LARGEST_DATA;
use super::executions::{Record, check_name};
use super::journal::{Line, NewEvent};
use super::ledger::Ledger;
use super::tokens;
use super::walker::started;

#[async_trait]
impl Workflows for LocalWorkflows {
    async fn start(&self, execution: NewExecution) -> Result<Started> {
        check_name(&execution.name)?;
        let Some(loaded) = self.machines.get(&execution.machine) else {
            let error = Error::not_found(format!("there is no state machine {}", execution.machine)).at("machine");
            return Err(match nearest(&execution.machine, self.machines.keys().map(String::as_str)) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error,
            });
        };
        let bytes = execution.input.to_string().len();
        if bytes > LARGEST_DATA {
            return Err(Error::invalid_input(format!("the input has {bytes} bytes"))
                .at("input")
                .hint(format!("at most {LARGEST_DATA} bytes pass between states: put the rest into the store")));
        }
        let NewExecution { machine, name, input } = execution;
        let record = Record { machine, name, started: self.call.clock.now(), input, definition: loaded.0.clone() };
        let wanted = record.clone();
        let existing = self.on("", move |executions, _| executions.create(&wanted)).await?;
        if existing.as_ref().is_some_and(|other| other.input != record.input || other.machine != record.machine) {
            return Err(Error::already_exists(format!("there is another execution {} already", record.name))
                .at("name")
                .hint("choose another name, or give the same input to go on with that one"));
        }
        Ok(Started { execution_arn: record.arn(), already_exists: existing.is_some(), console_url: None })
    }

    async fn describe(&self, name: &str) -> Result<Execution> {
        self.on(name, |executions, name| {
            let record = executions.get(name)?;
            let progress = record.progress(&executions.lines(&record)?);
            Ok(record.describe(&progress))
        })
        .await
    }

    async fn history(&self, name: &str) -> Result<Vec<HistoryEvent>> {
        self.on(name, |executions, name| {
            let lines = executions.lines(&executions.get(name)?)?;
            Ok(lines.into_iter().filter(Line::is_event).map(|line| line.event).collect())
        })
        .await
    }

    async fn list(&self, machine: &str, limit: usize) -> Result<Vec<Execution>> {
        self.on(machine, move |executions, machine| {
            let newest = executions.of_machine(machine)?.into_iter().take(limit);
            let described = newest.map(|record| {
                let progress = record.progress(&executions.lines(&record)?);
                Ok(record.describe(&progress))
            });
            described.collect()
        })
        .await
    }

    async fn redrive(&self, name: &str) -> Result<()> {
        let now = self.call.clock.now();
        self.on(name, move |executions, name| {
            let record = executions.get(name)?;
            let Some(lock) = executions.try_lock(&record)? else {
                return Err(Error::conflict(format!("the execution {name} is being walked")).hint("wait for its end"));
            };
            let (mut ledger, _) = Ledger::open(executions, &record, Some(lock))?;
            ledger.decide(now, |progress| {
                if !matches!(progress.status(), ExecutionStatus::Failed | ExecutionStatus::TimedOut) {
                    let what = format!("the execution {name} did not fail, so there is nothing to go on from");
                    return Err(Error::new(ErrorKind::Conflict, what));
                }
                let details = json!({ "redriveCount": progress.redrives + 1 });
                Ok(vec![NewEvent { kind: "ExecutionRedriven".to_owned(), details, ..NewEvent::default() }])
            })
        })
        .await
    }

    async fn answer(&self, token: &str, answer: TaskAnswer) -> Result<()> {
        let now = self.call.clock.now();
        self.on(token, move |executions, token| {
            let record = tokens::owner(executions, token)?;
            let (mut ledger, _) = Ledger::open(executions, &record, None)?;
            ledger.decide(now, |progress| Ok(tokens::event(progress, token, answer, now)?.into_iter().collect()))
        })
        .await
    }

    async fn stop(&self, name: &str, error: &str, cause: &str) -> Result<()> {
        let now = self.call.clock.now();
        let details = json!({ "error": error, "cause": cause });
        self.on(name, move |executions, name| {
            let record = executions.get(name)?;
            let (mut ledger, _) = Ledger::open(executions, &record, None)?;
            ledger.decide(now, |progress| {
                if progress.ended.is_some() {
                    return Ok(Vec::new());
                }
                let first = (!progress.started).then(|| started(&record));
                let aborted = NewEvent { kind: "ExecutionAborted".to_owned(), details, ..NewEvent::default() };
                Ok(first.into_iter().chain([aborted]).collect())
            })
        })
        .await
    }
}
