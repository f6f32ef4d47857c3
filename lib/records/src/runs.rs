//! The history of runs: what was asked, what was done and what was decided.
//!
//! Keys: `history/<run_id>/records/00000001.json`, one for each time the run ended; a run that failed and went on later
//! has both, and the last one counts.

use std::collections::BTreeMap;
use std::sync::Arc;

use mlops_core::ports::{Condition, ObjectStore, read_json, write_json};
use mlops_core::values::{ArtifactUri, IssueRef, TrainingConfig};
use mlops_core::{Error, ErrorKind, Lang, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check_name;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Every step did what it was asked; the decision says what was decided.
    Succeeded,
    /// A step failed.
    Failed,
}

/// A run, as it is remembered. It holds no time of its own writing, so that a repeated write is the same record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// The run's id.
    pub run_id: String,
    /// How it ended.
    pub status: RunStatus,
    /// When it began, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// The issue that asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue: Option<IssueRef>,
    /// What was asked, with every default written out.
    pub config: TrainingConfig,
    /// The language of the run.
    #[serde(default)]
    pub lang: Lang,
    /// SHA-256 of the data set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_sha256: Option<String>,
    /// The rows of each part: train, validation, test.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rows: BTreeMap<String, u64>,
    /// The model that came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<RunModel>,
    /// The metrics on the test rows.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, f64>,
    /// What was decided, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<RunDecision>,
    /// What a person answered, when one was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<RunApproval>,
    /// What came of the smoke prediction after registration, when there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smoke: Option<RunSmoke>,
    /// Where the report lies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_uri: Option<String>,
    /// What went wrong, when it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RunStage>,
}

/// The model of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunModel {
    /// Where it lies.
    pub model_s3_uri: String,
    /// SHA-256 of its bytes.
    pub model_sha256: String,
    /// Its algorithm; the one that was chosen when the issue said `auto`.
    pub algorithm: String,
    /// The version that it was registered as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// How long the training took, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training_time_seconds: Option<f64>,
}

/// A decision and its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunDecision {
    /// `promote`, `reject` or `needs_human`.
    pub decision: String,
    /// Why, in the run's language.
    pub reasons: Vec<String>,
    /// The version of the champion that it was compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub champion_version: Option<u64>,
}

/// A person's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunApproval {
    /// Whether the model may be used.
    pub approved: bool,
    /// Who answered.
    pub by: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

/// What came of the smoke prediction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunSmoke {
    /// Whether the registered model answers as it did in training.
    pub healthy: bool,
    /// Why not, or how it was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The version that was taken back; null when none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back_from: Option<u64>,
    /// The version that is in use since then; null when none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back_to: Option<u64>,
}

/// The step that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunStage {
    /// The step.
    pub stage: String,
    /// The error's kind.
    pub error: String,
    /// What it was about.
    pub cause: String,
}

/// A record with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedRun {
    /// The record.
    pub record: RunRecord,
    /// Where it lies.
    pub uri: ArtifactUri,
    /// Whether it was there before.
    pub already_recorded: bool,
}

/// The records of runs.
#[derive(Clone)]
pub struct RunRecords {
    store: Arc<dyn ObjectStore>,
    root: ArtifactUri,
}

impl RunRecords {
    /// The records below `root`.
    pub fn new(store: Arc<dyn ObjectStore>, root: &ArtifactUri) -> Self {
        Self { store, root: root.join("history") }
    }

    /// The folder of a run.
    pub fn folder(&self, run_id: &str) -> ArtifactUri {
        self.root.join(run_id)
    }

    /// Where the records lie.
    pub fn store(&self) -> &dyn ObjectStore {
        &*self.store
    }

    /// Records the run; the same record twice is one record.
    pub async fn append(&self, record: &RunRecord) -> Result<RecordedRun> {
        check_name("run_id", &record.run_id)?;
        loop {
            let known = self.list(&record.run_id).await?;
            if let Some((uri, _)) = known.last().filter(|(_, last)| last == record) {
                return Ok(RecordedRun { record: record.clone(), uri: uri.clone(), already_recorded: true });
            }
            let uri = self.folder(&record.run_id).join(&format!("records/{:08}.json", known.len() + 1));
            match write_json(&*self.store, &uri, record, Condition::Absent).await {
                Ok(_) => {
                    let (_, record) = read_json(&*self.store, &uri).await?;
                    return Ok(RecordedRun { record, uri, already_recorded: false });
                }
                Err(error) if error.kind == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The last record of the run.
    pub async fn latest(&self, run_id: &str) -> Result<RunRecord> {
        check_name("run_id", run_id)?;
        let last = self.list(run_id).await?.pop();
        last.map(|(_, record)| record)
            .ok_or_else(|| Error::not_found(format!("there is no record of the run {run_id}")).at("run_id"))
    }

    async fn list(&self, run_id: &str) -> Result<Vec<(ArtifactUri, RunRecord)>> {
        let prefix = ArtifactUri::new(format!("{}/", self.folder(run_id).join("records")))?;
        // A run ends a handful of times at most: one page holds them all.
        let page = self.store.list(&prefix, None).await?;
        let mut records = Vec::with_capacity(page.objects.len());
        for object in page.objects {
            records.push((object.uri.clone(), read_json(&*self.store, &object.uri).await?.1));
        }
        Ok(records)
    }
}
