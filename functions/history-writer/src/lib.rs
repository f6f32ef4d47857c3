//! The history writer: remembers a run, as a record and as a page that people read.

use std::collections::BTreeMap;

use mlops_core::{Agent, Artifact, Call, Result, Task, TaskResult, ToolCaller};
use mlops_history_management::HistoryManagement;
use mlops_history_management::tools::FormatTrainingHistory;
use mlops_records::{RunDecision, RunModel, RunRecord, RunStage, RunStatus};
use serde::{Deserialize, Serialize};

/// Remembers runs.
#[derive(Clone)]
pub struct HistoryWriter {
    /// Writes records and pages.
    pub tools: ToolCaller<HistoryManagement>,
}

/// What is remembered of a run, besides its configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Remembered {
    /// How it ended.
    pub status: RunStatus,
    /// When it began, RFC 3339.
    #[serde(default)]
    pub started_at: Option<String>,
    /// SHA-256 of the data set.
    #[serde(default)]
    pub data_sha256: Option<String>,
    /// The rows of each part.
    #[serde(default)]
    pub rows: Option<BTreeMap<String, u64>>,
    /// The model that came of it.
    #[serde(default)]
    pub model: Option<RunModel>,
    /// The metrics on the test rows; one that could not be computed is null and is left out of the record.
    #[serde(default)]
    pub metrics: Option<BTreeMap<String, Option<f64>>>,
    /// What was decided.
    #[serde(default)]
    pub decision: Option<RunDecision>,
    /// Where the report lies.
    #[serde(default)]
    pub report_uri: Option<String>,
    /// What went wrong.
    #[serde(default)]
    pub error: Option<RunStage>,
}

/// Where the memory lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryWritten {
    /// The page.
    pub markdown_uri: String,
    /// The same as JSON.
    pub json_uri: String,
    /// The record.
    pub record_uri: String,
}

impl Agent for HistoryWriter {
    const NAME: &'static str = "history_writer";
    type Inputs = Remembered;
    type Outputs = HistoryWritten;

    async fn handle(&self, task: Task<Remembered>, call: &Call) -> Result<TaskResult<HistoryWritten>> {
        let inputs = task.inputs;
        let metrics = inputs.metrics.unwrap_or_default();
        let record = RunRecord {
            run_id: task.run_id.clone(),
            status: inputs.status,
            started_at: inputs.started_at,
            issue: task.issue,
            config: task.config,
            lang: task.lang,
            data_sha256: inputs.data_sha256,
            rows: inputs.rows.unwrap_or_default(),
            model: inputs.model,
            metrics: metrics.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
            decision: inputs.decision,
            report_uri: inputs.report_uri,
            error: inputs.error,
        };
        let written = self.tools.call(FormatTrainingHistory::of(vec![record]), call).await?;
        let outputs = HistoryWritten {
            markdown_uri: written.markdown_uri.unwrap_or_default(),
            json_uri: written.json_uri.unwrap_or_default(),
            record_uri: written.record_uris.first().cloned().unwrap_or_default(),
        };
        let mut result = TaskResult::succeeded::<Self>(task.run_id, outputs, "tell people how the run ended");
        result.artifacts =
            written.written.into_iter().map(|file| Artifact { uri: file.uri, sha256: file.sha256 }).collect();
        Ok(result)
    }
}

#[cfg(test)]
#[path = "lib_tests.rs"]
mod tests;
