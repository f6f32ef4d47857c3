//! An object store on files.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures::StreamExt as _;
use mlops_core::ports::{Body, Condition, ObjectMeta, ObjectStore, Page};
use mlops_core::values::ArtifactUri;
use mlops_core::{Error, Result};

use super::blocking::blocking;
use super::draft::{Draft, sweep, sync_folder};
use super::failure::failure;
use super::listing;
use super::locks::Locks;
use super::place::{Access, Intent, Place, Places};
use super::reading::{describe, head, open, require_file};

/// How much of a body is gathered before it is written.
const GATHERED: usize = 1024 * 1024;

/// Objects as files. `s3://bucket/key` lies at `<home>/s3/bucket/key`; file URIs and plain paths are themselves, plain
/// ones relative to the working directory. Writes go below the home folder only.
///
/// A write is made in `<home>/tmp` and then takes its name, so a reader sees one version as a whole; writers of one
/// name take turns by a lock in `<home>/locks` that processes share. An etag is made of the file's number, size and
/// modification time, and each version of a name has a later time than the one before, so no two have the same etag.
#[derive(Debug, Clone)]
pub struct FileStore {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    places: Places,
    locks: Locks,
    swept: AtomicBool,
}

impl FileStore {
    /// A store with that home folder, which need not exist yet. Both paths are absolute.
    pub fn new(home: impl Into<PathBuf>, working_directory: impl Into<PathBuf>, access: Access) -> Self {
        let places = Places { home: home.into(), working_directory: working_directory.into(), access };
        let locks = Locks::new(places.locks());
        Self { shared: Arc::new(Shared { places, locks, swept: AtomicBool::new(false) }) }
    }

    /// Runs file operations with the shared state on a thread that may wait.
    async fn on<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Shared) -> Result<T> + Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        blocking(move || work(&shared)).await
    }
}

#[async_trait]
impl ObjectStore for FileStore {
    async fn head(&self, uri: &ArtifactUri) -> Result<ObjectMeta> {
        let uri = uri.clone();
        self.on(move |shared| head(&shared.places.object(&uri, Intent::Read)?, &uri)).await
    }

    async fn get(&self, uri: &ArtifactUri, range: Option<Range<u64>>) -> Result<(ObjectMeta, Body)> {
        let uri = uri.clone();
        self.on(move |shared| open(&shared.places.object(&uri, Intent::Read)?, &uri, range)).await
    }

    async fn put(&self, uri: &ArtifactUri, body: Body, condition: Condition) -> Result<ObjectMeta> {
        let asked = uri.clone();
        let mut draft = self.on(move |shared| shared.draft(&asked)).await?;
        let mut pieces = body.into_stream();
        let mut gathered = Vec::new();
        while let Some(piece) = pieces.next().await {
            gathered.extend_from_slice(&piece?);
            if gathered.len() >= GATHERED {
                let full = std::mem::take(&mut gathered);
                draft = add(draft, full, uri).await?;
            }
        }
        let draft = add(draft, gathered, uri).await?;
        let uri = uri.clone();
        self.on(move |shared| shared.publish(draft, &uri, &condition)).await
    }

    async fn list(&self, prefix: &ArtifactUri, next: Option<String>) -> Result<Page> {
        let prefix = prefix.clone();
        self.on(move |shared| {
            let (folder, beginning) = shared.places.prefix(&prefix)?;
            let home = fs::canonicalize(&shared.places.home).unwrap_or_default();
            let hidden = [home.join("tmp"), home.join("locks")];
            listing::list(&folder, &beginning, next.as_deref(), &hidden)
        })
        .await
    }

    async fn delete(&self, uri: &ArtifactUri) -> Result<()> {
        let uri = uri.clone();
        self.on(move |shared| shared.delete(&uri)).await
    }
}

async fn add(mut draft: Draft, bytes: Vec<u8>, uri: &ArtifactUri) -> Result<Draft> {
    let uri = uri.clone();
    blocking(move || {
        draft.write(&bytes).map_err(|error| failure(error, "written", uri))?;
        Ok(draft)
    })
    .await
}

impl Shared {
    /// An empty draft, once it is clear that the object may be written.
    fn draft(&self, uri: &ArtifactUri) -> Result<Draft> {
        let place = self.places.object(uri, Intent::Write)?;
        if let Ok(metadata) = fs::symlink_metadata(&place.path) {
            require_file(&metadata, uri)?;
        }
        if !self.swept.swap(true, Ordering::Relaxed) {
            sweep(&self.places.drafts());
        }
        Draft::new(&self.places.drafts()).map_err(|error| failure(error, "written", uri))
    }

    fn publish(&self, draft: Draft, uri: &ArtifactUri, condition: &Condition) -> Result<ObjectMeta> {
        let failed = |error| failure(error, "written", uri);
        draft.sync().map_err(failed)?;
        let place = self.places.object(uri, Intent::Write)?;
        let _lock = self.locks.hold(&place.path).map_err(failed)?;
        let current = match fs::symlink_metadata(&place.path) {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        if let Some(metadata) = &current {
            require_file(metadata, uri)?;
        }
        let etag = current.as_ref().map(|metadata| describe(&place.uri, metadata).etag);
        match (condition, etag) {
            (Condition::Absent, Some(_)) => return Err(taken(uri)),
            (Condition::Matches(expected), etag) if etag.as_ref() != Some(expected) => {
                let what = if etag.is_some() { "was written by somebody else" } else { "is not there any more" };
                return Err(
                    Error::conflict(format!("{uri} {what} since it was read")).hint("read it again, then decide")
                );
            }
            _ => {}
        }
        draft.follow(current.as_ref()).map_err(failed)?;
        let written = match condition {
            Condition::Absent => draft.create(&place.path),
            Condition::None | Condition::Matches(_) => draft.replace(&place.path),
        };
        match written {
            Ok(metadata) => Ok(describe(&place.uri, &metadata)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(taken(uri)),
            Err(error) => Err(failed(error)),
        }
    }

    fn delete(&self, uri: &ArtifactUri) -> Result<()> {
        let failed = |error| failure(error, "deleted", uri);
        let place = self.places.object(uri, Intent::Write)?;
        match fs::symlink_metadata(&place.path) {
            Ok(metadata) => require_file(&metadata, uri)?,
            // Nothing is locked, and so nothing is made, for what is not there.
            Err(_) => return Ok(()),
        }
        let _lock = self.locks.hold(&place.path).map_err(failed)?;
        match fs::remove_file(&place.path) {
            Ok(()) => remove_empty_folders(&place),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
        .map_err(failed)
    }
}

/// A folder is there only as long as an object lies in it. Its removal fails when it is not empty, and then it stays.
fn remove_empty_folders(place: &Place) -> std::io::Result<()> {
    let mut changed: &Path = place.path.parent().unwrap_or(&place.root);
    while changed != place.root && changed.starts_with(&place.root) && fs::remove_dir(changed).is_ok() {
        changed = changed.parent().unwrap_or(&place.root);
    }
    match sync_folder(changed) {
        // Another delete took the folder away too.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

fn taken(uri: &ArtifactUri) -> Error {
    Error::already_exists(format!("there is an object at {uri} already")).hint("choose another name, or read that one")
}
