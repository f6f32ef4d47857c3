//! Runs that a tool has started are walked in this process: nothing else on one machine would.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use mlops_core::Result;
use mlops_core::ports::{Execution, HistoryEvent, NewExecution, Started, TaskAnswer, Workflows};
use mlops_local::LocalWorkflows;
use tokio::task::JoinSet;

/// Executes state machines, and walks each execution from the moment it is started.
#[derive(Clone)]
pub(crate) struct DrivenWorkflows {
    inner: LocalWorkflows,
    walks: Arc<Mutex<JoinSet<()>>>,
}

impl DrivenWorkflows {
    /// Drives the executions of those workflows.
    pub(crate) fn new(inner: LocalWorkflows) -> Self {
        Self { inner, walks: Arc::default() }
    }

    /// Waits for the end of every run that was started here.
    pub(crate) async fn finish(&self) {
        let mut walks = std::mem::take(&mut *self.walks.lock().unwrap_or_else(PoisonError::into_inner));
        while walks.join_next().await.is_some() {}
    }
}

#[async_trait]
impl Workflows for DrivenWorkflows {
    async fn start(&self, execution: NewExecution) -> Result<Started> {
        let name = execution.name.clone();
        let started = self.inner.start(execution).await?;
        let workflows = self.inner.clone();
        // How the walk ends is in the execution's journal, where `status` reads it.
        let walk = async move { drop(workflows.run_to_end(&name, |_| {}).await) };
        self.walks.lock().unwrap_or_else(PoisonError::into_inner).spawn(walk);
        Ok(started)
    }

    async fn describe(&self, name: &str) -> Result<Execution> {
        self.inner.describe(name).await
    }

    async fn history(&self, name: &str) -> Result<Vec<HistoryEvent>> {
        self.inner.history(name).await
    }

    async fn list(&self, machine: &str, limit: usize) -> Result<Vec<Execution>> {
        self.inner.list(machine, limit).await
    }

    async fn redrive(&self, name: &str) -> Result<()> {
        self.inner.redrive(name).await
    }

    async fn answer(&self, token: &str, answer: TaskAnswer) -> Result<()> {
        self.inner.answer(token, answer).await
    }

    async fn stop(&self, name: &str, error: &str, cause: &str) -> Result<()> {
        self.inner.stop(name, error, cause).await
    }
}
