//! Executes state machines in this process.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mlops_core::arguments::nearest;
use mlops_core::ports::{Execution, ExecutionStatus, HistoryEvent, NewExecution, Started, Workflows};
use mlops_core::{AgentHandler, Call, Error, ErrorKind, Result};
use serde_json::{Value, json};

use super::context::LARGEST_DATA;
use super::definition::Machine;
use super::executions::{Executions, Record, check_name};
use super::journal::{Journal, Line, NewEvent};
use super::validate::Agents;
use super::walker::Walker;
use super::{parse, strict};
use crate::files::blocking;

/// How long a follower waits before it looks again.
const LOOK: Duration = Duration::from_millis(50);

/// Executes state machines in this process. [`Workflows::start`] only records an execution; [`Self::run_to_end`] walks
/// it, and goes on after a crash from where the journal ends.
#[derive(Clone)]
pub struct LocalWorkflows {
    executions: Executions,
    agents: Agents,
    machines: BTreeMap<String, Arc<(Value, Machine)>>,
    call: Call,
    wait_scale: f64,
}

impl LocalWorkflows {
    /// An executor in that home folder, whose tasks call those agents.
    pub fn new(home: impl Into<PathBuf>, agents: impl IntoIterator<Item = Arc<dyn AgentHandler>>) -> Self {
        let handlers = agents.into_iter().map(|agent| (agent.name().to_owned(), agent)).collect();
        Self {
            executions: Executions::new(home.into()),
            agents: Agents { handlers, substitutions: BTreeMap::new() },
            machines: BTreeMap::new(),
            call: Call::new("workflows"),
            wait_scale: 1.0,
        }
    }

    /// Names the agents of substitutions: (`TrainerFunctionArn`, `training`) lets `${TrainerFunctionArn}` be the agent
    /// `training`. Without it, `${IssueDetectorFunctionArn}` is `issue_detector`. Say it before [`Self::machine`].
    #[must_use]
    pub fn substituting<'a>(mut self, names: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.agents.substitutions.extend(names.into_iter().map(|(name, agent)| (name.to_owned(), agent.to_owned())));
        self
    }

    /// The call that the calls of tasks are made from: its audit log, clock, language, progress and cancellation.
    #[must_use]
    pub fn calling(mut self, call: Call) -> Self {
        self.call = call;
        self
    }

    /// What a second of waiting before a retry takes, in seconds: 1 by default; 0 waits not at all. What is negative or
    /// not finite counts as 0.
    #[must_use]
    pub fn waiting(mut self, scale: f64) -> Self {
        self.wait_scale = if scale.is_finite() { scale.max(0.0) } else { 0.0 };
        self
    }

    /// Adds a state machine by its definition, the text of an `.asl.json` file. What is not executed here is refused
    /// as `InvalidInput` whose `field` is its path in the definition.
    pub fn machine(mut self, name: &str, definition: &str) -> Result<Self> {
        check_name(name)?;
        let definition = strict::parse(definition)?;
        let machine = parse::machine(&definition, &self.agents)?;
        self.machines.insert(name.to_owned(), Arc::new((definition, machine)));
        Ok(self)
    }

    /// Walks a started execution to its end, or follows it to its end when another process walks it. An execution that
    /// ended is given at once. The observer sees every event once it is durable, from where this walk begins. Dropping
    /// the future stops the walk; a later one goes on.
    pub async fn run_to_end(&self, name: &str, observer: impl Fn(&HistoryEvent) + Send + Sync) -> Result<Execution> {
        let record = self.on(name, Executions::get).await?;
        let mut seen = None;
        loop {
            let (executions, own) = (self.executions.clone(), record.clone());
            let (journal, lines) = blocking(move || {
                Ok(match executions.try_lock(&own)? {
                    Some(lock) => {
                        let (journal, lines) = Journal::open(&executions.journal(&own), lock)?;
                        (Some(journal), lines)
                    }
                    None => (None, executions.lines(&own)?),
                })
            })
            .await?;
            // What happened before this call is not new to the observer.
            let known = *seen.get_or_insert(lines.len());
            lines.iter().skip(known).for_each(|line| observer(&line.event));
            seen = Some(lines.len());
            let progress = record.progress(&lines);
            if progress.ended.is_some() {
                return Ok(record.describe(progress));
            }
            if let Some(journal) = journal {
                return self.walk(record, lines, journal, &observer).await;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Whether somebody walks the execution at this moment. One that is running and not walked was interrupted.
    pub async fn is_walked(&self, name: &str) -> Result<bool> {
        self.on(name, |executions, name| {
            let record = executions.get(name)?;
            Ok(executions.try_lock(&record)?.is_none())
        })
        .await
    }

    async fn walk(
        &self,
        record: Record,
        lines: Vec<Line>,
        journal: Journal,
        observer: &(dyn Fn(&HistoryEvent) + Send + Sync),
    ) -> Result<Execution> {
        let loaded = self.machines.get(&record.machine).filter(|loaded| loaded.0 == record.definition);
        let own;
        let machine = if let Some(loaded) = loaded {
            &loaded.1
        } else {
            // The definition was changed since: the execution keeps to the one that it began with.
            own = parse::machine(&record.definition, &self.agents)?;
            &own
        };
        let progress = record.progress(&lines);
        let walker = Walker {
            record: &record,
            machine,
            agents: &self.agents,
            call: &self.call,
            wait_scale: self.wait_scale,
            observer,
            progress,
            journal: Some(journal),
        };
        let progress = walker.walk().await?;
        Ok(record.describe(progress))
    }

    /// Runs file operations on executions on a thread that may wait.
    async fn on<T, F>(&self, name: &str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Executions, &str) -> Result<T> + Send + 'static,
    {
        let (executions, name) = (self.executions.clone(), name.to_owned());
        blocking(move || work(&executions, &name)).await
    }
}

impl std::fmt::Debug for LocalWorkflows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("LocalWorkflows");
        debug.field("executions", &self.executions).field("machines", &self.machines.keys()).finish_non_exhaustive()
    }
}

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
            Ok(record.describe(progress))
        })
        .await
    }

    async fn history(&self, name: &str) -> Result<Vec<HistoryEvent>> {
        self.on(name, |executions, name| {
            let lines = executions.lines(&executions.get(name)?)?;
            Ok(lines.into_iter().map(|line| line.event).collect())
        })
        .await
    }

    async fn list(&self, machine: &str, limit: usize) -> Result<Vec<Execution>> {
        self.on(machine, move |executions, machine| {
            let newest = executions.of_machine(machine)?.into_iter().take(limit);
            let described = newest.map(|record| {
                let progress = record.progress(&executions.lines(&record)?);
                Ok(record.describe(progress))
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
            let (mut journal, lines) = Journal::open(&executions.journal(&record), lock)?;
            let progress = record.progress(&lines);
            if !matches!(progress.status(), ExecutionStatus::Failed | ExecutionStatus::TimedOut) {
                let what = format!("the execution {name} did not fail, so there is nothing to go on from");
                return Err(Error::new(ErrorKind::Conflict, what));
            }
            let details = json!({ "redriveCount": progress.redrives + 1 });
            journal.append(NewEvent { kind: "ExecutionRedriven".to_owned(), details, ..NewEvent::default() }, now)?;
            Ok(())
        })
        .await
    }
}
