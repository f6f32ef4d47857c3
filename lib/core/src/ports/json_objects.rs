//! Objects that are JSON documents.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ports::{Condition, ObjectMeta, ObjectStore};
use crate::reading;
use crate::values::ArtifactUri;
use crate::{Error, Result};

/// The largest document that is read, in bytes.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Reads a document; one that is not what it should be is `InvalidInput` and the message names the place.
pub async fn read_json<T: DeserializeOwned>(store: &dyn ObjectStore, uri: &ArtifactUri) -> Result<(ObjectMeta, T)> {
    let (meta, body) = store.get(uri, None).await?;
    let bytes = body.collect(LARGEST).await.map_err(|mut error| {
        error.message = format!("{uri}: {}", error.message);
        error
    })?;
    let mut reader = serde_json::Deserializer::from_slice(&bytes);
    let value = reading::read(&mut reader)
        .map_err(|error| Error::invalid_input(format!("{uri} is not the document that is expected here: {error}")))?;
    Ok((meta, value))
}

/// Reads a document that may not be there.
pub async fn find_json<T: DeserializeOwned>(
    store: &dyn ObjectStore,
    uri: &ArtifactUri,
) -> Result<Option<(ObjectMeta, T)>> {
    match read_json(store, uri).await {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind == crate::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a document, indented and with a newline at its end.
pub async fn write_json<T: Serialize + Sync>(
    store: &dyn ObjectStore,
    uri: &ArtifactUri,
    value: &T,
    condition: Condition,
) -> Result<ObjectMeta> {
    store.put(uri, json_bytes(value)?.into(), condition).await
}

/// The bytes that [`write_json`] writes.
pub fn json_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|error| Error::internal("a document could not be written as JSON").caused_by(error))?;
    bytes.push(b'\n');
    Ok(bytes)
}
