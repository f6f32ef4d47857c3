//! Tells people in an issue: a comment, labels, and a check at a commit.

use mlops_core::markdown::{escape, shorten};
use mlops_core::masking::mask_text;
use mlops_core::ports::{CheckState, Comment, CommentChange, CommitCheck, check_commit, check_labels, owner_and_name};
use mlops_core::values::IssueRef;
use mlops_core::{Call, Effect, Error, ErrorKind, Lang, Report, Result, Tool, attempts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Notification;

/// The longest comment that is repeated in the result of a dry run, in bytes.
const LONGEST_INLINE: usize = 16 * 1024;
/// The longest title, in characters.
const LONGEST_SUBJECT: usize = 250;
/// What is kept free in a comment for its hidden line, its title and the mark that it was cut.
const MARGIN: usize = 2_000;
/// The most labels that are given or taken away at once.
const MOST_LABELS: usize = 50;

/// Notify people in an issue or a pull request on GitHub: a comment that is kept current by its marker, labels that are
/// given and taken away, and a check at a commit. Give what is wanted of them; the same again changes nothing. When
/// GitHub does not answer or refuses it, that is reported in the result and is no error.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendGithubNotification {
    /// The issue or the pull request.
    pub issue_ref: IssueRef,
    /// The title of the comment, one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The text of the comment, Markdown; what is too long for a comment is cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// What tells the comment from others on the same issue, hidden in it; by default the run of the call and
    /// `.notification`. At most 100 letters, digits, dots, dashes and underscores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// Labels that it should have, at most 50; GitHub makes those that the repository does not know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub add_labels: Vec<String>,
    /// Labels that it should not have, at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub remove_labels: Vec<String>,
    /// A check at a commit of the same repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<Check>,
    /// Show the comment and change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// A check at a commit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The commit: all 40 digits of its hash.
    pub commit: String,
    /// What tells it from other checks of the commit, such as `mlops/training`; at most 100 characters.
    pub context: String,
    /// How it stands.
    pub state: CheckState,
    /// One line for people; GitHub shows 140 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The web address where people read more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// What became of the notification.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct SentGithubNotification {
    /// The issue or the pull request.
    pub issue_ref: IssueRef,
    /// Whether everything that was wanted stands there now.
    pub delivered: bool,
    /// How often it was tried; the part that was tried most often counts.
    pub attempts: u32,
    /// Where people read the comment, or else the check; null when there is neither.
    pub message_ref: Option<String>,
    /// Whether everything stood there before.
    pub deduplicated: bool,
    /// Why it was not delivered; null when it was.
    pub error: Option<String>,
    /// The labels as they were read afterwards; null when none were to be changed.
    pub labels: Option<Vec<String>>,
    /// Whether the text was too long for a comment and was cut.
    pub shortened: bool,
    /// The comment, in a dry run; otherwise null, and when it is longer than 16 KiB.
    pub comment: Option<String>,
    /// Whether nothing was changed.
    pub dry_run: bool,
}

/// What is asked of GitHub, checked.
struct Wanted {
    comment: Option<Comment>,
    shortened: bool,
    check: Option<(String, CommitCheck)>,
}

impl SendGithubNotification {
    /// A notification in that issue, of nothing yet.
    pub fn on(issue_ref: IssueRef) -> Self {
        Self {
            issue_ref,
            subject: None,
            body: None,
            marker: None,
            add_labels: Vec::new(),
            remove_labels: Vec::new(),
            check: None,
            dry_run: false,
        }
    }

    fn changes_labels(&self) -> bool {
        !self.add_labels.is_empty() || !self.remove_labels.is_empty()
    }

    fn wanted(&self, call: &Call) -> Result<Wanted> {
        owner_and_name(&self.issue_ref.repo).map_err(here)?;
        for (field, labels) in [("add_labels", &self.add_labels), ("remove_labels", &self.remove_labels)] {
            if labels.len() > MOST_LABELS {
                let message = format!("there are at most {MOST_LABELS} {field}, and not {}", labels.len());
                return Err(Error::invalid_input(message).at(field));
            }
        }
        check_labels(&self.add_labels, &self.remove_labels).map_err(here)?;
        let (comment, shortened) = self.comment(call)?;
        let check = match &self.check {
            None => None,
            Some(check) => {
                check_commit(&check.commit).map_err(here)?;
                let Check { context, state, description, link, .. } = check.clone();
                Some((
                    check.commit.clone(),
                    CommitCheck { context, state, description, link }.to_sound().map_err(here)?,
                ))
            }
        };
        if comment.is_none() && check.is_none() && !self.changes_labels() {
            return Err(Error::invalid_input("the notification says nothing")
                .at("body")
                .hint("give a text, labels or a check"));
        }
        Ok(Wanted { comment, shortened, check })
    }

    /// The comment, and whether it was cut.
    fn comment(&self, call: &Call) -> Result<(Option<Comment>, bool)> {
        let said =
            |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(mask_text);
        let (subject, body) = (said(&self.subject), said(&self.body));
        if subject.is_none() && body.is_none() {
            return Ok((None, false));
        }
        let marker = self.marker.clone().or_else(|| call.run_id.as_ref().map(|run| format!("{run}.notification")));
        let Some(marker) = marker else {
            return Err(Error::invalid_input("give `marker`: by it the comment is found again").at("marker"));
        };
        let body = body.unwrap_or_default();
        let cut = cut(&body, Comment::LONGEST - MARGIN);
        let shortened = cut.len() < body.len();
        let title = subject.map(|subject| format!("### {}", escape(&shorten(&subject, LONGEST_SUBJECT))));
        let parts = [title, Some(cut.to_owned()), shortened.then(|| "…".to_owned())];
        let parts: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        let comment = Comment { marker, body: parts.join("\n\n") };
        comment.to_text()?;
        Ok((Some(comment), shortened))
    }
}

/// The beginning of a text of at most that many characters, counted as UTF-16 does; it ends with a whole line where
/// there is one in its second half.
fn cut(text: &str, most: usize) -> &str {
    let mut length = 0;
    let end = text.char_indices().find(|(_, character)| {
        length += character.len_utf16();
        length > most
    });
    let Some((end, _)) = end else { return text };
    let text = &text[..end];
    text.rfind('\n').filter(|at| *at > end / 2).map_or(text, |at| &text[..at])
}

/// The error with the name that the argument has here.
fn here(error: Error) -> Error {
    let field = error.field.as_deref().map(|field| match field {
        "repo" => "issue_ref.repo".to_owned(),
        "add" | "remove" => format!("{field}_labels"),
        "commit" | "context" | "link" => format!("check.{field}"),
        other => other.to_owned(),
    });
    Error { field, ..error }
}

impl Tool for SendGithubNotification {
    const NAME: &'static str = "send_github_notification";
    const TITLE: &'static str = "Notify on GitHub";
    const EFFECT: Effect = Effect::Update;
    type Capability = Notification;
    type Output = SentGithubNotification;

    async fn run(self, room: &Notification, call: &Call) -> Result<SentGithubNotification> {
        let wanted = self.wanted(call)?;
        call.check()?;
        let shown = wanted.comment.as_ref().map(|comment| comment.body.clone());
        let mut sent = SentGithubNotification {
            issue_ref: self.issue_ref.clone(),
            delivered: false,
            attempts: 0,
            message_ref: None,
            deduplicated: false,
            error: None,
            labels: None,
            shortened: wanted.shortened,
            comment: shown.filter(|text| self.dry_run && text.len() <= LONGEST_INLINE),
            dry_run: self.dry_run,
        };
        if self.dry_run {
            return Ok(sent);
        }
        match self.deliver(&wanted, room, call, &mut sent).await {
            Ok(changed) => {
                sent.delivered = true;
                sent.deduplicated = !changed;
                Ok(sent)
            }
            // What is wrong stays wrong; a host that does not answer, or does not let us, is reported.
            Err(error) if matches!(error.kind, ErrorKind::InvalidInput | ErrorKind::NotFound) => Err(here(error)),
            Err(error) => {
                let hint = error.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
                sent.error = Some(format!("{}: {}{hint}", error.kind, error.message));
                Ok(sent)
            }
        }
    }
}

impl SendGithubNotification {
    /// Makes everything stand there, and says whether something changed.
    async fn deliver(
        &self,
        wanted: &Wanted,
        room: &Notification,
        call: &Call,
        sent: &mut SentGithubNotification,
    ) -> Result<bool> {
        let (issue, host) = (&self.issue_ref, &room.code_host);
        let mut changed = false;
        if let Some(comment) = &wanted.comment {
            let (tries, commented) = attempts(call, || host.comment(issue, comment)).await;
            sent.attempts = sent.attempts.max(tries);
            let commented = commented?;
            changed |= commented.change != CommentChange::Unchanged;
            sent.message_ref = Some(commented.url);
        }
        if self.changes_labels() {
            let (tries, labelled) = attempts(call, || host.label(issue, &self.add_labels, &self.remove_labels)).await;
            sent.attempts = sent.attempts.max(tries);
            let labelled = labelled?;
            changed |= labelled.changed;
            sent.labels = Some(labelled.labels);
        }
        if let Some((commit, check)) = &wanted.check {
            let (tries, checked) = attempts(call, || host.check(&issue.repo, commit, check)).await;
            sent.attempts = sent.attempts.max(tries);
            let checked = checked?;
            changed |= checked.changed;
            sent.message_ref.get_or_insert(checked.url);
        }
        Ok(changed)
    }
}

impl Report for SentGithubNotification {
    fn summary(&self, lang: Lang) -> String {
        let issue = &self.issue_ref;
        match (lang, &self.error) {
            (Lang::En, Some(error)) => format!("{issue} could not be notified: {error}"),
            (Lang::Ja, Some(error)) => format!("{issue} に通知できませんでした: {error}"),
            (Lang::En, None) if self.dry_run => format!("{issue} would be notified"),
            (Lang::Ja, None) if self.dry_run => format!("{issue} に通知します（確認のみ）"),
            (Lang::En, None) if self.deduplicated => format!("{issue} had been notified before"),
            (Lang::Ja, None) if self.deduplicated => format!("{issue} には通知済みです"),
            (Lang::En, None) => format!("{issue} was notified"),
            (Lang::Ja, None) => format!("{issue} に通知しました"),
        }
    }
}

#[cfg(test)]
#[path = "send_github_notification_tests.rs"]
mod tests;
