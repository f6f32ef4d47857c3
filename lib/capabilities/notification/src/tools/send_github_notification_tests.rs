//! Notifications in issues, on files, and on a host that fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use mlops_core::ports::{Checked, CodeHost, Commented, Issue, Labelled, Permission, Reaction};
use serde_json::{Value, json};

use super::*;
use crate::sample_room::SampleRoom;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

async fn send(room: &Notification, arguments: Value) -> Result<Value> {
    let mut all = json!({"issue_ref": {"repo": "owner/name", "number": 7}});
    all.as_object_mut().unwrap().extend(arguments.as_object().unwrap().clone());
    let entry = crate::tools::TOOLS.iter().find(|entry| entry.name == SendGithubNotification::NAME).unwrap();
    let outcome = (entry.run)(room, &Call::new("r").in_run("run-1"), all).await?;
    assert!(!outcome.summary.is_empty());
    Ok(outcome.value)
}

fn everything() -> Value {
    json!({"subject": "A *model* for @team", "body": "It is **good**.", "add_labels": ["mlops:done"],
        "remove_labels": ["mlops:running"], "check": {"commit": COMMIT, "context": "mlops/training", "state": "success",
        "description": "trained", "link": "https://example.org/r"}})
}

#[tokio::test]
async fn an_issue_hears_of_it_once() {
    let SampleRoom { room, folder } = SampleRoom::new();
    let first = send(&room, everything()).await.unwrap();
    assert_eq!(
        (&first["delivered"], &first["deduplicated"], &first["attempts"]),
        (&json!(true), &json!(false), &json!(1))
    );
    assert_eq!(
        (&first["labels"], &first["error"], &first["comment"]),
        (&json!(["mlops:done"]), &json!(null), &json!(null))
    );
    let place = folder.path().join("outbox/github/owner/name");
    let text = std::fs::read_to_string(place.join("7/run-1.notification.md")).unwrap();
    assert!(
        text.starts_with("<!-- mlops:run-1.notification -->\n\n### A \\*model\\* for @\u{200b}team\n\nIt is **good**."),
        "{text}"
    );
    assert!(first["message_ref"].as_str().unwrap().ends_with("run-1.notification.md"));
    let checks: Value =
        serde_json::from_slice(&std::fs::read(place.join(format!("checks/{COMMIT}.json"))).unwrap()).unwrap();
    assert_eq!(checks["mlops/training"]["state"], "success");
    let again = send(&room, everything()).await.unwrap();
    assert_eq!((&again["delivered"], &again["deduplicated"]), (&json!(true), &json!(true)));
    assert_eq!(again["message_ref"], first["message_ref"]);
}

#[tokio::test]
async fn each_part_goes_alone_and_a_dry_run_changes_nothing() {
    let SampleRoom { room, folder } = SampleRoom::new();
    let mut dry = everything();
    dry["dry_run"] = json!(true);
    let shown = send(&room, dry).await.unwrap();
    assert_eq!((&shown["delivered"], &shown["attempts"]), (&json!(false), &json!(0)));
    assert!(shown["comment"].as_str().unwrap().contains("It is **good**."));
    assert!(!folder.path().join("outbox").exists());
    let labels = send(&room, json!({"add_labels": ["a"]})).await.unwrap();
    assert_eq!((&labels["labels"], &labels["message_ref"]), (&json!(["a"]), &json!(null)));
    let check = send(&room, json!({"check": everything()["check"]})).await.unwrap();
    assert!(check["message_ref"].as_str().unwrap().contains(COMMIT) && check["labels"].is_null());
}

#[tokio::test]
async fn a_long_text_is_cut_at_a_line_and_secrets_stay_out() {
    let SampleRoom { room, folder } = SampleRoom::new();
    let line = "| ペンギン 🐧 | 1 |\n";
    let sent = send(&room, json!({"subject": "x".repeat(1_000), "body": line.repeat(8_000)})).await.unwrap();
    assert_eq!((&sent["delivered"], &sent["shortened"]), (&json!(true), &json!(true)));
    let place = folder.path().join("outbox/github/owner/name/7/run-1.notification.md");
    let text = std::fs::read_to_string(&place).unwrap();
    assert!(Comment::length(&text) <= Comment::LONGEST && text.trim_end().ends_with("| 1 |\n\n…"));
    send(&room, json!({"body": "use ghp_abcdefghijklmnop"})).await.unwrap();
    assert!(!std::fs::read_to_string(&place).unwrap().contains("abcdefghijklmnop"));
    assert_eq!(cut("ab\ncd", 10), "ab\ncd");
    assert_eq!((cut("abcd\nef", 6), cut("a\nbcdef", 6), cut("🐧🐧", 3)), ("abcd", "a\nbcde", "🐧"));
}

#[tokio::test]
async fn what_cannot_be_said_names_the_field() {
    let SampleRoom { room, .. } = SampleRoom::new();
    let check = |field: &str, value: &str| {
        let mut check = everything()["check"].clone();
        check[field] = json!(value);
        json!({"check": check})
    };
    for (arguments, field) in [
        (json!({}), "body"),
        (json!({"body": " "}), "body"),
        (json!({"body": "x", "marker": "../x"}), "marker"),
        (json!({"add_labels": [""]}), "add_labels"),
        (json!({"add_labels": ["a"], "remove_labels": ["A"]}), "remove_labels"),
        (json!({"add_labels": vec!["a"; 51]}), "add_labels"),
        (check("commit", "main"), "check.commit"),
        (check("context", ""), "check.context"),
        (check("link", "file:///x"), "check.link"),
        (check("state", "done"), "check.state"),
        (json!({"body": "x", "issue_ref": {"repo": "owner", "number": 7}}), "issue_ref.repo"),
    ] {
        let error = send(&room, arguments.clone()).await.unwrap_err();
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some(field)), "{arguments}");
    }
    let entry = crate::tools::TOOLS.iter().find(|entry| entry.name == SendGithubNotification::NAME).unwrap();
    let arguments = json!({"issue_ref": {"repo": "owner/name", "number": 7}, "body": "x"});
    let error = (entry.run)(&room, &Call::new("r"), arguments).await.unwrap_err();
    assert_eq!(error.field.as_deref(), Some("marker"), "without a run nobody could find it again");
}

/// A host that fails that many times, in that way.
struct Failing {
    kind: ErrorKind,
    left: AtomicU32,
}

impl Failing {
    fn next(&self) -> Result<()> {
        let left = self.left.load(Ordering::Acquire);
        if left == 0 {
            return Ok(());
        }
        self.left.store(left - 1, Ordering::Release);
        Err(Error::new(self.kind, "the host says no"))
    }
}

#[async_trait]
impl CodeHost for Failing {
    async fn issue(&self, reference: &IssueRef) -> Result<Issue> {
        Err(Error::not_found(format!("there is no issue {reference}")))
    }

    async fn comment(&self, reference: &IssueRef, _: &Comment) -> Result<Commented> {
        self.next()?;
        Ok(Commented { url: format!("https://example.org/{reference}"), change: CommentChange::Created })
    }

    async fn label(&self, _: &IssueRef, add: &[String], _: &[String]) -> Result<Labelled> {
        self.next()?;
        Ok(Labelled { labels: add.to_vec(), changed: true })
    }

    async fn react(&self, _: &IssueRef, _: Option<u64>, _: Reaction) -> Result<bool> {
        self.next().map(|()| true)
    }

    async fn permission(&self, _: &str, _: &str) -> Result<Permission> {
        self.next().map(|()| Permission::None)
    }

    async fn check(&self, _: &str, commit: &str, _: &CommitCheck) -> Result<Checked> {
        self.next()?;
        Ok(Checked { url: format!("https://example.org/{commit}"), changed: true })
    }
}

#[tokio::test]
async fn a_host_that_does_not_answer_is_tried_again_and_then_reported() {
    let mut sample = SampleRoom::new();
    for (kind, times, delivered, attempts) in [
        (ErrorKind::Unavailable, 1, true, 2),
        (ErrorKind::Unavailable, 100, false, 3),
        (ErrorKind::Forbidden, 100, false, 1),
    ] {
        sample.room.code_host = Arc::new(Failing { kind, left: times.into() });
        let sent = send(&sample.room, everything()).await.unwrap();
        assert_eq!((&sent["delivered"], &sent["attempts"]), (&json!(delivered), &json!(attempts)), "{kind} {times}");
        let error = sent["error"].as_str().map(str::to_owned);
        assert_eq!(error, (!delivered).then(|| format!("{kind}: the host says no")));
    }
    sample.room.code_host = Arc::new(Failing { kind: ErrorKind::NotFound, left: 100.into() });
    assert_eq!(send(&sample.room, everything()).await.unwrap_err().kind, ErrorKind::NotFound);
}
