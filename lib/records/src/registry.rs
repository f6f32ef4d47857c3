//! The model registry: immutable versions, and one small document of statuses and aliases for each model.
//!
//! Keys: `registry/<model>/versions/00000001.json` (created once) and `registry/<model>/state.json` (compare-and-swap).

use std::sync::Arc;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use mlops_core::ports::{Condition, ObjectMeta, ObjectStore, find_json, read_json, write_json};
use mlops_core::values::ArtifactUri;
use mlops_core::{Error, ErrorKind, Result};

use crate::check_name;
use crate::state::{State, StateChange};
use crate::version::{ModelVersion, NewVersion};

/// How often a write that lost a race is tried again before the caller is told.
const ATTEMPTS: usize = 64;
/// How many versions are read at once.
const READ_AT_ONCE: usize = 16;

/// Versions of models.
#[derive(Clone)]
pub struct Registry {
    store: Arc<dyn ObjectStore>,
    root: ArtifactUri,
}

/// What became of a registration.
#[derive(Debug, Clone, PartialEq)]
pub struct Registered {
    /// The version.
    pub version: ModelVersion,
    /// Whether a version with the same hash was there before.
    pub already_registered: bool,
}

/// The state before and after a change, as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// What held when the change was made.
    pub before: State,
    /// What was read back afterwards; somebody else may have changed more by then.
    pub after: State,
}

impl Registry {
    /// The registry below `root`.
    pub fn new(store: Arc<dyn ObjectStore>, root: &ArtifactUri) -> Self {
        Self { store, root: root.join("registry") }
    }

    /// Registers a version. The same hash gives the version that is there, and nothing is written.
    pub async fn register(&self, model_name: &str, model: NewVersion, now: Timestamp) -> Result<Registered> {
        check_name("model_name", model_name)?;
        for _ in 0..ATTEMPTS {
            let versions = self.versions(model_name).await?;
            if let Some(version) = versions.iter().find(|version| version.model.model_sha256 == model.model_sha256) {
                return Ok(Registered { version: version.clone(), already_registered: true });
            }
            let number = versions.last().map_or(1, |last| last.version + 1);
            let model = model.clone();
            let version =
                ModelVersion { model_name: model_name.to_owned(), version: number, registered_at: now, model };
            let uri = self.version_uri(model_name, number);
            match write_json(&*self.store, &uri, &version, Condition::Absent).await {
                // What is reported is what is read back.
                Ok(_) => {
                    let (_, version) = read_json(&*self.store, &uri).await?;
                    return Ok(Registered { version, already_registered: false });
                }
                // Another registration took the number: look again, it may be the same model.
                Err(error) if error.kind == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::conflict(format!("{model_name} is being registered by many at once")).hint("try again"))
    }

    /// Every version of the model, the oldest first; empty when the model is not known.
    pub async fn versions(&self, model_name: &str) -> Result<Vec<ModelVersion>> {
        check_name("model_name", model_name)?;
        let prefix = self.root.join(&format!("{model_name}/versions"));
        let mut versions = Vec::new();
        let mut next = None;
        loop {
            let page = self.store.list(&ArtifactUri::new(format!("{prefix}/"))?, next).await?;
            let read = |object: ObjectMeta| async move { read_json(&*self.store, &object.uri).await };
            let mut documents = stream::iter(page.objects).map(read).buffered(READ_AT_ONCE);
            while let Some((_, version)) = documents.try_next().await? {
                versions.push(version);
            }
            next = page.next;
            if next.is_none() {
                return Ok(versions);
            }
        }
    }

    /// Statuses and aliases of the model.
    pub async fn state(&self, model_name: &str) -> Result<State> {
        check_name("model_name", model_name)?;
        Ok(find_json(&*self.store, &self.state_uri(model_name)).await?.map(|(_, state)| state).unwrap_or_default())
    }

    /// The version of that number; `NotFound` says which there are.
    pub async fn version(&self, model_name: &str, number: u64) -> Result<ModelVersion> {
        check_name("model_name", model_name)?;
        if let Some((_, version)) = find_json(&*self.store, &self.version_uri(model_name, number)).await? {
            return Ok(version);
        }
        let last = self.versions(model_name).await?.last().map(|last| last.version);
        let known = last.map_or_else(|| "none".to_owned(), |last| format!("1 to {last}"));
        let message = format!("{model_name} has no version {number}; there are: {known}");
        Err(Error::not_found(message).at("version"))
    }

    /// Changes status, verdict and aliases of a version, all of it or nothing; what holds already is not written again.
    /// A write that lost a race is decided anew on what is there then.
    pub async fn set(
        &self,
        (model_name, version): (&str, u64),
        change: &StateChange,
        (actor, now): (&str, Timestamp),
    ) -> Result<Changed> {
        check_name("model_name", model_name)?;
        let uri = self.state_uri(model_name);
        for _ in 0..ATTEMPTS {
            let found = find_json::<State>(&*self.store, &uri).await?;
            let condition = found.as_ref().map_or(Condition::Absent, |(meta, _)| Condition::Matches(meta.etag.clone()));
            let before = found.map(|(_, state)| state).unwrap_or_default();
            let after = before.apply(version, change, (actor, now))?;
            if after == before {
                return Ok(Changed { before, after });
            }
            match write_json(&*self.store, &uri, &after, condition).await {
                Ok(_) => return Ok(Changed { before, after: self.state(model_name).await? }),
                Err(error) if matches!(error.kind, ErrorKind::AlreadyExists | ErrorKind::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::conflict(format!("the aliases of {model_name} are being changed by many at once")).hint("try again"))
    }

    fn version_uri(&self, model_name: &str, version: u64) -> ArtifactUri {
        self.root.join(&format!("{model_name}/versions/{version:08}.json"))
    }

    fn state_uri(&self, model_name: &str) -> ArtifactUri {
        self.root.join(&format!("{model_name}/state.json"))
    }
}
