//! An object store in memory, for the tests of this crate.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use mlops_core::ports::{Body, Condition, ObjectMeta, ObjectStore, Page};
use mlops_core::values::{ArtifactUri, sha256_hex};
use mlops_core::{Error, Result};

use crate::Artifacts;

/// Keeps objects in a map. Bodies come in small pieces, as they do over a network.
#[derive(Default)]
pub(crate) struct MemoryStore {
    objects: Mutex<BTreeMap<ArtifactUri, Bytes>>,
}

/// Artifacts in a new store.
pub(crate) fn artifacts() -> Artifacts {
    Artifacts::new(Arc::new(MemoryStore::default()), uri("s3://store/root"))
}

pub(crate) fn uri(text: &str) -> ArtifactUri {
    ArtifactUri::new(text).unwrap()
}

fn meta(uri: &ArtifactUri, bytes: &Bytes) -> ObjectMeta {
    ObjectMeta { uri: uri.clone(), bytes: bytes.len() as u64, etag: sha256_hex(bytes), version_id: None }
}

#[async_trait]
impl ObjectStore for MemoryStore {
    async fn head(&self, uri: &ArtifactUri) -> Result<ObjectMeta> {
        let objects = self.objects.lock().unwrap();
        objects.get(uri).map(|bytes| meta(uri, bytes)).ok_or_else(|| Error::not_found("no such object"))
    }

    async fn get(&self, uri: &ArtifactUri, _range: Option<Range<u64>>) -> Result<(ObjectMeta, Body)> {
        let bytes = self.objects.lock().unwrap().get(uri).cloned().ok_or_else(|| Error::not_found("no such object"))?;
        let size = if bytes.len() > 1 << 20 { 1 << 16 } else { 1000 };
        let pieces = (0..bytes.len()).step_by(size).map(|at| Ok(bytes.slice(at..bytes.len().min(at + size))));
        let pieces = pieces.collect::<Vec<_>>();
        Ok((meta(uri, &bytes), Body::from_stream(futures::stream::iter(pieces).boxed())))
    }

    async fn put(&self, uri: &ArtifactUri, body: Body, condition: Condition) -> Result<ObjectMeta> {
        let bytes = body.collect(u64::MAX).await?;
        let mut objects = self.objects.lock().unwrap();
        if condition == Condition::Absent && objects.contains_key(uri) {
            return Err(Error::already_exists("the object exists"));
        }
        let meta = meta(uri, &bytes);
        objects.insert(uri.clone(), bytes);
        Ok(meta)
    }

    async fn list(&self, prefix: &ArtifactUri, _next: Option<String>) -> Result<Page> {
        let objects = self.objects.lock().unwrap();
        let found = objects.iter().filter(|(uri, _)| uri.as_str().starts_with(prefix.as_str()));
        Ok(Page { objects: found.map(|(uri, bytes)| meta(uri, bytes)).collect(), next: None })
    }

    async fn delete(&self, uri: &ArtifactUri) -> Result<()> {
        self.objects.lock().unwrap().remove(uri);
        Ok(())
    }
}
