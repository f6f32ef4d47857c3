//! Gives the result of a call that took longer than its request.

use std::time::Duration;

use mlops_core::{ArtifactLink, Call, Effect, Error, Lang, Report, Result, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::FrontDoor;
use crate::mcp::jobs::JobStatus;

/// The result of a call that answered with a `job_id` because it took long. Waits up to `wait_seconds` for it.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct GetResult {
    /// The `job_id` of the tool's answer.
    pub(in crate::mcp) job_id: String,
    /// How many seconds to wait for the end, 0 to 25.
    #[serde(default = "ten")]
    #[schemars(range(min = 0, max = 25))]
    pub(in crate::mcp) wait_seconds: u64,
}

const fn ten() -> u64 {
    10
}

/// How the call stands.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
pub(in crate::mcp) struct JobResult {
    /// The job.
    job_id: String,
    /// The tool that was called.
    tool: String,
    /// How it stands. After `lost`, call the tool again with the same arguments.
    status: JobStatus,
    /// What the tool gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
    /// Why the tool failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
    /// The result in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    /// The artifacts that the result speaks of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    artifacts: Vec<ArtifactLink>,
}

impl Tool for GetResult {
    const NAME: &'static str = "get_result";
    const TITLE: &'static str = "Get the result of a long call";
    const EFFECT: Effect = Effect::Read;
    type Capability = FrontDoor;
    type Output = JobResult;

    async fn run(self, room: &FrontDoor, call: &Call) -> Result<JobResult> {
        if self.wait_seconds > 25 {
            return Err(Error::invalid_input("`wait_seconds` must be at most 25").at("wait_seconds"));
        }
        let mut wait = Duration::from_secs(self.wait_seconds);
        if let Some(deadline) = call.deadline {
            wait = wait.min(deadline.saturating_duration_since(std::time::Instant::now()));
        }
        let job = room.server.jobs.find(&self.job_id, wait).await?;
        let (result, summary, artifacts) = match job.outcome {
            Some(outcome) => (Some(outcome.value), Some(outcome.summary), outcome.artifacts),
            None => (None, None, Vec::new()),
        };
        let (job_id, tool) = (job.id, job.tool);
        Ok(JobResult { job_id, tool, status: job.status, result, error: job.error, summary, artifacts })
    }
}

impl Report for JobResult {
    fn summary(&self, lang: Lang) -> String {
        let (tool, result) = (&self.tool, self.summary.as_deref().unwrap_or_default());
        match (self.status, lang) {
            (JobStatus::Running, Lang::En) => format!("{tool} still runs; ask again"),
            (JobStatus::Running, Lang::Ja) => format!("{tool} は実行中です。もう一度お尋ねください"),
            (JobStatus::Succeeded, Lang::En) => format!("{tool} is done: {result}"),
            (JobStatus::Succeeded, Lang::Ja) => format!("{tool} が終わりました: {result}"),
            (JobStatus::Failed, Lang::En) => format!("{tool} failed"),
            (JobStatus::Failed, Lang::Ja) => format!("{tool} は失敗しました"),
            (JobStatus::Lost, Lang::En) => format!("{tool} was cut off; call it again with the same arguments"),
            (JobStatus::Lost, Lang::Ja) => format!("{tool} は中断されました。同じ引数でもう一度呼び出してください"),
        }
    }

    fn artifacts(&self) -> Vec<ArtifactLink> {
        self.artifacts.clone()
    }
}
