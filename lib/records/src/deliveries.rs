//! The webhook deliveries that were acted upon, so that a repeat changes nothing.
//!
//! Keys: `deliveries/ids/<delivery id>.json` and `deliveries/bodies/<SHA-256 of the body>.json`, both created once. A
//! delivery is claimed before it is acted upon and settled afterwards; one whose work broke off can be claimed again.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use mlops_core::ports::{Condition, ObjectStore, find_json, write_json};
use mlops_core::values::ArtifactUri;
use mlops_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use crate::check_name;

/// How long a claim holds that was not settled. Answering a delivery takes seconds; whoever takes longer was cut off.
const HOLD: SignedDuration = SignedDuration::from_secs(120);

/// Deliveries of webhooks, known by their id and by the hash of their body.
#[derive(Clone)]
pub struct Deliveries {
    store: Arc<dyn ObjectStore>,
    root: ArtifactUri,
}

/// Why a delivery is a repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Its id was delivered before.
    Id,
    /// Its very body was delivered before, under another id.
    Body,
}

/// One delivery, as it is remembered under its id and under its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Delivery {
    id: String,
    body_sha256: String,
    claimed_at: Timestamp,
    settled: bool,
}

impl Delivery {
    /// Whether the delivery was acted upon, or somebody is about to.
    fn holds(&self, now: Timestamp) -> bool {
        self.settled || now.duration_since(self.claimed_at) < HOLD
    }
}

impl Deliveries {
    /// The deliveries below `root`.
    pub fn new(store: Arc<dyn ObjectStore>, root: &ArtifactUri) -> Self {
        Self { store, root: root.join("deliveries") }
    }

    /// Whether the delivery was seen before, and by what it is known. Nothing is written.
    pub async fn repeat(&self, delivery_id: &str, body_sha256: &str, now: Timestamp) -> Result<Option<Repeat>> {
        for (repeat, uri) in self.places(delivery_id, body_sha256)? {
            let found = find_json::<Delivery>(&*self.store, &uri).await?;
            if found.is_some_and(|(_, delivery)| delivery.holds(now)) {
                return Ok(Some(repeat));
            }
        }
        Ok(None)
    }

    /// Claims the delivery: `true` for the one caller that is to act upon it, `false` for every repeat. Say
    /// [`Self::settle`] when it was acted upon, [`Self::release`] when that failed; after two minutes without either
    /// the delivery can be claimed again.
    pub async fn first(&self, delivery_id: &str, body_sha256: &str, now: Timestamp) -> Result<bool> {
        let delivery = Delivery {
            id: delivery_id.to_owned(),
            body_sha256: body_sha256.to_owned(),
            claimed_at: now,
            settled: false,
        };
        let places = self.places(delivery_id, body_sha256)?;
        let mut conditions = Vec::with_capacity(places.len());
        for (_, uri) in &places {
            match find_json::<Delivery>(&*self.store, uri).await? {
                Some((_, known)) if known.holds(now) => return Ok(false),
                Some((meta, _)) => conditions.push(Condition::Matches(meta.etag)),
                None => conditions.push(Condition::Absent),
            }
        }
        for ((_, uri), condition) in places.iter().zip(conditions) {
            match write_json(&*self.store, uri, &delivery, condition).await {
                Ok(_) => {}
                // Another caller was faster: the delivery is its own.
                Err(error) if matches!(error.kind, ErrorKind::AlreadyExists | ErrorKind::Conflict) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Remembers for good that the delivery was acted upon.
    pub async fn settle(&self, delivery_id: &str, body_sha256: &str, now: Timestamp) -> Result<()> {
        let delivery = Delivery {
            id: delivery_id.to_owned(),
            body_sha256: body_sha256.to_owned(),
            claimed_at: now,
            settled: true,
        };
        for (_, uri) in self.places(delivery_id, body_sha256)? {
            write_json(&*self.store, &uri, &delivery, Condition::None).await?;
        }
        Ok(())
    }

    /// Gives the claim back, so that the delivery can be made again.
    pub async fn release(&self, delivery_id: &str, body_sha256: &str) -> Result<()> {
        for (_, uri) in self.places(delivery_id, body_sha256)? {
            self.store.delete(&uri).await?;
        }
        Ok(())
    }

    fn places(&self, delivery_id: &str, body_sha256: &str) -> Result<[(Repeat, ArtifactUri); 2]> {
        check_name("delivery_id", delivery_id)?;
        if body_sha256.len() != 64 || !body_sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Error::invalid_input("`body_sha256` must be 64 hex digits").at("body_sha256"));
        }
        Ok([
            (Repeat::Id, self.root.join(&format!("ids/{delivery_id}.json"))),
            (Repeat::Body, self.root.join(&format!("bodies/{body_sha256}.json"))),
        ])
    }
}

#[cfg(test)]
mod tests {
    use mlops_core::values::sha256_hex;
    use mlops_local::{Access, FileStore};

    use super::*;

    fn deliveries() -> (Deliveries, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(FileStore::new(folder.path(), folder.path().to_owned(), Access::Anywhere));
        let root = ArtifactUri::from_path(&folder.path().join("store"));
        (Deliveries::new(store, &root), folder)
    }

    #[tokio::test]
    async fn a_delivery_is_new_once_by_id_and_by_body() {
        let (deliveries, _folder) = deliveries();
        let now = Timestamp::UNIX_EPOCH;
        let (a, b) = (sha256_hex(b"a"), sha256_hex(b"b"));
        assert_eq!(deliveries.repeat("1", &a, now).await.unwrap(), None);
        assert!(deliveries.first("1", &a, now).await.unwrap());
        deliveries.settle("1", &a, now).await.unwrap();
        assert_eq!(deliveries.repeat("1", &b, now).await.unwrap(), Some(Repeat::Id));
        assert_eq!(deliveries.repeat("2", &a, now).await.unwrap(), Some(Repeat::Body));
        for (id, body) in [("1", &a), ("1", &b), ("2", &a)] {
            assert!(!deliveries.first(id, body, now).await.unwrap(), "{id}");
        }
        assert!(deliveries.first("2", &b, now).await.unwrap());
        let years_later = now.checked_add(SignedDuration::from_hours(100_000)).unwrap();
        assert!(!deliveries.first("3", &a, years_later).await.unwrap());
    }

    #[tokio::test]
    async fn a_claim_that_was_given_back_or_forgotten_can_be_made_again() {
        let (deliveries, _folder) = deliveries();
        let now = Timestamp::UNIX_EPOCH;
        let body = sha256_hex(b"a");
        assert!(deliveries.first("1", &body, now).await.unwrap());
        deliveries.release("1", &body).await.unwrap();
        assert!(deliveries.first("1", &body, now).await.unwrap());
        let later = now.checked_add(HOLD).unwrap();
        assert!(!deliveries.first("1", &body, now).await.unwrap());
        assert!(deliveries.first("1", &body, later).await.unwrap());
        assert!(!deliveries.first("1", &body, later).await.unwrap());
    }

    #[tokio::test]
    async fn what_cannot_be_a_key_is_refused() {
        let (deliveries, _folder) = deliveries();
        let body = sha256_hex(b"a");
        for id in ["", "../x", "a/b", &"x".repeat(65)] {
            let error = deliveries.first(id, &body, Timestamp::UNIX_EPOCH).await.unwrap_err();
            assert_eq!(error.field.as_deref(), Some("delivery_id"));
        }
        let error = deliveries.repeat("1", "../../x", Timestamp::UNIX_EPOCH).await.unwrap_err();
        assert_eq!(error.field.as_deref(), Some("body_sha256"));
    }
}
