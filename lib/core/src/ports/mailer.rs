//! Who carries mail.

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;

use super::MessageReceipt;
use super::message::{check_key, check_subject};
use crate::values::Mailbox;
use crate::{Error, Result};

/// A mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// Mails of the same key are the same mail.
    pub key: String,
    /// When it was written.
    pub date: Timestamp,
    /// Who it comes from.
    pub from: Mailbox,
    /// Who it goes to.
    pub to: Vec<Mailbox>,
    /// Who reads it too.
    pub cc: Vec<Mailbox>,
    /// Who answers go to; otherwise whom it comes from.
    pub reply_to: Option<Mailbox>,
    /// The subject, one line of at most 250 characters.
    pub subject: String,
    /// What is read where HTML is not shown.
    pub text: String,
    /// The text as an HTML page of its own, which loads nothing.
    pub html: Option<String>,
    /// What comes with it.
    pub attachments: Vec<Attachment>,
}

/// A file that comes with a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its name, without folders.
    pub name: String,
    /// Its media type, as `text/html`.
    pub media_type: String,
    /// What is in it.
    pub bytes: Bytes,
}

impl Email {
    /// The most readers of one mail, `to` and `cc` together. It is the limit of Amazon SES.
    pub const MOST_READERS: usize = 50;
    /// The most bytes of a mail on its way. It is the limit of Amazon SES, with some room for what is added there.
    pub const LARGEST: usize = 10_000_000;

    /// Whom it goes to: `to`, then `cc`.
    pub fn readers(&self) -> impl Iterator<Item = &Mailbox> {
        self.to.iter().chain(&self.cc)
    }

    /// `InvalidInput` that names the field when it cannot be a mail.
    pub fn check(&self) -> Result<()> {
        check_key(&self.key)?;
        check_subject(&self.subject)?;
        let readers = self.readers().count();
        if self.to.is_empty() {
            return Err(Error::invalid_input("a mail needs somebody to go to").at("to"));
        }
        if readers > Self::MOST_READERS {
            let message = format!("a mail goes to at most {} addresses, and not to {readers}", Self::MOST_READERS);
            return Err(Error::invalid_input(message).at("to").hint("send it to a mailing list"));
        }
        if self.text.trim().is_empty() {
            return Err(Error::invalid_input("a mail needs a text").at("text"));
        }
        for (index, attachment) in self.attachments.iter().enumerate() {
            let name = &attachment.name;
            let is_name = !name.is_empty() && name.len() <= 255 && !name.contains(['/', '\\']);
            if !is_name || name.chars().any(char::is_control) {
                return Err(Error::invalid_input("an attachment needs a name of at most 255 bytes without folders")
                    .at(format!("attachments[{index}]")));
            }
            let is_token = |part: &str| {
                let fits = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c);
                (1..=127).contains(&part.len()) && part.chars().all(fits)
            };
            if !attachment.media_type.split_once('/').is_some_and(|(kind, of)| is_token(kind) && is_token(of)) {
                return Err(Error::invalid_input(format!("`{name}` needs a media type such as text/html"))
                    .at(format!("attachments[{index}]")));
            }
        }
        Ok(())
    }
}

/// Sends mail.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Hands the mail over for delivery, as [`Email::to_mime`] writes it. A key that the adapter still knows is not sent
    /// again: the receipt is that of then, with `deduplicated`. Not every adapter remembers keys; that a mail is sent
    /// once is kept by the record of what was sent, which asks before it sends.
    async fn send(&self, email: &Email) -> Result<MessageReceipt>;
}
