//! The issue detector: the text of an issue in, a started run out.
//!
//! It stands before the run, so it takes no task of a state machine: it reads the request, checks it and starts the run.

mod refusal;
mod request;

pub use request::{Accepted, IssueRequest, RequestOutcome};

use mlops_core::{Call, Lang, Result, ToolCaller};
use mlops_github_integration::tools::{ParseIssueConfig, StartWorkflow, ValidateTrainingParams};
use mlops_github_integration::{GithubIntegration, Notice, language_of};
use serde_json::Value;

/// The agent that turns an issue into a run.
pub struct IssueDetector {
    tools: ToolCaller<GithubIntegration>,
}

impl IssueDetector {
    /// The agent's name.
    pub const NAME: &'static str = "issue_detector";

    /// An agent that calls its tools there.
    pub const fn new(tools: ToolCaller<GithubIntegration>) -> Self {
        Self { tools }
    }

    /// Reads the request of an issue, checks it and starts its run. The same request gives the same run.
    ///
    /// A request that is wrong is `InvalidInput`, or `NotFound` when its data alone is missing; the message lists every
    /// error with its line, in the language of the issue.
    pub async fn request(&self, request: IssueRequest, call: &Call) -> Result<RequestOutcome> {
        let lang = language_of(&request.title, &request.body).unwrap_or(request.default_lang);
        let source = request.source_name.as_str();
        let call = call.clone().by(Self::NAME).in_lang(lang);
        let parse = ParseIssueConfig { body: Some(request.body), repo: None, issue_number: None };
        let parsed = self.tools.call(parse, &call).await.map_err(|error| refusal::unreadable(source, error))?;
        // A request that chooses its language is answered in it, errors included.
        let chosen = parsed.config.get("lang").and_then(Value::as_str).map(str::to_lowercase);
        let lang = match chosen.as_deref() {
            Some("en") => Lang::En,
            Some("ja") => Lang::Ja,
            _ => lang,
        };
        let call = call.in_lang(lang);
        let validate = ValidateTrainingParams { config: parsed.config, lines: Some(parsed.lines), check_data: true };
        let validated = self.tools.call(validate, &call).await?;
        let Some(config) = validated.normalized_config else {
            return Err(refusal::refused(source, &validated.errors, lang));
        };
        let notices = parsed.warnings.iter().chain(&validated.warnings);
        let warnings = notices.map(|notice: &Notice| notice.to_line(source)).collect();
        let start = StartWorkflow {
            config: config.clone(),
            issue_ref: request.issue,
            lang: Some(config.lang),
            data_version: request.data_version,
            dry_run: false,
        };
        let started = self.tools.call(start, &call).await?;
        Ok(RequestOutcome::Accepted(Box::new(Accepted {
            run_id: started.execution_name,
            execution_arn: started.execution_arn.unwrap_or_default(),
            already_running: started.already_running,
            console_url: started.console_url,
            config,
            estimate: validated.estimate,
            warnings,
        })))
    }
}

#[cfg(test)]
#[path = "../../../lib/capabilities/github_integration/src/outside.rs"]
mod outside;
#[cfg(test)]
mod tests;
