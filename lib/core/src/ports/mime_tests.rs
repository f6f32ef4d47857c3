//! What a mail program makes of a mail.

use bytes::Bytes;
use mail_parser::{MessageParser, MimeHeaders as _};

use super::*;
use crate::ErrorKind;

fn mailbox(text: &str) -> Mailbox {
    Mailbox::new(text).unwrap()
}

fn mail() -> Email {
    Email {
        key: "run-1/completed".to_owned(),
        date: "2026-01-02T03:04:05Z".parse().unwrap(),
        from: mailbox("学習チーム <mlops@example.com>"),
        to: vec![mailbox("a@example.com"), mailbox("\"B, C\" <b@example.com>")],
        cc: vec![mailbox("c@example.com")],
        reply_to: Some(mailbox("answers@example.com")),
        subject: "ペンギンのモデル: 学習が完了しました (判定: promote) — 使用中のバージョンは 3 です".to_owned(),
        text: "結果は **良好** です。\n\n.\nFrom the start\n".to_owned(),
        html: Some("<p>結果は <strong>良好</strong> です。</p>\n".to_owned()),
        attachments: vec![
            attachment("報告 \"1\".html", "text/html", "<h1>報告</h1>\n\r\nlast line without end".as_bytes()),
            attachment("curve.png", "image/png", &(0..=255).collect::<Vec<u8>>()),
        ],
    }
}

fn attachment(name: &str, media_type: &str, bytes: &[u8]) -> Attachment {
    Attachment { name: name.to_owned(), media_type: media_type.to_owned(), bytes: Bytes::copy_from_slice(bytes) }
}

#[test]
fn a_mail_program_reads_what_was_written() {
    let mail = mail();
    let bytes = mail.to_mime().unwrap();
    assert!(bytes.is_ascii(), "every server takes it");
    for line in bytes.split(|byte| *byte == b'\n') {
        assert!(line.len() <= 999 && line.last().is_none_or(|last| *last == b'\r'), "{line:?}");
    }
    let read = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(read.subject(), Some(&mail.subject[..]));
    let people = |address: Option<&mail_parser::Address<'_>>| {
        let all = address.unwrap().iter();
        all.map(|one| format!("{:?} {}", one.name.as_deref(), one.address.as_deref().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(people(read.from()), ["Some(\"学習チーム\") mlops@example.com"]);
    assert_eq!(people(read.to()), ["None a@example.com", "Some(\"B, C\") b@example.com"]);
    assert_eq!(people(read.cc()), ["None c@example.com"]);
    assert_eq!(people(read.reply_to()), ["None answers@example.com"]);
    assert_eq!(read.date().unwrap().to_rfc3339(), "2026-01-02T03:04:05Z");
    assert_eq!(read.body_text(0).unwrap().replace("\r\n", "\n"), mail.text);
    assert_eq!(read.body_html(0).unwrap().replace("\r\n", "\n"), mail.html.clone().unwrap());
    let kept: Vec<_> = read.attachments().collect();
    assert_eq!(kept.len(), 2);
    for (kept, given) in kept.iter().zip(&mail.attachments) {
        assert_eq!(kept.attachment_name(), Some(&given.name[..]));
        assert_eq!(kept.contents(), &given.bytes[..], "{}", given.name);
        let kind = kept.content_type().unwrap();
        assert_eq!(format!("{}/{}", kind.ctype(), kind.subtype().unwrap()), given.media_type);
    }
}

#[test]
fn the_same_mail_has_the_same_bytes_and_a_key_has_one_id() {
    let bytes = mail().to_mime().unwrap();
    assert_eq!(mail().to_mime().unwrap(), bytes);
    let id = |mail: &Email| {
        let bytes = mail.to_mime().unwrap();
        MessageParser::default().parse(&bytes).unwrap().message_id().unwrap().to_owned()
    };
    let other = Email { text: "another text".to_owned(), ..mail() };
    assert_eq!(id(&mail()), id(&other), "the key is the same");
    assert!(id(&mail()).ends_with("@example.com"));
    assert_ne!(id(&mail()), id(&Email { key: "run-2/completed".to_owned(), ..mail() }));
}

#[test]
fn a_text_alone_is_a_mail_and_secrets_are_masked() {
    let mail = Email {
        cc: Vec::new(),
        reply_to: None,
        html: None,
        attachments: Vec::new(),
        subject: "ghp_abcdefghijklmnop".to_owned(),
        text: "see ghp_abcdefghijklmnop".to_owned(),
        ..mail()
    };
    let bytes = mail.to_mime().unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(!text.contains("abcdefghijklmnop") && !text.contains("multipart") && !text.contains("Cc:"), "{text}");
    assert!(text.contains("Auto-Submitted: auto-generated\r\n"), "{text}");
}

#[test]
fn nothing_in_a_mail_becomes_a_header() {
    let evil = "x\r\nBcc: victim@example.com";
    for (wrong, field) in [
        (Email { subject: evil.to_owned(), ..mail() }, "subject"),
        (Email { key: evil.to_owned(), ..mail() }, "key"),
        (Email { attachments: vec![attachment(evil, "text/html", b"x")], ..mail() }, "attachments[0]"),
        (Email { attachments: vec![attachment("a", evil, b"x")], ..mail() }, "attachments[0]"),
    ] {
        let error = wrong.to_mime().unwrap_err();
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some(field)));
    }
    // In a text it is a text.
    let bytes = Email { text: format!("{evil}\r\n"), ..mail() }.to_mime().unwrap();
    let read = MessageParser::default().parse(&bytes).unwrap();
    assert!(read.bcc().is_none() && read.body_text(0).unwrap().contains("Bcc:"));
}

#[test]
fn what_is_no_mail_names_the_field() {
    let crowd: Vec<Mailbox> = (0..50).map(|number| mailbox(&format!("a{number}@example.com"))).collect();
    for (wrong, field) in [
        (Email { key: String::new(), ..mail() }, "key"),
        (Email { subject: " ".to_owned(), ..mail() }, "subject"),
        (Email { subject: "ペ".repeat(251), ..mail() }, "subject"),
        (Email { to: Vec::new(), ..mail() }, "to"),
        (Email { to: crowd.clone(), ..mail() }, "to"),
        (Email { text: "\n".to_owned(), ..mail() }, "text"),
        (Email { attachments: vec![attachment("", "text/html", b"x")], ..mail() }, "attachments[0]"),
        (Email { attachments: vec![attachment("../x", "text/html", b"x")], ..mail() }, "attachments[0]"),
        (Email { attachments: vec![attachment("a", "html", b"x")], ..mail() }, "attachments[0]"),
        (Email { attachments: vec![attachment("a", "image/png", &[0; 8_000_000])], ..mail() }, "attachments"),
    ] {
        let error = wrong.to_mime().unwrap_err();
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some(field)), "{}", error.message);
    }
    assert!(Email { to: crowd, cc: Vec::new(), ..mail() }.to_mime().is_ok());
}
