//! Reading and writing objects with a limit, a hash, and errors that name the object.

use std::sync::Arc;

use bytes::Bytes;
use mlops_core::ports::{Body, Condition, ObjectMeta, ObjectStore};
use mlops_core::values::{ArtifactUri, sha256_hex};
use mlops_core::{Error, ErrorKind, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Kind, Written};

/// The most bytes of a JSON document: 16 MiB.
const JSON_LIMIT: u64 = 16 << 20;

/// The artifacts in an object store, below one root. Cheap to clone.
#[derive(Clone)]
pub struct Artifacts {
    store: Arc<dyn ObjectStore>,
    root: ArtifactUri,
}

impl Artifacts {
    /// The artifacts in `store`; new ones are placed below `root`.
    pub fn new(store: Arc<dyn ObjectStore>, root: ArtifactUri) -> Self {
        Self { store, root }
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// The root below which new artifacts are placed.
    pub fn root(&self) -> &ArtifactUri {
        &self.root
    }

    /// The place of a new artifact: `<root>/<kind>/<run_id>/<name>`.
    pub fn place(&self, kind: Kind, run_id: &str, name: &str) -> ArtifactUri {
        self.root.join(kind.as_str()).join(run_id).join(name)
    }

    /// The bytes of an object. `NotFound` when there is none, `InvalidInput` when it is a folder or has more than
    /// `limit` bytes; the message names the URI.
    pub async fn read_bytes(&self, uri: &ArtifactUri, limit: u64) -> Result<Bytes> {
        let (meta, body) = self.open(uri).await?;
        if meta.bytes > limit {
            let message = format!("`{uri}` has {} bytes; at most {limit} are read here", meta.bytes);
            return Err(Error::invalid_input(message).hint("name a smaller object"));
        }
        body.collect(limit).await.map_err(|error| naming(uri, error))
    }

    /// The value in a JSON document of at most 16 MiB. `InvalidInput` when the document is not such a value.
    pub async fn read_json<T: DeserializeOwned>(&self, uri: &ArtifactUri) -> Result<T> {
        let bytes = self.read_bytes(uri, JSON_LIMIT).await?;
        serde_json::from_slice(&bytes).map_err(|error| {
            let message = format!("`{uri}` is not the JSON document that is expected here: {error}");
            Error::invalid_input(message).hint("check that the URI names the right artifact")
        })
    }

    /// Writes an object as a whole or not at all, when the condition holds.
    pub async fn write_bytes(
        &self,
        uri: &ArtifactUri,
        bytes: impl Into<Bytes>,
        condition: Condition,
    ) -> Result<Written> {
        let bytes: Bytes = bytes.into();
        let (sha256, length) = (sha256_hex(&bytes), bytes.len() as u64);
        let meta = self.store.put(uri, Body::from(bytes), condition).await.map_err(|error| naming(uri, error))?;
        Ok(Written::new(meta, sha256, length))
    }

    /// Writes a value as an indented JSON document with a newline at its end.
    pub async fn write_json<T: Serialize>(&self, uri: &ArtifactUri, value: &T) -> Result<Written> {
        self.write_bytes(uri, to_json(value)?, Condition::None).await
    }

    /// The object's meta data and its bytes as they come.
    pub(crate) async fn open(&self, uri: &ArtifactUri) -> Result<(ObjectMeta, Body)> {
        if !uri.as_str().ends_with('/') {
            match self.store.get(uri, None).await {
                Ok(found) => return Ok(found),
                Err(error) if error.kind != ErrorKind::NotFound => return Err(naming(uri, error)),
                Err(_) => {}
            }
        }
        // A key that has keys below it reads as a folder; a listing that fails decides nothing.
        let below = ArtifactUri::new(format!("{}/", uri.as_str().trim_end_matches('/')))?;
        let inside = self.store.list(&below, None).await.map(|page| page.objects).unwrap_or_default();
        if let Some(first) = inside.first() {
            let message = format!("`{uri}` is a folder, not an object");
            return Err(Error::invalid_input(message).hint(format!("name one of its files, such as `{}`", first.uri)));
        }
        Err(Error::not_found(format!("there is nothing at `{uri}`")).hint("check the spelling of the URI"))
    }
}

/// The error with the URI in its message.
pub(crate) fn naming(uri: &ArtifactUri, mut error: Error) -> Error {
    if !error.message.contains(uri.as_str()) {
        error.message = format!("`{uri}`: {}", error.message);
    }
    error
}

/// The value as an indented JSON document with a newline at its end.
pub(crate) fn to_json<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|error| Error::internal("a value could not be written as JSON").caused_by(error))?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use serde_json::{Value, json};

    use super::*;
    use crate::memory_store::{artifacts, uri};

    #[test]
    fn an_artifact_has_its_place_below_the_root() {
        let place = artifacts().place(Kind::Models, "run-1", "../model.tar.gz");
        assert_eq!(place.as_str(), "s3://store/root/models/run-1/model.tar.gz");
    }

    #[test]
    fn json_is_read_as_it_was_written() {
        let artifacts = artifacts();
        let place = uri("s3://store/a.json");
        let written = block_on(artifacts.write_json(&place, &json!({"a": 0.1}))).unwrap();
        let bytes = block_on(artifacts.read_bytes(&place, 100)).unwrap();
        assert_eq!(&bytes[..], b"{\n  \"a\": 0.1\n}\n");
        assert_eq!((written.bytes, written.sha256), (bytes.len() as u64, sha256_hex(&bytes)));
        assert_eq!(block_on(artifacts.read_json::<Value>(&place)).unwrap(), json!({"a": 0.1}));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let artifacts = artifacts();
        let place = uri("s3://store/folder/a.json");
        block_on(artifacts.write_bytes(&place, "{", Condition::Absent)).unwrap();
        let kind_and_message = |error: Error| (error.kind, error.message);
        let error = block_on(artifacts.read_json::<Value>(&place)).unwrap_err();
        assert!(error.message.contains(place.as_str()), "{error}");
        let (kind, message) = kind_and_message(block_on(artifacts.read_bytes(&place, 0)).unwrap_err());
        assert_eq!(kind, ErrorKind::InvalidInput);
        assert!(message.contains("has 1 bytes"), "{message}");
        for folder in ["s3://store/folder", "s3://store/folder/"] {
            let error = block_on(artifacts.read_bytes(&uri(folder), 9)).unwrap_err();
            assert_eq!(error.kind, ErrorKind::InvalidInput);
            assert!(error.hint.unwrap().contains(place.as_str()));
        }
        let (kind, message) = kind_and_message(block_on(artifacts.read_bytes(&uri("s3://store/x"), 9)).unwrap_err());
        assert_eq!(kind, ErrorKind::NotFound);
        assert!(message.contains("s3://store/x"), "{message}");
        let again = block_on(artifacts.write_bytes(&place, "{", Condition::Absent)).unwrap_err();
        assert_eq!(again.kind, ErrorKind::AlreadyExists);
        assert!(again.message.contains(place.as_str()), "{again}");
    }
}
