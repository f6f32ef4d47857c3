//! Publishes events.

use async_trait::async_trait;
use aws_sdk_sns::Client;
use aws_sdk_sns::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_sns::operation::publish::PublishError;
use aws_sdk_sns::types::MessageAttributeValue;
use mlops_aws_environment::{AwsEnvironment, failure};
use mlops_core::ports::{Event, MessageReceipt, Topics};
use mlops_core::values::sha256_hex;
use mlops_core::{Error, Result};

/// A subject of SNS has fewer characters than this.
const SUBJECT_ENDS: usize = 100;
/// The longest id of a message group.
const LONGEST_GROUP: usize = 128;

/// A topic of Amazon SNS. Each event goes out as its body in JSON, with its attributes, by which subscribers choose.
///
/// A topic that keeps an order (FIFO) is given the event's group, and knows a repeat of its key for five minutes: it
/// takes it and delivers nothing. A standard topic knows no repeat. Neither says so in its answer, so a receipt of this
/// adapter is never `deduplicated`.
#[derive(Debug, Clone)]
pub struct SnsTopics {
    client: Client,
    topic_arn: String,
}

impl SnsTopics {
    /// The topic of that ARN. Nothing is sent.
    pub fn new(aws: &AwsEnvironment, topic_arn: String) -> Self {
        Self { client: Client::new(aws.config()), topic_arn }
    }

    fn keeps_order(&self) -> bool {
        self.topic_arn.rsplit('.').next() == Some("fifo")
    }
}

#[async_trait]
impl Topics for SnsTopics {
    async fn publish(&self, event: &Event) -> Result<MessageReceipt> {
        let event = event.checked()?;
        let mut request = self
            .client
            .publish()
            .topic_arn(&self.topic_arn)
            .subject(subject(&event.subject))
            .message(event.body_text());
        for (name, value) in &event.attributes {
            let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
            let value = value
                .map_err(|error| Error::internal(format!("the attribute `{name}` has no type")).caused_by(error))?;
            request = request.message_attributes(name, value);
        }
        if self.keeps_order() {
            request = request
                .message_group_id(group(&event.group))
                .message_deduplication_id(sha256_hex(event.key.as_bytes()));
        }
        let answer = request.send().await.map_err(|error| self.failed(&event.key, error))?;
        let id = answer.message_id().unwrap_or_default();
        if id.is_empty() {
            return Err(Error::unavailable(format!("SNS took the event {} and gave it no id", event.key)));
        }
        Ok(MessageReceipt { message_ref: format!("sns:{id}"), deduplicated: false })
    }
}

impl SnsTopics {
    fn failed(&self, key: &str, error: SdkError<PublishError, aws_sdk_sns::config::http::HttpResponse>) -> Error {
        let topic = &self.topic_arn;
        let is_missing = error.code() == Some("NotFound");
        let failed = failure(error, format!("the event {key} could not be published on {topic}"));
        if is_missing {
            return Error { kind: mlops_core::ErrorKind::NotFound, ..failed }.hint("MLOPS_TOPIC_ARN names the topic");
        }
        failed
    }
}

/// The subject as SNS takes it: shorter ones end in an ellipsis. The whole one is in the body.
fn subject(text: &str) -> String {
    if text.chars().count() < SUBJECT_ENDS {
        return text.to_owned();
    }
    text.chars().take(SUBJECT_ENDS - 2).chain(['…']).collect()
}

/// The id of a group: the group itself, or its hash when SNS would not take it.
fn group(group: &str) -> String {
    if group.len() <= LONGEST_GROUP && group.chars().all(|c| c.is_ascii_graphic()) {
        group.to_owned()
    } else {
        sha256_hex(group.as_bytes())
    }
}

#[cfg(test)]
#[path = "topics_tests.rs"]
mod tests;
