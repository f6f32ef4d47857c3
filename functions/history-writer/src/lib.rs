//! The history writer: remembers a run, as a record and as a page that people read, commits the page to a repository,
//! and says in the issue that asked for the run how it ended.

mod ending;
mod stages;

use std::collections::BTreeMap;

use mlops_core::settings::GithubSettings;
use mlops_core::values::ArtifactUri;
use mlops_core::{Agent, Artifact, Call, Error, Result, Task, TaskResult, ToolCaller};
use mlops_history_management::HistoryManagement;
use mlops_history_management::tools::{CommitToGithub, FileToCommit, FormatTrainingHistory, WrittenFile};
use mlops_records::{RunApproval, RunDecision, RunModel, RunRecord, RunSmoke, RunStage, RunStatus};
use serde::{Deserialize, Serialize};

pub use stages::WalkedStage;

/// Remembers runs.
#[derive(Clone)]
pub struct HistoryWriter {
    /// Writes records, pages, commits and comments.
    tools: ToolCaller<HistoryManagement>,
    /// The repository that has the history of every run; otherwise that of the issue has it.
    repository: Option<String>,
    /// The branch of the history.
    branch: String,
}

impl HistoryWriter {
    /// A writer with those tools, for the repository and the branch of the settings.
    pub fn new(tools: ToolCaller<HistoryManagement>, settings: &GithubSettings) -> Self {
        Self { tools, repository: settings.history_repository.clone(), branch: settings.history_branch.clone() }
    }

    /// Commits the pages of the run; `None` when there is no repository to commit them to.
    async fn commit(&self, record: &RunRecord, pages: &[WrittenFile], call: &Call) -> Option<Result<Committed>> {
        let issue = record.issue.as_ref();
        let repo = self.repository.as_ref().or(issue.map(|issue| &issue.repo))?;
        let RunRecord { run_id, config, .. } = record;
        let asked = issue.map(|issue| format!("\n\nAsked for in {issue}.")).unwrap_or_default();
        let message = format!("History of {} {run_id}{asked}", config.model_name);
        let mut commit = CommitToGithub::onto(repo, &self.branch, message);
        for page in pages {
            let name = page.uri.rsplit('/').next().unwrap_or(&page.uri);
            let path = format!("history/{}/{run_id}/{name}", config.model_name);
            match ArtifactUri::new(page.uri.as_str()) {
                Ok(uri) => commit.files.push(FileToCommit { path, text: None, uri: Some(uri) }),
                Err(error) => return Some(Err(error)),
            }
        }
        let made = self.tools.call(commit, call).await;
        Some(made.map(|made| Committed { commit: made.commit, url: made.url }))
    }
}

/// Where the pages of a run were committed.
struct Committed {
    commit: Option<String>,
    url: Option<String>,
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
    /// What a person answered, when one was asked.
    #[serde(default)]
    pub approval: Option<RunApproval>,
    /// What came of the smoke prediction, as the rollback agent says it.
    #[serde(default)]
    pub smoke: Option<Smoke>,
    /// Where the report lies.
    #[serde(default)]
    pub report_uri: Option<String>,
    /// The report's short form for a comment, Markdown.
    #[serde(default)]
    pub report_comment: Option<String>,
    /// What went wrong.
    #[serde(default)]
    pub error: Option<RunStage>,
    /// The stages of the run in their order, for the comment on the issue.
    #[serde(default)]
    pub stages: Option<Vec<WalkedStage>>,
    /// When the run had walked them all, RFC 3339.
    #[serde(default)]
    pub ended_at: Option<String>,
    /// The plan that was posted at the beginning, one step a line.
    #[serde(default)]
    pub plan: Option<Vec<String>>,
}

/// What came of the smoke prediction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Smoke {
    /// Whether the registered model answers as it did in training.
    pub healthy: bool,
    /// Why not, or how it was seen.
    #[serde(default)]
    pub reason: Option<String>,
    /// The change of the version in use; null when there was none.
    #[serde(default)]
    pub rolled_back: Option<RolledBack>,
}

/// A change of the version in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolledBack {
    /// The version that was taken back.
    pub from: u64,
    /// The version that is in use since then; null when none is.
    #[serde(default)]
    pub to: Option<u64>,
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
    /// The commit that has the page in the repository of the history; null when there is no such repository, or when it
    /// could not be reached.
    pub commit: Option<String>,
    /// Where people read that commit.
    pub commit_url: Option<String>,
    /// Why the page could not be committed; null when it could.
    pub commit_error: Option<String>,
    /// Where people read in the issue how the run ended; null when no issue asked for it, or when it could not be said.
    pub comment_url: Option<String>,
    /// Why it could not be said in the issue; null when it could.
    pub comment_error: Option<String>,
}

impl Agent for HistoryWriter {
    const NAME: &'static str = "history_writer";
    type Inputs = Remembered;
    type Outputs = HistoryWritten;

    async fn handle(&self, task: Task<Remembered>, call: &Call) -> Result<TaskResult<HistoryWritten>> {
        let record = record_of(&task);
        let written = self.tools.call(FormatTrainingHistory::of(vec![record.clone()]), call).await?;
        let mut outputs = HistoryWritten {
            markdown_uri: written.markdown_uri.unwrap_or_default(),
            json_uri: written.json_uri.unwrap_or_default(),
            record_uri: written.record_uris.first().cloned().unwrap_or_default(),
            commit: None,
            commit_url: None,
            commit_error: None,
            comment_url: None,
            comment_error: None,
        };
        let mut files = written.written;
        // The run is remembered already: a repository or an issue that cannot be reached is reported and fails nothing.
        match self.commit(&record, &files, call).await {
            None => {}
            Some(Ok(made)) => (outputs.commit, outputs.commit_url) = (made.commit, made.url),
            Some(Err(error)) => outputs.commit_error = Some(told(&error)),
        }
        if let Some(issue) = &task.issue {
            let places = ending::Places { page: &outputs.markdown_uri, commit: outputs.commit_url.as_deref() };
            let comment = ending::comment(issue, &record, &task.inputs, places);
            match self.tools.call(comment, call).await {
                Ok(posted) => {
                    outputs.comment_url = posted.url;
                    let whole = posted.whole_text_uri.zip(posted.whole_text_sha256);
                    files.extend(whole.map(|(uri, sha256)| WrittenFile { uri, sha256 }));
                }
                Err(error) => outputs.comment_error = Some(told(&error)),
            }
        }
        let hint = match (&outputs.commit_error, &outputs.comment_error) {
            (None, None) => "tell people how the run ended",
            (Some(_), None) => "tell people how the run ended; the repository of the history could not be reached",
            (None, Some(_)) => "tell people how the run ended; the issue could not be reached",
            (Some(_), Some(_)) => "tell people how the run ended; neither repository nor issue could be reached",
        };
        let mut result = TaskResult::succeeded::<Self>(task.run_id, outputs, hint);
        result.artifacts = files.into_iter().map(|file| Artifact { uri: file.uri, sha256: file.sha256 }).collect();
        Ok(result)
    }
}

fn told(error: &Error) -> String {
    format!("{}: {}", error.kind, error.message)
}

fn record_of(task: &Task<Remembered>) -> RunRecord {
    let inputs = task.inputs.clone();
    let metrics = inputs.metrics.unwrap_or_default();
    RunRecord {
        run_id: task.run_id.clone(),
        status: inputs.status,
        started_at: inputs.started_at,
        issue: task.issue.clone(),
        config: task.config.clone(),
        lang: task.lang,
        data_sha256: inputs.data_sha256,
        rows: inputs.rows.unwrap_or_default(),
        model: inputs.model,
        metrics: metrics.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
        decision: inputs.decision,
        approval: inputs.approval,
        smoke: inputs.smoke.map(|smoke| RunSmoke {
            healthy: smoke.healthy,
            reason: smoke.reason,
            rolled_back_from: smoke.rolled_back.as_ref().map(|change| change.from),
            rolled_back_to: smoke.rolled_back.and_then(|change| change.to),
        }),
        report_uri: inputs.report_uri,
        error: inputs.error,
    }
}

#[cfg(test)]
#[path = "lib_tests.rs"]
mod tests;
