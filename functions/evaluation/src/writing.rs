//! Writing: the report of an evaluation and of what was decided.

use std::collections::BTreeMap;

use mlops_core::values::{ArtifactUri, IssueRef, TrainingConfig};
use mlops_core::{Call, Lang, Result, ToolCaller};
use mlops_ml_evaluation::MlEvaluation;
use mlops_ml_evaluation::report::{DataFacts, Decided, Requested};
use mlops_ml_evaluation::tools::CreateEvaluationReport;
use serde::{Deserialize, Serialize};

/// What the report speaks of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportInputs {
    /// The evaluation.
    pub evaluation_uri: ArtifactUri,
    /// What the judge decided.
    pub decision: Decided,
    /// SHA-256 of the raw table.
    #[serde(default)]
    pub data_sha256: Option<String>,
    /// The rows of each part.
    #[serde(default)]
    pub rows: BTreeMap<String, u64>,
    /// How long training took, in seconds.
    #[serde(default)]
    pub training_time_seconds: Option<f64>,
}

/// Where the report lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportWritten {
    /// The page.
    pub report_uri: String,
    /// The same as Markdown.
    pub markdown_uri: String,
    /// Every number of it as JSON.
    pub json_uri: String,
    /// The short form, for a comment on the issue.
    pub comment: String,
}

/// The report of a run, in its language.
pub(crate) fn request(
    inputs: ReportInputs,
    config: &TrainingConfig,
    issue: Option<&IssueRef>,
    lang: Lang,
) -> CreateEvaluationReport {
    CreateEvaluationReport {
        evaluation_uri: inputs.evaluation_uri,
        title: None,
        decision: Some(inputs.decision),
        request: Requested {
            issue: issue.map(ToString::to_string),
            model_name: Some(config.model_name.clone()),
            dataset_s3_uri: Some(config.dataset_s3_uri.to_string()),
            algorithm: Some(config.algorithm.clone()),
            split: config.split.clone(),
            preprocessing_config: config.preprocessing_config.clone(),
        },
        data: DataFacts {
            rows: inputs.rows,
            source_sha256: inputs.data_sha256,
            training_time_seconds: inputs.training_time_seconds,
            ..DataFacts::default()
        },
        run_id: None,
        lang: Some(lang),
        dry_run: false,
    }
}

/// Writes it.
pub(crate) async fn write(
    tools: &ToolCaller<MlEvaluation>,
    request: CreateEvaluationReport,
    call: &Call,
) -> Result<ReportWritten> {
    let written = tools.call(request, call).await?;
    Ok(ReportWritten {
        report_uri: written.html_uri,
        markdown_uri: written.markdown_uri,
        json_uri: written.json_uri,
        comment: written.comment,
    })
}
