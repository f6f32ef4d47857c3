//! Where messages to people go.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Lang, Result};

/// A message to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Messages of the same key are the same message: only the first is delivered.
    pub key: String,
    /// The channel it is meant for: `github`, `slack`, `email`, ….
    pub channel: String,
    /// The subject, one line.
    pub subject: String,
    /// The text, Markdown.
    pub body: String,
    /// The language of subject and body.
    pub lang: Lang,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageReceipt {
    /// Where the message can be found.
    pub message_ref: String,
    /// Whether a message of that key had been delivered before, so that this one was not.
    pub deduplicated: bool,
}

/// Delivers messages.
#[async_trait]
pub trait Messenger: Send + Sync {
    /// Delivers the message once: a key that was delivered before gives the receipt of then, with `deduplicated`.
    async fn deliver(&self, message: &Message) -> Result<MessageReceipt>;
}
