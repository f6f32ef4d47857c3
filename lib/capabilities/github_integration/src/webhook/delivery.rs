//! What a delivery tells, as a case to decide on.

use mlops_core::reading::{self, Misread};
use mlops_core::values::IssueRef;
use mlops_core::{Error, Result};

use super::payload::{Comment, Payload};
use crate::detection::{Case, Occasion, Person, Said, Voucher};

/// What happened, by the name of the event.
#[derive(Debug)]
pub(crate) enum Event {
    /// Something happened to an issue.
    Issue(Box<Case>),
    /// The webhook was set up.
    Ping,
    /// Something that nobody here waits for.
    Other,
}

/// An event with its action.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) action: Option<String>,
    pub(crate) event: Event,
}

impl Delivery {
    /// Reads the body of an event whose signature fits. `InvalidInput` names what makes it unreadable.
    pub(crate) fn read(event: &str, body: &[u8]) -> Result<Self> {
        match event {
            "issues" | "issue_comment" => {
                let mut reader = serde_json::Deserializer::from_slice(body);
                let payload: Payload = reading::read(&mut reader).map_err(|Misread { path, message }| {
                    let place = if path == "." { String::new() } else { format!(" at {path}") };
                    unreadable(&format!("the body is no payload of `{event}`{place}: {message}"))
                })?;
                reader.end().map_err(|error| unreadable(&format!("the body is not one value of JSON: {error}")))?;
                let action = payload.action.clone();
                let case = case(event, payload)?;
                Ok(Self { action, event: Event::Issue(Box::new(case)) })
            }
            other => {
                // The event asks for nothing, yet what is not JSON is told to whoever set the webhook up.
                serde_json::from_slice::<serde::de::IgnoredAny>(body)
                    .map_err(|error| unreadable(&format!("the body is not JSON: {error}")))?;
                let event = if other == "ping" { Event::Ping } else { Event::Other };
                Ok(Self { action: None, event })
            }
        }
    }
}

fn unreadable(message: &str) -> Error {
    let shown: String = message.chars().take(300).collect();
    Error::invalid_input(shown).at("body")
}

fn case(event: &str, payload: Payload) -> Result<Case> {
    let missing = |what: &str| unreadable(&format!("the payload of `{event}` has no `{what}`"));
    let issue = payload.issue.ok_or_else(|| missing("issue"))?;
    let repository = payload.repository.ok_or_else(|| missing("repository"))?;
    if !repository.full_name.split_once('/').is_some_and(|(owner, name)| is_name(owner) && is_name(name)) {
        return Err(unreadable(&format!("the repository of the payload of `{event}` is not owner/name")));
    }
    let sender = payload.sender.ok_or_else(|| missing("sender"))?;
    let action = payload.action.ok_or_else(|| missing("action"))?;
    let author = issue.user.map(|user| user.login);
    // GitHub tells the association of who wrote, not of who acted.
    let mut association = issue.author_association;
    let occasion = match (event, action.as_str()) {
        ("issue_comment", "created") => {
            let mut comment = payload.comment.ok_or_else(|| missing("comment"))?;
            association = comment.author_association.take();
            Occasion::Comment(said(comment)?)
        }
        ("issue_comment", _) => Occasion::CommentOtherwise(action),
        (_, "opened") => Occasion::Opened,
        (_, "reopened") => Occasion::Reopened,
        (_, "labeled") => Occasion::Labeled(payload.label.ok_or_else(|| missing("label"))?.name),
        (_, "edited") => {
            Occasion::Edited { is_text: payload.changes.is_some_and(|of| of.body.is_some() || of.title.is_some()) }
        }
        _ => Occasion::Otherwise(action),
    };
    // Whoever may act on what another wrote (label, edit, reopen) has been given that right in the repository.
    let is_act = matches!(occasion, Occasion::Labeled(_) | Occasion::Edited { .. } | Occasion::Reopened);
    let is_other = author.as_ref().is_some_and(|author| !author.eq_ignore_ascii_case(&sender.login));
    let voucher = (is_act && is_other).then_some(Voucher::Repository);
    Ok(Case {
        issue: IssueRef { repo: repository.full_name, number: issue.number },
        title: issue.title.unwrap_or_default(),
        body: issue.body.unwrap_or_default(),
        labels: issue.labels.unwrap_or_default().into_iter().map(|label| label.name).collect(),
        is_open: issue.state.as_deref() == Some("open"),
        is_pull_request: issue.pull_request.is_some(),
        person: Person { is_bot: sender.is_bot(), login: sender.login, association, voucher },
        occasion,
    })
}

/// What an owner or a repository can be called.
fn is_name(name: &str) -> bool {
    let is_word = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    is_word && !matches!(name, "" | "." | "..") && name.len() <= 100
}

fn said(comment: Comment) -> Result<Said> {
    let user = comment.user.ok_or_else(|| unreadable("the comment has no `user`"))?;
    Ok(Said { comment_id: comment.id, text: comment.body.unwrap_or_default(), is_by_bot: user.is_bot() })
}
