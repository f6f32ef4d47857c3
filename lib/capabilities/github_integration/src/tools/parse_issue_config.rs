//! Finds the training request in an issue.

use mlops_core::values::IssueRef;
use mlops_core::{Call, Effect, Error, Lang, Report, Result, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::markup::{Body, find};
use crate::{Format, GithubIntegration, Lines, Notice, Span, UnknownKey};

/// Find the training request in the body of an issue: a fenced YAML or JSON block (one tagged `mlops` comes first), front
/// matter, the headings of the issue form, or a body that is YAML or JSON as a whole. Give `body`, or `repo` and
/// `issue_number`. Nothing is checked yet: hand `config` and `lines` to `validate_training_params`.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParseIssueConfig {
    /// The body of the issue, Markdown, at most 256 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The repository of the issue, `owner/name`. Its body is read as it stands now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repo: Option<String>,
    /// The number of the issue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue_number: Option<u64>,
}

/// The request of an issue as it is written.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct ParsedIssueConfig {
    /// The request: nothing checked, nothing filled in. An unanswered question of the form is null.
    pub config: Map<String, Value>,
    /// How it is written. When several forms are mixed, a block holds before front matter, and front matter before the
    /// answers of the issue form.
    pub format: Format,
    /// The lines of the body that hold it.
    pub source_span: Span,
    /// What a reader of the request should know.
    pub warnings: Vec<Notice>,
    /// Names at the top of the request that mean nothing.
    pub unknown_keys: Vec<UnknownKey>,
    /// The line of each value by its path, for errors that name a line.
    pub lines: Lines,
}

impl Tool for ParseIssueConfig {
    const NAME: &'static str = "parse_issue_config";
    const TITLE: &'static str = "Parse an issue's request";
    const EFFECT: Effect = Effect::Read;
    type Capability = GithubIntegration;
    type Output = ParsedIssueConfig;

    async fn run(self, room: &GithubIntegration, call: &Call) -> Result<ParsedIssueConfig> {
        let lang = call.lang;
        let body = match (self.body, self.repo, self.issue_number) {
            (Some(body), None, None) => body,
            (None, Some(repo), Some(number)) => {
                let issue = room.code_host.issue(&reference(repo, number)?).await?;
                issue.body
            }
            (Some(_), _, _) => {
                return Err(Error::invalid_input("give either `body` or `repo` and `issue_number`").at("body"));
            }
            (None, repo, _) => {
                let missing = if repo.is_some() { "issue_number" } else { "body" };
                return Err(Error::invalid_input("give `body`, or `repo` and `issue_number`").at(missing));
            }
        };
        // Within its limits a body is read in milliseconds, yet the executor serves others meanwhile.
        let request = call.compute(move |_| find(&Body::new(&body, lang)?, lang)).await?;
        Ok(ParsedIssueConfig {
            config: request.config,
            format: request.format,
            source_span: request.span,
            warnings: request.warnings,
            unknown_keys: request.unknown_keys,
            lines: request.lines,
        })
    }
}

fn reference(repo: String, number: u64) -> Result<IssueRef> {
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) && name != ".."
    };
    match repo.split_once('/') {
        Some((owner, name)) if is_name(owner) && is_name(name) => Ok(IssueRef { repo, number }),
        _ => Err(Error::invalid_input("`repo` must be `owner/name`").at("repo")),
    }
}

impl Report for ParsedIssueConfig {
    fn summary(&self, lang: Lang) -> String {
        let count = self.config.values().filter(|value| !value.is_null()).count();
        let Span { start_line, end_line } = self.source_span;
        let unknown = self.unknown_keys.len();
        let mut text = say!(
            lang,
            "{count} settings on lines {start_line} to {end_line}",
            "{start_line}〜{end_line} 行目に {count} 個の設定が見つかりました"
        );
        if unknown > 0 {
            text.push_str(&say!(lang, "; {unknown} of them unknown", "（うち不明なもの {unknown} 個）"));
        }
        text
    }
}
