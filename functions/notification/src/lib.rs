//! The notification agent: tells people how a run ended, and asks them when it waits for an answer.
//!
//! A channel that does not answer never fails the run, and it never goes unreported: the result says for each channel
//! what became of its message.

mod message;

use std::sync::Arc;

use mlops_core::ports::{Message, Messenger};
use mlops_core::{Agent, Call, Result, Task, TaskResult, ToolCaller};
use mlops_notification::Notification;
use mlops_records::{Approvals, NewApproval};
use serde::{Deserialize, Serialize};

pub use message::{Answer, ApprovalRequest, Completed, Event, Failed, RolledBack};

/// The channel of a run whose issue names none.
const DEFAULT_CHANNEL: &str = "github";

/// Tells people how a run ended, and asks them.
#[derive(Clone)]
pub struct NotificationAgent {
    /// Renders the messages.
    pub tools: ToolCaller<Notification>,
    /// Delivers them.
    pub messenger: Arc<dyn Messenger>,
    /// Keeps what people are asked, until they answer.
    pub approvals: Approvals,
}

/// What became of the messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deliveries {
    /// One for each channel.
    pub deliveries: Vec<Delivery>,
}

/// What became of one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The channel.
    pub channel: String,
    /// Whether the message is there now.
    pub delivered: bool,
    /// Whether it had been delivered before.
    pub deduplicated: bool,
    /// Where it can be found.
    pub message_ref: Option<String>,
    /// Why it is not there.
    pub error: Option<String>,
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
        let template = message::template(&task);
        let rendered = self.tools.call(template, call).await?;
        let mut channels = task.config.notify.clone();
        if channels.is_empty() {
            channels.push(DEFAULT_CHANNEL.to_owned());
        }
        let mut deliveries = Vec::with_capacity(channels.len());
        for channel in channels {
            let message = Message {
                key: format!("{}/{}/{channel}", task.run_id, task.inputs.name()),
                channel: channel.clone(),
                subject: rendered.subject.clone(),
                body: rendered.body.clone(),
                lang: rendered.lang,
            };
            deliveries.push(match self.messenger.deliver(&message).await {
                Ok(receipt) => Delivery {
                    channel,
                    delivered: true,
                    deduplicated: receipt.deduplicated,
                    message_ref: Some(receipt.message_ref),
                    error: None,
                },
                Err(error) => Delivery {
                    channel,
                    delivered: false,
                    deduplicated: false,
                    message_ref: None,
                    error: Some(format!("{}: {}", error.kind, error.message)),
                },
            });
        }
        let dead = deliveries.iter().filter(|delivery| !delivery.delivered).count();
        let hint = if dead == 0 { "everyone was told".to_owned() } else { format!("{dead} channels did not answer") };
        Ok(TaskResult::succeeded::<Self>(task.run_id, Deliveries { deliveries }, hint))
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
