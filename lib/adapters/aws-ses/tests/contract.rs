//! The adapter against a running SES API: `python tests/servers/ministack.py -- cargo nextest run …`.

#![expect(clippy::unwrap_used, reason = "what a test needs and does not get is a failed test")]

use aws_sdk_ses::Client;
use mlops_aws_environment::AwsEnvironment;
use mlops_aws_ses::SesMailer;
use mlops_contract::Repeats;
use mlops_core::ErrorKind;
use mlops_core::ports::{Email, Mailer as _};
use mlops_core::values::Mailbox;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

fn aws() -> AwsEnvironment {
    AwsEnvironment::from_variables().unwrap()
}

async fn verified(address: &str) -> Mailbox {
    let mailbox = Mailbox::new(address).unwrap();
    let client = Client::new(aws().config());
    client.verify_email_identity().email_address(mailbox.address()).send().await.unwrap();
    mailbox
}

/// What the server has sent, in its own words.
async fn sent() -> Vec<Value> {
    let url = aws().endpoint_url("SES").unwrap();
    let host = url.strip_prefix("http://").unwrap().trim_end_matches('/').to_owned();
    let mut stream = TcpStream::connect(&host).await.unwrap();
    let request = format!("GET /_ministack/ses/messages HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let text = String::from_utf8(answer).unwrap();
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    let listed: Value = serde_json::from_str(body).unwrap();
    let accounts = listed["messages"].as_object().unwrap().values();
    accounts.flat_map(|messages| messages.as_array().unwrap().clone()).collect()
}

fn mail(key: &str, from: &Mailbox, to: &Mailbox) -> Email {
    Email {
        key: key.to_owned(),
        date: "2026-01-02T03:04:05Z".parse().unwrap(),
        from: from.clone(),
        to: vec![to.clone()],
        cc: Vec::new(),
        reply_to: None,
        subject: format!("ペンギン {key}"),
        text: "結果 & more\n".to_owned(),
        html: Some("<p>結果 &amp; more</p>\n".to_owned()),
        attachments: Vec::new(),
    }
}

#[tokio::test]
async fn the_adapter_keeps_the_contract() {
    let from = verified("学習 <mlops@contract.example.com>").await;
    let to = verified("reader@contract.example.com").await;
    mlops_contract::mailer(&SesMailer::new(&aws()), &from, &to, Repeats::New).await;
}

#[tokio::test]
async fn a_reader_gets_text_and_page() {
    let from = verified("学習 <mlops@read.example.com>").await;
    let to = verified("reader@read.example.com").await;
    let receipt = SesMailer::new(&aws()).send(&mail("run-1", &from, &to)).await.unwrap();
    let id = receipt.message_ref.strip_prefix("ses:").unwrap();
    let sent = sent().await;
    let message = sent.iter().find(|message| message["MessageId"] == id).unwrap();
    assert_eq!(message["Source"], "mlops@read.example.com");
    let text = message.to_string();
    assert!(text.contains("reader@read.example.com"), "{message:#}");
    assert!(text.contains("結果 & more") && text.contains("<p>結果 &amp; more</p>"), "{message:#}");
}

#[tokio::test]
async fn a_sender_that_was_not_verified_is_refused() {
    let to = verified("reader@refused.example.com").await;
    let from = Mailbox::new("stranger@nowhere.example").unwrap();
    let error = SesMailer::new(&aws()).send(&mail("run-1", &from, &to)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Forbidden, "{}", error.message);
    assert!(error.hint.unwrap().contains("MLOPS_MAIL_FROM"));
}
