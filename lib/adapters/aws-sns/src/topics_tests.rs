//! What SNS is asked, and what its answers mean.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use mlops_core::ErrorKind;
use percent_encoding::percent_decode_str;
use serde_json::json;

use super::*;

/// SNS: what it answers, and what it was asked, field by field.
#[derive(Debug, Clone)]
struct Service {
    answers: Arc<Mutex<Vec<(u16, String)>>>,
    asked: Arc<Mutex<Vec<BTreeMap<String, String>>>>,
}

impl HttpConnector for Service {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = String::from_utf8(request.body().bytes().unwrap_or_default().to_vec()).unwrap();
        let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8().unwrap().into_owned();
        let fields = body.split('&').filter_map(|pair| pair.split_once('='));
        self.asked.lock().unwrap().push(fields.map(|(name, value)| (decode(name), decode(value))).collect());
        let (status, body) = self.answers.lock().unwrap().remove(0);
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))))
    }
}

fn topics(topic: &str, answers: &[(u16, String)]) -> (SnsTopics, Service) {
    let service = Service { answers: Arc::new(Mutex::new(answers.to_vec())), asked: Arc::default() };
    let connector = SharedHttpConnector::new(service.clone());
    let read = |name: &str| match name {
        "AWS_REGION" => Some("eu-central-1".to_owned()),
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("key-of-the-test".to_owned()),
        _ => None,
    };
    let aws = AwsEnvironment::with_http_client(read, http_client_fn(move |_, _| connector.clone())).unwrap();
    (SnsTopics::new(&aws, format!("arn:aws:sns:eu-central-1:123456789012:{topic}")), service)
}

fn taken() -> (u16, String) {
    let text = "<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>";
    (200, text.to_owned())
}

fn refused(status: u16, code: &str, message: &str) -> (u16, String) {
    let text = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>request-7</RequestId></ErrorResponse>"
    );
    (status, text)
}

fn event() -> Event {
    Event {
        key: "run-1/completed".to_owned(),
        group: "run-1".to_owned(),
        subject: "ペンギン: 完了".to_owned(),
        attributes: BTreeMap::from([("event".to_owned(), "completed".to_owned())]),
        body: json!({"text": "結果 & more"}),
    }
}

#[tokio::test]
async fn an_event_is_its_body_with_attributes() {
    let (topics, service) = topics("events", &[taken()]);
    let receipt = topics.publish(&event()).await.unwrap();
    assert_eq!((&receipt.message_ref[..], receipt.deduplicated), ("sns:m-1", false));
    let asked = &service.asked.lock().unwrap()[0];
    for (name, value) in [
        ("Action", "Publish"),
        ("TopicArn", "arn:aws:sns:eu-central-1:123456789012:events"),
        ("Subject", "ペンギン: 完了"),
        ("Message", "{\"text\":\"結果 & more\"}"),
        ("MessageAttributes.entry.1.Name", "event"),
        ("MessageAttributes.entry.1.Value.DataType", "String"),
        ("MessageAttributes.entry.1.Value.StringValue", "completed"),
    ] {
        assert_eq!(asked.get(name).map(String::as_str), Some(value), "{asked:#?}");
    }
    assert!(!asked.contains_key("MessageGroupId"), "{asked:#?}");
}

#[tokio::test]
async fn a_topic_that_keeps_an_order_is_given_group_and_key() {
    let (topics, service) = topics("events.fifo", &[taken(), taken(), taken()]);
    topics.publish(&event()).await.unwrap();
    topics.publish(&Event { body: json!("another"), ..event() }).await.unwrap();
    topics.publish(&Event { key: "日本".to_owned(), group: "日本 1".to_owned(), ..event() }).await.unwrap();
    let asked = service.asked.lock().unwrap();
    let of = |number: usize, name: &str| asked[number][name].clone();
    assert_eq!(of(0, "MessageGroupId"), "run-1");
    assert_eq!(of(0, "MessageDeduplicationId"), of(1, "MessageDeduplicationId"));
    assert_ne!(of(0, "MessageDeduplicationId"), of(2, "MessageDeduplicationId"));
    for name in ["MessageGroupId", "MessageDeduplicationId"] {
        assert!(of(2, name).is_ascii() && of(2, name).len() <= 128);
    }
}

#[tokio::test]
async fn a_long_subject_is_shortened_and_whole_in_the_body() {
    let (topics, service) = topics("events", &[taken(), taken()]);
    for (length, sent) in [(99, "ペ".repeat(99)), (250, format!("{}…", "ペ".repeat(98)))] {
        topics.publish(&Event { subject: "ペ".repeat(length), ..event() }).await.unwrap();
        assert_eq!(service.asked.lock().unwrap().last().unwrap()["Subject"], sent);
    }
}

#[tokio::test]
async fn what_sns_refuses_has_its_kind_and_its_cure() {
    for (answer, kind, hint) in [
        (refused(404, "NotFound", "Topic does not exist"), ErrorKind::NotFound, "MLOPS_TOPIC_ARN"),
        (
            refused(403, "AuthorizationError", "r is not authorized to perform: SNS:Publish on resource: t"),
            ErrorKind::Forbidden,
            "SNS:Publish",
        ),
        // The SDK does not try this one again; who publishes does, by the kind.
        (refused(429, "Throttled", "Rate exceeded"), ErrorKind::Throttled, "wait"),
        (refused(400, "InvalidParameter", "Invalid parameter: Message"), ErrorKind::InvalidInput, ""),
    ] {
        let (topics, service) = topics("events", &[answer]);
        let error = topics.publish(&event()).await.unwrap_err();
        assert_eq!((error.kind, service.asked.lock().unwrap().len()), (kind, 1), "{}", error.message);
        assert!(error.message.contains("run-1/completed") && error.message.contains(":events"), "{}", error.message);
        assert!(error.hint.unwrap_or_default().contains(hint));
    }
}

#[tokio::test]
async fn a_busy_service_is_asked_again() {
    let busy = refused(400, "Throttling", "Rate exceeded");
    let (topics, service) = topics("events", &[busy.clone(), busy, taken()]);
    assert_eq!(topics.publish(&event()).await.unwrap().message_ref, "sns:m-1");
    assert_eq!(service.asked.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn what_is_no_event_is_never_sent() {
    let (topics, service) = topics("events", &[]);
    let large = Event { body: json!("x".repeat(Event::LARGEST)), ..event() };
    let error = topics.publish(&large).await.unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("body")));
    assert!(service.asked.lock().unwrap().is_empty());
}
