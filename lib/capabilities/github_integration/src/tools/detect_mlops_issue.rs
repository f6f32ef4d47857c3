//! Says what a webhook or an issue asks for.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mlops_core::ports::Permission;
use mlops_core::values::{IssueRef, sha256_hex};
use mlops_core::{Call, Effect, Error, Lang, Report, Result, Tool};
use mlops_records::Repeat;
use schemars::JsonSchema;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

use crate::detection::{Case, Decision, Occasion, Person, Said, Voucher};
use crate::webhook::{Delivery, Event, Headers, SECRET, SIGNATURE, verify};
use crate::{CommandArguments, GithubIntegration, Intent, LARGEST_DELIVERY, Signal};

/// The association of a person who was invited to the repository.
const COLLABORATOR: &str = "COLLABORATOR";

/// Say what a webhook of GitHub or an issue asks for, and whether it is to be acted upon. Give `headers` with `body` or
/// `body_base64`, or a plain `issue`. Of a webhook the signature is verified over the bytes as they were sent, and a
/// repeat is told by the id of the delivery and by the hash of its body. Bots, pull requests, closed issues, and people
/// without a right in the repository are ignored, with the reason. Without `dry_run`, a delivery that asks for something
/// is remembered, so that its repeat asks for nothing.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DetectMlopsIssue {
    /// The headers of the webhook by name, whatever its case: `X-GitHub-Event`, `X-GitHub-Delivery` and
    /// `X-Hub-Signature-256` are read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<BTreeMap<String, String>>,
    /// The body of the webhook exactly as it was sent, at most 5 MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The same in base64, for bytes that passed through something that changes texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// An issue, in place of a webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue: Option<PlainIssue>,
    /// Whether only to look: the delivery is not remembered.
    #[serde(default)]
    pub dry_run: bool,
}

/// An issue as it stands, with the comment that was written last.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlainIssue {
    /// The repository, `owner/name`.
    pub repo: String,
    /// The number of the issue.
    pub number: u64,
    /// The title.
    #[serde(default)]
    pub title: String,
    /// The body, Markdown.
    #[serde(default)]
    pub body: String,
    /// The names of its labels.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Whether it is closed.
    #[serde(default)]
    pub closed: bool,
    /// Whether it is a pull request.
    #[serde(default)]
    pub pull_request: bool,
    /// Who wrote the issue, or the comment when there is one.
    #[serde(default)]
    pub author: String,
    /// How the author stands to the repository: `OWNER`, `MEMBER`, `COLLABORATOR`, `CONTRIBUTOR`, `NONE`. Without it,
    /// the caller answers for the author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author_association: Option<String>,
    /// The text of a comment; the issue itself is looked at when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct DetectedMlopsIssue {
    /// Whether something is asked for that is to be acted upon.
    pub is_mlops: bool,
    /// What is asked for; `none` when nothing is, or when a command was not understood.
    pub intent: Intent,
    /// The word of a command, as it was written in lower case; null when there was no command.
    pub command: Option<String>,
    /// What the command was given.
    pub arguments: CommandArguments,
    /// By what it is known.
    pub signals: Vec<Signal>,
    /// Why it was decided so, for people.
    pub reasons: Vec<String>,
    /// The event that a webhook tells of; null for a plain issue.
    pub event: Option<String>,
    /// What was done in the event; null when the event has no such word.
    pub action: Option<String>,
    /// The issue; null when the event is about none.
    pub issue_ref: Option<IssueRef>,
    /// Its title; empty when there is no issue.
    pub title: String,
    /// Its body; empty when there is no issue or nothing is asked for.
    pub body: String,
    /// The comment that holds the command; null when there is none.
    pub comment_id: Option<u64>,
    /// Who acted; null when nobody is known.
    pub author: Option<String>,
    /// How who acted stands to the repository, as GitHub tells it; null when it does not.
    pub author_association: Option<String>,
    /// The id of the delivery; null for a plain issue.
    pub delivery_id: Option<String>,
    /// SHA-256 of the body of the delivery; null for a plain issue.
    pub body_sha256: Option<String>,
    /// Whether the signature of a webhook fits.
    pub verified: bool,
    /// Whether the delivery was made before.
    pub repeat: bool,
    /// Whether nothing was remembered because that was asked.
    pub dry_run: bool,
}

impl Tool for DetectMlopsIssue {
    const NAME: &'static str = "detect_mlops_issue";
    const TITLE: &'static str = "Detect a request in a webhook or an issue";
    const EFFECT: Effect = Effect::Create;
    type Capability = GithubIntegration;
    type Output = DetectedMlopsIssue;

    async fn run(self, room: &GithubIntegration, call: &Call) -> Result<DetectedMlopsIssue> {
        let dry_run = self.dry_run;
        match (self.headers, self.issue) {
            (Some(headers), None) => {
                let body = raw_body(self.body, self.body_base64)?;
                detect_in_delivery(room, call, Headers::new(headers)?, &body, dry_run).await
            }
            (None, Some(issue)) if self.body.is_none() && self.body_base64.is_none() => {
                let case = issue.into_case()?;
                let decision = case.decide(&room.requests, call.lang);
                Ok(DetectedMlopsIssue { dry_run, ..report(Some(case), decision) })
            }
            (Some(_), Some(_)) => Err(Error::invalid_input("give either `headers` and a body, or `issue`").at("issue")),
            (None, Some(_)) => Err(Error::invalid_input("a plain `issue` has its body within").at("body")),
            (None, None) => {
                Err(Error::invalid_input("give `headers` and `body` of a webhook, or `issue`").at("headers"))
            }
        }
    }
}

/// The bytes as they were sent.
fn raw_body(text: Option<String>, base64: Option<String>) -> Result<Vec<u8>> {
    let (bytes, field) = match (text, base64) {
        (Some(text), None) => (text.into_bytes(), "body"),
        (None, Some(base64)) => {
            let bytes = STANDARD.decode(base64.trim()).map_err(|error| {
                Error::invalid_input(format!("`body_base64` is not base64: {error}")).at("body_base64")
            })?;
            (bytes, "body_base64")
        }
        (Some(_), Some(_)) => {
            return Err(Error::invalid_input("give either `body` or `body_base64`").at("body_base64"));
        }
        (None, None) => return Err(Error::invalid_input("the body of the webhook is missing").at("body")),
    };
    if bytes.len() > LARGEST_DELIVERY {
        let message = format!("the body has {} bytes, and at most {LARGEST_DELIVERY} are read", bytes.len());
        return Err(Error::invalid_input(message).at(field));
    }
    Ok(bytes)
}

/// What is decided on a delivery. GitHub keeps some memberships to itself and calls such a person a contributor, or
/// nobody: who is refused for that is looked up, and counts as a collaborator when the repository lets them write.
async fn decide(room: &GithubIntegration, case: &Case, lang: Lang) -> Decision {
    let decision = case.decide(&room.requests, lang);
    if decision.is_mlops {
        return decision;
    }
    let mut collaborator = case.clone();
    collaborator.person.association = Some(COLLABORATOR.to_owned());
    let mut other = collaborator.decide(&room.requests, lang);
    if !other.is_mlops {
        return decision;
    }
    let login = &case.person.login;
    // A host that does not say vouches for nobody.
    match room.code_host.permission(&case.issue.repo, login).await {
        Ok(permission) if permission >= Permission::Write => {
            let reason =
                say!(lang, "{login} may write in the repository", "{login} はリポジトリへの書き込み権限を持っています");
            other.reasons.push(reason);
            other
        }
        _ => decision,
    }
}

async fn detect_in_delivery(
    room: &GithubIntegration,
    call: &Call,
    headers: Headers,
    body: &[u8],
    dry_run: bool,
) -> Result<DetectedMlopsIssue> {
    let secret = room.secrets.secret(SECRET).await?;
    verify(secret.expose_secret().as_bytes(), body, headers.get(SIGNATURE))?;
    headers.check_content_type()?;
    let (event, delivery_id) = (headers.event()?.to_owned(), headers.delivery_id()?.to_owned());
    let Delivery { action, event: told } = Delivery::read(&event, body)?;
    let body_sha256 = sha256_hex(body);
    let lang = call.lang;
    let (case, decision) = match told {
        Event::Issue(case) => {
            let decision = decide(room, &case, lang).await;
            (Some(*case), decision)
        }
        Event::Ping => (None, Decision::ignored(lang.pick("the webhook works", "Webhook は正しく動作しています"))),
        Event::Other => {
            let reason = say!(lang, "the event `{event}` asks for nothing", "イベント `{event}` には何もしません");
            (None, Decision::ignored(reason))
        }
    };
    let mut detected = DetectedMlopsIssue {
        event: Some(event),
        action,
        verified: true,
        dry_run,
        delivery_id: Some(delivery_id.clone()),
        body_sha256: Some(body_sha256.clone()),
        ..report(case, decision)
    };
    if !detected.is_mlops {
        return Ok(detected);
    }
    let (deliveries, now) = (room.deliveries(), call.clock.now());
    let mut repeat = deliveries.repeat(&delivery_id, &body_sha256, now).await?;
    if repeat.is_none() && !dry_run {
        call.check()?;
        if deliveries.first(&delivery_id, &body_sha256, now).await? {
            deliveries.settle(&delivery_id, &body_sha256, now).await?;
        } else {
            repeat = Some(Repeat::Id);
        }
    }
    if let Some(repeat) = repeat {
        let reason = match repeat {
            Repeat::Id => lang.pick("the delivery was made before", "同じ配信をすでに受け取っています"),
            Repeat::Body => lang.pick(
                "the same body was delivered before, under another id",
                "同じ本文の配信を別の ID ですでに受け取っています",
            ),
        };
        detected = DetectedMlopsIssue {
            is_mlops: false,
            repeat: true,
            intent: Intent::None,
            reasons: vec![reason.to_owned()],
            ..detected
        };
    }
    Ok(detected)
}

/// The report of a decision, without what only a delivery has.
fn report(case: Option<Case>, decision: Decision) -> DetectedMlopsIssue {
    let mut detected = DetectedMlopsIssue {
        is_mlops: decision.is_mlops,
        intent: decision.intent,
        command: decision.command,
        arguments: decision.arguments,
        signals: decision.signals,
        reasons: decision.reasons,
        event: None,
        action: None,
        issue_ref: None,
        title: String::new(),
        body: String::new(),
        comment_id: None,
        author: None,
        author_association: None,
        delivery_id: None,
        body_sha256: None,
        verified: false,
        repeat: false,
        dry_run: false,
    };
    if let Some(case) = case {
        detected.issue_ref = Some(case.issue);
        detected.title = case.title;
        if decision.is_mlops {
            detected.body = case.body;
        }
        if let Occasion::Comment(Said { comment_id, .. }) = case.occasion {
            detected.comment_id = comment_id;
        }
        detected.author = Some(case.person.login).filter(|login| !login.is_empty());
        detected.author_association = case.person.association;
    }
    detected
}

impl PlainIssue {
    fn into_case(self) -> Result<Case> {
        let is_repository = self.repo.split_once('/').is_some_and(|(owner, name)| {
            [owner, name]
                .iter()
                .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)))
        });
        if !is_repository {
            return Err(Error::invalid_input("`issue.repo` must be `owner/name`").at("issue.repo"));
        }
        let person = Person {
            is_bot: self.author.ends_with("[bot]"),
            login: self.author,
            voucher: self.author_association.is_none().then_some(Voucher::Caller),
            association: self.author_association,
        };
        let occasion = match self.comment {
            Some(text) => Occasion::Comment(Said { comment_id: None, text, is_by_bot: false }),
            None => Occasion::Handed,
        };
        Ok(Case {
            issue: IssueRef { repo: self.repo, number: self.number },
            title: self.title,
            body: self.body,
            labels: self.labels,
            is_open: !self.closed,
            is_pull_request: self.pull_request,
            person,
            occasion,
        })
    }
}

impl Report for DetectedMlopsIssue {
    fn summary(&self, lang: Lang) -> String {
        let reasons = self.reasons.join("; ");
        if !self.is_mlops {
            return say!(lang, "nothing is to be done: {reasons}", "何もしません: {reasons}");
        }
        let issue = self.issue_ref.as_ref().map(ToString::to_string).unwrap_or_default();
        let intent = serde_json::to_value(self.intent).ok();
        let intent = intent.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
        say!(lang, "{issue} asks for {intent}: {reasons}", "{issue} の依頼: {intent}（{reasons}）")
    }
}

#[cfg(test)]
#[path = "detect_mlops_issue_tests.rs"]
mod tests;
