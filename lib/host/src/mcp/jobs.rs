//! Calls that outlast their request: the client gets a handle, and any instance of the server knows how the call went,
//! because that lies in the store.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mlops_core::ports::{Clock, Condition, ObjectStore, SystemClock, find_json, write_json};
use mlops_core::values::ArtifactUri;
use mlops_core::{Cancellation, Error, Outcome, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How often a job that runs says so.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);
/// After how many milliseconds without a sign of life a job counts as lost.
const LOST_AFTER: i64 = 90_000;
/// How many milliseconds what is known of a job is kept.
const KEPT_FOR: i64 = 7 * 24 * 3600 * 1000;

/// What became of a call.
pub(super) type Done = std::result::Result<Result<Outcome>, tokio::task::JoinError>;

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum JobStatus {
    /// It is being worked on.
    Running,
    /// It is done, and `result` is what the tool gave.
    Succeeded,
    /// It failed, and `error` says why.
    Failed,
    /// The server that worked on it ended. Every tool can be called again with the same arguments.
    Lost,
}

/// What is known of a job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) tool: String,
    pub(super) status: JobStatus,
    /// Milliseconds since 1970.
    alive_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) outcome: Option<Outcome>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<Value>,
}

struct Running {
    ended: watch::Receiver<bool>,
    cancellation: Cancellation,
}

/// The jobs of this server.
#[derive(Clone)]
pub(super) struct Jobs {
    store: Arc<dyn ObjectStore>,
    root: ArtifactUri,
    running: Arc<Mutex<BTreeMap<String, Running>>>,
}

impl Jobs {
    pub(super) fn new(store: Arc<dyn ObjectStore>, root: &ArtifactUri) -> Self {
        Self { store, root: root.join("jobs"), running: Arc::default() }
    }

    /// Lets a call go on as a job, and gives the job's id.
    pub(super) async fn adopt(
        &self,
        tool: &str,
        cancellation: Cancellation,
        work: JoinHandle<Result<Outcome>>,
    ) -> Result<String> {
        let job_id = new_id();
        let job = Job {
            id: job_id.clone(),
            tool: tool.to_owned(),
            status: JobStatus::Running,
            alive_at: now(),
            outcome: None,
            error: None,
        };
        let written = write_json(&*self.store, &self.uri(&job_id)?, &job, Condition::Absent).await;
        if let Err(error) = written {
            // Nobody could ever ask for its result.
            cancellation.cancel();
            return Err(error);
        }
        let (sender, ended) = watch::channel(false);
        self.running().insert(job_id.clone(), Running { ended, cancellation });
        let jobs = self.clone();
        tokio::spawn(async move {
            jobs.forget_old().await;
            jobs.see_through(job, work).await;
            // Nobody has to be waiting for it.
            let _ = sender.send(true);
        });
        Ok(job_id)
    }

    /// What is known of a job, after waiting for its end for at most that time.
    pub(super) async fn find(&self, job_id: &str, wait: Duration) -> Result<Job> {
        let end = tokio::time::Instant::now() + wait;
        loop {
            let job = self.read(job_id).await?;
            let left = end.saturating_duration_since(tokio::time::Instant::now());
            if job.status != JobStatus::Running || left.is_zero() {
                return Ok(job);
            }
            let ended = self.running().get(job_id).map(|running| running.ended.clone());
            match ended {
                Some(mut ended) => {
                    // The time being over is no failure: the job is read once more.
                    let _ = tokio::time::timeout(left, ended.wait_for(|ended| *ended)).await;
                }
                // Another instance works on it.
                None => tokio::time::sleep(left.min(Duration::from_secs(1))).await,
            }
        }
    }

    /// Stops what this process still works on, and waits until that is written down.
    pub(super) async fn stop(&self) {
        let open: Vec<watch::Receiver<bool>> = {
            let running = self.running();
            running.values().for_each(|job| job.cancellation.cancel());
            running.values().map(|job| job.ended.clone()).collect()
        };
        for mut ended in open {
            let _ = tokio::time::timeout(Duration::from_secs(5), ended.wait_for(|ended| *ended)).await;
        }
    }

    async fn read(&self, job_id: &str) -> Result<Job> {
        let found = find_json::<Job>(&*self.store, &self.uri(job_id)?).await?;
        let Some((_, mut job)) = found else {
            let kept = KEPT_FOR / (24 * 3600 * 1000);
            return Err(Error::not_found(format!("there is no job `{job_id}`"))
                .at("job_id")
                .hint(format!("what is known of a job is kept for {kept} days; call the tool again")));
        };
        if job.status == JobStatus::Running && now() - job.alive_at > LOST_AFTER {
            job.status = JobStatus::Lost;
        }
        Ok(job)
    }

    async fn see_through(&self, mut job: Job, mut work: JoinHandle<Result<Outcome>>) {
        let done = loop {
            tokio::select! {
                done = &mut work => break done,
                () = tokio::time::sleep(SIGN_OF_LIFE) => {
                    job.alive_at = now();
                    self.write(&job).await;
                }
            }
        };
        match settled(done) {
            Ok(outcome) => (job.status, job.outcome) = (JobStatus::Succeeded, Some(outcome)),
            Err(error) => (job.status, job.error) = (JobStatus::Failed, Some(error.to_value())),
        }
        job.alive_at = now();
        self.write(&job).await;
        self.running().remove(&job.id);
    }

    async fn write(&self, job: &Job) {
        for _ in 0..3 {
            let Ok(uri) = self.uri(&job.id) else { return };
            if write_json(&*self.store, &uri, job, Condition::None).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// Ids begin with the time: what is old is seen without reading it.
    async fn forget_old(&self) {
        let Ok(folder) = ArtifactUri::new(format!("{}/", self.root.as_str())) else { return };
        let Ok(page) = self.store.list(&folder, None).await else { return };
        for object in page.objects {
            let time = object.uri.file_name().split('-').next().and_then(|part| i64::from_str_radix(part, 16).ok());
            if time.is_some_and(|time| now() - time > KEPT_FOR) {
                // What could not be taken away now is found again at the next job.
                let _ = self.store.delete(&object.uri).await;
            }
        }
    }

    fn uri(&self, job_id: &str) -> Result<ArtifactUri> {
        if job_id.is_empty() || job_id.len() > 64 || !job_id.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
            return Err(Error::invalid_input("this is not the id of a job")
                .at("job_id")
                .hint("give back the `job_id` of a tool's answer"));
        }
        Ok(self.root.join(&format!("{job_id}.json")))
    }

    fn running(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The result of a call that had a task of its own.
pub(super) fn settled(done: Done) -> Result<Outcome> {
    done.unwrap_or_else(|error| Err(Error::internal("the tool ended without a result").caused_by(error)))
}

fn now() -> i64 {
    SystemClock.now().as_millisecond()
}

/// The time, and a number that nobody can guess: a job's result is for who got its handle.
fn new_id() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:012x}-{:016x}{:016x}", now(), random(), random())
}
