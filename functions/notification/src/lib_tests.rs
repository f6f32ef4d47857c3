//! What people are told, and what happens when a channel is dead.

use std::sync::Mutex;

use async_trait::async_trait;
use futures::executor::block_on;
use mlops_core::ports::MessageReceipt;
use mlops_core::{AgentHandler, Error};
use serde_json::{Value, json};

use super::*;

/// Keeps what it is given; the channel `slack` does not answer.
#[derive(Default)]
struct Recorder(Mutex<Vec<Message>>);

#[async_trait]
impl Messenger for Recorder {
    async fn deliver(&self, message: &Message) -> Result<MessageReceipt> {
        if message.channel == "slack" {
            return Err(Error::unavailable("slack does not answer"));
        }
        self.0.lock().unwrap().push(message.clone());
        Ok(MessageReceipt { message_ref: format!("outbox/{}", message.key), deduplicated: false })
    }
}

fn run(notify: &Value, inputs: &Value, lang: &str) -> (Value, Vec<Message>) {
    let messenger = Arc::new(Recorder::default());
    let agent = NotificationAgent { tools: ToolCaller::embedded(Notification), messenger: messenger.clone() };
    let payload = json!({"run_id": "r1", "inputs": inputs, "lang": lang, "config": {
        "task": "classification", "dataset_s3_uri": "a.csv", "target_column": "y", "algorithm": "auto",
        "model_name": "penguins", "notify": notify, "seed": 1, "lang": lang}});
    let result = block_on(agent.invoke(payload, &Call::new("q"))).expect("succeeds");
    let messages = messenger.0.lock().unwrap().clone();
    (result, messages)
}

fn completed(decision: &str) -> Value {
    json!({"event": "completed", "decision": decision, "reasons": ["good enough"], "algorithm": "random_forest",
        "metrics": {"accuracy": 0.98765, "auc_roc": null}, "version": 2, "report_uri": "file:///r.html"})
}

#[test]
fn a_decision_is_told_with_its_metrics_and_reasons() {
    let (result, messages) = run(&json!([]), &completed("promote"), "en");
    assert_eq!(result["outputs"]["deliveries"][0]["channel"], "github");
    let body = &messages[0].body;
    for part in ["good enough", "| accuracy | 0.9877 |", "| auc_roc | – |", "version 2", "file:///r.html"] {
        assert!(body.contains(part), "{part} in {body}");
    }
    assert_eq!(messages[0].key, "r1/completed/github");
}

#[test]
fn an_open_decision_asks_for_approval_in_the_language_of_the_run() {
    let (_, messages) = run(&json!([]), &completed("needs_human"), "ja");
    assert!(messages[0].subject.contains("承認"), "{}", messages[0].subject);
}

#[test]
fn a_dead_channel_is_reported_and_the_others_are_served() {
    let failed = json!({"event": "failed", "stage": "Train", "error": "InvalidInput",
        "cause": "{\"errorMessage\":\"one class\\nonly\",\"errorType\":\"InvalidInput\"}"});
    let (result, messages) = run(&json!(["slack", "email"]), &failed, "en");
    let deliveries = &result["outputs"]["deliveries"];
    assert_eq!((&deliveries[0]["delivered"], &deliveries[1]["delivered"]), (&json!(false), &json!(true)));
    assert_eq!(deliveries[0]["error"], "Unavailable: slack does not answer");
    assert!(messages[0].body.contains("> one class only"), "{}", messages[0].body);
}
