//! The report of a judged model.

use mlops_core::values::{ArtifactUri, IssueRef, TrainingConfig};
use mlops_core::{Call, Result, ToolCaller};
use mlops_ml_evaluation::MlEvaluation;
use mlops_ml_evaluation::report::{DataFacts, Decided, Requested};
use mlops_ml_evaluation::tools::CreateEvaluationReport;
use serde::{Deserialize, Deserializer, Serialize};

/// What the report needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportInputs {
    /// The evaluation's document.
    pub evaluation_uri: ArtifactUri,
    /// What the judge said.
    pub decision: Decided,
    /// The version under which the model was registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Facts of the data and of training.
    #[serde(default, deserialize_with = "known")]
    pub data: DataFacts,
}

/// The facts, none of them when they are null.
fn known<'de, D: Deserializer<'de>>(given: D) -> Result<DataFacts, D::Error> {
    Ok(Option::<DataFacts>::deserialize(given)?.unwrap_or_default())
}

/// Where the report lies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportOutputs {
    /// The page.
    pub report_uri: String,
    /// The report as Markdown.
    pub markdown_uri: String,
    /// The report's numbers.
    pub json_uri: String,
    /// The short form for a comment.
    pub comment: String,
}

/// Writes the report in the call's language.
pub(crate) async fn report(
    tools: &ToolCaller<MlEvaluation>,
    config: &TrainingConfig,
    issue: Option<&IssueRef>,
    run_id: &str,
    inputs: ReportInputs,
    call: &Call,
) -> Result<ReportOutputs> {
    let tool = CreateEvaluationReport {
        evaluation_uri: inputs.evaluation_uri,
        title: None,
        decision: Some(inputs.decision),
        request: Requested {
            issue: issue.map(ToString::to_string),
            model_name: Some(config.model_name.clone()),
            version: inputs.version,
            dataset_s3_uri: Some(config.dataset_s3_uri.to_string()),
            algorithm: Some(config.algorithm.clone()),
            split: config.split.clone(),
            preprocessing_config: config.preprocessing_config.clone(),
        },
        data: inputs.data,
        run_id: Some(run_id.to_owned()),
        lang: Some(call.lang),
        dry_run: false,
    };
    let made = tools.call(tool, call).await?;
    Ok(ReportOutputs {
        report_uri: made.html_uri,
        markdown_uri: made.markdown_uri,
        json_uri: made.json_uri,
        comment: made.comment,
    })
}
