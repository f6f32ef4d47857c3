//! The issue detector: a webhook or the text of an issue in, a started run or a command's effect out.
//!
//! It stands before the run: [`Webhook`] answers deliveries of GitHub, [`Commands`] does what comments and the command line
//! ask of a run, and [`IssueDetector::request`] starts one. It takes no task of a run, and as a function it looks at no
//! data: the planner does, when the run has begun.

mod commands;
mod replies;
mod request;
mod webhook;

pub use commands::{Actor, Command, CommandEffect, CommandOutcome, Commands, Target};
pub use request::{Accepted, IssueRequest, RequestOutcome};
pub use webhook::{Webhook, WebhookAnswer};

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mlops_core::values::{IssueRef, TrainingConfig};
use mlops_core::{Call, Error, ErrorKind, Lang, Result, ToolCaller};
use mlops_github_integration::tools::{
    DetectMlopsIssue, DetectedMlopsIssue, ParseIssueConfig, StartWorkflow, StartedWorkflow, ValidateTrainingParams,
};
use mlops_github_integration::{ConfigError, GithubIntegration, Notice, language_of, refused};
use serde_json::Value;

/// The agent that turns an issue into a run.
#[derive(Clone)]
pub struct IssueDetector {
    tools: ToolCaller<GithubIntegration>,
}

/// A request that was read and checked.
pub(crate) enum Checked {
    /// Its run was started, or had been before.
    Accepted(Box<Accepted>),
    /// It holds errors; nothing was started.
    Refused {
        /// Everything that is wrong with it.
        errors: Vec<ConfigError>,
        /// The language of its answer.
        lang: Lang,
    },
}

impl IssueDetector {
    /// The agent's name, by which its calls are audited.
    pub const NAME: &'static str = "issue_detector";

    /// An agent that reads issues and starts runs there.
    pub const fn new(tools: ToolCaller<GithubIntegration>) -> Self {
        Self { tools }
    }

    /// Reads the request of an issue, checks it and its data and starts its run. The same request gives the same run.
    ///
    /// A request that is wrong is `InvalidInput`, or `NotFound` when its data alone is missing; the message lists every
    /// error with its line, in the language of the issue. The tools must be able to look at tables.
    pub async fn request(&self, request: IssueRequest, call: &Call) -> Result<RequestOutcome> {
        let source = request.source_name.clone();
        match self.check_and_start(request, true, call).await? {
            Checked::Accepted(accepted) => Ok(RequestOutcome::Accepted(accepted)),
            Checked::Refused { errors, lang } => Err(refused(&source, &errors, lang)),
        }
    }

    /// Reads the request and starts its run; looks at its data only when asked to.
    pub(crate) async fn check_and_start(
        &self,
        request: IssueRequest,
        check_data: bool,
        call: &Call,
    ) -> Result<Checked> {
        let lang = language_of(&request.title, &request.body).unwrap_or(request.default_lang);
        let source = request.source_name.as_str();
        let call = call.clone().by(Self::NAME).in_lang(lang);
        let parse = ParseIssueConfig { body: Some(request.body), repo: None, issue_number: None };
        let parsed = self.tools.call(parse, &call).await.map_err(|error| unreadable(source, error))?;
        // A request that chooses its language is answered in it, errors included.
        let chosen = parsed.config.get("lang").and_then(Value::as_str).map(str::to_lowercase);
        let lang = match chosen.as_deref() {
            Some("en") => Lang::En,
            Some("ja") => Lang::Ja,
            _ => lang,
        };
        let call = call.in_lang(lang);
        let validate = ValidateTrainingParams { config: parsed.config, lines: Some(parsed.lines), check_data };
        let validated = self.tools.call(validate, &call).await?;
        let Some(config) = validated.normalized_config else {
            return Ok(Checked::Refused { errors: validated.errors, lang });
        };
        let notices = parsed.warnings.iter().chain(&validated.warnings);
        let warnings = notices.map(|notice: &Notice| notice.to_line(source)).collect();
        let started = self.start(config.clone(), request.issue, config.lang, request.data_version, &call).await?;
        Ok(Checked::Accepted(Box::new(Accepted {
            run_id: started.execution_name,
            execution_arn: started.execution_arn.unwrap_or_default(),
            already_running: started.already_running,
            console_url: started.console_url,
            config,
            estimate: validated.estimate,
            warnings,
        })))
    }

    /// Starts the run of a request that was checked.
    pub(crate) async fn start(
        &self,
        config: TrainingConfig,
        issue_ref: Option<IssueRef>,
        lang: Lang,
        data_version: Option<String>,
        call: &Call,
    ) -> Result<StartedWorkflow> {
        let start = StartWorkflow { config, issue_ref, lang: Some(lang), data_version, dry_run: false };
        self.tools.call(start, call).await
    }

    /// Says what a delivery of a webhook asks for; nothing is remembered.
    pub(crate) async fn detect(
        &self,
        headers: BTreeMap<String, String>,
        body: &[u8],
        call: &Call,
    ) -> Result<DetectedMlopsIssue> {
        // Text costs a third less on the way than base64, and the bytes are the same.
        let (text, base64) = match std::str::from_utf8(body) {
            Ok(text) => (Some(text.to_owned()), None),
            Err(_) => (None, Some(STANDARD.encode(body))),
        };
        let detect =
            DetectMlopsIssue { headers: Some(headers), body: text, body_base64: base64, issue: None, dry_run: true };
        self.tools.call(detect, &call.clone().by(Self::NAME)).await
    }
}

/// The error of a text in which no request can be read.
fn unreadable(source_name: &str, mut error: Error) -> Error {
    if error.kind == ErrorKind::InvalidInput {
        error.message = format!("{source_name}: {}", error.message);
    }
    error
}

#[cfg(test)]
#[path = "../../../lib/capabilities/github_integration/src/outside.rs"]
mod outside;
#[cfg(test)]
#[path = "../../../lib/capabilities/github_integration/src/payloads.rs"]
mod payloads;
#[cfg(test)]
mod tests;
