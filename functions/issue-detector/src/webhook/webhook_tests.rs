//! What deliveries are answered.

use futures::executor::block_on;
use mlops_core::ToolCaller;
use mlops_core::values::ArtifactUri;
use mlops_records::Approvals;

use super::*;
use crate::outside::{Outside, room};
use crate::payloads::{comment_event, issue_event, sent_by, signed};

const ENGLISH: &str = include_str!("../../../../examples/penguins-classification.md");
const JAPANESE: &str = include_str!("../../../../examples/penguins-regression-ja.md");

struct World {
    webhook: Webhook,
    outside: Arc<Outside>,
    deliveries: std::cell::Cell<u32>,
}

fn world() -> World {
    let (room, outside) = room();
    let detector = IssueDetector::new(ToolCaller::embedded(room));
    let root = ArtifactUri::new("s3://store/root").unwrap();
    let runs = IssueRuns::new(outside.clone(), &root);
    let approvals = Approvals::new(outside.clone(), &root);
    let commands = Commands::new(detector.clone(), outside.clone(), approvals, runs.clone());
    let deliveries = Deliveries::new(outside.clone(), &root);
    let webhook = Webhook::new(detector, commands, outside.clone(), deliveries, runs);
    World { webhook, outside, deliveries: 0.into() }
}

impl World {
    fn deliver_as(&self, event: &str, id: &str, payload: &Value) -> WebhookAnswer {
        let body = payload.to_string().into_bytes();
        block_on(self.webhook.answer(&signed(event, id, &body), &body, &Call::new("r")))
    }

    /// A delivery with an id of its own.
    fn deliver(&self, event: &str, payload: &Value) -> WebhookAnswer {
        self.deliveries.set(self.deliveries.get() + 1);
        self.deliver_as(event, &format!("delivery-{}", self.deliveries.get()), payload)
    }

    fn runs(&self) -> usize {
        self.outside.executions.lock().unwrap().len()
    }

    fn comment(&self, marker: &str) -> Option<String> {
        self.outside.comments.lock().unwrap().get(&("octo/models#5".to_owned(), marker.to_owned())).cloned()
    }
}

#[test]
fn an_issue_is_accepted_once_however_it_arrives() {
    let world = world();
    let opened = issue_event("opened", ENGLISH);
    let first = world.deliver_as("issues", "a", &opened);
    assert_eq!((first.status, &first.body["already_running"]), (202, &json!(false)), "{first:?}");
    let run = first.body["run_id"].as_str().unwrap();
    assert!(world.outside.executions.lock().unwrap().contains_key(run));
    for id in ["a", "b"] {
        let repeat = world.deliver_as("issues", id, &opened);
        assert_eq!((repeat.status, &repeat.body["ignored"]), (200, &json!(true)), "{repeat:?}");
    }
    let mut labeled = issue_event("labeled", ENGLISH);
    labeled["label"] = json!({"name": "mlops"});
    let labeled = world.deliver("issues", &labeled);
    assert_eq!((labeled.status, &labeled.body["already_running"]), (202, &json!(true)));
    assert_eq!((world.runs(), world.comment(REQUEST)), (1, None));
    assert_eq!(
        block_on(world.webhook.issue_runs.latest(&IssueRef { repo: "octo/models".into(), number: 5 }))
            .unwrap()
            .as_deref(),
        Some(run)
    );
}

#[test]
fn a_request_with_errors_is_answered_in_its_issue_and_read_again_when_it_is_edited() {
    let world = world();
    let wrong = ENGLISH.replace("random_forest", "random_forst").replace("target_column", "target_colum");
    let refused = world.deliver("issues", &issue_event("opened", &wrong));
    assert_eq!((refused.status, &refused.body["refused"]), (200, &json!(true)), "{refused:?}");
    assert_eq!(refused.body["errors"].as_array().map(Vec::len), Some(3), "{:#}", refused.body);
    let comment = world.comment(REQUEST).unwrap();
    assert!(comment.contains("did you mean `random_forest`?") && comment.contains("`target_colum`"), "{comment}");
    assert_eq!(world.runs(), 0);
    let mut edited = issue_event("edited", ENGLISH);
    edited["changes"] = json!({"body": {"from": wrong}});
    let accepted = world.deliver("issues", &edited);
    assert_eq!((accepted.status, world.runs()), (202, 1));
    assert!(world.comment(REQUEST).unwrap().contains("The request was read."));
    let unreadable = world.deliver("issues", &issue_event("reopened", "ペンギンを分類したい"));
    assert_eq!((unreadable.status, &unreadable.body["refused"]), (200, &json!(true)));
    assert!(world.comment(REQUEST).unwrap().starts_with("この依頼はまだ実行できません"));
}

#[test]
fn commands_are_done_and_answered_in_the_language_of_the_issue() {
    let world = world();
    let said = |text: &str, body: &str| {
        let mut event = comment_event(text);
        event["issue"]["body"] = json!(body);
        event["issue"]["title"] = json!("");
        world.deliver("issue_comment", &event)
    };
    let nothing = said("/mlops status", ENGLISH);
    assert_eq!((nothing.status, &nothing.body["effect"]), (200, &json!("nothing_to_do")), "{nothing:?}");
    let train = said("/mlops train", JAPANESE);
    assert_eq!((train.status, world.runs()), (202, 1), "{train:?}");
    assert!(world.comment(COMMAND).unwrap().starts_with("依頼を読み取りました"));
    let status = said("/mlops status", JAPANESE);
    assert_eq!((status.status, &status.body["run_id"]), (202, &train.body["run_id"]));
    assert!(world.comment(COMMAND).unwrap().contains("- 状態: 実行中"));
    let unknown = said("/mlops stauts", JAPANESE);
    assert_eq!((unknown.status, &unknown.body["refused"]), (200, &json!(true)));
    assert!(world.comment(COMMAND).unwrap().starts_with("`/mlops stauts` は解釈できません"));
    let cancel = said("/mlops cancel wrong data", JAPANESE);
    assert_eq!((cancel.status, &cancel.body["effect"]), (202, &json!("done")));
    let stranger = {
        let mut event = sent_by(comment_event("/mlops retry"), "stranger");
        event["comment"]["author_association"] = json!("NONE");
        world.deliver("issue_comment", &event)
    };
    assert_eq!((stranger.status, &stranger.body["ignored"]), (200, &json!(true)));
    let reactions = world.outside.reactions.lock().unwrap().clone();
    let comment_id = comment_event("")["comment"]["id"].as_u64();
    assert_eq!(reactions.len(), 3, "each command that is understood has a sign: {reactions:?}");
    assert!(
        reactions
            .iter()
            .all(|(issue, below, sign)| (&issue[..], *below, *sign) == ("octo/models#5", comment_id, Reaction::Eyes))
    );
    assert_eq!(said("/mlops rollback 2", ENGLISH).status, 202);
}

#[test]
fn what_an_issue_cannot_have_is_ignored_with_the_reason() {
    let world = world();
    let mut deploy = issue_event("opened", ENGLISH);
    deploy["issue"]["labels"] = json!([{"name": "mlops:deploy"}]);
    for (event, payload) in [
        ("ping", json!({"zen": "Keep it logically awesome.", "hook_id": 1})),
        ("push", json!({"ref": "refs/heads/main"})),
        ("issues", issue_event("closed", ENGLISH)),
        ("issues", deploy),
        ("issue_comment", comment_event("Thanks!")),
    ] {
        let answer = world.deliver(event, &payload);
        assert_eq!((answer.status, &answer.body["ignored"]), (200, &json!(true)), "{answer:?}");
        assert!(answer.body["reasons"][0].is_string());
    }
    assert_eq!(world.runs(), 0);
}

#[test]
fn faults_of_a_delivery_have_their_status() {
    let world = world();
    let body = issue_event("opened", ENGLISH).to_string().into_bytes();
    let headers = signed("issues", "d", &body);
    let answer = |headers: &BTreeMap<String, String>, body: &[u8]| {
        let answer = block_on(world.webhook.answer(headers, body, &Call::new("r")));
        assert!(answer.body["error"]["message"].is_string(), "{answer:?}");
        answer.status
    };
    let with = |name: &str, value: Option<&str>| {
        let mut headers = headers.clone();
        match value {
            Some(value) => headers.insert(name.to_owned(), value.to_owned()),
            None => headers.remove(name),
        };
        answer(&headers, &body)
    };
    assert_eq!(with("x-hub-signature-256", None), 401);
    assert_eq!(with("x-hub-signature-256", Some("sha256=00")), 401);
    assert_eq!(with("x-hub-signature-256", Some(&headers["x-hub-signature-256"].to_uppercase())), 401);
    assert_eq!(answer(&headers, &body[1..]), 401);
    assert_eq!(answer(&headers, b""), 401);
    assert_eq!(with("x-github-event", None), 400);
    assert_eq!(with("x-github-delivery", Some("a/b")), 400);
    assert_eq!(with("content-type", Some("text/plain")), 415);
    assert_eq!(answer(&headers, &vec![b'{'; 25 * 1024 * 1024]), 413);
    let cut = &body[..body.len() - 2];
    assert_eq!(answer(&signed("issues", "d", cut), cut), 400);
    assert_eq!(answer(&signed("issues", "d", b"\xff\xff"), b"\xff\xff"), 400);
    assert_eq!(world.runs(), 0);
    assert!(world.outside.objects.lock().unwrap().is_empty());
}

#[test]
fn a_delivery_that_failed_here_can_be_made_again() {
    let world = world();
    let body = "[mlops]\n".to_owned() + ENGLISH;
    let opened = issue_event("opened", &body);
    // Another execution of that name makes the start fail.
    let first = world.deliver_as("issues", "a", &opened);
    let run = first.body["run_id"].as_str().unwrap().to_owned();
    world.outside.objects.lock().unwrap().clear();
    world.outside.executions.lock().unwrap().get_mut(&run).unwrap().input = Value::Null;
    let failed = world.deliver_as("issues", "a", &opened);
    assert_eq!(failed.status, 500, "{failed:?}");
    world.outside.executions.lock().unwrap().clear();
    assert_eq!(world.deliver_as("issues", "a", &opened).status, 202);
}
