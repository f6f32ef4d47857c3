//! Executes state machines in this process.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mlops_core::ports::{Execution, HistoryEvent, check_execution_name};
use mlops_core::{AgentHandler, Call, Result};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::agents::Agents;
use super::definition::Machine;
use super::executions::{Executions, Record};
use super::ledger::Ledger;
use super::tokens::{self, WaitingTask};
use super::walker::Walker;
use super::{parse, scribe, strict};
use crate::files::{Access, FileStore, blocking};

/// How long a follower waits before it looks again.
const LOOK: Duration = Duration::from_millis(50);

/// Executes state machines in this process. [`Workflows::start`] only records an execution; [`Self::run_to_end`] walks
/// it, and goes on after a crash from where the journal ends.
#[derive(Clone)]
pub struct LocalWorkflows {
    executions: Executions,
    agents: Agents,
    pub(super) machines: BTreeMap<String, Arc<(Value, Machine)>>,
    pub(super) call: Call,
    wait_scale: f64,
    /// Where the items of maps are read from.
    store: FileStore,
}

impl LocalWorkflows {
    /// An executor in that home folder, whose tasks call those agents.
    pub fn new(home: impl Into<PathBuf>, agents: impl IntoIterator<Item = Arc<dyn AgentHandler>>) -> Self {
        let home = home.into();
        let handlers = agents.into_iter().map(|agent| (agent.name().to_owned(), agent)).collect();
        Self {
            store: FileStore::new(home.clone(), home.clone(), Access::HomeOnly),
            executions: Executions::new(home),
            agents: Agents { handlers, ..Agents::default() },
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

    /// Only records executions: the agents of machines need not be in this process. Say it before [`Self::machine`].
    /// A walk here stops with `Unavailable` at the first task whose agent is missing.
    #[must_use]
    pub fn recording(mut self) -> Self {
        self.agents.unchecked = true;
        self
    }

    /// The call that the calls of tasks are made from: its audit log, clock, language, progress and cancellation.
    #[must_use]
    pub fn calling(mut self, call: Call) -> Self {
        self.call = call;
        self
    }

    /// What a second of a Wait state, or of waiting before a retry, takes, in seconds: 1 by default; 0 waits not at all.
    /// What is negative or not finite counts as 0. The times of tasks and answers are not scaled.
    #[must_use]
    pub fn waiting(mut self, scale: f64) -> Self {
        self.wait_scale = if scale.is_finite() { scale.max(0.0) } else { 0.0 };
        self
    }

    /// Adds a state machine by its definition, the text of an `.asl.json` file. What is not executed here is refused
    /// as `InvalidInput` whose `field` is its path in the definition.
    pub fn machine(mut self, name: &str, definition: &str) -> Result<Self> {
        check_execution_name(name)?;
        let definition = strict::parse(definition)?;
        let machine = parse::machine(&definition, &self.agents)?;
        self.machines.insert(name.to_owned(), Arc::new((definition, machine)));
        Ok(self)
    }

    /// Walks a started execution to its end, or follows it to its end when another process walks it. An execution that
    /// ended is given at once, and one that goes no further without an answer is given as `RUNNING`:
    /// [`Self::waiting_tasks`] says what it waits for, and after the answer another walk goes on. The observer sees every
    /// event once it is durable, from where this walk begins. Dropping the future stops the walk; a later one goes on.
    pub async fn run_to_end(&self, name: &str, observer: impl Fn(&HistoryEvent) + Send + Sync) -> Result<Execution> {
        let record = self.on(name, Executions::get).await?;
        let mut seen = None;
        loop {
            let (executions, own) = (self.executions.clone(), record.clone());
            let (ledger, lines) = blocking(move || {
                Ok(match executions.try_lock(&own)? {
                    Some(lock) => {
                        let (ledger, lines) = Ledger::open(&executions, &own, Some(lock))?;
                        (Some(ledger), lines)
                    }
                    None => (None, executions.lines(&own)?),
                })
            })
            .await?;
            // What happened before this call is not new to the observer.
            let known = *seen.get_or_insert(lines.len());
            lines.iter().skip(known).filter(|line| line.is_event()).for_each(|line| observer(&line.event));
            seen = Some(lines.len());
            if let Some(ledger) = ledger {
                if ledger.progress().get().ended.is_none() {
                    return self.walk(record, ledger, &observer).await;
                }
                let progress = ledger.progress();
                let progress = progress.get();
                return Ok(record.describe(&progress));
            }
            let progress = record.progress(&lines);
            if progress.ended.is_some() {
                return Ok(record.describe(&progress));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The tasks of the execution that wait for an answer; none when it has ended.
    pub async fn waiting_tasks(&self, name: &str) -> Result<Vec<WaitingTask>> {
        self.on(name, |executions, name| {
            let record = executions.get(name)?;
            Ok(tokens::waiting(&record.progress(&executions.lines(&record)?)))
        })
        .await
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
        ledger: Ledger,
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
        let progress = ledger.progress();
        let (sender, requests) = mpsc::unbounded_channel();
        let walker = Walker {
            record: &record,
            machine,
            executions: &self.executions,
            agents: &self.agents,
            call: &self.call,
            wait_scale: self.wait_scale,
            store: &self.store,
            progress: progress.clone(),
            requests: sender,
            deadline: machine.timeout.and_then(|timeout| Instant::now().checked_add(timeout)),
        };
        // Both in one task: when the walk is dropped, nothing more is written.
        tokio::select! {
            kept = scribe::keep(ledger, requests, &self.call, observer) => kept?,
            walked = walker.walk() => walked?,
        }
        drop(walker);
        let progress = progress.get();
        Ok(record.describe(&progress))
    }

    /// Runs file operations on executions on a thread that may wait.
    pub(super) async fn on<T, F>(&self, name: &str, work: F) -> Result<T>
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
