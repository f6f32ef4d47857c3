//! What a run asks a person, and what the person answered.
//!
//! Key: `approvals/<run_id>.json` (compare-and-swap). The document holds the token by which the run goes on, and nothing
//! else may: the token is registered as a secret as soon as it is known, so that it reaches no log and no result.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use mlops_core::masking::{mask_text, register};
use mlops_core::ports::{Condition, ObjectMeta, ObjectStore, find_json, write_json};
use mlops_core::values::{ArtifactUri, IssueRef};
use mlops_core::{Error, ErrorKind, Result};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::check_name;

/// How often a write that lost a race is tried again before the caller is told.
const ATTEMPTS: usize = 64;

/// What is asked.
#[derive(Debug, Clone)]
pub struct NewApproval {
    /// The run that waits.
    pub run_id: String,
    /// The issue that asked for the run.
    pub issue: Option<IssueRef>,
    /// By which the run goes on.
    pub token: SecretString,
    /// The name of the model that is asked about.
    pub model_name: String,
    /// Its version, when it is registered.
    pub version: Option<u64>,
    /// Where the report lies that the person reads.
    pub report_uri: Option<String>,
    /// When it is asked.
    pub asked_at: Timestamp,
}

/// A question with its answer.
#[derive(Debug, Clone)]
pub struct Approval {
    /// The run that waits, or waited.
    pub run_id: String,
    /// The issue that asked for the run.
    pub issue: Option<IssueRef>,
    /// By which the run goes on.
    pub token: SecretString,
    /// The name of the model that is asked about.
    pub model_name: String,
    /// Its version, when it is registered.
    pub version: Option<u64>,
    /// Where the report lies that the person reads.
    pub report_uri: Option<String>,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// What was answered; nothing while the run waits.
    pub answer: Option<Answered>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// Whether the model may be used.
    pub approved: bool,
    /// Who answered.
    pub by: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// The document. It alone writes the token down, so it stays in this file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stored {
    run_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issue: Option<IssueRef>,
    token: String,
    model_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    report_uri: Option<String>,
    asked_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<Answered>,
}

/// The questions of runs.
#[derive(Clone)]
pub struct Approvals {
    store: Arc<dyn ObjectStore>,
    root: ArtifactUri,
}

impl fmt::Debug for Approvals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Approvals").field("root", &self.root).finish_non_exhaustive()
    }
}

impl Approvals {
    /// The questions below `root`.
    pub fn new(store: Arc<dyn ObjectStore>, root: &ArtifactUri) -> Self {
        Self { store, root: root.join("approvals") }
    }

    /// Keeps the question. The same token again changes nothing. A new token of the same run takes the place of the old
    /// one, with the new question; an answer that was given already stays, and giving it again answers the new token.
    pub async fn ask(&self, new: NewApproval) -> Result<Approval> {
        check_name("run_id", &new.run_id)?;
        register(&new.token);
        let run_id = new.run_id.clone();
        let asked = Stored {
            run_id: new.run_id,
            issue: new.issue,
            token: new.token.expose_secret().to_owned(),
            model_name: new.model_name,
            version: new.version,
            report_uri: new.report_uri,
            asked_at: new.asked_at,
            answer: None,
        };
        self.swap(&run_id, |known| match known {
            Some(known) if known.token == asked.token => Ok(known),
            Some(known) => Ok(Stored { answer: known.answer, ..asked.clone() }),
            None => Ok(asked.clone()),
        })
        .await
    }

    /// The question of that run.
    pub async fn find(&self, run_id: &str) -> Result<Option<Approval>> {
        Ok(self.read(run_id).await?.map(|(_, stored)| stored.into()))
    }

    /// Answers the question of that run. The same answer again is the one that was given first; the other answer is
    /// `Conflict`. `NotFound` when the run asks nothing.
    pub async fn answer(
        &self,
        run_id: &str,
        approved: bool,
        by: &str,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<Approval> {
        let by = mask_text(by.trim());
        if by.is_empty() {
            return Err(Error::invalid_input("nobody is named who answers").at("by"));
        }
        let reason = reason.map(str::trim).filter(|reason| !reason.is_empty()).map(mask_text);
        let answer = Answered { approved, by, reason, at: now };
        self.swap(run_id, |known| {
            let Some(known) = known else { return Err(asks_nothing(run_id)) };
            match &known.answer {
                Some(given) if given.approved == approved => Ok(known),
                Some(given) => Err(answered_otherwise(run_id, given)),
                None => Ok(Stored { answer: Some(answer.clone()), ..known }),
            }
        })
        .await
    }

    async fn read(&self, run_id: &str) -> Result<Option<(ObjectMeta, Stored)>> {
        check_name("run_id", run_id)?;
        let found = find_json::<Stored>(&*self.store, &self.uri(run_id)).await?;
        if let Some((_, stored)) = &found {
            register(&SecretString::from(stored.token.clone()));
        }
        Ok(found)
    }

    /// Writes what `decide` makes of the document that is there, when nobody else wrote in between; gives what is there
    /// afterwards.
    async fn swap(&self, run_id: &str, decide: impl Fn(Option<Stored>) -> Result<Stored>) -> Result<Approval> {
        for _ in 0..ATTEMPTS {
            let found = self.read(run_id).await?;
            let condition = found.as_ref().map_or(Condition::Absent, |(meta, _)| Condition::Matches(meta.etag.clone()));
            let before = found.map(|(_, stored)| stored);
            let after = decide(before.clone())?;
            if before.as_ref() == Some(&after) {
                return Ok(after.into());
            }
            match write_json(&*self.store, &self.uri(run_id), &after, condition).await {
                Ok(_) => return Ok(after.into()),
                Err(error) if matches!(error.kind, ErrorKind::AlreadyExists | ErrorKind::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        let message = format!("the approval of the run {run_id} is being changed by many at once");
        Err(Error::conflict(message).hint("try again"))
    }

    fn uri(&self, run_id: &str) -> ArtifactUri {
        self.root.join(&format!("{run_id}.json"))
    }
}

impl From<Stored> for Approval {
    fn from(stored: Stored) -> Self {
        let Stored { run_id, issue, token, model_name, version, report_uri, asked_at, answer } = stored;
        Self { run_id, issue, token: token.into(), model_name, version, report_uri, asked_at, answer }
    }
}

fn asks_nothing(run_id: &str) -> Error {
    let error = Error::not_found(format!("the run {run_id} does not wait for an approval")).at("run_id");
    error.hint("look at the run with `mlops status`")
}

fn answered_otherwise(run_id: &str, given: &Answered) -> Error {
    let word = if given.approved { "approved" } else { "rejected" };
    let message = format!("the run {run_id} was {word} by {} at {:.0}", given.by, given.at);
    Error::conflict(message).hint("train again to decide anew")
}

#[cfg(test)]
#[path = "approvals_tests.rs"]
mod tests;
