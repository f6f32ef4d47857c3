//! The parts of a payload that are read, in GitHub's own words.
//!
//! Source: <https://docs.github.com/en/webhooks/webhook-events-and-payloads>. Everything else is passed over, and what
//! is sometimes absent or null may be.

use serde::de::Error as _;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

/// A payload of `issues` or `issue_comment`.
#[derive(Debug, Deserialize)]
pub(super) struct Payload {
    pub(super) action: Option<String>,
    pub(super) issue: Option<Issue>,
    pub(super) comment: Option<Comment>,
    pub(super) label: Option<Label>,
    pub(super) changes: Option<Changes>,
    pub(super) repository: Option<Repository>,
    pub(super) sender: Option<User>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Issue {
    pub(super) number: u64,
    pub(super) title: Option<String>,
    pub(super) body: Option<String>,
    pub(super) state: Option<String>,
    pub(super) labels: Option<Vec<Label>>,
    pub(super) user: Option<User>,
    pub(super) author_association: Option<String>,
    /// Present when the issue is a pull request.
    pub(super) pull_request: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Comment {
    pub(super) id: Option<u64>,
    pub(super) body: Option<String>,
    pub(super) user: Option<User>,
    pub(super) author_association: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Label {
    pub(super) name: String,
}

/// What an edit changed: each part is present when it was.
#[derive(Debug, Deserialize)]
pub(super) struct Changes {
    pub(super) title: Option<IgnoredAny>,
    pub(super) body: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Repository {
    #[serde(deserialize_with = "repository_name")]
    pub(super) full_name: String,
}

/// `owner/name`, of the letters that GitHub allows: the name becomes a part of keys.
fn repository_name<'de, D: Deserializer<'de>>(given: D) -> Result<String, D::Error> {
    let name = String::deserialize(given)?;
    let is_part = |part: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        !part.is_empty() && part.len() <= 100 && !part.starts_with('.') && part.chars().all(allowed)
    };
    match name.split_once('/') {
        Some((owner, repository)) if is_part(owner) && is_part(repository) => Ok(name),
        _ => Err(D::Error::custom("a repository is written owner/name")),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct User {
    pub(super) login: String,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
}

impl User {
    /// Whether no person acted: an app, an action or a scanner.
    pub(super) fn is_bot(&self) -> bool {
        self.kind.as_deref() == Some("Bot") || self.login.ends_with("[bot]")
    }
}
