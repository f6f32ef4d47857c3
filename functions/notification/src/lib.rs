//! The notification agent: tells people how a run ended, and asks them when it waits for an answer.
//!
//! Programs hear of every event on the topic, people on the channels of the run. A channel that does not answer never
//! fails the run, and it never goes unreported: the result says for each what became of its message.

mod message;

use std::sync::Arc;

use mlops_core::ports::{MessageReceipt, Topics};
use mlops_core::{Agent, Call, Error, Result, Task, TaskResult, ToolCaller};
use mlops_notification::Notification;
use mlops_notification::tools::{AppliedTemplate, SendEmailNotification, SendGithubNotification};
use mlops_records::{Approvals, NewApproval, Sent};
use serde::{Deserialize, Serialize};

pub use message::{Answer, ApprovalRequest, Completed, Event, Failed, RolledBack};

/// Where programs hear of every event.
const TOPIC: &str = "topic";
/// Comments on the issue, the channel of a run whose issue names none.
const GITHUB: &str = "github";
/// Mail.
const EMAIL: &str = "email";

/// Tells people how a run ended, and asks them.
#[derive(Clone)]
pub struct NotificationAgent {
    /// Render the messages and send them.
    pub tools: ToolCaller<Notification>,
    /// Tells programs.
    pub topics: Arc<dyn Topics>,
    /// Knows which events were published.
    pub sent: Sent,
    /// Keeps what people are asked, until they answer.
    pub approvals: Approvals,
}

/// What became of the messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deliveries {
    /// One for the topic and one for each channel.
    pub deliveries: Vec<Delivery>,
}

/// What became of one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The channel, or `topic`.
    pub channel: String,
    /// Whether the message is there now.
    pub delivered: bool,
    /// Whether it had been delivered before.
    pub deduplicated: bool,
    /// Where it can be found.
    pub message_ref: Option<String>,
    /// Why it is not there, or what went wrong besides.
    pub error: Option<String>,
}

impl Delivery {
    fn made(channel: &str, receipt: MessageReceipt, besides: Option<&Error>) -> Self {
        let MessageReceipt { message_ref, deduplicated } = receipt;
        let error = besides.map(said);
        Self { channel: channel.to_owned(), delivered: true, deduplicated, message_ref: Some(message_ref), error }
    }

    fn failed(channel: &str, error: &Error) -> Self {
        Self {
            channel: channel.to_owned(),
            delivered: false,
            deduplicated: false,
            message_ref: None,
            error: Some(said(error)),
        }
    }
}

/// The error in one line.
fn said(error: &Error) -> String {
    let hint = error.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
    format!("{}: {}{hint}", error.kind, error.message)
}

impl Agent for NotificationAgent {
    const NAME: &'static str = "notification";
    type Inputs = Event;
    type Outputs = Deliveries;

    async fn handle(&self, task: Task<Event>, call: &Call) -> Result<TaskResult<Deliveries>> {
        // The question is kept before anybody hears of it, so that the first answer finds it.
        if let Event::ApprovalRequest(question) = &task.inputs {
            self.approvals.ask(question_of(&task, question, call)).await?;
        }
        let rendered = self.tools.call(message::template(&task), call).await?;
        let mut channels = task.config.notify.clone();
        if channels.is_empty() && task.issue.is_some() {
            channels.push(GITHUB.to_owned());
        }
        let mut deliveries = vec![self.publish(&task, &rendered, call).await];
        for channel in channels {
            let delivery = self.deliver(&channel, &task, &rendered, call).await;
            deliveries.push(delivery.unwrap_or_else(|error| Delivery::failed(&channel, &error)));
        }
        let dead = deliveries.iter().filter(|delivery| !delivery.delivered).count();
        let hint = match dead {
            0 => "everyone was told".to_owned(),
            1 => "1 channel was not reached".to_owned(),
            _ => format!("{dead} channels were not reached"),
        };
        Ok(TaskResult::succeeded::<Self>(task.run_id, Deliveries { deliveries }, hint))
    }
}

impl NotificationAgent {
    /// Publishes the event once, however often the task is repeated.
    async fn publish(&self, task: &Task<Event>, rendered: &AppliedTemplate, call: &Call) -> Delivery {
        let event = message::event(task, rendered);
        let key = format!("{TOPIC}/{}", event.key);
        match self.sent.once(&key, call, || self.topics.publish(&event)).await {
            Ok(sending) => match sending.outcome {
                Ok(receipt) => Delivery::made(TOPIC, receipt, sending.unrecorded.as_ref()),
                Err(error) => Delivery::failed(TOPIC, &error),
            },
            Err(error) => Delivery::failed(TOPIC, &error),
        }
    }

    /// Tells the people of one channel.
    async fn deliver(
        &self,
        channel: &str,
        task: &Task<Event>,
        rendered: &AppliedTemplate,
        call: &Call,
    ) -> Result<Delivery> {
        let (event, channel_name) = (task.inputs.name(), channel.to_owned());
        let subject = message::subject(&rendered.subject);
        match channel {
            GITHUB => {
                let Some(issue) = task.issue.clone() else {
                    return Err(Error::not_found("no issue asked for the run, so there is none to comment on"));
                };
                let comment = SendGithubNotification {
                    subject: Some(subject),
                    body: Some(rendered.body.clone()),
                    marker: Some(format!("{}.{event}", task.run_id)),
                    ..SendGithubNotification::on(issue)
                };
                let sent = self.tools.call(comment, call).await?;
                Ok(Delivery {
                    channel: channel_name,
                    delivered: sent.delivered,
                    deduplicated: sent.deduplicated,
                    message_ref: sent.message_ref,
                    error: sent.error,
                })
            }
            EMAIL => {
                let mail = SendEmailNotification {
                    key: Some(format!("{}/{event}", task.run_id)),
                    lang: Some(rendered.lang),
                    ..SendEmailNotification::new(subject, rendered.body.clone())
                };
                let sent = self.tools.call(mail, call).await?;
                Ok(Delivery {
                    channel: channel_name,
                    delivered: sent.delivered,
                    deduplicated: sent.deduplicated,
                    message_ref: sent.message_ref,
                    error: sent.error,
                })
            }
            other => Err(Error::not_found(format!("{other} is not connected"))
                .hint("the event is on the topic: a subscriber of it can pass the message on")),
        }
    }
}

fn question_of(task: &Task<Event>, question: &ApprovalRequest, call: &Call) -> NewApproval {
    NewApproval {
        run_id: task.run_id.clone(),
        issue: task.issue.clone(),
        token: question.task_token.clone(),
        model_name: task.config.model_name.clone(),
        version: question.version,
        report_uri: question.report_uri.clone(),
        asked_at: call.clock.now(),
    }
}

#[cfg(test)]
#[path = "lib_tests.rs"]
mod tests;
