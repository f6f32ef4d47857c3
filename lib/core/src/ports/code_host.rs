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

/// Reads and answers issues.
#[async_trait]
pub trait CodeHost: Send + Sync {
    /// The issue as it stands now; `NotFound` names the repository and the number.
    async fn issue(&self, reference: &IssueRef) -> Result<Issue>;

    /// Makes the comment of that marker have this text, as [`Comment::to_text`] writes it. The same text again changes
    /// nothing. A comment is known by its first line: a marker further down in another comment means nothing.
    async fn comment(&self, reference: &IssueRef, comment: &Comment) -> Result<Commented>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comment(marker: &str, body: &str) -> Comment {
        Comment { marker: marker.to_owned(), body: body.to_owned() }
    }

    #[test]
    fn a_comment_is_its_hidden_line_and_its_text_without_secrets() {
        let text = comment("run-1", "see ghp_abcdefghijklmnop\n\n").to_text().unwrap();
        assert_eq!(text, "<!-- mlops:run-1 -->\n\nsee ghp_***masked***\n");
    }

    #[test]
    fn what_is_no_comment_names_the_field() {
        for marker in
            ["", ".hidden", "../x", "a/b", "a b", "x-->", "ペンギン", &"x".repeat(101), "ghp_abcdefghijklmnop"]
        {
            let error = comment(marker, "text").to_text().unwrap_err();
            assert_eq!(error.field.as_deref(), Some("marker"), "{marker}");
            assert!(!error.message.contains("abcdefghijklmnop"), "{error}");
        }
        for body in ["", " \n", &"ペ".repeat(Comment::LONGEST), &"🐧".repeat(Comment::LONGEST / 2)] {
            assert_eq!(comment("m", body).to_text().unwrap_err().field.as_deref(), Some("body"));
        }
        assert!(comment("m", &"ペ".repeat(Comment::LONGEST - 100)).to_text().is_ok());
    }
}
