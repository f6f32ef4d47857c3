//! Posts a comment on an issue and keeps it current.

use mlops_core::masking::mask_text;
use mlops_core::ports::{Comment, CommentChange, Condition};
use mlops_core::values::{ArtifactUri, IssueRef, sha256_hex};
use mlops_core::{ArtifactLink, Call, Effect, Error, Lang, Report, Result, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::comment::{self, Parts};
use crate::{HistoryManagement, Link, Stage};

/// The longest text that is repeated in the result, in bytes.
const LONGEST_INLINE: usize = 16 * 1024;
/// The most stages, and the most links.
const MOST: usize = 100;

/// Post a comment on an issue and keep it current: the next comment of the same run (or of the same `marker`) takes its
/// place. It shows a title, a checklist of stages with their times, a text and links. A text that is too long for a
/// comment is put into the store, and the comment links to it. The same comment again changes nothing.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PostIssueComment {
    /// The issue.
    pub issue_ref: IssueRef,
    /// The run that the comment is about; by default that of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// What tells the comment from others on the same issue, hidden in it; by default the run's id. At most 100
    /// letters, digits, dots, dashes and underscores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// The title, one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The stages in their order, at most 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub stages: Vec<Stage>,
    /// The text, Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Links below the text, at most 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub links: Vec<Link>,
    /// The language of what the tool adds; by default that of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<Lang>,
    /// Show the comment and post nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// The comment as it stands.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct PostedIssueComment {
    /// The issue.
    pub issue_ref: IssueRef,
    /// What tells the comment from others.
    pub marker: String,
    /// Where people read it; null in a dry run.
    pub url: Option<String>,
    /// Whether it is new, was changed or was so before; null in a dry run.
    pub change: Option<CommentChange>,
    /// The text of the comment without its hidden line; null when it is longer than 16 KiB.
    pub body: Option<String>,
    /// The characters of the comment with its hidden line; GitHub takes 65,536.
    pub characters: u64,
    /// Whether the text was too long, so that the comment is an excerpt.
    pub collapsed: bool,
    /// Where the whole text lies when it was too long; null in a dry run.
    pub whole_text_uri: Option<String>,
    /// SHA-256 of the whole text in the store; null when there is none.
    pub whole_text_sha256: Option<String>,
    /// Whether nothing was posted.
    pub dry_run: bool,
}

impl PostIssueComment {
    /// A comment on that issue, of the call's run.
    pub fn on(issue_ref: IssueRef) -> Self {
        Self {
            issue_ref,
            run_id: None,
            marker: None,
            title: None,
            stages: Vec::new(),
            text: None,
            links: Vec::new(),
            lang: None,
            dry_run: false,
        }
    }

    fn check(&self) -> Result<()> {
        for (field, count) in [("stages", self.stages.len()), ("links", self.links.len())] {
            if count > MOST {
                return Err(
                    Error::invalid_input(format!("a comment has at most {MOST} {field}, and not {count}")).at(field)
                );
            }
        }
        let is_blank = |text: &Option<String>| text.as_ref().is_none_or(|text| text.trim().is_empty());
        if is_blank(&self.title) && is_blank(&self.text) && self.stages.is_empty() && self.links.is_empty() {
            return Err(Error::invalid_input("the comment would be empty").at("text").hint("give a text or stages"));
        }
        Ok(())
    }
}

impl Tool for PostIssueComment {
    const NAME: &'static str = "post_issue_comment";
    const TITLE: &'static str = "Post an issue comment";
    const EFFECT: Effect = Effect::Update;
    type Capability = HistoryManagement;
    type Output = PostedIssueComment;

    async fn run(self, room: &HistoryManagement, call: &Call) -> Result<PostedIssueComment> {
        self.check()?;
        let run_id = self.run_id.as_ref().or(call.run_id.as_ref());
        if let Some(run_id) = run_id {
            mlops_records::check_name("run_id", run_id)?;
        }
        let Some(marker) = self.marker.clone().or_else(|| run_id.cloned()) else {
            return Err(
                Error::invalid_input("give `run_id` or `marker`: by it the comment is found again").at("run_id")
            );
        };
        let parts = Parts {
            title: self.title.as_deref().filter(|title| !title.trim().is_empty()),
            stages: &self.stages,
            text: self.text.as_deref().filter(|text| !text.trim().is_empty()),
            links: &self.links,
            lang: self.lang.unwrap_or(call.lang),
        };
        let whole = mask_text(&parts.whole());
        let length = Comment::length(&whole);
        // A marker that is none is told by `to_text` below, and never by the length.
        let is_short = length < Comment::LONGEST - 200 || comment::fits(&marker, &whole);
        let (body, place) = if is_short {
            (whole.clone(), None)
        } else {
            let name = format!("comments/{}.md", &sha256_hex(whole.as_bytes())[..16]);
            let place = room.runs.folder(run_id.unwrap_or(&marker)).join(&name);
            let body = parts.collapsed(length, place.as_str(), |text| comment::fits(&marker, &mask_text(text)));
            (body, Some(place))
        };
        let comment = Comment { marker, body };
        let text = comment.to_text()?;
        call.check()?;
        let mut posted = PostedIssueComment {
            marker: comment.marker.clone(),
            url: None,
            change: None,
            body: Some(mask_text(&comment.body)).filter(|body| body.len() <= LONGEST_INLINE),
            characters: Comment::length(&text) as u64,
            collapsed: place.is_some(),
            whole_text_uri: None,
            whole_text_sha256: None,
            dry_run: self.dry_run,
            issue_ref: self.issue_ref,
        };
        if self.dry_run {
            return Ok(posted);
        }
        if let Some(place) = place {
            let (uri, sha256) = keep(room, &place, whole).await?;
            posted.whole_text_uri = Some(uri);
            posted.whole_text_sha256 = Some(sha256);
        }
        let commented = room.code_host.comment(&posted.issue_ref, &comment).await?;
        posted.url = Some(commented.url);
        posted.change = Some(commented.change);
        Ok(posted)
    }
}

/// Puts the whole text into the store, under the name that its hash gives it.
async fn keep(room: &HistoryManagement, place: &ArtifactUri, text: String) -> Result<(String, String)> {
    let sha256 = sha256_hex(text.as_bytes());
    let meta = room.runs.store().put(place, text.into_bytes().into(), Condition::None).await?;
    Ok((meta.uri.to_string(), sha256))
}

impl Report for PostedIssueComment {
    fn summary(&self, lang: Lang) -> String {
        let issue = &self.issue_ref;
        match (lang, self.change) {
            (Lang::En, None) => format!("The comment on {issue} would have {} characters", self.characters),
            (Lang::Ja, None) => format!("{issue} へのコメントは {} 文字になります（確認のみ）", self.characters),
            (Lang::En, Some(CommentChange::Created)) => format!("A comment was posted on {issue}"),
            (Lang::Ja, Some(CommentChange::Created)) => format!("{issue} にコメントしました"),
            (Lang::En, Some(CommentChange::Updated)) => format!("The comment on {issue} was brought up to date"),
            (Lang::Ja, Some(CommentChange::Updated)) => format!("{issue} のコメントを更新しました"),
            (Lang::En, Some(CommentChange::Unchanged)) => format!("The comment on {issue} was up to date"),
            (Lang::Ja, Some(CommentChange::Unchanged)) => format!("{issue} のコメントは最新です"),
        }
    }

    fn artifacts(&self) -> Vec<ArtifactLink> {
        self.whole_text_uri.iter().map(|uri| ArtifactLink::new(uri.clone(), "the whole comment")).collect()
    }
}

#[cfg(test)]
#[path = "post_issue_comment_tests.rs"]
mod tests;
