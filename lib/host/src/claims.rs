//! Claim checks: what is too large for a task's payload lies in the store, and the payload says where.
//!
//! A claim check is `{"claim_check": {"uri", "sha256", "bytes"}}` in the place of the value. A state machine hands it on
//! like any other value; the next agent never sees it.

use std::sync::Arc;

use futures::future::BoxFuture;
use mlops_core::ports::{Condition, ObjectStore};
use mlops_core::values::{ArtifactUri, sha256_hex};
use mlops_core::{AgentHandler, Call, Error, ErrorKind, LARGEST_RESULT, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The key that tells a claim check from other objects.
const CLAIM: &str = "claim_check";
/// The most bytes that the claim checks of one task stand for.
const LARGEST_CLAIMS: u64 = 64 * 1024 * 1024;
/// Values of fewer bytes stay: a claim check is about as long.
const SMALLEST: usize = 512;

/// Where a value lies that is not in the payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimCheck {
    /// The JSON document.
    uri: ArtifactUri,
    /// SHA-256 of its bytes.
    sha256: String,
    /// Their number.
    bytes: u64,
}

/// An agent whose task may hold claim checks, and whose result does when it would be too large.
#[derive(Clone)]
pub struct ClaimChecked {
    inner: Arc<dyn AgentHandler>,
    store: Arc<dyn ObjectStore>,
    root: ArtifactUri,
}

impl ClaimChecked {
    /// The agent with claim checks in `store`; its own lie below `<root>/results/<run_id>/`.
    pub fn new(inner: Arc<dyn AgentHandler>, store: Arc<dyn ObjectStore>, root: ArtifactUri) -> Self {
        Self { inner, store, root }
    }

    /// Puts values in the place of their claim checks.
    async fn redeem(&self, inputs: &mut Value) -> Result<()> {
        let mut found = Vec::new();
        collect(inputs, String::new(), &mut found)?;
        let total: u64 = found.iter().map(|(_, claim)| claim.bytes).sum();
        if total > LARGEST_CLAIMS {
            let message = format!("the claim checks of the task stand for {total} bytes, more than {LARGEST_CLAIMS}");
            return Err(Error::invalid_input(message).at("inputs"));
        }
        // None lies in another, so each pointer stays true.
        for (pointer, claim) in found {
            let value = self.read(&claim).await.map_err(|error| error.at_or(shown(&pointer)))?;
            let Some(place) = inputs.pointer_mut(&pointer) else { continue };
            let mut own = place.as_object_mut().map(std::mem::take).unwrap_or_default();
            own.remove(CLAIM);
            *place = value;
            // `$merge` in a state machine adds fields beside the claim check: they win, as they would have.
            if let (Some(object), false) = (place.as_object_mut(), own.is_empty()) {
                object.extend(own);
            }
        }
        Ok(())
    }

    async fn read(&self, claim: &ClaimCheck) -> Result<Value> {
        let ClaimCheck { uri, sha256, bytes } = claim;
        let (_, body) = self.store.get(uri, None).await?;
        let found = body.collect(LARGEST_CLAIMS).await?;
        if found.len() as u64 != *bytes || sha256_hex(&found) != *sha256 {
            return Err(Error::conflict(format!("{uri} is not what the claim check promised"))
                .hint("start the run again: its details were changed since they were written"));
        }
        serde_json::from_slice(&found)
            .map_err(|error| Error::invalid_input(format!("{uri} is not a JSON document: {error}")))
    }

    /// Takes the largest details out of a result until it is small enough.
    async fn shrink(&self, mut result: Value) -> Result<Value> {
        let size = |value: &Value| value.to_string().len();
        let mut total = size(&result);
        let run_id = result["run_id"].as_str().map(key_part).unwrap_or_default();
        while total > LARGEST_RESULT {
            let outputs = result["outputs"].as_object_mut();
            let largest = outputs.and_then(|outputs| {
                let details = outputs.iter_mut().filter(|(name, value)| is_detail(name, value));
                details.map(|(_, value)| (size(value), value)).max_by_key(|(size, _)| *size)
            });
            let Some((bytes, value)) = largest.filter(|(bytes, _)| *bytes >= SMALLEST) else {
                let agent = self.inner.name();
                return Err(Error::internal(format!(
                    "the task result of {agent} has {total} bytes without its details; at most {LARGEST_RESULT} go on"
                )));
            };
            let claim = self.deposit(&run_id, value).await?;
            *value = json!({ CLAIM: claim });
            total = total - bytes + size(value);
        }
        Ok(result)
    }

    /// Writes a value under a name made of its hash, so a repeated task writes nothing new.
    async fn deposit(&self, run_id: &str, value: &Value) -> Result<ClaimCheck> {
        let bytes = value.to_string().into_bytes();
        let sha256 = sha256_hex(&bytes);
        let name = format!("{}-{}.json", self.inner.name(), &sha256[..12]);
        let claim =
            ClaimCheck { uri: self.root.join("results").join(run_id).join(&name), sha256, bytes: bytes.len() as u64 };
        match self.store.put(&claim.uri, bytes.into(), Condition::Absent).await {
            Ok(_) => {}
            Err(error) if error.kind == ErrorKind::AlreadyExists => {
                self.read(&claim).await?;
            }
            Err(error) => return Err(error),
        }
        Ok(claim)
    }
}

impl AgentHandler for ClaimChecked {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn invoke<'a>(&'a self, mut payload: Value, call: &'a Call) -> BoxFuture<'a, Result<Value>> {
        Box::pin(async move {
            if let Some(inputs) = payload.get_mut("inputs") {
                self.redeem(inputs).await?;
            }
            self.shrink(self.inner.invoke(payload, call).await?).await
        })
    }
}

/// Every claim check in the value, by its JSON pointer; what lies beside or in one is not looked at.
fn collect(value: &Value, pointer: String, found: &mut Vec<(String, ClaimCheck)>) -> Result<()> {
    match value {
        Value::Object(object) => {
            if let Some(claim) = claim_of(object, &pointer)? {
                found.push((pointer, claim));
                return Ok(());
            }
            let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
            object.iter().try_for_each(|(key, value)| collect(value, format!("{pointer}/{}", escaped(key)), found))
        }
        Value::Array(items) => {
            items.iter().enumerate().try_for_each(|(index, value)| collect(value, format!("{pointer}/{index}"), found))
        }
        _ => Ok(()),
    }
}

fn claim_of(object: &Map<String, Value>, pointer: &str) -> Result<Option<ClaimCheck>> {
    let Some(claim) = object.get(CLAIM) else { return Ok(None) };
    serde_json::from_value(claim.clone()).map(Some).map_err(|error| {
        Error::invalid_input(format!("the claim check is wrong: {error}"))
            .at(shown(pointer))
            .hint("a claim check is {\"claim_check\": {\"uri\", \"sha256\", \"bytes\"}}")
    })
}

/// A JSON pointer below the inputs, as errors name fields.
fn shown(pointer: &str) -> String {
    format!("inputs{}", pointer.replace('/', "."))
}

/// Whether a field of the outputs may leave the payload. Choices and people read the others.
fn is_detail(name: &str, value: &Value) -> bool {
    let stays = name == "decision" || name == "metrics" || name.ends_with("_uri") || name.ends_with("_uris");
    !stays && matches!(value, Value::Object(_) | Value::Array(_) | Value::String(_))
}

/// The run's id as a part of a key.
fn key_part(run_id: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    run_id.chars().map(|c| if fits(c) { c } else { '-' }).collect()
}

#[cfg(test)]
#[path = "claims_tests.rs"]
mod tests;
