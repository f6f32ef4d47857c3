//! Messages as files, for machines that can reach nobody.

use std::fs;
use std::io;
use std::path::PathBuf;

use async_trait::async_trait;
use mlops_core::masking::mask_text;
use mlops_core::ports::{Message, MessageReceipt, Messenger};
use mlops_core::values::{ArtifactUri, sha256_hex};
use mlops_core::{Error, Result};

use crate::files::{blocking, create_once, failure};

/// Delivers a message as two files in `<home>/outbox/<channel>/`, named by the hash of its key: `.md` for people and
/// `.json` for programs. The JSON file is written last and decides that the key is delivered.
#[derive(Debug, Clone)]
pub struct Outbox {
    home: PathBuf,
}

impl Outbox {
    /// The outbox of that home folder, which need not exist yet.
    pub fn new(home: impl Into<PathBuf>) -> Self {
        Self { home: home.into() }
    }
}

#[async_trait]
impl Messenger for Outbox {
    async fn deliver(&self, message: &Message) -> Result<MessageReceipt> {
        check(message)?;
        let message =
            Message { subject: mask_text(&message.subject), body: mask_text(&message.body), ..message.clone() };
        let home = self.home.clone();
        blocking(move || {
            let name = sha256_hex(message.key.as_bytes());
            let folder = home.join("outbox").join(&message.channel);
            let text = folder.join(format!("{}.md", &name[..16]));
            let record = text.with_extension("json");
            let failed = |error: io::Error| failure(error, "delivered", format!("the message {}", message.key));
            let receipt =
                |deduplicated| MessageReceipt { message_ref: ArtifactUri::from_path(&text).to_string(), deduplicated };
            if fs::exists(&record).map_err(failed)? {
                return Ok(receipt(true));
            }
            let json = serde_json::to_vec_pretty(&message)
                .map_err(|error| Error::internal("a message could not be written as JSON").caused_by(error))?;
            let page = format!("# {}\n\n{}\n", message.subject, message.body.trim_end());
            let drafts = home.join("tmp");
            create_once(&drafts, &text, page.as_bytes()).map_err(failed)?;
            Ok(receipt(!create_once(&drafts, &record, &json).map_err(failed)?))
        })
        .await
    }
}

fn check(message: &Message) -> Result<()> {
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if message.channel.is_empty() || message.channel.len() > 64 || !message.channel.chars().all(is_name) {
        return Err(Error::invalid_input(format!("`{}` is not the name of a channel", message.channel))
            .at("channel")
            .hint("write small letters, digits, hyphens and underscores"));
    }
    if message.key.is_empty() {
        return Err(Error::invalid_input("a message needs a key, by which a repeat is known").at("key"));
    }
    if message.subject.chars().any(char::is_control) {
        return Err(Error::invalid_input("the subject of a message is one line").at("subject"));
    }
    Ok(())
}
