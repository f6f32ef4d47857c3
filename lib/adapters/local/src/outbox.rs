//! Events and mail as files, for machines that can reach nobody.

use std::fs;
use std::io;
use std::path::PathBuf;

use async_trait::async_trait;
use mlops_core::Result;
use mlops_core::ports::{Email, Event, Mailer, MessageReceipt, Topics, json_bytes};
use mlops_core::values::sha256_hex;

use crate::files::{blocking, create_once, failure};

/// Keeps events as `<home>/outbox/events/<hash>.json` and mail as `<home>/outbox/mail/<hash>.eml`, which a mail program
/// opens. The hash is that of the key, so a key is kept once, whoever brings it. A receipt names the file below the home,
/// so that a record of it holds when the home is moved.
#[derive(Debug, Clone)]
pub struct Outbox {
    home: PathBuf,
}

impl Outbox {
    /// The outbox of that home folder, which need not exist yet.
    pub fn new(home: impl Into<PathBuf>) -> Self {
        Self { home: home.into() }
    }

    /// Keeps the bytes of a message unless its key is there.
    async fn keep(&self, folder: &'static str, key: &str, ending: &str, bytes: Vec<u8>) -> Result<MessageReceipt> {
        let message_ref = format!("outbox/{folder}/{}.{ending}", &sha256_hex(key.as_bytes())[..16]);
        let (path, drafts) = (self.home.join(&message_ref), self.home.join("tmp"));
        blocking(move || {
            let failed = |error: io::Error| failure(error, "kept", format!("the message {}", path.display()));
            let deduplicated =
                fs::exists(&path).map_err(failed)? || !create_once(&drafts, &path, &bytes).map_err(failed)?;
            Ok(MessageReceipt { message_ref, deduplicated })
        })
        .await
    }
}

#[async_trait]
impl Topics for Outbox {
    async fn publish(&self, event: &Event) -> Result<MessageReceipt> {
        let bytes = json_bytes(&event.checked()?)?;
        self.keep("events", &event.key, "json", bytes).await
    }
}

#[async_trait]
impl Mailer for Outbox {
    async fn send(&self, email: &Email) -> Result<MessageReceipt> {
        let bytes = email.to_mime()?;
        self.keep("mail", &email.key, "eml", bytes).await
    }
}
