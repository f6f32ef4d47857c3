//! What people are told and asked, and what happens when a channel is dead.

use std::sync::Mutex;

use async_trait::async_trait;
use mlops_core::ports::MessageReceipt;
use mlops_core::values::ArtifactUri;
use mlops_core::{AgentHandler, Error};
use mlops_local::{Access, FileStore};
use secrecy::ExposeSecret as _;
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

struct Told {
    result: Value,
    messages: Vec<Message>,
    approvals: Approvals,
    folder: tempfile::TempDir,
}

async fn run(notify: &Value, inputs: &Value, lang: &str) -> Told {
    run_for(notify, inputs, lang, &json!(null)).await
}

async fn run_for(notify: &Value, inputs: &Value, lang: &str, issue: &Value) -> Told {
    let messenger = Arc::new(Recorder::default());
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(FileStore::new(folder.path(), folder.path(), Access::Anywhere));
    let approvals = Approvals::new(store, &ArtifactUri::from_path(&folder.path().join("store")));
    let tools = ToolCaller::embedded(Notification);
    let agent = NotificationAgent { tools, messenger: messenger.clone(), approvals: approvals.clone() };
    let payload = json!({"run_id": "r1", "inputs": inputs, "issue": issue, "lang": lang, "config": {
        "task": "classification", "dataset_s3_uri": "a.csv", "target_column": "y", "algorithm": "auto",
        "model_name": "penguins", "notify": notify, "seed": 1, "lang": lang}});
    let first = agent.invoke(payload.clone(), &Call::new("q")).await.expect("succeeds");
    let messages = messenger.0.lock().unwrap().clone();
    let again = agent.invoke(payload, &Call::new("q")).await.expect("succeeds again");
    assert_eq!(first, again);
    Told { result: first, messages, approvals, folder }
}

fn completed(decision: &str) -> Value {
    json!({"event": "completed", "decision": decision, "reasons": ["good enough"], "algorithm": "random_forest",
        "metrics": {"accuracy": 0.98765, "auc_roc": null}, "version": 2, "report_uri": "file:///r.html"})
}

#[tokio::test]
async fn a_decision_is_told_with_its_metrics_and_reasons() {
    let Told { result, messages, .. } = run(&json!([]), &completed("promote"), "en").await;
    assert_eq!(result["outputs"]["deliveries"][0]["channel"], "github");
    let body = &messages[0].body;
    for part in ["good enough", "| accuracy | 0.9877 |", "| auc_roc | – |", "version 2", "file:///r.html"] {
        assert!(body.contains(part), "{part} in {body}");
    }
    assert_eq!(messages[0].key, "r1/completed/github");
}

#[tokio::test]
async fn an_answer_is_told_with_who_gave_it() {
    let mut inputs = completed("needs_human");
    inputs["approval"] = json!({"approved": true, "by": "github:an_approver"});
    let told = run(&json!([]), &inputs, "en").await;
    assert!(told.messages[0].subject.ends_with("needs_human, approved by github:an_approver"), "{:?}", told.messages);
    inputs["approval"] = json!({"approved": false, "by": "cli:me", "reason": "遅すぎる"});
    let told = run(&json!([]), &inputs, "ja").await;
    let body = &told.messages[0].body;
    assert!(body.contains("cli:me が**却下**しました (遅すぎる)"), "{body}");
}

#[tokio::test]
async fn a_question_is_kept_and_asked_with_how_to_answer_and_without_its_token() {
    let token = "AQCEAAAAKgAAAAMAAAAAexample-token-0123456789";
    let inputs = json!({"event": "approval_request", "task_token": token, "version": 3,
        "reasons": ["the difference to the champion may be chance"], "report_uri": "file:///r.html"});
    for (lang, issue, by_comment) in [
        ("en", json!({"repo": "owner/penguins", "number": 12}), true),
        ("ja", json!({"repo": "owner/penguins", "number": 12}), true),
        ("en", json!(null), false),
    ] {
        let told = run_for(&json!(["github", "slack"]), &inputs, lang, &issue).await;
        let message = &told.messages[0];
        assert_eq!((told.messages.len(), &message.key[..]), (1, "r1/approval_request/github"));
        assert!(
            message.body.contains("mlops approve r1") && message.body.contains("file:///r.html"),
            "{}",
            message.body
        );
        assert_eq!(message.body.contains("`/mlops approve`") && message.body.contains("owner/penguins#12"), by_comment);
        let asked = told.approvals.find("r1").await.unwrap().unwrap();
        assert_eq!((asked.token.expose_secret(), asked.version, asked.answer), (token, Some(3), None));
        assert_eq!((&asked.model_name[..], asked.issue.is_some()), ("penguins", by_comment));
        assert!(!told.result.to_string().contains(token) && !format!("{:?}", told.messages).contains(token));
        assert!(!mlops_core::masking::mask_text(&format!("token {token}")).contains(token), "it reaches no log");
        assert!(told.folder.path().join("store/approvals/r1.json").is_file());
    }
    let debug = format!("{:?}", serde_json::from_value::<Event>(inputs).unwrap());
    assert!(!debug.contains(token), "{debug}");
}

#[tokio::test]
async fn a_rollback_says_what_is_in_use_now() {
    let inputs = |to: Value| json!({"event": "rolled_back", "from": 3, "to": to, "reason": "2 labels\nflipped"});
    let told = run(&json!([]), &inputs(json!(2)), "en").await;
    assert_eq!(told.messages[0].subject, "penguins: rolled back from version 3 to 2");
    assert!(told.messages[0].body.ends_with("Reason: 2 labels flipped"), "{:?}", told.messages);
    let told = run(&json!([]), &inputs(json!(null)), "ja").await;
    assert!(told.messages[0].body.contains("使用中のバージョンはありません"), "{:?}", told.messages);
}

#[tokio::test]
async fn a_dead_channel_is_reported_and_the_others_are_served() {
    let failed = json!({"event": "failed", "stage": "Train", "error": "InvalidInput",
        "cause": "{\"errorMessage\":\"one class\\nonly\",\"errorType\":\"InvalidInput\"}"});
    let Told { result, messages, .. } = run(&json!(["slack", "email"]), &failed, "en").await;
    let deliveries = &result["outputs"]["deliveries"];
    assert_eq!((&deliveries[0]["delivered"], &deliveries[1]["delivered"]), (&json!(false), &json!(true)));
    assert_eq!(deliveries[0]["error"], "Unavailable: slack does not answer");
    assert!(messages[0].body.contains("> one class only"), "{}", messages[0].body);
}
