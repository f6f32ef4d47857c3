//! The port of workflows over the executions of a home folder.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mlops_core::arguments::nearest;
use mlops_core::ports::{
    Execution, ExecutionStatus, HistoryEvent, NewExecution, Started, TaskAnswer, Workflows, check_execution_name,
    check_size, failed_by_decision,
};
use mlops_core::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use super::LocalWorkflows;
use super::definition::Machine;
use super::executions::{Executions, Record};
use super::journal::{Line, NewEvent};
use super::ledger::Ledger;
use super::tokens;
use super::walker::started;

impl LocalWorkflows {
    fn loaded(&self, machine: &str) -> Result<&Arc<(Value, Machine)>> {
        self.machines.get(machine).ok_or_else(|| {
            let error = Error::not_found(format!("there is no state machine {machine}")).at("machine");
            match nearest(machine, self.machines.keys().map(String::as_str)) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error,
            }
        })
    }
}

/// The lock of an execution that has ended. Whoever walked it to its end lets go of the lock a moment after that.
fn lock_of_ended(executions: &Executions, record: &Record) -> Result<File> {
    for _ in 0..100 {
        if let Some(lock) = executions.try_lock(record)? {
            return Ok(lock);
        }
        if record.progress(&executions.lines(record)?).ended.is_none() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Err(Error::conflict(format!("the execution {} is being walked", record.name)).hint("wait for its end"))
}

#[async_trait]
impl Workflows for LocalWorkflows {
    async fn start(&self, execution: NewExecution) -> Result<Started> {
        check_execution_name(&execution.name)?;
        let loaded = self.loaded(&execution.machine)?;
        check_size("input", &execution.input)?;
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
        self.loaded(machine)?;
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
            let lock = lock_of_ended(executions, &record)?;
            let (mut ledger, lines) = Ledger::open(executions, &record, Some(lock))?;
            ledger.decide(now, |progress| {
                if !matches!(progress.status(), ExecutionStatus::Failed | ExecutionStatus::TimedOut) {
                    let what = format!("the execution {name} did not fail, so there is nothing to go on from");
                    return Err(Error::new(ErrorKind::Conflict, what));
                }
                if failed_by_decision(lines.iter().rev().filter(|line| line.is_event()).map(|line| &*line.event.kind)) {
                    let what = format!("the execution {name} ended in a Fail state, and would only fail there again");
                    return Err(Error::conflict(what).hint("start another one with its input"));
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
