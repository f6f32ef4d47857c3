//! What is made of deliveries and issues.

use futures::executor::block_on;
use mlops_core::{ErrorKind, Lang};
use serde_json::{Value, json};

use super::*;
use crate::outside::room;
use crate::payloads::{comment_event, issue_event, sent_by, signed};

const REQUEST: &str = include_str!("../../../../../examples/penguins-classification.md");

fn detect(tool: DetectMlopsIssue, room: &GithubIntegration) -> Result<DetectedMlopsIssue> {
    block_on(tool.run(room, &Call::new("r")))
}

fn delivery(event: &str, id: &str, payload: &Value) -> DetectMlopsIssue {
    let body = payload.to_string();
    let headers = Some(signed(event, id, body.as_bytes()));
    DetectMlopsIssue { headers, body: Some(body), ..DetectMlopsIssue::default() }
}

fn told(event: &str, payload: &Value) -> DetectedMlopsIssue {
    detect(delivery(event, "d-1", payload), &room().0).unwrap()
}

fn intent(event: &str, payload: &Value) -> Option<Intent> {
    let detected = told(event, payload);
    assert!(detected.verified && !detected.reasons.is_empty(), "{detected:?}");
    detected.is_mlops.then_some(detected.intent)
}

/// Why nothing is done.
fn ignored(event: &str, payload: &Value) -> String {
    let detected = told(event, payload);
    assert!(!detected.is_mlops && detected.intent == Intent::None && detected.body.is_empty(), "{detected:?}");
    detected.reasons.join("; ")
}

#[test]
fn an_issue_with_the_label_asks_for_a_model() {
    let detected = told("issues", &issue_event("opened", REQUEST));
    assert_eq!((detected.is_mlops, detected.intent), (true, Intent::Train));
    assert_eq!(detected.issue_ref.unwrap().to_string(), "octo/models#5");
    assert_eq!((detected.title.as_str(), detected.body.as_str()), ("Classify penguins", REQUEST));
    assert_eq!((detected.author.as_deref(), detected.author_association.as_deref()), (Some("octocat"), Some("OWNER")));
    assert_eq!((detected.event.as_deref(), detected.action.as_deref()), (Some("issues"), Some("opened")));
    assert_eq!((detected.delivery_id.as_deref(), detected.repeat), (Some("d-1"), false));
    assert_eq!(detected.signals[0], Signal::Label { name: "mlops".into() });
    for action in ["reopened", "opened"] {
        assert_eq!(intent("issues", &issue_event(action, REQUEST)), Some(Intent::Train), "{action}");
    }
}

#[test]
fn every_way_of_asking_is_seen_and_nothing_else_is() {
    let mut plain = issue_event("opened", "Hello");
    plain["issue"]["labels"] = json!([{"name": "bug"}]);
    assert!(ignored("issues", &plain).contains("neither the label `mlops`"));
    let with = |part: &str, value: Value| {
        let mut event = plain.clone();
        event["issue"][part] = value;
        intent("issues", &event)
    };
    assert_eq!(with("labels", json!([{"name": "bug"}, {"name": "MLOps:Retrain"}])), Some(Intent::Retrain));
    assert_eq!(with("title", json!("[mlops evaluate] Penguins")), Some(Intent::Evaluate));
    assert_eq!(with("body", json!(include_str!("../../tests/issue-form.md"))), Some(Intent::Train));
    assert_eq!(with("body", json!("Please.\r\n\r\n/mlops train")), Some(Intent::Train));
    assert_eq!(with("body", json!("Please.\n\n/mlops approve")), None);
    for (part, value) in [("body", Value::Null), ("title", Value::Null), ("labels", Value::Null)] {
        let mut event = issue_event("opened", "```mlops\n```");
        event["issue"][part] = value;
        assert_eq!(intent("issues", &event), Some(Intent::Train), "{part}");
    }
}

#[test]
fn only_what_can_change_a_request_is_looked_at() {
    for action in
        ["assigned", "unlabeled", "deleted", "pinned", "locked", "milestoned", "transferred", "typed", "closed"]
    {
        let reason = ignored("issues", &issue_event(action, REQUEST));
        assert!(reason.contains(action), "{reason}");
    }
    let mut labeled = issue_event("labeled", REQUEST);
    labeled["label"] = json!({"name": "mlops"});
    assert_eq!(intent("issues", &labeled), Some(Intent::Train));
    labeled["label"] = json!({"name": "bug"});
    assert!(ignored("issues", &labeled).contains("`bug`"));
    let mut edited = issue_event("edited", REQUEST);
    edited["changes"] = json!({"body": {"from": "before"}});
    assert_eq!(intent("issues", &edited), Some(Intent::Train));
    for changes in [json!({}), json!({"milestone": {}}), Value::Null] {
        edited["changes"] = changes;
        assert!(ignored("issues", &edited).contains("neither title nor body"));
    }
    let mut closed = issue_event("edited", REQUEST);
    closed["changes"] = json!({"title": {"from": "before"}});
    closed["issue"]["state"] = json!("closed");
    assert!(ignored("issues", &closed).contains("closed"));
    for event in ["ping", "push", "issues_and_more", "pull_request"] {
        let detected = told(event, &json!({"zen": "Design for failure.", "hook_id": 1}));
        assert!(!detected.is_mlops && detected.issue_ref.is_none() && detected.verified, "{event}");
    }
    assert_eq!(ignored("ping", &json!({"zen": "x"})), "the webhook works");
}

#[test]
fn bots_pull_requests_and_strangers_are_not_acted_upon() {
    let opened = issue_event("opened", REQUEST);
    assert!(ignored("issues", &sent_by(opened.clone(), "dependabot[bot]")).contains("is a bot"));
    let mut pull = opened.clone();
    pull["issue"]["pull_request"] = json!({"url": "https://api.github.example/repos/octo/models/pulls/5"});
    assert!(ignored("issues", &pull).contains("pull request"));
    for association in [json!("NONE"), json!("CONTRIBUTOR"), json!("FIRST_TIMER"), json!(""), Value::Null] {
        let mut event = opened.clone();
        event["issue"]["author_association"] = association.clone();
        assert!(ignored("issues", &event).contains("octocat may not ask"), "{association}");
    }
    for association in ["MEMBER", "COLLABORATOR", "owner"] {
        let mut event = opened.clone();
        event["issue"]["author_association"] = json!(association);
        assert_eq!(intent("issues", &event), Some(Intent::Train), "{association}");
    }
}

#[test]
fn a_maintainer_who_labels_answers_for_a_stranger() {
    let mut labeled = issue_event("labeled", REQUEST);
    labeled["label"] = json!({"name": "mlops"});
    labeled["issue"]["author_association"] = json!("NONE");
    assert!(ignored("issues", &labeled).contains("may not ask"), "a template labels in the name of the author");
    labeled = sent_by(labeled, "maintainer");
    assert_eq!(intent("issues", &labeled), Some(Intent::Train));
    assert!(ignored("issues", &sent_by(labeled, "labeler[bot]")).contains("is a bot"));
    let mut opened = issue_event("opened", REQUEST);
    opened["issue"]["author_association"] = json!("NONE");
    assert!(ignored("issues", &sent_by(opened, "somebody-else")).contains("may not ask"));
}

#[test]
fn a_comment_is_a_command_of_who_may_command() {
    let detected = told("issue_comment", &comment_event("Nice.\n/mlops reject the recall is too low"));
    assert_eq!((detected.is_mlops, detected.intent), (true, Intent::Reject));
    assert_eq!(detected.arguments.reason.as_deref(), Some("the recall is too low"));
    assert_eq!((detected.command.as_deref(), detected.comment_id), (Some("reject"), Some(492_700_400)));
    assert!(ignored("issue_comment", &comment_event("You are totally right!")).contains("/mlops"));
    assert!(ignored("issue_comment", &comment_event("<!-- mlops:command -->\n\n/mlops approve")).contains("own"));
    for action in ["edited", "deleted"] {
        let mut event = comment_event("/mlops approve");
        event["action"] = json!(action);
        assert!(ignored("issue_comment", &event).contains("only a new comment"));
    }
    let unknown = told("issue_comment", &comment_event("/mlops aprove"));
    assert_eq!((unknown.is_mlops, unknown.intent, unknown.command.as_deref()), (true, Intent::None, Some("aprove")));
    assert!(unknown.reasons[1].contains("train, approve, reject, retry, rollback, cancel, status"));
}

#[test]
fn a_comment_of_a_bot_a_stranger_or_on_a_pull_request_is_none() {
    let approve = comment_event("/mlops approve");
    assert!(ignored("issue_comment", &sent_by(approve.clone(), "mlops[bot]")).contains("is a bot"));
    let mut by_bot = approve.clone();
    by_bot["comment"]["user"]["type"] = json!("Bot");
    assert!(ignored("issue_comment", &by_bot).contains("is a bot"));
    let mut stranger = sent_by(approve.clone(), "stranger");
    stranger["comment"]["author_association"] = json!("NONE");
    assert!(ignored("issue_comment", &stranger).contains("stranger may not ask"));
    let mut pull = approve.clone();
    pull["issue"]["pull_request"] = json!({});
    assert!(ignored("issue_comment", &pull).contains("pull request"));
    let mut closed = approve;
    closed["issue"]["state"] = json!("closed");
    assert!(ignored("issue_comment", &closed).contains("closed"));
}

#[test]
fn who_may_write_in_the_repository_is_a_collaborator_though_github_does_not_say_so() {
    let (mut room, outside) = room();
    outside
        .permissions
        .lock()
        .unwrap()
        .extend([("hidden".to_owned(), Permission::Write), ("reader".to_owned(), Permission::Read)]);
    let said = |room: &GithubIntegration, id: &str, login: &str| {
        let mut event = sent_by(comment_event("/mlops approve"), login);
        event["comment"]["author_association"] = json!("CONTRIBUTOR");
        detect(delivery("issue_comment", id, &event), room).unwrap()
    };
    let hidden = said(&room, "d-1", "hidden");
    assert_eq!((hidden.is_mlops, hidden.intent), (true, Intent::Approve));
    assert!(hidden.reasons.iter().any(|reason| reason == "hidden may write in the repository"), "{hidden:?}");
    assert_eq!(hidden.author_association.as_deref(), Some("CONTRIBUTOR"), "what GitHub said is reported");
    for login in ["reader", "stranger"] {
        assert!(!said(&room, login, login).is_mlops, "{login}");
    }
    room.requests.approvers = vec!["OWNER".into()];
    assert!(!said(&room, "d-2", "hidden").is_mlops, "only where collaborators may ask");
}

#[test]
fn who_approves_can_be_others_than_who_commands() {
    let (mut room, _outside) = room();
    room.requests.approvers = vec!["OWNER".into()];
    room.requests.commanders = vec!["OWNER".into(), "CONTRIBUTOR".into()];
    for (command, association, allowed) in [
        ("approve", "OWNER", true),
        ("approve", "CONTRIBUTOR", false),
        ("reject", "CONTRIBUTOR", false),
        ("retry", "CONTRIBUTOR", true),
        ("status", "CONTRIBUTOR", true),
        ("status", "MEMBER", false),
    ] {
        let mut event = comment_event(&format!("/mlops {command}"));
        event["comment"]["author_association"] = json!(association);
        let id = format!("{command}-{association}").to_lowercase();
        let detected = detect(delivery("issue_comment", &id, &event), &room).unwrap();
        assert_eq!(detected.is_mlops, allowed, "{command} {association}");
    }
}

#[test]
fn a_repeat_is_told_by_its_id_and_by_its_body() {
    let (room, outside) = room();
    let first = delivery("issues", "d-1", &issue_event("opened", REQUEST));
    let looked = detect(DetectMlopsIssue { dry_run: true, ..first.clone() }, &room).unwrap();
    assert!(looked.is_mlops && looked.dry_run && outside.objects.lock().unwrap().is_empty());
    assert!(detect(first.clone(), &room).unwrap().is_mlops);
    let again = delivery("issues", "d-2", &issue_event("opened", REQUEST));
    let other = delivery("issues", "d-1", &issue_event("reopened", REQUEST));
    for (repeat, reason) in [(first, "made before"), (again, "same body"), (other, "made before")] {
        for dry_run in [true, false] {
            let detected = detect(DetectMlopsIssue { dry_run, ..repeat.clone() }, &room).unwrap();
            assert!(detected.repeat && !detected.is_mlops && detected.intent == Intent::None);
            assert!(detected.reasons[0].contains(reason), "{:?}", detected.reasons);
        }
    }
    let objects = outside.objects.lock().unwrap().len();
    assert!(!detect(delivery("issues", "d-3", &issue_event("closed", REQUEST)), &room).unwrap().repeat);
    assert_eq!(outside.objects.lock().unwrap().len(), objects, "what asks for nothing is not remembered");
}

fn refused(tool: DetectMlopsIssue) -> (ErrorKind, String) {
    let error = detect(tool, &room().0).unwrap_err();
    (error.kind, error.field.unwrap_or_default())
}

#[test]
fn the_signature_is_over_the_bytes_as_they_were_sent() {
    let spaced = format!("{:#}", issue_event("opened", "ペンギン 🐧\r\n```mlops\n```"));
    let headers = Some(signed("issues", "d-1", spaced.as_bytes()));
    let base64 = Some(STANDARD.encode(&spaced));
    let tool = DetectMlopsIssue { headers, body_base64: base64, ..DetectMlopsIssue::default() };
    assert!(detect(tool.clone(), &room().0).unwrap().is_mlops);
    let rewritten: Value = serde_json::from_str(&spaced).unwrap();
    let rewritten = DetectMlopsIssue { body: Some(rewritten.to_string()), body_base64: None, ..tool.clone() };
    assert_eq!(refused(rewritten), (ErrorKind::Forbidden, "headers.x-hub-signature-256".into()));
    let mut unsigned = tool;
    unsigned.headers.as_mut().unwrap().remove("x-hub-signature-256");
    assert_eq!(refused(unsigned).0, ErrorKind::Forbidden);
}

#[test]
fn hostile_bodies_are_refused_and_named() {
    let body = |bytes: &[u8]| DetectMlopsIssue {
        headers: Some(signed("issues", "d-1", bytes)),
        body_base64: Some(STANDARD.encode(bytes)),
        ..DetectMlopsIssue::default()
    };
    let whole = issue_event("opened", REQUEST).to_string();
    let deep = format!("{{\"issue\": {}1{}}}", "[".repeat(200_000), "]".repeat(200_000));
    let deep_aside = format!("{{\"x\": {}1{}, {}", "[".repeat(5_000), "]".repeat(5_000), &whole[1..]);
    let twice = format!("{{\"action\": \"closed\", {}", &whole[1..]);
    let flaws: [&[u8]; 12] = [
        b"",
        b"null",
        b"[]",
        b"\"opened\"",
        b"{}",
        b"{\"action\": 1}",
        b"\xff\xfe{\x00}\x00",
        &whole.as_bytes()[..whole.len() / 2],
        deep.as_bytes(),
        twice.as_bytes(),
        b"payload=%7B%7D",
        &[whole.as_bytes(), b"{}"].concat(),
    ];
    for flaw in flaws {
        let shown = String::from_utf8_lossy(&flaw[..flaw.len().min(60)]).into_owned();
        assert_eq!(refused(body(flaw)), (ErrorKind::InvalidInput, "body".into()), "{shown}");
    }
    // What is nested beside everything that is read costs no stack, whether or not it is passed over.
    drop(detect(body(deep_aside.as_bytes()), &room().0));
    let large = vec![b' '; LARGEST_DELIVERY + 1];
    assert_eq!(refused(body(&large)), (ErrorKind::InvalidInput, "body_base64".into()));
    let number = whole.replace("\"number\":5", "\"number\":-5");
    assert_eq!(refused(body(number.as_bytes())), (ErrorKind::InvalidInput, "body".into()));
}

#[test]
fn what_is_no_delivery_is_told_apart() {
    let good = delivery("issues", "d-1", &issue_event("opened", REQUEST));
    let with = |name: &str, value: Option<&str>| {
        let mut tool = good.clone();
        let headers = tool.headers.as_mut().unwrap();
        match value {
            Some(value) => headers.insert(name.to_owned(), value.to_owned()),
            None => headers.remove(name),
        };
        refused(tool)
    };
    let invalid = |field: &str| (ErrorKind::InvalidInput, field.to_owned());
    assert_eq!(with("x-github-event", None), invalid("headers"));
    assert_eq!(with("x-github-delivery", None), invalid("headers"));
    assert_eq!(with("x-github-delivery", Some("../../x")), invalid("headers"));
    assert_eq!(with("X-GITHUB-EVENT", Some("issues")), invalid("headers"));
    assert_eq!(with("content-type", Some("application/x-www-form-urlencoded")), invalid("headers.content-type"));
    assert_eq!(refused(DetectMlopsIssue::default()), invalid("headers"));
    assert_eq!(refused(DetectMlopsIssue { body: None, ..good.clone() }), invalid("body"));
    assert_eq!(refused(DetectMlopsIssue { body_base64: Some("e30=".into()), ..good.clone() }), invalid("body_base64"));
    let wrong = DetectMlopsIssue { body: None, body_base64: Some("not base64!".into()), ..good };
    assert_eq!(refused(wrong), invalid("body_base64"));
}

#[test]
fn a_plain_issue_is_read_by_the_same_rules() {
    let issue = |value: Value| {
        let issue = serde_json::from_value(value).unwrap();
        detect(DetectMlopsIssue { issue: Some(issue), ..DetectMlopsIssue::default() }, &room().0)
    };
    let detected = issue(json!({"repo": "o/n", "number": 7, "labels": ["mlops"], "body": "x"})).unwrap();
    assert_eq!((detected.is_mlops, detected.intent, detected.verified), (true, Intent::Train, false));
    assert!(detected.delivery_id.is_none() && detected.author.is_none());
    let cases = [
        json!({"labels": ["mlops"], "closed": true}),
        json!({"labels": ["mlops"], "pull_request": true}),
        json!({"labels": ["mlops"], "author": "x[bot]"}),
        json!({"labels": ["mlops"], "author": "x", "author_association": "NONE"}),
        json!({"title": "Hello"}),
        json!({"labels": ["mlops"], "comment": "Thanks"}),
    ];
    for mut case in cases {
        case["repo"] = json!("o/n");
        case["number"] = json!(7);
        let detected = issue(case.clone()).unwrap();
        assert!(!detected.is_mlops && !detected.reasons.is_empty(), "{case}");
    }
    let command = issue(json!({"repo": "o/n", "number": 7, "comment": "/mlops rollback 3"})).unwrap();
    assert_eq!((command.intent, command.arguments.version), (Intent::Rollback, Some(3)));
    let error = issue(json!({"repo": "o", "number": 7})).unwrap_err();
    assert_eq!(error.field.as_deref(), Some("issue.repo"));
}

#[test]
fn the_answer_is_in_the_language_of_the_call() {
    let tool = delivery("issues", "d-1", &issue_event("opened", REQUEST));
    let call = Call::new("r").in_lang(Lang::Ja);
    let detected = block_on(tool.run(&room().0, &call)).unwrap();
    assert_eq!(detected.summary(Lang::Ja), "octo/models#5 の依頼: train（ラベル `mlops`; 本文が依頼の形式）");
    assert_eq!(
        told("issues", &issue_event("pinned", "")).summary(Lang::En),
        "nothing is to be done: an issue that was pinned asks for nothing"
    );
}
