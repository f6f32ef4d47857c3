//! Mail as it goes out, and what is said when it does not.

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use mail_parser::{MessageParser, MimeHeaders as _};
use mlops_core::ErrorKind;
use mlops_core::ports::Mailer;
use serde_json::{Value, json};

use super::*;
use crate::sample_room::SampleRoom;

fn arguments(more: &Value) -> Value {
    let mut all = json!({"subject": "ペンギン: 完了", "body": "# 結果\n\n精度は **0.98** です。<b>太字</b>\n"});
    for (name, value) in more.as_object().unwrap() {
        all[name] = value.clone();
    }
    all
}

async fn send(room: &SampleRoom, more: &Value) -> Result<Value> {
    let entry = crate::tools::TOOLS.iter().find(|entry| entry.name == SendEmailNotification::NAME).unwrap();
    let call = Call::new("q").in_run("run-1").in_lang(Lang::Ja);
    (entry.run)(&room.room, &call, arguments(more)).await.map(|outcome| outcome.value)
}

/// The mails in the outbox.
fn mails(room: &SampleRoom) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(room.folder.path().join("outbox/mail")) else { return Vec::new() };
    entries.map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
}

#[tokio::test]
async fn a_mail_goes_out_as_text_and_page_with_its_files() {
    let room = SampleRoom::new();
    let report = room.folder.path().join("store/報告.html");
    std::fs::create_dir_all(report.parent().unwrap()).unwrap();
    std::fs::write(&report, "<h1>報告</h1>").unwrap();
    let more = json!({"to": ["Ana <ana@example.com>", "b@example.com"], "cc": ["c@example.com"],
        "reply_to": "answers@example.com", "attachments": [format!("file://{}", report.display())]});
    let sent = send(&room, &more).await.unwrap();
    assert_eq!(
        (&sent["delivered"], &sent["attempts"], &sent["deduplicated"]),
        (&json!(true), &json!(1), &json!(false))
    );
    assert_eq!(sent["readers"], json!(["Ana <ana@example.com>", "b@example.com", "c@example.com"]));
    assert!(sent["message_ref"].as_str().unwrap().starts_with("outbox/mail/") && sent["html"].is_null(), "{sent:#}");
    let mails = mails(&room);
    assert_eq!(sent["bytes"], mails[0].len());
    let mail = MessageParser::default().parse(&mails[0]).unwrap();
    assert_eq!(mail.subject(), Some("ペンギン: 完了"));
    assert_eq!(mail.from().unwrap().first().unwrap().name.as_deref(), Some("学習"));
    assert!(mail.body_text(0).unwrap().contains("精度は **0.98** です。"));
    let page = mail.body_html(0).unwrap();
    assert!(page.contains("<html lang=\"ja\">") && page.contains("<strong>0.98</strong>"), "{page}");
    assert!(page.contains("&lt;b&gt;太字"), "{page}");
    let file = mail.attachment(0).unwrap();
    assert_eq!((file.attachment_name(), file.contents()), (Some("報告.html"), "<h1>報告</h1>".as_bytes()));
}

#[tokio::test]
async fn the_same_mail_is_sent_once() {
    let room = SampleRoom::new();
    let first = send(&room, &json!({})).await.unwrap();
    let again = send(&room, &json!({})).await.unwrap();
    assert_eq!((&again["deduplicated"], &again["attempts"]), (&json!(true), &json!(0)));
    assert_eq!(again["message_ref"], first["message_ref"]);
    let other = send(&room, &json!({"body": "another text"})).await.unwrap();
    assert_eq!(other["deduplicated"], false);
    // A key that is chosen by hand is what counts.
    for (body, repeated) in [("a", false), ("b", true)] {
        let sent = send(&room, &json!({"body": body, "key": "run-1/completed"})).await.unwrap();
        assert_eq!((&sent["deduplicated"], &sent["key"]), (&json!(repeated), &json!("mail/run-1/completed")));
    }
    assert_eq!(mails(&room).len(), 3);
}

#[tokio::test]
async fn a_dry_run_shows_the_mail_and_sends_none() {
    let room = SampleRoom::new();
    let shown = send(&room, &json!({"dry_run": true})).await.unwrap();
    assert_eq!((&shown["delivered"], &shown["deduplicated"]), (&json!(false), &json!(false)));
    assert_eq!(shown["readers"], json!(["team@example.com"]));
    assert!(shown["html"].as_str().unwrap().contains("<h1>結果</h1>") && mails(&room).is_empty());
    let sent = send(&room, &json!({})).await.unwrap();
    let shown = send(&room, &json!({"dry_run": true})).await.unwrap();
    assert_eq!((&shown["deduplicated"], &shown["key"]), (&json!(true), &sent["key"]));
}

#[tokio::test]
async fn what_cannot_be_sent_names_the_field() {
    let room = SampleRoom::new();
    let large = room.folder.path().join("large.bin");
    std::fs::write(&large, vec![0; LARGEST_ATTACHMENTS as usize + 1]).unwrap();
    let small = room.folder.path().join("small.txt");
    std::fs::write(&small, "x").unwrap();
    let many: Vec<_> = (0..11).map(|_| small.clone()).collect();
    let fits: Vec<String> = (0..51).map(|number| format!("a{number}@example.com")).collect();
    for (more, field) in [
        (json!({"to": ["a@example.com", "b"]}), "to[1]"),
        (json!({"to": ["a@example.com\nBcc: victim@example.com"]}), "to[0]"),
        (json!({"to": fits}), "to"),
        (json!({"cc": ["a@b.example, c@d.example"]}), "cc[0]"),
        (json!({"reply_to": "nobody"}), "reply_to"),
        (json!({"subject": "x\r\nBcc: victim@example.com"}), "subject"),
        (json!({"subject": "x".repeat(251)}), "subject"),
        (json!({"body": " \n"}), "body"),
        (json!({"body": "x".repeat(LONGEST_BODY + 1)}), "body"),
        (json!({"attachments": [small, large]}), "attachments[1]"),
        (json!({"attachments": ["nowhere.html"]}), "attachments[0]"),
        (json!({"attachments": many}), "attachments"),
        (json!({"key": ""}), "key"),
        (json!({"key": "ghp_abcdefghijklmnop"}), "key"),
        (json!({"bcc": ["a@example.com"]}), "bcc"),
    ] {
        let error = send(&room, &more).await.unwrap_err();
        assert_eq!(error.field.as_deref(), Some(field), "{}", error.message);
        assert!(!error.message.contains("abcdefghijklmnop"));
    }
    assert!(mails(&room).is_empty());
    let nobody = SampleRoom::with(|name| (name == "MLOPS_MAIL_FROM").then(|| "mlops@example.com".to_owned()));
    assert_eq!(send(&nobody, &json!({})).await.unwrap_err().field.as_deref(), Some("to"));
}

#[tokio::test]
async fn mail_that_is_not_connected_is_reported() {
    let room = SampleRoom::with(|_| None);
    let told = send(&room, &json!({"to": ["a@example.com"]})).await.unwrap();
    assert_eq!((&told["delivered"], &told["attempts"]), (&json!(false), &json!(0)));
    assert!(told["error"].as_str().unwrap().contains("MLOPS_MAIL_FROM"), "{told:#}");
    assert!(mails(&room).is_empty());
}

/// A mail service that answers so the first times, and then takes the mail.
struct Moody {
    answers: Vec<fn() -> Error>,
    asked: AtomicU32,
}

#[async_trait]
impl Mailer for Moody {
    async fn send(&self, _: &Email) -> Result<MessageReceipt> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        match self.answers.get(number as usize) {
            Some(error) => Err(error()),
            None => Ok(MessageReceipt { message_ref: format!("ses:{number}"), deduplicated: false }),
        }
    }
}

fn moody(answers: &[fn() -> Error]) -> SampleRoom {
    SampleRoom::new().mailing_by(Moody { answers: answers.to_vec(), asked: AtomicU32::new(0) })
}

#[tokio::test]
async fn a_service_that_is_busy_is_asked_again() {
    let room = moody(&[|| Error::throttled("one mail a second"), || Error::unavailable("no connection")]);
    let sent = send(&room, &json!({})).await.unwrap();
    assert_eq!(
        (&sent["delivered"], &sent["attempts"], &sent["message_ref"]),
        (&json!(true), &json!(3), &json!("ses:2"))
    );
}

#[tokio::test]
async fn a_service_that_refuses_is_reported_and_the_next_call_tries_again() {
    let refused: fn() -> Error = || Error::forbidden("the address is not verified").hint("verify it");
    let room = moody(&[refused]);
    let told = send(&room, &json!({})).await.unwrap();
    assert_eq!((&told["delivered"], &told["attempts"], &told["message_ref"]), (&json!(false), &json!(1), &Value::Null));
    assert_eq!(told["error"], "Forbidden: the address is not verified (verify it)");
    let sent = send(&room, &json!({})).await.unwrap();
    assert_eq!((&sent["delivered"], &sent["error"]), (&json!(true), &Value::Null));
    let summary =
        |value: &Value, lang| serde_json::from_value::<SentEmailNotification>(value.clone()).unwrap().summary(lang);
    assert!(summary(&told, Lang::En).contains("was not sent: Forbidden"));
    assert_eq!(summary(&sent, Lang::Ja), "team@example.com にメールを送信しました");
}

#[tokio::test]
async fn a_call_that_is_over_sends_nothing() {
    let room = SampleRoom::new();
    let call = Call::new("q");
    call.cancellation.cancel();
    let error = SendEmailNotification::new("s", "b").run(&room.room, &call).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TimedOut);
    assert!(mails(&room).is_empty());
}
