//! What SES is given, and what its answers mean.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use mail_parser::{MessageParser, MimeHeaders as _};
use mlops_core::ports::Attachment;
use mlops_core::values::Mailbox;
use percent_encoding::percent_decode_str;

use super::*;

/// SES: what it answers, and what it was given, field by field.
#[derive(Debug, Clone)]
struct Service {
    answers: Arc<Mutex<Vec<(u16, String)>>>,
    given: Arc<Mutex<Vec<BTreeMap<String, String>>>>,
}

impl HttpConnector for Service {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = String::from_utf8(request.body().bytes().unwrap_or_default().to_vec()).unwrap();
        let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8().unwrap().into_owned();
        let fields = body.split('&').filter_map(|pair| pair.split_once('='));
        self.given.lock().unwrap().push(fields.map(|(name, value)| (decode(name), decode(value))).collect());
        let (status, body) = self.answers.lock().unwrap().remove(0);
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))))
    }
}

fn mailer(answers: &[(u16, String)]) -> (SesMailer, Service) {
    let service = Service { answers: Arc::new(Mutex::new(answers.to_vec())), given: Arc::default() };
    let connector = SharedHttpConnector::new(service.clone());
    let read = |name: &str| match name {
        "AWS_REGION" => Some("eu-central-1".to_owned()),
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("key-of-the-test".to_owned()),
        _ => None,
    };
    let aws = AwsEnvironment::with_http_client(read, http_client_fn(move |_, _| connector.clone())).unwrap();
    (SesMailer::new(&aws), service)
}

fn taken() -> (u16, String) {
    let result = "<SendRawEmailResult><MessageId>m-1</MessageId></SendRawEmailResult>";
    (200, format!("<SendRawEmailResponse>{result}</SendRawEmailResponse>"))
}

fn refused(status: u16, code: &str, message: &str) -> (u16, String) {
    let text = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>request-7</RequestId></ErrorResponse>"
    );
    (status, text)
}

fn mail() -> Email {
    let mailbox = |text: &str| Mailbox::new(text).unwrap();
    Email {
        key: "mail/run-1/completed".to_owned(),
        date: "2026-01-02T03:04:05Z".parse().unwrap(),
        from: mailbox("学習 <mlops@example.com>"),
        to: vec![mailbox("Ana <a@example.com>"), mailbox("b@example.com")],
        cc: vec![mailbox("c@example.com")],
        reply_to: None,
        subject: "ペンギン: 完了".to_owned(),
        text: "結果 & more\n".to_owned(),
        html: Some("<p>結果 &amp; more</p>\n".to_owned()),
        attachments: vec![Attachment {
            name: "報告.bin".to_owned(),
            media_type: "application/octet-stream".to_owned(),
            bytes: Bytes::from((0..=255).collect::<Vec<u8>>()),
        }],
    }
}

#[tokio::test]
async fn a_mail_is_given_whole_with_all_who_read_it() {
    let (mailer, service) = mailer(&[taken()]);
    let receipt = mailer.send(&mail()).await.unwrap();
    assert_eq!((&receipt.message_ref[..], receipt.deduplicated), ("ses:m-1", false));
    let given = &service.given.lock().unwrap()[0];
    for (name, value) in [
        ("Action", "SendRawEmail"),
        ("Source", "mlops@example.com"),
        ("Destinations.member.1", "a@example.com"),
        ("Destinations.member.2", "b@example.com"),
        ("Destinations.member.3", "c@example.com"),
    ] {
        assert_eq!(given.get(name).map(String::as_str), Some(value), "{given:#?}");
    }
    let bytes = BASE64_STANDARD.decode(&given["RawMessage.Data"]).unwrap();
    assert_eq!(bytes, mail().to_mime().unwrap());
    let read = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(read.subject(), Some("ペンギン: 完了"));
    assert_eq!(read.from().unwrap().first().unwrap().name.as_deref(), Some("学習"));
    let file = read.attachment(0).unwrap();
    assert_eq!((file.attachment_name(), file.contents()), (Some("報告.bin"), &mail().attachments[0].bytes[..]));
}

#[tokio::test]
async fn what_ses_refuses_has_its_kind_and_its_cure() {
    for (answer, kind, hint) in [
        (
            refused(400, "MessageRejected", "Email address is not verified. The following identities failed"),
            ErrorKind::Forbidden,
            "verified the sender",
        ),
        (refused(400, "AccountSendingPausedException", "paused"), ErrorKind::Forbidden, "paused"),
        (refused(400, "MailFromDomainNotVerifiedException", "domain"), ErrorKind::Forbidden, "domain of the sender"),
        (
            refused(403, "AccessDenied", "r is not authorized to perform: ses:SendRawEmail on resource: i"),
            ErrorKind::Forbidden,
            "ses:SendRawEmail",
        ),
        (refused(400, "InvalidParameterValue", "Missing final '@domain'"), ErrorKind::InvalidInput, ""),
    ] {
        let (mailer, service) = mailer(&[answer]);
        let error = mailer.send(&mail()).await.unwrap_err();
        assert_eq!((error.kind, service.given.lock().unwrap().len()), (kind, 1), "{}", error.message);
        assert!(error.message.contains("mail/run-1/completed"), "{}", error.message);
        assert!(error.hint.unwrap_or_default().contains(hint));
    }
}

#[tokio::test]
async fn a_busy_service_is_asked_again() {
    let busy = refused(400, "Throttling", "Maximum sending rate exceeded.");
    let (mailer, service) = mailer(&[busy.clone(), busy, taken()]);
    assert_eq!(mailer.send(&mail()).await.unwrap().message_ref, "ses:m-1");
    assert_eq!(service.given.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn what_is_no_mail_is_never_given() {
    let (mailer, service) = mailer(&[]);
    let error = mailer.send(&Email { subject: "x\r\nBcc: v@example.com".to_owned(), ..mail() }).await.unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("subject")));
    assert!(service.given.lock().unwrap().is_empty());
}
