//! The port of workflows over Step Functions.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use aws_sdk_sfn::types::ExecutionStatus as Status;
use futures::future::join_all;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use mlops_aws_environment::AwsEnvironment;
use mlops_core::ports::{
    Execution, ExecutionStatus, HistoryEvent, NewExecution, Started, TaskAnswer, Workflows, check_execution_name,
    check_size, failed_by_decision,
};
use mlops_core::{Error, ErrorKind, Result, masking};
use serde_json::Value;

use crate::failure::failure;
use crate::history::{has_branches, history, parsed, timestamp};
use crate::machines::{Machine, Machines};
use crate::places::branches;

/// The most executions and events of one page.
const PAGE: i32 = 1000;
/// How many events tell how an execution ended.
const LAST: i32 = 5;
/// How many executions of a list are described at the same time.
const AT_ONCE: usize = 8;
/// The most characters of an error's name, of its cause, and of a token: Step Functions takes no more.
const LONGEST_ERROR: usize = 256;
const LONGEST_CAUSE: usize = 32_768;
const LONGEST_TOKEN: usize = 2048;

/// Executes state machines on Step Functions.
///
/// The names of executions are unique over all machines, as everywhere in the fleet. Of two callers that start the same
/// execution in the same moment, one execution starts and both may be told that it is new.
#[derive(Clone)]
pub struct StepFunctions {
    client: Client,
    machines: Arc<Machines>,
}

/// An execution as Step Functions describes it, and whose it is.
struct Found<'m> {
    machine: &'m str,
    execution: DescribeExecutionOutput,
}

impl StepFunctions {
    /// Executes the machines of those ARNs, by the names that the fleet has for them. An ARN of anything else is
    /// `InvalidInput`. Nothing is sent.
    pub fn new(environment: &AwsEnvironment, machines: BTreeMap<String, String>) -> Result<Self> {
        Self::over(Client::new(environment.config()), machines)
    }

    pub(crate) fn over(client: Client, machines: BTreeMap<String, String>) -> Result<Self> {
        Ok(Self { client, machines: Arc::new(Machines::new(machines)?) })
    }

    /// The execution of that ARN, or `None` when there is none.
    async fn described(&self, arn: &str) -> Result<Option<DescribeExecutionOutput>> {
        match self.client.describe_execution().execution_arn(arn).send().await {
            Ok(execution) => Ok(Some(execution)),
            Err(error) => match failure(error, "the execution could not be described") {
                error if error.kind == ErrorKind::NotFound => Ok(None),
                error => Err(error),
            },
        }
    }

    /// The execution of that name, of whatever machine.
    async fn find(&self, name: &str) -> Result<Option<Found<'_>>> {
        check_execution_name(name)?;
        let asked = self.machines.iter().map(|(machine, known)| async move {
            let execution = self.described(&known.execution(name)).await?;
            Ok(execution.map(|execution| Found { machine, execution }))
        });
        let mut failed = None;
        for answer in join_all(asked).await {
            match answer {
                Ok(Some(found)) => return Ok(Some(found)),
                Ok(None) => {}
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(None), Err)
    }

    async fn get(&self, name: &str) -> Result<Found<'_>> {
        let found = self.find(name).await?;
        found.ok_or_else(|| Error::not_found(format!("there is no execution {name}")).hint("list the runs"))
    }

    /// What is told of a request to start an execution that is there.
    fn known(&self, wanted: (&str, &Value), found: Found<'_>) -> Result<Started> {
        let Found { machine, execution } = found;
        if (machine, &parsed(execution.input().unwrap_or("{}"))) != wanted {
            let name = execution.name().unwrap_or_default();
            return Err(Error::already_exists(format!("there is another execution {name} already"))
                .at("name")
                .hint("choose another name, or give the same input to go on with that one"));
        }
        Ok(started(self.machines.get(machine)?, execution.execution_arn(), true))
    }
}

#[async_trait]
impl Workflows for StepFunctions {
    async fn start(&self, execution: NewExecution) -> Result<Started> {
        let NewExecution { machine, name, input } = execution;
        check_execution_name(&name)?;
        let own = self.machines.get(&machine)?;
        let json = check_size("input", &input)?;
        // StartExecution takes the same name and input again while the execution runs, and does not say so; and it knows
        // nothing of the other machines.
        if let Some(found) = self.find(&name).await? {
            return self.known((&machine, &input), found);
        }
        let request = self.client.start_execution().state_machine_arn(&own.arn).name(&name).input(json);
        match request.send().await {
            Ok(answer) => Ok(started(own, answer.execution_arn(), false)),
            Err(error) => match failure(error, "the execution could not be started") {
                // Another caller was faster, or it ended in between.
                error if error.kind == ErrorKind::AlreadyExists => match self.find(&name).await? {
                    Some(found) => self.known((&machine, &input), found),
                    None => Err(Error { kind: ErrorKind::Unavailable, ..error }
                        .hint("it was started a moment ago and cannot be seen yet: try again")),
                },
                error => Err(error),
            },
        }
    }

    async fn describe(&self, name: &str) -> Result<Execution> {
        let Found { machine, execution } = self.get(name).await?;
        describe(machine, &execution)
    }

    async fn history(&self, name: &str) -> Result<Vec<HistoryEvent>> {
        let found = self.get(name).await?;
        let arn = found.execution.execution_arn();
        let request = self.client.get_execution_history().execution_arn(arn).include_execution_data(true);
        let mut pages = request.into_paginator().page_size(PAGE).send();
        let mut events = Vec::new();
        while let Some(page) = pages.next().await {
            events.extend(page.map_err(|error| failure(error, "the history could not be read"))?.events);
        }
        let definition = if has_branches(&events) { self.definition(arn).await? } else { Value::Null };
        history(&events, &branches(&definition))
    }

    async fn list(&self, machine: &str, limit: usize) -> Result<Vec<Execution>> {
        let own = self.machines.get(machine)?;
        let size = i32::try_from(limit).map_or(PAGE, |limit| limit.clamp(1, PAGE));
        let request = self.client.list_executions().state_machine_arn(&own.arn);
        let mut pages = request.into_paginator().page_size(size).send();
        let mut arns = Vec::new();
        while arns.len() < limit
            && let Some(page) = pages.next().await
        {
            let page = page.map_err(|error| failure(error, "the executions could not be listed"))?;
            arns.extend(page.executions.into_iter().map(|execution| execution.execution_arn));
        }
        arns.truncate(limit);
        // A list tells neither input nor output. What is too old to be described is gone.
        let asked = stream::iter(arns).map(|arn| async move { self.described(&arn).await }).buffered(AT_ONCE);
        let found: Vec<_> = asked.try_collect().await?;
        let described = found.iter().flatten().map(|execution| describe(machine, execution));
        let mut described: Vec<Execution> = described.collect::<Result<_>>()?;
        described.sort_by(|a, b| (b.started, &b.name).cmp(&(a.started, &a.name)));
        Ok(described)
    }

    async fn redrive(&self, name: &str) -> Result<()> {
        let Found { machine, execution } = self.get(name).await?;
        if !matches!(describe(machine, &execution)?.status, ExecutionStatus::Failed | ExecutionStatus::TimedOut) {
            let what = format!("the execution {name} did not fail, so there is nothing to go on from");
            return Err(Error::conflict(what));
        }
        let arn = execution.execution_arn();
        let request = self.client.get_execution_history().execution_arn(arn).reverse_order(true).max_results(LAST);
        let last = request.include_execution_data(false).send().await;
        let last = last.map_err(|error| failure(error, "the history could not be read"))?;
        if failed_by_decision(last.events().iter().map(|event| event.r#type().as_str())) {
            let what = format!("the execution {name} ended in a Fail state, and would only fail there again");
            return Err(Error::conflict(what).hint("start another one with its input"));
        }
        let request = self.client.redrive_execution().execution_arn(arn);
        request.send().await.map_err(|error| failure(error, "the execution could not go on"))?;
        Ok(())
    }

    async fn answer(&self, token: &str, answer: TaskAnswer) -> Result<()> {
        if token.is_empty() || token.chars().count() > LONGEST_TOKEN {
            return Err(unknown(None));
        }
        let answered = match answer {
            TaskAnswer::Success(output) => {
                let output = check_size("output", &output)?;
                let request = self.client.send_task_success().task_token(token).output(output);
                request.send().await.map(drop).map_err(|error| failure(error, "the task was not answered"))
            }
            TaskAnswer::Failure { error, cause } => {
                let (error, cause) = (shortened(&error, LONGEST_ERROR), shortened(&cause, LONGEST_CAUSE));
                let request = self.client.send_task_failure().task_token(token).error(error).cause(cause);
                request.send().await.map(drop).map_err(|error| failure(error, "the task was not answered"))
            }
            TaskAnswer::Heartbeat => {
                let request = self.client.send_task_heartbeat().task_token(token);
                request.send().await.map(drop).map_err(|error| failure(error, "the task was not answered"))
            }
        };
        answered.map_err(|error| match error.kind {
            ErrorKind::NotFound => unknown(Some(error)),
            ErrorKind::Conflict => Error::conflict("the task of that token does not wait any more").caused_by(error),
            _ => error,
        })
    }

    async fn stop(&self, name: &str, error: &str, cause: &str) -> Result<()> {
        let Found { execution, .. } = self.get(name).await?;
        if has_ended(&execution) {
            return Ok(());
        }
        let request = self.client.stop_execution().execution_arn(execution.execution_arn());
        let request = request.error(shortened(error, LONGEST_ERROR)).cause(shortened(cause, LONGEST_CAUSE));
        let Err(error) = request.send().await else { return Ok(()) };
        let error = failure(error, "the execution could not be stopped");
        // It can have ended by itself in between.
        let ended = error.kind == ErrorKind::InvalidInput && has_ended(&self.get(name).await?.execution);
        if ended { Ok(()) } else { Err(error) }
    }
}

impl StepFunctions {
    /// The definition that the execution began with.
    async fn definition(&self, execution_arn: &str) -> Result<Value> {
        let request = self.client.describe_state_machine_for_execution().execution_arn(execution_arn);
        let machine =
            request.send().await.map_err(|error| failure(error, "the state machine could not be described"))?;
        Ok(parsed(machine.definition()))
    }
}

fn started(machine: &Machine, execution_arn: &str, already_exists: bool) -> Started {
    let console_url = Some(machine.console_url(execution_arn));
    Started { execution_arn: execution_arn.to_owned(), already_exists, console_url }
}

fn has_ended(execution: &DescribeExecutionOutput) -> bool {
    !matches!(execution.status(), Status::Running | Status::PendingRedrive)
}

fn describe(machine: &str, execution: &DescribeExecutionOutput) -> Result<Execution> {
    let name = execution.name().unwrap_or_default();
    let status = match execution.status() {
        Status::Running | Status::PendingRedrive => ExecutionStatus::Running,
        Status::Succeeded => ExecutionStatus::Succeeded,
        Status::Failed => ExecutionStatus::Failed,
        Status::TimedOut => ExecutionStatus::TimedOut,
        Status::Aborted => ExecutionStatus::Aborted,
        other => {
            let what = format!("the execution {name} stands at `{}`, which this version does not know", other.as_str());
            return Err(Error::internal(what));
        }
    };
    let output = execution.output().filter(|_| status == ExecutionStatus::Succeeded);
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    Ok(Execution {
        name: name.to_owned(),
        execution_arn: execution.execution_arn().to_owned(),
        machine: machine.to_owned(),
        status,
        started: timestamp(execution.start_date())?,
        ended: execution.stop_date().filter(|_| has_ended(execution)).map(timestamp).transpose()?,
        input: parsed(execution.input().unwrap_or("{}")),
        output: output.map(parsed),
        error: text(execution.error()),
        cause: text(execution.cause()),
    })
}

fn unknown(source: Option<Error>) -> Error {
    let error = Error::not_found("no task was given that token").hint("answer with the token that the task passed on");
    match source {
        Some(source) => error.caused_by(source),
        None => error,
    }
}

/// The text without secrets and as long as Step Functions takes it.
fn shortened(text: &str, longest: usize) -> String {
    masking::mask_text(text).chars().take(longest).collect()
}

impl std::fmt::Debug for StepFunctions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StepFunctions").field("machines", &self.machines).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "workflows_tests.rs"]
mod tests;
