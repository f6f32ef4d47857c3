//! A room whose outside is kept in memory, for the tests of this crate.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use mlops_artifacts::Artifacts;
use mlops_core::ports::{
    Body, CodeHost, Condition, Execution, ExecutionStatus, HistoryEvent, Issue, NewExecution, ObjectMeta, ObjectStore,
    Page, Started, Workflows,
};
use mlops_core::values::{ArtifactUri, IssueRef, sha256_hex};
use mlops_core::{Error, Result};

use crate::GithubIntegration;

/// The outside of a room.
#[derive(Default)]
pub(crate) struct Outside {
    pub(crate) objects: Mutex<BTreeMap<String, Bytes>>,
    pub(crate) executions: Mutex<BTreeMap<String, Execution>>,
    pub(crate) issues: Mutex<BTreeMap<String, String>>,
}

/// A room, and its outside to look at.
pub(crate) fn room() -> (GithubIntegration, Arc<Outside>) {
    let outside = Arc::new(Outside::default());
    let artifacts = Artifacts::new(outside.clone(), ArtifactUri::new("s3://store/root").unwrap());
    (GithubIntegration { workflows: outside.clone(), code_host: outside.clone(), artifacts }, outside)
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
        if condition == Condition::Absent && objects.contains_key(uri.as_str()) {
            return Err(Error::already_exists("the object exists"));
        }
        objects.insert(uri.as_str().to_owned(), bytes.clone());
        Ok(meta(uri, &bytes))
    }

    async fn list(&self, _: &ArtifactUri, _: Option<String>) -> Result<Page> {
        Ok(Page::default())
    }

    async fn delete(&self, _: &ArtifactUri) -> Result<()> {
        Err(Error::internal("nothing is deleted here"))
    }
}

#[async_trait]
impl CodeHost for Outside {
    async fn issue(&self, reference: &IssueRef) -> Result<Issue> {
        let body = self.issues.lock().unwrap().get(&reference.to_string()).cloned();
        let body = body.ok_or_else(|| Error::not_found(format!("there is no issue {reference}")))?;
        Ok(Issue { reference: reference.clone(), title: "An issue".into(), body })
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

    async fn redrive(&self, _: &str) -> Result<()> {
        Err(Error::internal("nothing is redriven here"))
    }
}
