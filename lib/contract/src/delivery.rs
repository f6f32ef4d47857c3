//! What every topic, every mailer and every keeper of secrets keeps.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::future::join_all;
use mlops_core::ports::{Attachment, Email, Event, Mailer, MessageReceipt, Secrets, Topics};
use mlops_core::values::Mailbox;
use mlops_core::{ErrorKind, Result, masking};
use secrecy::ExposeSecret as _;
use serde_json::json;

/// Whether a service knows a key that it was given before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeats {
    /// A repeat is known, whoever makes it.
    Known,
    /// A repeat is a new message.
    New,
}

/// What a topic promises: it takes an event of any language, tells what it knows it by, and refuses what is none. One
/// that remembers keys takes a key once, whoever publishes it and however often.
pub async fn topics(topics: &dyn Topics, repeats: Repeats) {
    let event = |key: &str, subject: &str| Event {
        key: format!("contract/{key}"),
        group: key.to_owned(),
        subject: subject.to_owned(),
        attributes: BTreeMap::from([("event".to_owned(), "完了".to_owned()), ("run_id".to_owned(), key.to_owned())]),
        body: json!({"text": "# 結果\n\nThe model is *good*.\n", "version": 3, "approval": null}),
    };
    let receipts = [
        topics.publish(&event("run-1", "ペンギン: 完了")).await.unwrap(),
        topics.publish(&event("run-1", "Done, once more")).await.unwrap(),
        topics.publish(&event("run-2", "Done")).await.unwrap(),
    ];
    told_apart(&receipts, repeats);
    let raced = event("run-3", "Done");
    one_of_many(&join_all((0..16).map(|_| topics.publish(&raced))).await, repeats);
    let longest = event("run-4", &"ペ".repeat(250));
    assert!(!topics.publish(&longest).await.unwrap().deduplicated, "a subject of 250 characters is taken");
    for (wrong, field) in [
        (Event { key: String::new(), ..event("x", "Done") }, "key"),
        (event("x", "two\nlines"), "subject"),
        (Event { body: json!("x".repeat(Event::LARGEST)), ..event("x", "Done") }, "body"),
    ] {
        let error = topics.publish(&wrong).await.unwrap_err();
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some(field)));
    }
}

/// What a mailer promises: it takes a mail of any language with its files, tells what it knows it by, and refuses what
/// is none. One that remembers keys takes a key once. The mail comes `from` and goes to `to`.
pub async fn mailer(mailer: &dyn Mailer, from: &Mailbox, to: &Mailbox, repeats: Repeats) {
    let mail = |key: &str, subject: &str| Email {
        key: format!("contract/{key}"),
        date: "2026-01-02T03:04:05Z".parse().unwrap(),
        from: from.clone(),
        to: vec![to.clone()],
        cc: Vec::new(),
        reply_to: Some(from.clone()),
        subject: subject.to_owned(),
        text: "# 結果\n\nThe model is *good*.\n".to_owned(),
        html: Some("<h1>結果</h1>\n<p>The model is <em>good</em>.</p>\n".to_owned()),
        attachments: vec![Attachment {
            name: "結果.csv".to_owned(),
            media_type: "text/csv".to_owned(),
            bytes: Bytes::from_static(b"species,count\nAdelie,152\n"),
        }],
    };
    let receipts = [
        mailer.send(&mail("run-1", "ペンギン: 完了")).await.unwrap(),
        mailer.send(&mail("run-1", "Done, once more")).await.unwrap(),
        mailer.send(&mail("run-2", "Done")).await.unwrap(),
    ];
    told_apart(&receipts, repeats);
    let raced = mail("run-3", "Done");
    one_of_many(&join_all((0..8).map(|_| mailer.send(&raced))).await, repeats);
    let large = Attachment {
        name: "a.bin".to_owned(),
        media_type: "application/octet-stream".to_owned(),
        bytes: Bytes::from(vec![7; Email::LARGEST]),
    };
    for (wrong, field) in [
        (mail("x", "x\r\nBcc: victim@example.com"), "subject"),
        (Email { to: Vec::new(), ..mail("x", "Done") }, "to"),
        (Email { attachments: vec![large], ..mail("x", "Done") }, "attachments"),
    ] {
        let error = mailer.send(&wrong).await.unwrap_err();
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some(field)));
    }
}

/// The receipts of a message, of a repeat and of another one.
fn told_apart([first, again, other]: &[MessageReceipt; 3], repeats: Repeats) {
    assert!(!first.deduplicated && !first.message_ref.is_empty());
    if repeats == Repeats::Known {
        assert!(again.deduplicated, "a key is taken once");
        assert_eq!(again.message_ref, first.message_ref, "a repeat names the message that was taken");
    }
    assert!(!other.deduplicated, "another key is another message");
    assert_ne!(other.message_ref, first.message_ref);
}

fn one_of_many(receipts: &[Result<MessageReceipt>], repeats: Repeats) {
    let taken = receipts.iter().filter(|receipt| !receipt.as_ref().unwrap().deduplicated).count();
    assert!(repeats == Repeats::New || taken == 1, "of many that bring a key at once, one is taken, and not {taken}");
}

/// What a keeper of secrets promises. `name` has the value `value`, which no other secret has; `missing` has none.
pub async fn secrets(secrets: &dyn Secrets, (name, value): (&str, &str), missing: &str) {
    let secret = secrets.secret(name).await.unwrap();
    assert_eq!(secret.expose_secret(), value);
    assert!(!format!("{secret:?}").contains(value), "a secret does not print itself");
    let log = masking::mask_text(&format!("connecting with {value} now"));
    assert!(!log.contains(value), "a secret that was read is masked from then on");
    assert_eq!(secrets.refreshed(name).await.unwrap().expose_secret(), value, "it has not changed");
    for error in [secrets.secret(missing).await.unwrap_err(), secrets.refreshed(missing).await.unwrap_err()] {
        assert_eq!(error.kind, ErrorKind::NotFound);
        assert!(error.message.contains(missing), "the message names the secret: {}", error.message);
        assert!(error.hint.is_some(), "the hint says how to set it");
    }
    for wrong in ["", "../etc/passwd", "mlops/", "mlops/github token", "mlops/\n"] {
        for error in [secrets.secret(wrong).await.unwrap_err(), secrets.refreshed(wrong).await.unwrap_err()] {
            assert!(matches!(error.kind, ErrorKind::NotFound | ErrorKind::InvalidInput), "{wrong:?}");
        }
    }
    let asked = join_all((0..16).map(|_| secrets.secret(name))).await;
    assert!(asked.into_iter().all(|secret| secret.unwrap().expose_secret() == value), "many may ask at once");
}
