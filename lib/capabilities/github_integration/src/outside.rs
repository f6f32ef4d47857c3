//! A room whose outside is kept in memory, for the tests of this crate.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use mlops_core::ports::{
    Body, Checked, CodeHost, Comment, CommentChange, Commented, CommitCheck, Condition, Execution, ExecutionStatus,
    HistoryEvent, Issue, Labelled, NewExecution, ObjectMeta, ObjectStore, Page, Permission, Reaction, Secrets, Started,
    TaskAnswer, Workflows,
};
use mlops_core::settings::RequestSettings;
use mlops_core::values::{ArtifactUri, IssueRef, sha256_hex};
use mlops_core::{Error, Result};
use secrecy::SecretString;

use crate::GithubIntegration;

/// The outside of a room.
#[derive(Default)]
pub(crate) struct Outside {
    pub(crate) objects: Mutex<BTreeMap<String, Bytes>>,
    pub(crate) executions: Mutex<BTreeMap<String, Execution>>,
    pub(crate) issues: Mutex<BTreeMap<String, String>>,
    /// Bodies of comments by issue and marker.
    pub(crate) comments: Mutex<BTreeMap<(String, String), String>>,
    /// Reactions by issue, below the issue itself or a comment.
    pub(crate) reactions: Mutex<Vec<(String, Option<u64>, Reaction)>>,
    /// What people may do, by login.
    pub(crate) permissions: Mutex<BTreeMap<String, Permission>>,
    /// The answer to each token; a token is known when it is there.
    pub(crate) tokens: Mutex<BTreeMap<String, Option<TaskAnswer>>>,
    pub(crate) redriven: Mutex<Vec<String>>,
}

/// The secret that deliveries are signed with here.
pub(crate) const WEBHOOK_SECRET: &str = "an octopus has three hearts";

/// A room, and its outside to look at.
pub(crate) fn room() -> (GithubIntegration, Arc<Outside>) {
    let outside = Arc::new(Outside::default());
    let room = GithubIntegration {
        workflows: Some(outside.clone()),
        code_host: outside.clone(),
        store: outside.clone(),
        root: ArtifactUri::new("s3://store/root").unwrap(),
        tables: None,
        secrets: outside.clone(),
        requests: RequestSettings::default(),
    };
    (room.with_tables(), outside)
}

fn meta(uri: &ArtifactUri, bytes: &Bytes) -> ObjectMeta {
    ObjectMeta { uri: uri.clone(), bytes: bytes.len() as u64, etag: sha256_hex(bytes), version_id: None }
}

#[async_trait]
impl ObjectStore for Outside {
    async fn head(&self, uri: &ArtifactUri) -> Result<ObjectMeta> {
        self.get(uri, None).await.map(|(meta, _)| meta)
    }

    async fn get(&self, uri: &ArtifactUri, _: Option<Range<u64>>) -> Result<(ObjectMeta, Body)> {
        let found = self.objects.lock().unwrap().get(uri.as_str()).cloned();
        let bytes = found.ok_or_else(|| Error::not_found(format!("there is nothing at `{uri}`")))?;
        Ok((meta(uri, &bytes), Body::from(bytes)))
    }

    async fn put(&self, uri: &ArtifactUri, body: Body, condition: Condition) -> Result<ObjectMeta> {
        let bytes = body.collect(u64::MAX).await?;
        let mut objects = self.objects.lock().unwrap();
        let known = objects.get(uri.as_str()).map(|bytes| sha256_hex(bytes));
        match condition {
            Condition::Absent if known.is_some() => return Err(Error::already_exists("the object exists")),
            Condition::Matches(etag) if known.as_ref() != Some(&etag) => return Err(Error::conflict("it changed")),
            _ => {}
        }
        objects.insert(uri.as_str().to_owned(), bytes.clone());
        Ok(meta(uri, &bytes))
    }

    async fn list(&self, prefix: &ArtifactUri, _: Option<String>) -> Result<Page> {
        let objects = self.objects.lock().unwrap();
        let found = objects.iter().filter(|(uri, _)| uri.starts_with(prefix.as_str()));
        Ok(Page {
            objects: found.map(|(uri, bytes)| meta(&ArtifactUri::new(uri).unwrap(), bytes)).collect(),
            next: None,
        })
    }

    async fn delete(&self, uri: &ArtifactUri) -> Result<()> {
        self.objects.lock().unwrap().remove(uri.as_str());
        Ok(())
    }
}

#[async_trait]
impl CodeHost for Outside {
    async fn issue(&self, reference: &IssueRef) -> Result<Issue> {
        let body = self.issues.lock().unwrap().get(&reference.to_string()).cloned();
        let body = body.ok_or_else(|| Error::not_found(format!("there is no issue {reference}")))?;
        Ok(Issue { reference: reference.clone(), title: "An issue".into(), body })
    }

    async fn comment(&self, reference: &IssueRef, comment: &Comment) -> Result<Commented> {
        let key = (reference.to_string(), comment.marker.clone());
        let before = self.comments.lock().unwrap().insert(key, comment.body.clone());
        let change = match before {
            None => CommentChange::Created,
            Some(body) if body == comment.body => CommentChange::Unchanged,
            Some(_) => CommentChange::Updated,
        };
        Ok(Commented { url: format!("https://github.example/{reference}#{}", comment.marker), change })
    }

    async fn label(&self, reference: &IssueRef, _: &[String], _: &[String]) -> Result<Labelled> {
        Err(Error::not_found(format!("nobody gives labels to {reference} here")))
    }

    async fn react(&self, reference: &IssueRef, comment_id: Option<u64>, reaction: Reaction) -> Result<bool> {
        let one = (reference.to_string(), comment_id, reaction);
        let mut reactions = self.reactions.lock().unwrap();
        let is_new = !reactions.contains(&one);
        reactions.push(one);
        Ok(is_new)
    }

    async fn permission(&self, _: &str, login: &str) -> Result<Permission> {
        Ok(self.permissions.lock().unwrap().get(login).copied().unwrap_or(Permission::None))
    }

    async fn check(&self, repo: &str, _: &str, _: &CommitCheck) -> Result<Checked> {
        Err(Error::not_found(format!("nobody checks commits of {repo} here")))
    }
}

#[async_trait]
impl Secrets for Outside {
    async fn secret(&self, name: &str) -> Result<SecretString> {
        match name {
            "mlops/github-webhook-secret" => Ok(SecretString::from(WEBHOOK_SECRET)),
            _ => Err(Error::not_found(format!("there is no secret {name}"))),
        }
    }
}

#[async_trait]
impl Workflows for Outside {
    async fn start(&self, execution: NewExecution) -> Result<Started> {
        let mut executions = self.executions.lock().unwrap();
        let execution_arn = format!("arn:aws:states:local:000000000000:execution:training:{}", execution.name);
        let known = executions.get(&execution.name);
        if known.is_some_and(|known| known.input != execution.input) {
            return Err(Error::already_exists("an execution of that name has another input"));
        }
        let already_exists = known.is_some();
        executions.entry(execution.name.clone()).or_insert_with(|| Execution {
            name: execution.name,
            execution_arn: execution_arn.clone(),
            machine: execution.machine,
            status: ExecutionStatus::Running,
            started: Timestamp::UNIX_EPOCH,
            ended: None,
            input: execution.input,
            output: None,
            error: None,
            cause: None,
        });
        Ok(Started { execution_arn, already_exists, console_url: Some("https://console".into()) })
    }

    async fn describe(&self, name: &str) -> Result<Execution> {
        let found = self.executions.lock().unwrap().get(name).cloned();
        found.ok_or_else(|| Error::not_found(format!("there is no execution {name}")))
    }

    async fn history(&self, _: &str) -> Result<Vec<HistoryEvent>> {
        Ok(Vec::new())
    }

    async fn list(&self, _: &str, _: usize) -> Result<Vec<Execution>> {
        Ok(Vec::new())
    }

    async fn redrive(&self, name: &str) -> Result<()> {
        let mut executions = self.executions.lock().unwrap();
        let execution = executions.get_mut(name).ok_or_else(|| Error::not_found("there is no such execution"))?;
        if execution.status != ExecutionStatus::Failed {
            return Err(Error::conflict("only an execution that failed can go on"));
        }
        execution.status = ExecutionStatus::Running;
        self.redriven.lock().unwrap().push(name.to_owned());
        Ok(())
    }

    async fn answer(&self, token: &str, answer: TaskAnswer) -> Result<()> {
        let mut tokens = self.tokens.lock().unwrap();
        let known = tokens.get_mut(token).ok_or_else(|| Error::not_found("nobody gave that token"))?;
        match known {
            Some(given) if *given != answer => Err(Error::conflict("it was answered otherwise")),
            _ => {
                *known = Some(answer);
                Ok(())
            }
        }
    }

    async fn stop(&self, name: &str, error: &str, cause: &str) -> Result<()> {
        let mut executions = self.executions.lock().unwrap();
        let execution = executions.get_mut(name).ok_or_else(|| Error::not_found("there is no such execution"))?;
        if execution.status == ExecutionStatus::Running {
            execution.status = ExecutionStatus::Aborted;
            execution.error = Some(error.to_owned());
            execution.cause = Some(cause.to_owned());
        }
        Ok(())
    }
}
