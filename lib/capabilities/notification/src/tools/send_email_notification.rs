//! Sends a mail.

use bytes::Bytes;
use mlops_core::masking::mask_text;
use mlops_core::ports::{Attachment, Email, MessageReceipt};
use mlops_core::settings::{MAIL_FROM, MAIL_TO};
use mlops_core::values::{ArtifactUri, Mailbox, sha256_hex};
use mlops_core::{Call, Effect, Error, Lang, Report, Result, Tool, media_type};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Notification;
use crate::page::page;

/// The longest page that is repeated in the result, in bytes.
const LONGEST_INLINE: usize = 16 * 1024;
/// The longest text, in bytes: more is a report, which is attached.
const LONGEST_BODY: usize = 128 * 1024;
/// The most files, and the most bytes of all of them. On its way a file is a third longer.
const MOST_ATTACHMENTS: usize = 10;
const LARGEST_ATTACHMENTS: u64 = 7_000_000;

/// Send a mail: the Markdown as text and as a plain HTML page, with files from the store. The same mail is sent once:
/// a repeat gives the receipt of the first. When the mail service does not answer or refuses the mail, that is
/// reported in the result and is no error.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendEmailNotification {
    /// Who it goes to: someone@example.com or Name <someone@example.com>; by default those whom the settings name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub to: Vec<Mailbox>,
    /// Who reads it too. With `to` at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub cc: Vec<Mailbox>,
    /// Who answers go to; by default whom it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Mailbox>,
    /// The subject, one line of at most 250 characters.
    #[schemars(length(min = 1, max = 250))]
    pub subject: String,
    /// The text, Markdown, at most 128 KiB.
    #[schemars(length(min = 1))]
    pub body: String,
    /// Files that come with it: at most 10, and 7 MB together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub attachments: Vec<ArtifactUri>,
    /// What a repeat is known by: mails of the same key are one mail. By default it follows from all that is in the
    /// mail, and from the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The language of the text; by default that of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<Lang>,
    /// Show the mail and send nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// What became of the mail.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct SentEmailNotification {
    /// Whether the mail service has taken it, now or before.
    pub delivered: bool,
    /// How often it was tried now.
    pub attempts: u32,
    /// What the mail service knows it by, or where it lies; null when it was not delivered.
    pub message_ref: Option<String>,
    /// Whether it had been sent before, so that it was not sent now.
    pub deduplicated: bool,
    /// Why it was not delivered, or what went wrong besides; otherwise null.
    pub error: Option<String>,
    /// Who it goes to, and who reads it too.
    pub readers: Vec<String>,
    /// What a repeat is known by.
    pub key: String,
    /// The size on its way, in bytes.
    pub bytes: u64,
    /// The page that is shown, in a dry run; otherwise null, and when it is longer than 16 KiB.
    pub html: Option<String>,
    /// Whether nothing was sent.
    pub dry_run: bool,
}

impl SendEmailNotification {
    /// A mail to those whom the settings name.
    pub fn new(subject: impl Into<String>, body: impl Into<String>) -> Self {
        Self {
            to: Vec::new(),
            cc: Vec::new(),
            reply_to: None,
            subject: subject.into(),
            body: body.into(),
            attachments: Vec::new(),
            key: None,
            lang: None,
            dry_run: false,
        }
    }

    fn check(&self) -> Result<()> {
        if self.body.trim().is_empty() {
            return Err(Error::invalid_input("a mail needs a text").at("body"));
        }
        if self.body.len() > LONGEST_BODY {
            return Err(Error::invalid_input(format!("the text has {} bytes", self.body.len()))
                .at("body")
                .hint(format!("a text has at most {LONGEST_BODY} bytes: attach the rest")));
        }
        if self.attachments.len() > MOST_ATTACHMENTS {
            let message = format!("a mail has at most {MOST_ATTACHMENTS} files, and not {}", self.attachments.len());
            return Err(Error::invalid_input(message).at("attachments").hint("attach an archive"));
        }
        Ok(())
    }

    /// What a repeat is known by. What is chosen by hand can be no hash, and no other tool's key.
    fn key(&self, email: &Email, call: &Call) -> Result<String> {
        if let Some(key) = &self.key {
            if key.is_empty() || key.len() > 200 || key.chars().any(char::is_control) || mask_text(key) != *key {
                let message = "`key` has 1 to 200 bytes, no control characters and no secret";
                return Err(Error::invalid_input(message).at("key"));
            }
            return Ok(format!("mail/{key}"));
        }
        let files = email.attachments.iter().map(|file| json!([file.name, sha256_hex(&file.bytes)]));
        let parts = json!([
            email.from,
            email.to,
            email.cc,
            email.reply_to,
            email.subject,
            email.text,
            files.collect::<Vec<_>>(),
            call.run_id
        ]);
        Ok(format!("mail#{}", sha256_hex(parts.to_string().as_bytes())))
    }

    async fn files(&self, room: &Notification) -> Result<Vec<Attachment>> {
        let mut files = Vec::with_capacity(self.attachments.len());
        let mut left = LARGEST_ATTACHMENTS;
        for (index, uri) in self.attachments.iter().enumerate() {
            let bytes = read(room, uri, left).await.map_err(|error| error.at(format!("attachments[{index}]")))?;
            left -= bytes.len() as u64;
            let name = uri.file_name();
            files.push(Attachment { name: name.to_owned(), media_type: media_type(name).to_owned(), bytes });
        }
        Ok(files)
    }
}

/// The bytes of a file of which there is room for `left`.
async fn read(room: &Notification, uri: &ArtifactUri, left: u64) -> Result<Bytes> {
    let (meta, body) = room.store.get(uri, None).await?;
    if meta.bytes > left {
        let message = format!("`{uri}` has {} bytes, and there is room for {left} more", meta.bytes);
        return Err(Error::invalid_input(message)
            .hint(format!("all files of a mail have at most {LARGEST_ATTACHMENTS} bytes: write where the file lies")));
    }
    body.collect(left).await
}

impl Tool for SendEmailNotification {
    const NAME: &'static str = "send_email_notification";
    const TITLE: &'static str = "Send a mail";
    const EFFECT: Effect = Effect::Create;
    type Capability = Notification;
    type Output = SentEmailNotification;

    async fn run(self, room: &Notification, call: &Call) -> Result<SentEmailNotification> {
        self.check()?;
        let to = if self.to.is_empty() { mailboxes(&room.mail.to)? } else { self.to.clone() };
        if to.is_empty() {
            let hint = format!("give `to`, or set {}", MAIL_TO.name);
            return Err(Error::invalid_input("the mail goes to nobody").at("to").hint(hint));
        }
        let Some(from) = &room.mail.from else {
            let message = format!("mail is not connected: set {} to the address that it comes from", MAIL_FROM.name);
            let readers = to.iter().chain(&self.cc).map(ToString::to_string).collect();
            let (key, html, error) = (self.key.unwrap_or_default(), None, Some(format!("NotFound: {message}")));
            return Ok(SentEmailNotification {
                delivered: false,
                attempts: 0,
                message_ref: None,
                deduplicated: false,
                error,
                readers,
                key,
                bytes: 0,
                html,
                dry_run: self.dry_run,
            });
        };
        let (subject, text) = (mask_text(&self.subject), mask_text(&self.body));
        let mut email = Email {
            key: String::new(),
            date: call.clock.now(),
            from: Mailbox::new(from).map_err(|error| error.at(MAIL_FROM.name))?,
            to,
            cc: self.cc.clone(),
            reply_to: self.reply_to.clone(),
            html: Some(page(&subject, &text, self.lang.unwrap_or(call.lang))),
            subject,
            text,
            attachments: self.files(room).await?,
        };
        email.key = self.key(&email, call)?;
        let bytes = email.to_mime()?.len() as u64;
        call.check()?;
        let mut sent = SentEmailNotification {
            delivered: false,
            attempts: 0,
            message_ref: None,
            deduplicated: false,
            error: None,
            readers: email.readers().map(ToString::to_string).collect(),
            key: email.key.clone(),
            bytes,
            html: email.html.clone().filter(|html| self.dry_run && html.len() <= LONGEST_INLINE),
            dry_run: self.dry_run,
        };
        if self.dry_run {
            sent.deduplicated = room.sent.find(&email.key).await?.is_some();
            return Ok(sent);
        }
        let sending = room.sent.once(&email.key, call, || room.mailer.send(&email)).await?;
        sent.attempts = sending.attempts;
        match sending.outcome {
            Ok(MessageReceipt { message_ref, deduplicated }) => {
                sent.delivered = true;
                sent.message_ref = Some(message_ref);
                sent.deduplicated = deduplicated;
                sent.error = sending.unrecorded.map(|error| {
                    format!("it was sent, and that could not be recorded, so a repeat would send it again: {error}")
                });
            }
            Err(error) => sent.error = Some(said(&error)),
        }
        Ok(sent)
    }
}

/// The error in one line.
fn said(error: &Error) -> String {
    let hint = error.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
    format!("{}: {}{hint}", error.kind, error.message)
}

fn mailboxes(addresses: &[String]) -> Result<Vec<Mailbox>> {
    addresses.iter().map(|text| Mailbox::new(text).map_err(|error| error.at(MAIL_TO.name))).collect()
}

impl Report for SentEmailNotification {
    fn summary(&self, lang: Lang) -> String {
        let readers = self.readers.join(", ");
        match (lang, &self.error) {
            (Lang::En, _) if self.dry_run && self.error.is_none() => {
                format!("A mail of {} bytes would go to {readers}", self.bytes)
            }
            (Lang::Ja, _) if self.dry_run && self.error.is_none() => {
                format!("{readers} に {} バイトのメールを送信します（確認のみ）", self.bytes)
            }
            (Lang::En, _) if self.deduplicated => format!("The mail to {readers} had been sent before"),
            (Lang::Ja, _) if self.deduplicated => format!("{readers} へのメールは送信済みです"),
            (Lang::En, _) if self.delivered => format!("A mail was sent to {readers}"),
            (Lang::Ja, _) if self.delivered => format!("{readers} にメールを送信しました"),
            (Lang::En, error) => {
                format!("The mail to {readers} was not sent: {}", error.as_deref().unwrap_or("no reason was given"))
            }
            (Lang::Ja, error) => {
                format!("{readers} にメールを送信できませんでした: {}", error.as_deref().unwrap_or("理由は不明です"))
            }
        }
    }
}

#[cfg(test)]
#[path = "send_email_notification_tests.rs"]
mod tests;
