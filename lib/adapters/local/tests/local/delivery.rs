//! Events, mail, secrets, issues and the audit log.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mlops_contract::Repeats;
use mlops_core::ports::{
    CodeHost as _, Comment, CommentChange, Email, Event, Issue, Mailer as _, MessageReceipt, Permission, Secrets as _,
    Topics as _,
};
use mlops_core::values::{IssueRef, Mailbox};
use mlops_core::{Audit as _, AuditLine, Call, ErrorKind};
use mlops_local::{FileCodeHost, FileSecrets, JsonLines, Outbox};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tempfile::TempDir;

fn event(key: &str) -> Event {
    Event {
        key: key.to_owned(),
        group: "run-1".to_owned(),
        subject: "A model".to_owned(),
        attributes: BTreeMap::new(),
        body: json!({"text": "See ghp_abcdefghijklmnop now."}),
    }
}

fn mail(key: &str) -> Email {
    let mailbox = |text: &str| Mailbox::new(text).unwrap();
    Email {
        key: key.to_owned(),
        date: "2026-01-02T03:04:05Z".parse().unwrap(),
        from: mailbox("mlops@example.com"),
        to: vec![mailbox("someone@example.com")],
        cc: Vec::new(),
        reply_to: None,
        subject: "A model".to_owned(),
        text: "See ghp_abcdefghijklmnop now.\n".to_owned(),
        html: None,
        attachments: Vec::new(),
    }
}

#[tokio::test]
async fn the_outbox_keeps_the_contracts() {
    let home = TempDir::new().unwrap();
    let outbox = Outbox::new(home.path());
    mlops_contract::topics(&outbox, Repeats::Known).await;
    let (from, to) = (Mailbox::new("学習 <mlops@example.com>").unwrap(), Mailbox::new("a@example.com").unwrap());
    mlops_contract::mailer(&outbox, &from, &to, Repeats::Known).await;
}

#[tokio::test]
async fn an_event_and_a_mail_are_files_without_secrets() {
    let home = TempDir::new().unwrap();
    let outbox = Outbox::new(home.path());
    let file = |receipt: MessageReceipt| home.path().join(receipt.message_ref);
    let path = file(outbox.publish(&event("run-1/completed")).await.unwrap());
    assert!(path.starts_with(home.path().join("outbox/events")));
    let record: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(record["key"], "run-1/completed");
    assert_eq!(record["body"]["text"], "See ghp_***masked*** now.");
    let path = file(outbox.send(&mail("run-1/completed")).await.unwrap());
    assert!(path.starts_with(home.path().join("outbox/mail")) && path.extension().unwrap() == "eml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("To: <someone@example.com>\r\n") && text.contains("See ghp_***masked*** now."), "{text}");
    // What was taken away is not known any more.
    fs::remove_file(&path).unwrap();
    assert!(!outbox.send(&mail("run-1/completed")).await.unwrap().deduplicated);
}

#[tokio::test]
async fn where_nothing_can_be_written_nothing_is_sent() {
    let outbox = Outbox::new("/dev/null/home");
    assert!(outbox.publish(&event("k")).await.is_err());
    assert!(outbox.send(&mail("k")).await.is_err());
}

fn secrets_file(home: &TempDir, text: &str, mode: u32) -> PathBuf {
    let path = home.path().join("secrets.json");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

#[tokio::test]
async fn secrets_keep_the_contract_wherever_they_come_from() {
    let home = TempDir::new().unwrap();
    let read = |name: &str| (name == "MLOPS_SECRET_GITHUB_TOKEN").then(|| "from-a-variable".to_owned());
    let by_variable = FileSecrets::new(read, None);
    mlops_contract::secrets(&by_variable, ("mlops/github-token", "from-a-variable"), "mlops/mcp-api-key").await;
    let text = json!({"mlops/github-token": "in-a-file", "mlops/slack-webhook-url": "also-in-a-file", "mlops/a": ""});
    let file = secrets_file(&home, &text.to_string(), 0o600);
    let by_file = FileSecrets::new(read, Some(file.clone()));
    mlops_contract::secrets(&by_file, ("mlops/slack-webhook-url", "also-in-a-file"), "mlops/mcp-api-key").await;
    let first = by_file.secret("mlops/github-token").await.unwrap();
    assert_eq!(first.expose_secret(), "from-a-variable", "the variable is looked at first");
    let error = by_file.secret("mlops/a").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound, "an empty secret is none");
    assert!(error.hint.unwrap().contains("MLOPS_SECRET_A"));
    let error = FileSecrets::from_environment(None).secret("mlops/github-tokn").await.unwrap_err();
    assert!(error.hint.unwrap().contains("did you mean mlops/github-token?"));
    assert!(!format!("{by_file:?}").contains("in-a-file"));
}

#[tokio::test]
async fn a_secrets_file_that_is_not_safe_or_not_right_is_refused() {
    let home = TempDir::new().unwrap();
    for (text, mode, expected) in [
        ("{}", 0o644, ErrorKind::Forbidden),
        ("{\"mlops/github-token\": hunter2hunter2", 0o600, ErrorKind::InvalidInput),
        ("{\"mlops/github-token\": [\"hunter2hunter2\"]}", 0o600, ErrorKind::InvalidInput),
    ] {
        let secrets = FileSecrets::new(|_| None, Some(secrets_file(&home, text, mode)));
        let error = secrets.secret("mlops/github-token").await.unwrap_err();
        assert_eq!(error.kind, expected, "{}", error.message);
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        assert!(expected != ErrorKind::Forbidden || error.hint.unwrap().contains("chmod 600"));
    }
    let nowhere = FileSecrets::new(|_| None, Some(home.path().join("nowhere.json")));
    assert_eq!(nowhere.secret("mlops/github-token").await.unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn issues_are_read_from_files() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("issues/owner/repo");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("7.md"), "# Train a model\n\n### Data\n\npenguins.csv\n").unwrap();
    fs::write(folder.join("8.md"), "no heading").unwrap();
    fs::write(folder.join("9.md"), [0xff, 0xfe]).unwrap();
    fs::write(folder.join("10.md"), vec![b'x'; 2 << 20]).unwrap();
    fs::create_dir(folder.join("11.md")).unwrap();
    let host = FileCodeHost::new(home.path());
    let issue = async |repo: &str, number| host.issue(&IssueRef { repo: repo.to_owned(), number }).await;
    let seven = issue("owner/repo", 7).await.unwrap();
    assert_eq!((&seven.title[..], &seven.body[..]), ("Train a model", "### Data\n\npenguins.csv\n"));
    assert_eq!(issue("owner/repo", 8).await.unwrap().title, "Issue 8");
    let missing = issue("owner/repo", 12).await.unwrap_err();
    assert_eq!(missing.kind, ErrorKind::NotFound);
    assert!(missing.message.contains("12") && missing.message.contains("owner/repo"));
    for number in [9, 10, 11] {
        assert_eq!(issue("owner/repo", number).await.unwrap_err().kind, ErrorKind::InvalidInput, "{number}");
    }
    for repo in ["", "owner", "owner/..", "../repo", "a/b/c", "owner/re po"] {
        assert_eq!(issue(repo, 7).await.unwrap_err().field.as_deref(), Some("repo"), "{repo}");
    }
}

#[tokio::test]
async fn issues_and_comments_keep_the_contract() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("issues/owner/a.repository");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("7.md"), "# ペンギン\n\nTrain a model\n").unwrap();
    let reference = IssueRef { repo: "owner/a.repository".to_owned(), number: 7 };
    let known = Issue { reference, title: "ペンギン".to_owned(), body: "Train a model\n".to_owned() };
    let absent = IssueRef { number: 404, ..known.reference.clone() };
    let read = async |url: &str| fs::read_to_string(url.strip_prefix("file://").unwrap()).unwrap();
    fs::write(folder.join("collaborators.json"), r#"{"A-Writer": "write", "a-reader": "read"}"#).unwrap();
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let known =
        mlops_contract::KnownHost { issue: &known, absent: &absent, writer: "a-writer", stranger: "a-reader", commit };
    let host = FileCodeHost::new(home.path());
    mlops_contract::code_host(&host, known, read).await;
    fs::write(folder.join("collaborators.json"), "[]").unwrap();
    let error = host.permission("owner/a.repository", "a-writer").await.unwrap_err();
    assert!(error.kind == ErrorKind::InvalidInput && error.message.contains("collaborators.json"), "{error}");
    assert_eq!(host.permission("owner/other", "a-writer").await.unwrap(), Permission::None);
    assert!(home.path().join("outbox/github/owner/a.repository/7/contract-2.md").is_file());
    assert_eq!(fs::read_dir(home.path().join("tmp")).unwrap().count(), 0, "no draft is left");
}

#[tokio::test]
async fn of_many_that_comment_at_once_one_creates_and_no_text_is_torn() {
    let home = TempDir::new().unwrap();
    let host = FileCodeHost::new(home.path());
    let issue = IssueRef { repo: "owner/repo".to_owned(), number: 1 };
    let comment = |body: String| Comment { marker: "run-1".to_owned(), body };
    let same = comment("the same".to_owned());
    let all = futures::future::join_all((0..16).map(|_| host.comment(&issue, &same))).await;
    let created = all.iter().filter(|one| one.as_ref().unwrap().change == CommentChange::Created).count();
    assert_eq!(created, 1);
    assert!(all.iter().all(|one| one.as_ref().unwrap().change != CommentChange::Updated));
    let texts: Vec<Comment> = (0..16_u8).map(|at| comment(char::from(b'a' + at).to_string().repeat(40_000))).collect();
    futures::future::join_all(texts.iter().map(|text| host.comment(&issue, text))).await;
    let kept = fs::read_to_string(home.path().join("outbox/github/owner/repo/1/run-1.md")).unwrap();
    assert!(texts.iter().any(|text| text.to_text().unwrap() == kept), "the text of one of them as a whole");
    let blocked = FileCodeHost::new("/dev/null/home");
    assert!(blocked.comment(&issue, &same).await.is_err());
}

#[test]
fn lines_of_many_threads_do_not_mix() {
    let home = TempDir::new().unwrap();
    let log = Arc::new(JsonLines::new(home.path()));
    let arguments = json!({ "text": "x".repeat(400) });
    let call = Call::new("request");
    let line = AuditLine::of(("data", "load"), &arguments, &call, Duration::ZERO, Ok("done"));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..50).for_each(|_| log.write(&line)));
        }
    });
    let text = fs::read_to_string(home.path().join("logs/audit.jsonl")).unwrap();
    let lines: Vec<AuditLine> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), log.lost()), (400, 0));
    let nowhere = JsonLines::new("/dev/null/home");
    nowhere.write(&line);
    assert_eq!(nowhere.lost(), 1);
}
