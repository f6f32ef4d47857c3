//! The messages that were sent, so that a retry sends none twice.
//!
//! Key: `notifications/<SHA-256 of the message's key>.json` (created once, then compare-and-swap). A message is reserved,
//! sent and recorded, in that order. Whoever finds it recorded gives the receipt of then; whoever finds it reserved
//! waits, for another is sending it.
//!
//! A process that ends between sending and recording leaves a reservation that lapses after thirty seconds; whoever comes
//! then sends the message again. So a message is sent at least once, and twice only after such an end: to ask for a
//! decision twice is a nuisance, never to ask is a run that waits for ever. Services that know a repeat by themselves
//! (an outbox, a FIFO topic, a comment with a marker) are given the same key and take it once even then.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use mlops_core::masking::mask_text;
use mlops_core::ports::{Condition, MessageReceipt, ObjectStore, find_json, write_json};
use mlops_core::values::{ArtifactUri, sha256_hex};
use mlops_core::{Call, Error, ErrorKind, Result, attempts};
use serde::{Deserialize, Serialize};

/// How long a reservation holds that was not followed by a record. Sending takes seconds.
const HOLD: SignedDuration = SignedDuration::from_secs(30);
/// How often, and after which time, somebody looks again whether another has sent the message: a little longer than a
/// reservation holds.
const LOOKS: u32 = 35;
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The record of the messages that were sent.
#[derive(Clone)]
pub struct Sent {
    store: Arc<dyn ObjectStore>,
    root: ArtifactUri,
}

/// How sending a message went.
#[derive(Debug)]
pub struct Sending {
    /// How often it was tried now; 0 when it was not, because it had been sent before or another is sending it.
    pub attempts: u32,
    /// Where the message is, and whether it had been sent before; or why it could not be sent.
    pub outcome: Result<MessageReceipt>,
    /// The message went out and this could not be recorded: a repeat would send it once more.
    pub unrecorded: Option<Error>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Reserved,
    Failed,
    Sent,
}

/// A message, as it is remembered. The key is there for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stored {
    key: String,
    state: State,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message_ref: Option<String>,
}

enum Reserved {
    Ours { etag: String },
    SentBefore(MessageReceipt),
    ByAnother,
}

impl Sent {
    /// The messages that are recorded below `root`.
    pub fn new(store: Arc<dyn ObjectStore>, root: &ArtifactUri) -> Self {
        Self { store, root: root.join("notifications") }
    }

    /// The receipt of a message that was sent. Nothing is written.
    pub async fn find(&self, key: &str) -> Result<Option<MessageReceipt>> {
        Ok(find_json::<Stored>(&*self.store, &self.place(key)).await?.and_then(|(_, stored)| receipt(stored)))
    }

    /// Sends a message unless it was sent before. An error that can pass is tried again, at most three times. While
    /// another is sending the same message, this waits for what becomes of it. `Err` says that the record could not
    /// be read or written before anything was sent.
    pub async fn once<F>(&self, key: &str, call: &Call, mut send: impl FnMut() -> F) -> Result<Sending>
    where
        F: Future<Output = Result<MessageReceipt>> + Send,
    {
        let etag = match self.wait_for(key, call).await? {
            Reserved::Ours { etag } => etag,
            Reserved::SentBefore(receipt) => {
                return Ok(Sending { attempts: 0, outcome: Ok(receipt), unrecorded: None });
            }
            Reserved::ByAnother => {
                let message = format!("another call is sending the message {key}, and has not ended");
                let outcome = Err(Error::unavailable(message).hint("ask again in a minute"));
                return Ok(Sending { attempts: 0, outcome, unrecorded: None });
            }
        };
        let (attempts, outcome) = attempts(call, &mut send).await;
        let stored = |state, message_ref| Stored { key: mask_text(key), state, at: call.clock.now(), message_ref };
        let place = self.place(key);
        let unrecorded = if let Ok(receipt) = &outcome {
            let stored = stored(State::Sent, Some(receipt.message_ref.clone()));
            self.record(&place, &stored, call).await.err()
        } else {
            // So that the next one need not wait for the reservation to lapse. When this fails it will.
            let _ = write_json(&*self.store, &place, &stored(State::Failed, None), Condition::Matches(etag)).await;
            None
        };
        Ok(Sending { attempts, outcome, unrecorded })
    }

    /// A message that was sent is recorded whoever holds the reservation by now, and though the call is over.
    async fn record(&self, place: &ArtifactUri, stored: &Stored, call: &Call) -> Result<()> {
        let mut unhurried = call.clone();
        unhurried.deadline = None;
        let write = || async { write_json(&*self.store, place, stored, Condition::None).await.map(drop) };
        attempts(&unhurried, write).await.1
    }

    async fn wait_for(&self, key: &str, call: &Call) -> Result<Reserved> {
        for _ in 0..LOOKS {
            match self.reserve(key, call.clock.now()).await? {
                Reserved::ByAnother => call.pause(LOOK_AGAIN).await?,
                found => return Ok(found),
            }
        }
        Ok(Reserved::ByAnother)
    }

    async fn reserve(&self, key: &str, now: Timestamp) -> Result<Reserved> {
        let place = self.place(key);
        let condition = match find_json::<Stored>(&*self.store, &place).await? {
            None => Condition::Absent,
            Some((meta, stored)) => {
                let is_held = stored.state == State::Reserved && now.duration_since(stored.at) < HOLD;
                if let Some(receipt) = receipt(stored) {
                    return Ok(Reserved::SentBefore(receipt));
                }
                if is_held {
                    return Ok(Reserved::ByAnother);
                }
                Condition::Matches(meta.etag)
            }
        };
        let stored = Stored { key: mask_text(key), state: State::Reserved, at: now, message_ref: None };
        match write_json(&*self.store, &place, &stored, condition).await {
            Ok(meta) => Ok(Reserved::Ours { etag: meta.etag }),
            Err(error) if matches!(error.kind, ErrorKind::AlreadyExists | ErrorKind::Conflict) => {
                Ok(Reserved::ByAnother)
            }
            Err(error) => Err(error),
        }
    }

    fn place(&self, key: &str) -> ArtifactUri {
        self.root.join(&format!("{}.json", sha256_hex(key.as_bytes())))
    }
}

/// The receipt of a message that was sent.
fn receipt(stored: Stored) -> Option<MessageReceipt> {
    let is_sent = stored.state == State::Sent;
    stored.message_ref.filter(|_| is_sent).map(|message_ref| MessageReceipt { message_ref, deduplicated: true })
}

#[cfg(test)]
#[path = "sent_tests.rs"]
mod tests;
