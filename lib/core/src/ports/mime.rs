//! A mail as the bytes that mail programs read (RFC 5322 and MIME).

use std::borrow::Cow;

use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::text::Text;
use mail_builder::mime::{BodyPart, MimePart};

use super::{Attachment, Email};
use crate::masking::mask_text;
use crate::values::{Mailbox, Sha256};
use crate::{Error, Result};

impl Email {
    /// The whole mail as it is sent: headers, the text, the same as HTML, and what comes with it. Secrets in what people
    /// read are masked. The same mail gives the same bytes, and its `Message-ID` follows from its key, so that a mail
    /// program that gets it twice can know it. `InvalidInput` names the field when it cannot be a mail.
    pub fn to_mime(&self) -> Result<Vec<u8>> {
        self.check()?;
        let digest = self.digest();
        let mut builder = MessageBuilder::new()
            .from(address(&self.from))
            .to(Address::new_list(self.to.iter().map(address).collect()));
        if !self.cc.is_empty() {
            builder = builder.cc(Address::new_list(self.cc.iter().map(address).collect()));
        }
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(address(reply_to));
        }
        let builder = builder
            .subject(mask_text(&self.subject))
            .date(self.date.as_second())
            .message_id(self.message_id())
            // Programs that answer mail by themselves leave it alone (RFC 3834).
            .header("Auto-Submitted", Text::new("auto-generated"))
            .body(self.body(&digest));
        let mut bytes = Vec::new();
        builder.serialize(&mut bytes);
        if bytes.len() > Self::LARGEST {
            return Err(Error::invalid_input(format!("the mail has {} bytes on its way", bytes.len()))
                .at("attachments")
                .hint(format!("a mail has at most {} bytes: link to the large files instead", Self::LARGEST)));
        }
        Ok(bytes)
    }

    /// What the mail is known by on its way: the hash of its key, at the sender's domain.
    fn message_id(&self) -> String {
        format!("{}@{}", &crate::values::sha256_hex(self.key.as_bytes())[..32], self.from.domain())
    }

    fn body(&self, digest: &str) -> MimePart<'_> {
        let text = text_part("text/plain", mask_text(&self.text));
        let readable = match &self.html {
            None => text,
            Some(html) => several("alternative", digest, vec![text, text_part("text/html", mask_text(html))]),
        };
        if self.attachments.is_empty() {
            return readable;
        }
        let mut parts = vec![readable];
        parts.extend(self.attachments.iter().map(attached));
        several("mixed", digest, parts)
    }

    /// The hash of what is in the mail. Text that holds its own hash cannot be made, so it parts the parts.
    fn digest(&self) -> String {
        let mut hash = Sha256::default();
        for part in [&self.key, &self.text, self.html.as_ref().unwrap_or(&String::new())] {
            hash.update(part.as_bytes());
            hash.update(&[0]);
        }
        for attachment in &self.attachments {
            hash.update(&attachment.bytes);
            hash.update(&[0]);
        }
        hash.hex()
    }
}

fn address(mailbox: &Mailbox) -> Address<'_> {
    Address::new_address(mailbox.name(), mailbox.address())
}

fn text_part(media_type: &'static str, text: String) -> MimePart<'static> {
    MimePart::new(media_type, BodyPart::Text(Cow::Owned(text)))
}

fn attached(attachment: &Attachment) -> MimePart<'_> {
    let mut content_type = ContentType::new(&attachment.media_type);
    if content_type.is_text() && std::str::from_utf8(&attachment.bytes).is_ok() {
        content_type = content_type.attribute("charset", "utf-8");
    }
    let bytes = BodyPart::Binary(Cow::Borrowed(&attachment.bytes[..]));
    MimePart::new(content_type, bytes).attachment(&attachment.name)
}

/// Parts of a mail, and what stands between them.
fn several<'a>(how: &str, digest: &str, parts: Vec<MimePart<'a>>) -> MimePart<'a> {
    let boundary = format!("{how}-{}", &digest[..32]);
    MimePart::new(ContentType::new(format!("multipart/{how}")).attribute("boundary", boundary), parts)
}

#[cfg(test)]
#[path = "mime_tests.rs"]
mod tests;
