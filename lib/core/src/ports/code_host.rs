//! Where issues are opened and answered.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::masking::mask_text;
use crate::values::IssueRef;
use crate::{Error, Result};

/// An issue as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// Which one.
    pub reference: IssueRef,
    /// Its title.
    pub title: String,
    /// Its body, Markdown.
    pub body: String,
}

/// A comment that is kept current: a later one of the same marker takes its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// What tells this comment from others of the same issue: letters, digits, dots, dashes and underscores. It is in
    /// the comment, where people do not see it.
    pub marker: String,
    /// The text, Markdown, without the marker.
    pub body: String,
}

impl Comment {
    /// The most characters of a comment with its marker, counted as UTF-16 does. It is GitHub's limit.
    pub const LONGEST: usize = 65_536;

    /// The first line of the comment, by which it is found again.
    pub fn hidden_line(&self) -> String {
        format!("<!-- mlops:{} -->", self.marker)
    }

    /// How many characters of a text count towards [`Comment::LONGEST`].
    pub fn length(text: &str) -> usize {
        text.encode_utf16().count()
    }

    /// The whole comment as it is posted: the hidden line, an empty line and the text with its secrets masked.
    /// `InvalidInput` names `marker` or `body` when a comment cannot be made of it.
    pub fn to_text(&self) -> Result<String> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let marker = &self.marker;
        if marker.is_empty() || marker.len() > 100 || marker.starts_with('.') || !marker.chars().all(fits) {
            let shown: String = mask_text(marker).chars().take(120).collect();
            let message =
                format!("`marker` must be 1 to 100 letters, digits, dots, dashes or underscores, and is `{shown}`");
            return Err(Error::invalid_input(message).at("marker"));
        }
        if mask_text(marker) != *marker {
            return Err(Error::invalid_input("`marker` looks like a secret").at("marker"));
        }
        if self.body.trim().is_empty() {
            return Err(Error::invalid_input("a comment needs a text").at("body"));
        }
        let text = format!("{}\n\n{}\n", self.hidden_line(), mask_text(self.body.trim_end()));
        let length = Self::length(&text);
        if length > Self::LONGEST {
            return Err(Error::invalid_input(format!("the comment has {length} characters"))
                .at("body")
                .hint(format!("a comment has at most {} characters", Self::LONGEST)));
        }
        Ok(text)
    }
}

/// What became of a comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commented {
    /// Where people can read it.
    pub url: String,
    /// Whether it is new, was changed, or had this very text already.
    pub change: CommentChange,
}

/// What a comment did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommentChange {
    /// There was none of that marker.
    Created,
    /// There was one with another text.
    Updated,
    /// There was one with the same text.
    Unchanged,
}

/// The labels of an issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labelled {
    /// All of them as they stand, in the order of the alphabet.
    pub labels: Vec<String>,
    /// Whether one was added or taken away.
    pub changed: bool,
}

/// A sign below an issue or a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reaction {
    /// It was seen: 👀.
    Eyes,
    /// It was done: 🚀.
    Rocket,
    /// It was not understood: 😕.
    Confused,
}

impl Reaction {
    /// The name on GitHub.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eyes => "eyes",
            Self::Rocket => "rocket",
            Self::Confused => "confused",
        }
    }
}

/// What a person may do in a repository; each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Nothing, or the person is not known.
    None,
    /// Read.
    Read,
    /// Write.
    Write,
    /// Everything.
    Admin,
}

/// What is said of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitCheck {
    /// What tells it from other checks of the commit: `mlops/training`. At most 100 characters.
    pub context: String,
    /// How it stands.
    pub state: CheckState,
    /// One line for people, at most 140 characters.
    pub description: Option<String>,
    /// A web address where people read more.
    pub link: Option<String>,
}

/// How a check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// It is being worked on.
    Pending,
    /// It passed.
    Success,
    /// It did not.
    Failure,
    /// It could not be made.
    Error,
}

/// What became of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Where people can read it.
    pub url: String,
    /// Whether it was not so before.
    pub changed: bool,
}

/// The longest label, in characters. It is GitHub's limit.
const LONGEST_LABEL: usize = 50;
/// The longest context of a check, in characters.
const LONGEST_CONTEXT: usize = 100;
/// The longest description of a check, in characters. It is GitHub's limit.
const LONGEST_DESCRIPTION: usize = 140;

/// Checks that labels can be given and taken: `InvalidInput` names `add` or `remove`.
pub fn check_labels(add: &[String], remove: &[String]) -> Result<()> {
    for (field, labels) in [("add", add), ("remove", remove)] {
        for label in labels {
            let length = label.chars().count();
            let is_sound = length > 0 && length <= LONGEST_LABEL && label.trim() == label;
            if !is_sound || label.contains(char::is_control) || mask_text(label) != *label {
                let shown: String = mask_text(label).chars().take(80).collect();
                return Err(Error::invalid_input(format!("`{shown}` is not a label"))
                    .at(field)
                    .hint(format!("a label has 1 to {LONGEST_LABEL} characters on one line")));
            }
        }
    }
    match remove.iter().find(|label| add.iter().any(|added| is_same_label(added, label))) {
        Some(both) => Err(Error::invalid_input(format!("`{both}` is to be added and taken away")).at("remove")),
        None => Ok(()),
    }
}

/// Whether two names are one label: case makes no difference.
pub fn is_same_label(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Owner and name of a repository; `InvalidInput` names `repo` when it is none.
pub fn owner_and_name(repo: &str) -> Result<(&str, &str)> {
    let is_name = |part: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        !part.is_empty() && part.len() <= 100 && !part.starts_with('.') && part.chars().all(allowed)
    };
    match repo.split_once('/') {
        Some((owner, name)) if is_name(owner) && is_name(name) => Ok((owner, name)),
        _ => {
            let shown: String = mask_text(repo).chars().take(200).collect();
            Err(Error::invalid_input(format!("`{shown}` is not a repository")).at("repo").hint("write owner/name"))
        }
    }
}

/// Checks that this is the name of a commit: 40 hexadecimal digits.
pub fn check_commit(commit: &str) -> Result<()> {
    if commit.len() == 40 && commit.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c)) {
        return Ok(());
    }
    let shown: String = mask_text(commit).chars().take(80).collect();
    Err(Error::invalid_input(format!("`{shown}` is not the hash of a commit"))
        .at("commit")
        .hint("write all 40 digits, in small letters"))
}

/// Checks that this can be the login of a person; `InvalidInput` names `login`.
pub fn check_login(login: &str) -> Result<()> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_[]".contains(c);
    if !login.is_empty() && login.len() <= 100 && login.chars().all(allowed) {
        return Ok(());
    }
    let shown: String = mask_text(login).chars().take(80).collect();
    Err(Error::invalid_input(format!("`{shown}` is not a login")).at("login"))
}

impl CommitCheck {
    /// The check with its secrets masked; `InvalidInput` names the field that is wrong.
    pub fn to_sound(&self) -> Result<Self> {
        let wrong = |field: &str, what: String| Err(Error::invalid_input(what).at(field));
        let length = self.context.chars().count();
        if length == 0 || length > LONGEST_CONTEXT || self.context.contains(char::is_control) {
            return wrong("context", format!("a check needs a context of 1 to {LONGEST_CONTEXT} characters"));
        }
        if mask_text(&self.context) != self.context {
            return wrong("context", "`context` looks like a secret".to_owned());
        }
        if let Some(link) = &self.link {
            let is_web = link.starts_with("https://") || link.starts_with("http://");
            if !is_web || link.contains(|c: char| c.is_whitespace() || c.is_control()) {
                return wrong("link", "the link of a check is a web address".to_owned());
            }
        }
        let description = self.description.as_deref().map(|text| {
            let text = mask_text(text).replace(char::is_control, " ");
            if text.chars().count() <= LONGEST_DESCRIPTION {
                return text;
            }
            text.chars().take(LONGEST_DESCRIPTION - 1).chain(['…']).collect()
        });
        let link = self.link.as_deref().map(mask_text);
        Ok(Self { context: self.context.clone(), state: self.state, description, link })
    }
}

/// Reads and answers issues. Where a repository is named that is none, `InvalidInput` names `repo`.
#[async_trait]
pub trait CodeHost: Send + Sync {
    /// The issue as it stands now; `NotFound` names the repository and the number.
    async fn issue(&self, reference: &IssueRef) -> Result<Issue>;

    /// Makes the comment of that marker have this text, as [`Comment::to_text`] writes it. The same text again changes
    /// nothing. A comment is known by its first line: a marker further down in another comment means nothing.
    async fn comment(&self, reference: &IssueRef, comment: &Comment) -> Result<Commented>;

    /// Gives the issue the labels of `add` and takes away those of `remove`; what it has of the one, or has not of the
    /// other, stays as it is. The labels are those that were read afterwards. [`check_labels`] says what a label is.
    async fn label(&self, reference: &IssueRef, add: &[String], remove: &[String]) -> Result<Labelled>;

    /// Sets a sign below the issue, or below that comment of it, and says whether it is new.
    async fn react(&self, reference: &IssueRef, comment_id: Option<u64>, reaction: Reaction) -> Result<bool>;

    /// What the person of that login may do in the repository; a person who is not known there may do nothing.
    async fn permission(&self, repo: &str, login: &str) -> Result<Permission>;

    /// Makes the check of that context stand so at the commit, as [`CommitCheck::to_sound`] writes it. The same check
    /// again changes nothing.
    async fn check(&self, repo: &str, commit: &str, check: &CommitCheck) -> Result<Checked>;
}

#[cfg(test)]
#[path = "code_host_tests.rs"]
mod tests;
