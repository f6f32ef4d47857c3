//! Where artifacts and records lie.

use std::ops::Range;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};

use crate::values::ArtifactUri;
use crate::{Error, Result};

/// What is known of an object without reading it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectMeta {
    /// Where it lies, absolute.
    pub uri: ArtifactUri,
    /// Its size in bytes.
    pub bytes: u64,
    /// Changes with every write of other bytes; compare-and-swap writes name it.
    pub etag: String,
    /// The version, where the store keeps versions.
    pub version_id: Option<String>,
}

/// What must hold for a write to happen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Condition {
    /// Nothing: the object is created or replaced.
    #[default]
    None,
    /// There is no object of that name. Otherwise `AlreadyExists`.
    Absent,
    /// The object is there and its etag is this one. Otherwise `Conflict`.
    Matches(String),
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The objects, in the order of their keys.
    pub objects: Vec<ObjectMeta>,
    /// Give it back to get the next page; `None` on the last one.
    pub next: Option<String>,
}

/// The bytes of an object as they come.
pub struct Body(BoxStream<'static, Result<Bytes>>);

impl Body {
    /// A body that comes in pieces.
    pub fn from_stream(stream: BoxStream<'static, Result<Bytes>>) -> Self {
        Self(stream)
    }

    /// The pieces.
    pub fn into_stream(self) -> BoxStream<'static, Result<Bytes>> {
        self.0
    }

    /// All bytes at once; more than `limit` bytes are refused as `InvalidInput`.
    pub async fn collect(mut self, limit: u64) -> Result<Bytes> {
        let mut all = BytesMut::new();
        while let Some(piece) = self.0.try_next().await? {
            if all.len() as u64 + piece.len() as u64 > limit {
                return Err(Error::invalid_input(format!("the object has more than {limit} bytes")));
            }
            all.extend_from_slice(&piece);
        }
        Ok(all.freeze())
    }
}

impl<B: Into<Bytes>> From<B> for Body {
    fn from(bytes: B) -> Self {
        let bytes = bytes.into();
        Self(stream::once(async move { Ok(bytes) }).boxed())
    }
}

/// Keeps objects. Reads after a write see it; a listing after a write has it.
#[async_trait]
pub trait ObjectStore: Send + Sync {
    /// What is known of the object; `NotFound` when there is none.
    async fn head(&self, uri: &ArtifactUri) -> Result<ObjectMeta>;

    /// The object's bytes, or those of a range that ends at the object's end at the latest; `NotFound` when there is
    /// none, `InvalidInput` when the range begins behind the end.
    async fn get(&self, uri: &ArtifactUri, range: Option<Range<u64>>) -> Result<(ObjectMeta, Body)>;

    /// Writes the object as a whole or not at all: a reader never sees a part of it, and a write that fails leaves
    /// what was there before.
    async fn put(&self, uri: &ArtifactUri, body: Body, condition: Condition) -> Result<ObjectMeta>;

    /// The objects whose key begins with `prefix`, in the order of their keys; at most 1,000 a page.
    async fn list(&self, prefix: &ArtifactUri, next: Option<String>) -> Result<Page>;

    /// Takes the object away; an object that is not there is no error.
    async fn delete(&self, uri: &ArtifactUri) -> Result<()>;
}
