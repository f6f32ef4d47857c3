//! What people and programs are told and asked, and what happens when a channel is dead.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use mlops_core::ports::{self, Email, Mailer};
use mlops_core::{AgentHandler, Settings};
use mlops_local::{Access, LocalMachine};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::*;

/// Keeps what it is given.
#[derive(Default)]
struct Recorder {
    events: Mutex<Vec<ports::Event>>,
    mails: Mutex<Vec<Email>>,
}

#[async_trait]
impl Topics for Recorder {
    async fn publish(&self, event: &ports::Event) -> Result<MessageReceipt> {
        let event = event.checked()?;
        let message_ref = format!("topic:{}", event.key);
        self.events.lock().unwrap().push(event);
        Ok(MessageReceipt { message_ref, deduplicated: false })
    }
}

#[async_trait]
impl Mailer for Recorder {
    async fn send(&self, email: &Email) -> Result<MessageReceipt> {
        self.mails.lock().unwrap().push(email.clone());
        Ok(MessageReceipt { message_ref: format!("mail:{}", email.key), deduplicated: false })
    }
}

/// Is not there.
struct Dead;

#[async_trait]
impl Topics for Dead {
    async fn publish(&self, _: &ports::Event) -> Result<MessageReceipt> {
        Err(Error::forbidden("the topic may not be published to"))
    }
}

struct Told {
    result: Value,
    events: Vec<ports::Event>,
    mails: Vec<Email>,
    approvals: Approvals,
    folder: tempfile::TempDir,
}

impl Told {
    /// The body of the one event.
    fn body(&self) -> String {
        self.events[0].body["text"].as_str().unwrap().to_owned()
    }

    fn deliveries(&self) -> &Vec<Value> {
        self.result["outputs"]["deliveries"].as_array().unwrap()
    }

    /// The comments on issue 12, by their names.
    fn comments(&self) -> BTreeMap<String, String> {
        let folder = self.folder.path().join("home/outbox/github/owner/penguins/12");
        let Ok(entries) = std::fs::read_dir(folder) else { return BTreeMap::new() };
        let paths = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
        paths
            .map(|path| {
                (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap())
            })
            .collect()
    }
}

fn issue() -> Value {
    json!({"repo": "owner/penguins", "number": 12})
}

async fn run(notify: &Value, inputs: &Value, lang: &str) -> Told {
    run_for(notify, inputs, lang, &json!(null)).await
}

async fn run_for(notify: &Value, inputs: &Value, lang: &str, issue: &Value) -> Told {
    let recorder = Arc::new(Recorder::default());
    run_over(recorder.clone(), recorder, (notify, inputs, lang, issue)).await
}

async fn run_over(
    topics: Arc<dyn Topics>,
    recorder: Arc<Recorder>,
    (notify, inputs, lang, issue): (&Value, &Value, &str, &Value),
) -> Told {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let read = |name: &str| match name {
        "MLOPS_HOME" => Some(home.display().to_string()),
        "MLOPS_MAIL_FROM" => Some("mlops@example.com".to_owned()),
        "MLOPS_MAIL_TO" => Some("team@example.com".to_owned()),
        _ => None,
    };
    let settings = Settings::from_variables(read, folder.path()).unwrap();
    let machine = LocalMachine::new(settings, folder.path().to_owned(), Access::Anywhere).unwrap();
    let LocalMachine { settings, store, code_host, .. } = machine;
    let approvals = Approvals::new(Arc::clone(&store), &settings.store);
    let sent = Sent::new(Arc::clone(&store), &settings.store);
    let room = Notification::new(&settings, store, recorder.clone(), code_host);
    let agent = NotificationAgent { tools: ToolCaller::embedded(room), topics, sent, approvals: approvals.clone() };
    let payload = json!({"run_id": "r1", "inputs": inputs, "issue": issue, "lang": lang, "config": {
        "task": "classification", "dataset_s3_uri": "a.csv", "target_column": "y", "algorithm": "auto",
        "model_name": "penguins", "notify": notify, "seed": 1, "lang": lang}});
    let result = agent.invoke(payload.clone(), &Call::new("q")).await.expect("succeeds");
    let again = agent.invoke(payload, &Call::new("q")).await.expect("succeeds again");
    for (first, again) in deliveries_of(&result).iter().zip(deliveries_of(&again)) {
        assert_eq!(first["message_ref"], again["message_ref"]);
        assert_eq!(again["deduplicated"], first["delivered"], "a repeat delivers nothing: {again:#}");
    }
    let events = recorder.events.lock().unwrap().clone();
    let mails = recorder.mails.lock().unwrap().clone();
    Told { result, events, mails, approvals, folder }
}

fn deliveries_of(result: &Value) -> Vec<Value> {
    result["outputs"]["deliveries"].as_array().unwrap().clone()
}

fn completed(decision: &str) -> Value {
    json!({"event": "completed", "decision": decision, "reasons": ["good enough"], "algorithm": "random_forest",
        "metrics": {"accuracy": 0.98765, "auc_roc": null}, "version": 2, "report_uri": "file:///r.html"})
}

#[tokio::test]
async fn a_decision_is_told_with_its_metrics_and_reasons() {
    let told = run_for(&json!([]), &completed("promote"), "en", &issue()).await;
    let channels: Vec<_> = told.deliveries().iter().map(|delivery| delivery["channel"].clone()).collect();
    assert_eq!(channels, ["topic", "github"], "{:#}", told.result);
    assert_eq!(told.result["next_hint"], "everyone was told");
    let comments = told.comments();
    let comment = &comments["r1.completed.md"];
    for part in ["good enough", "| accuracy | 0.9877 |", "| auc_roc | – |", "version 2", "file:///r.html"] {
        assert!(told.body().contains(part), "{part} in {}", told.body());
        assert!(comment.contains(part), "{part} in {comment}");
    }
    assert!(told.mails.is_empty());
}

#[tokio::test]
async fn programs_hear_of_every_event_once_with_what_happened() {
    let told = run_for(&json!([]), &completed("promote"), "ja", &issue()).await;
    let [event] = &told.events[..] else { panic!("{:?}", told.events) };
    assert_eq!((&event.key[..], &event.group[..]), ("r1/completed", "r1"));
    let expected = [("decision", "promote"), ("event", "completed"), ("model_name", "penguins"), ("run_id", "r1")];
    let attributes: Vec<_> = event.attributes.iter().map(|(name, value)| (&name[..], &value[..])).collect();
    assert_eq!(attributes, expected);
    assert_eq!(event.subject, event.body["subject"]);
    assert_eq!((&event.body["issue"], &event.body["lang"]), (&issue(), &json!("ja")));
    assert_eq!(event.body["details"]["metrics"], json!({"accuracy": 0.98765, "auc_roc": null}));
    // A run of no issue has no channel of its own, and the topic all the same.
    let told = run(&json!([]), &completed("reject"), "en").await;
    assert_eq!((told.deliveries().len(), told.events.len()), (1, 1));
}

#[tokio::test]
async fn mail_goes_to_those_whom_the_settings_name_once() {
    let told = run(&json!(["email"]), &completed("promote"), "ja").await;
    let [mail] = &told.mails[..] else { panic!("{:?}", told.mails) };
    assert_eq!((&mail.key[..], mail.to[0].address()), ("mail/r1/completed", "team@example.com"));
    assert!(mail.subject.starts_with("penguins: ") && mail.text.contains("good enough"));
    assert!(mail.html.as_ref().unwrap().contains("<html lang=\"ja\">"));
    assert_eq!(told.deliveries()[1]["message_ref"], "mail:mail/r1/completed");
}

#[tokio::test]
async fn an_answer_is_told_with_who_gave_it() {
    let mut inputs = completed("needs_human");
    inputs["approval"] = json!({"approved": true, "by": "github:an_approver"});
    let told = run(&json!([]), &inputs, "en").await;
    assert!(told.events[0].subject.ends_with("needs_human, approved by github:an_approver"), "{:?}", told.events);
    inputs["approval"] = json!({"approved": false, "by": "cli:me", "reason": "遅すぎる"});
    let body = run(&json!([]), &inputs, "ja").await.body();
    assert!(body.contains("cli:me が**却下**しました (遅すぎる)"), "{body}");
}

#[tokio::test]
async fn a_question_is_kept_and_asked_with_how_to_answer_and_without_its_token() {
    let token = "AQCEAAAAKgAAAAMAAAAAexample-token-0123456789";
    let inputs = json!({"event": "approval_request", "task_token": token, "version": 3,
        "reasons": ["the difference to the champion may be chance"], "report_uri": "file:///r.html"});
    for (lang, issue, by_comment) in [("en", issue(), true), ("ja", issue(), true), ("en", json!(null), false)] {
        let told = run_for(&json!(["github", "email"]), &inputs, lang, &issue).await;
        let body = told.body();
        assert_eq!(&told.events[0].key[..], "r1/approval_request");
        assert!(body.contains("mlops approve r1") && body.contains("file:///r.html"), "{body}");
        assert_eq!(body.contains("`/mlops approve`") && body.contains("owner/penguins#12"), by_comment);
        assert_eq!(told.comments().contains_key("r1.approval_request.md"), by_comment);
        let asked = told.approvals.find("r1").await.unwrap().unwrap();
        assert_eq!((asked.token.expose_secret(), asked.version, asked.answer), (token, Some(3), None));
        assert_eq!((&asked.model_name[..], asked.issue.is_some()), ("penguins", by_comment));
        let said = format!("{} {:?} {:?} {:?}", told.result, told.events, told.mails, told.comments());
        assert!(!said.contains(token));
        assert!(!mlops_core::masking::mask_text(&format!("token {token}")).contains(token), "it reaches no log");
        assert!(told.folder.path().join("home/store/approvals/r1.json").is_file());
    }
    let debug = format!("{:?}", serde_json::from_value::<Event>(inputs).unwrap());
    assert!(!debug.contains(token), "{debug}");
}

#[tokio::test]
async fn a_rollback_says_what_is_in_use_now() {
    let inputs = |to: Value| json!({"event": "rolled_back", "from": 3, "to": to, "reason": "2 labels\nflipped"});
    let told = run(&json!([]), &inputs(json!(2)), "en").await;
    assert_eq!(told.events[0].subject, "penguins: rolled back from version 3 to 2");
    assert!(told.body().ends_with("Reason: 2 labels flipped"), "{:?}", told.events);
    let told = run(&json!([]), &inputs(json!(null)), "ja").await;
    assert!(told.body().contains("使用中のバージョンはありません"), "{:?}", told.events);
}

#[tokio::test]
async fn a_channel_that_is_not_connected_is_reported_and_the_others_are_served() {
    let failed = json!({"event": "failed", "stage": "Train", "error": "InvalidInput",
        "cause": "{\"errorMessage\":\"one class\\nonly\",\"errorType\":\"InvalidInput\"}"});
    let told = run(&json!(["slack", "github", "email"]), &failed, "en").await;
    let reached: Vec<bool> = told.deliveries().iter().map(|delivery| delivery["delivered"] == true).collect();
    assert_eq!(reached, [true, false, false, true], "{:#}", told.result);
    let error = told.deliveries()[1]["error"].as_str().unwrap();
    assert!(error.starts_with("NotFound: slack is not connected") && error.contains("topic"), "{error}");
    assert!(told.deliveries()[2]["error"].as_str().unwrap().contains("no issue"), "{:#}", told.result);
    assert_eq!(told.result["next_hint"], "2 channels were not reached");
    assert!(told.mails[0].text.contains("> one class only"), "{}", told.mails[0].text);
    assert_eq!(told.events[0].body["details"]["cause"], "one class only");
}

#[tokio::test]
async fn a_dead_topic_fails_nothing_and_is_reported() {
    let recorder = Arc::new(Recorder::default());
    let arguments = (&json!(["email"]), &completed("promote"), "en", &json!(null));
    let told = run_over(Arc::new(Dead), recorder, arguments).await;
    assert_eq!(told.deliveries()[0]["error"], "Forbidden: the topic may not be published to");
    assert_eq!((told.mails.len(), &told.result["next_hint"]), (1, &json!("1 channel was not reached")));
}

#[test]
fn a_subject_is_as_long_as_every_channel_takes() {
    assert_eq!(message::subject("short"), "short");
    assert_eq!(message::subject(&"ペ".repeat(250)), "ペ".repeat(250));
    assert_eq!(message::subject(&"ペ".repeat(251)), format!("{}…", "ペ".repeat(249)));
}
