//! What the issue detector is given, and what it answers.

use mlops_core::Lang;
use mlops_core::values::{IssueRef, TrainingConfig};
use mlops_github_integration::Estimate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The text of an issue that asks for a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueRequest {
    /// The title; it helps to tell the language.
    #[serde(default)]
    pub title: String,
    /// The body, Markdown.
    pub body: String,
    /// The issue; absent when the text comes from a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue: Option<IssueRef>,
    /// What errors call the text: a file's name, or `owner/name#5`.
    pub source_name: String,
    /// The version of the data; the same request for another version is another run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_version: Option<String>,
    /// The language when the text does not tell one.
    #[serde(default)]
    pub default_lang: Lang,
}

/// What became of a request. One that is refused is an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum RequestOutcome {
    /// Its run was started, or had been before.
    Accepted(Box<Accepted>),
}

/// A request whose run was started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Accepted {
    /// The id of the run, which is the name of its execution.
    pub run_id: String,
    /// The ARN of the execution.
    pub execution_arn: String,
    /// Whether the run was there before, running or ended.
    pub already_running: bool,
    /// Where a person can look at the execution; null where there is no such place.
    pub console_url: Option<String>,
    /// The request with every default written out.
    pub config: TrainingConfig,
    /// A rough estimate of time and cost; null when the data could not be looked at.
    pub estimate: Option<Estimate>,
    /// What a reader should know, one line each, in the language of the issue.
    pub warnings: Vec<String>,
}
