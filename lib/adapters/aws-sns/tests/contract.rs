//! The adapter against a running SNS API: `python tests/servers/ministack.py -- cargo nextest run …`.

#![expect(clippy::unwrap_used, reason = "what a test needs and does not get is a failed test")]

use std::collections::BTreeMap;

use aws_sdk_sns::Client;
use mlops_aws_environment::AwsEnvironment;
use mlops_aws_sns::SnsTopics;
use mlops_contract::Repeats;
use mlops_core::ErrorKind;
use mlops_core::ports::{Event, Topics as _};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

fn aws() -> AwsEnvironment {
    AwsEnvironment::from_variables().unwrap()
}

/// A topic that nothing but this test knows.
async fn topic(name: &str) -> (SnsTopics, Client, String) {
    let (aws, is_fifo) = (aws(), name.rsplit('.').next() == Some("fifo"));
    let client = Client::new(aws.config());
    let mut request = client.create_topic().name(name);
    if is_fifo {
        request = request.attributes("FifoTopic", "true");
    }
    let arn = request.send().await.unwrap().topic_arn.unwrap();
    (SnsTopics::new(&aws, arn.clone()), client, arn)
}

fn event(key: &str) -> Event {
    Event {
        key: key.to_owned(),
        group: "run-1".to_owned(),
        subject: "ペンギン: 完了".to_owned(),
        attributes: BTreeMap::from([("event".to_owned(), "completed".to_owned())]),
        body: json!({"text": "# 結果\n\n<b>&", "version": 3}),
    }
}

/// The JSON body of the next request to the listener.
async fn heard(listener: &TcpListener) -> Value {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut reader = BufReader::new(&mut stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).await.unwrap();
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().unwrap();
            }
            _ if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await.unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await.unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[tokio::test]
async fn the_adapter_keeps_the_contract() {
    let (topics, ..) = topic("contract").await;
    mlops_contract::topics(&topics, Repeats::New).await;
    let (topics, ..) = topic("contract.fifo").await;
    mlops_contract::topics(&topics, Repeats::New).await;
}

#[tokio::test]
async fn a_subscriber_hears_what_was_published() {
    let (topics, client, arn) = topic("heard").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/", listener.local_addr().unwrap());
    client.subscribe().topic_arn(&arn).protocol("http").endpoint(endpoint).send().await.unwrap();
    let question = heard(&listener).await;
    let token = question["Token"].as_str().unwrap();
    client.confirm_subscription().topic_arn(&arn).token(token).send().await.unwrap();
    let receipt = topics.publish(&event("run-1/completed")).await.unwrap();
    let told = heard(&listener).await;
    assert_eq!((&told["TopicArn"], &told["Subject"]), (&json!(arn), &json!("ペンギン: 完了")));
    assert_eq!(receipt.message_ref, format!("sns:{}", told["MessageId"].as_str().unwrap()));
    let body: Value = serde_json::from_str(told["Message"].as_str().unwrap()).unwrap();
    assert_eq!(body, event("k").body);
    assert_eq!(told["MessageAttributes"]["event"], json!({"Type": "String", "Value": "completed"}));
}

#[tokio::test]
async fn a_topic_that_keeps_an_order_takes_a_key_once() {
    let (topics, ..) = topic("once.fifo").await;
    let first = topics.publish(&event("run-1/completed")).await.unwrap();
    let again = topics.publish(&event("run-1/completed")).await.unwrap();
    assert_eq!(first.message_ref, again.message_ref, "SNS knows the deduplication id");
    assert_ne!(topics.publish(&event("run-1/failed")).await.unwrap().message_ref, first.message_ref);
}

#[tokio::test]
async fn a_topic_that_is_not_there_is_not_found() {
    let topics = SnsTopics::new(&aws(), "arn:aws:sns:us-east-1:000000000000:nowhere".to_owned());
    let error = topics.publish(&event("run-1/completed")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound, "{}", error.message);
    assert!(error.hint.unwrap().contains("MLOPS_TOPIC_ARN"));
}
