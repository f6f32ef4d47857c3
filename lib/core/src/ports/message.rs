//! What is known of a message that was handed over.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The longest key of a message, in bytes.
const LONGEST_KEY: usize = 512;
/// The longest subject, in characters. A subject is one line in a list of messages.
pub(super) const LONGEST_SUBJECT: usize = 250;

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageReceipt {
    /// Where the message can be found, or what the service that took it knows it by.
    pub message_ref: String,
    /// Whether a message of that key had been taken before, so that this one was not.
    pub deduplicated: bool,
}

/// Checks what a repeat of a message is known by: 1 to 512 bytes without control characters.
pub(super) fn check_key(key: &str) -> Result<()> {
    if key.is_empty() {
        return Err(Error::invalid_input("a message needs a key, by which a repeat is known").at("key"));
    }
    if key.len() > LONGEST_KEY || key.chars().any(char::is_control) {
        let message = format!("the key of a message has at most {LONGEST_KEY} bytes and no control characters");
        return Err(Error::invalid_input(message).at("key"));
    }
    Ok(())
}

/// Checks a subject: one line of 1 to 250 characters.
pub(super) fn check_subject(subject: &str) -> Result<()> {
    if subject.chars().any(char::is_control) {
        return Err(Error::invalid_input("the subject of a message is one line").at("subject"));
    }
    if subject.trim().is_empty() {
        return Err(Error::invalid_input("a message needs a subject").at("subject"));
    }
    let length = subject.chars().count();
    if length > LONGEST_SUBJECT {
        return Err(Error::invalid_input(format!("the subject has {length} characters"))
            .at("subject")
            .hint(format!("a subject has at most {LONGEST_SUBJECT} characters: say more in the text")));
    }
    Ok(())
}
