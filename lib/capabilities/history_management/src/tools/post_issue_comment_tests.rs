//! Comments on an issue, on files.

use std::path::PathBuf;
use std::sync::Arc;

use mlops_core::ErrorKind;
use mlops_local::{Access, FileCodeHost, FileRepositories, FileStore};
use mlops_records::RunRecords;
use serde_json::{Value, json};

use super::*;

fn room(folder: &tempfile::TempDir) -> HistoryManagement {
    let store = Arc::new(FileStore::new(folder.path(), folder.path(), Access::Anywhere));
    HistoryManagement {
        runs: RunRecords::new(store, &ArtifactUri::from_path(&folder.path().join("store"))),
        code_host: Arc::new(FileCodeHost::new(folder.path())),
        repositories: Arc::new(FileRepositories::new(folder.path())),
    }
}

async fn post(folder: &tempfile::TempDir, lang: Lang, arguments: Value) -> Result<Value> {
    let mut all = json!({"issue_ref": {"repo": "owner/name", "number": 7}});
    all.as_object_mut().unwrap().extend(arguments.as_object().unwrap().clone());
    let entry = crate::tools::TOOLS.iter().find(|entry| entry.name == PostIssueComment::NAME).unwrap();
    let outcome = (entry.run)(&room(folder), &Call::new("r").in_run("run-1").in_lang(lang), all).await?;
    assert!(!outcome.summary.is_empty());
    Ok(outcome.value)
}

fn file(folder: &tempfile::TempDir, marker: &str) -> PathBuf {
    folder.path().join(format!("outbox/github/owner/name/7/{marker}.md"))
}

#[tokio::test]
async fn a_comment_is_posted_once_and_then_kept_current() {
    let folder = tempfile::tempdir().unwrap();
    let stages = |state: &str| json!([{"stage": "Train", "state": state, "seconds": 2.5}]);
    let arguments = json!({"title": "A run", "stages": stages("running"), "text": "As *asked*.",
        "links": [{"label": "Report", "uri": "s3://bucket/report.html"}]});
    let first = post(&folder, Lang::En, arguments.clone()).await.unwrap();
    assert_eq!(
        (&first["change"], &first["marker"], &first["collapsed"]),
        (&json!("created"), &json!("run-1"), &json!(false))
    );
    let text = std::fs::read_to_string(file(&folder, "run-1")).unwrap();
    let expected = "<!-- mlops:run-1 -->\n\n### A run\n\n- [ ] ⏳ **Train** – running, 2.50 s\n\nAs *asked*.\n\n\
        - Report: `s3://bucket/report.html`\n";
    assert_eq!(text, expected);
    assert_eq!(first["characters"], json!(expected.encode_utf16().count()));
    assert_eq!(post(&folder, Lang::En, arguments).await.unwrap()["change"], "unchanged");
    let done = post(&folder, Lang::Ja, json!({"stages": stages("done"), "run_id": "run-1"})).await.unwrap();
    assert_eq!((&done["change"], &done["url"]), (&json!("updated"), &first["url"]));
    assert_eq!(done["body"], "- [x] Train – 2.50 秒");
    let other = post(&folder, Lang::En, json!({"text": "Listed", "marker": "request"})).await.unwrap();
    assert_eq!(other["change"], "created");
}

#[tokio::test]
async fn a_dry_run_shows_the_comment_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for text in ["short".to_owned(), "long ".repeat(20_000)] {
        let shown = post(&folder, Lang::En, json!({"text": text, "dry_run": true})).await.unwrap();
        assert_eq!(
            (&shown["url"], &shown["change"], &shown["whole_text_uri"]),
            (&json!(null), &json!(null), &json!(null))
        );
        assert_eq!(shown["collapsed"], json!(text.len() > 1_000));
        assert!(!shown["body"].as_str().unwrap().is_empty());
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn what_is_too_long_goes_to_the_store_and_the_comment_links_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let text = "| ペンギン | 1 |\n".repeat(6_000);
    let arguments = json!({"title": "結果", "text": text, "stages": [{"stage": "学習", "state": "done"}]});
    let posted = post(&folder, Lang::Ja, arguments.clone()).await.unwrap();
    assert_eq!(posted["collapsed"], true);
    assert!(posted["characters"].as_u64().unwrap() <= 65_536);
    let place = posted["whole_text_uri"].as_str().unwrap().to_owned();
    let whole = std::fs::read_to_string(place.strip_prefix("file://").unwrap()).unwrap();
    assert!(whole.contains(text.trim_end()) && whole.starts_with("### 結果"));
    assert_eq!(posted["whole_text_sha256"], json!(sha256_hex(whole.as_bytes())));
    let comment = std::fs::read_to_string(file(&folder, "run-1")).unwrap();
    assert!(
        comment.contains(&place) && comment.contains("- [x] 学習") && comment.contains("収まりません"),
        "{comment}"
    );
    let again = post(&folder, Lang::Ja, arguments).await.unwrap();
    assert_eq!((&again["change"], &again["whole_text_uri"]), (&json!("unchanged"), &posted["whole_text_uri"]));
    // A text of the greatest length is posted as it is.
    let hidden = "<!-- mlops:run-1 -->\n\n\n".len();
    for (length, collapsed) in [(65_536 - hidden, false), (65_537 - hidden, true)] {
        let posted = post(&folder, Lang::En, json!({"text": "x".repeat(length)})).await.unwrap();
        assert_eq!(posted["collapsed"], json!(collapsed), "{length}");
    }
}

#[tokio::test]
async fn secrets_reach_neither_the_comment_nor_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let secret = "ghp_abcdefghijklmnop1234";
    let short = json!({"title": secret, "text": format!("use {secret}"), "stages": [{"stage": secret, "state": "failed"}],
        "links": [{"label": "x", "uri": format!("https://me:{secret}@example.org/")}]});
    let posted = post(&folder, Lang::En, short).await.unwrap();
    assert!(!posted.to_string().contains("abcdefghijklmnop"));
    assert!(!std::fs::read_to_string(file(&folder, "run-1")).unwrap().contains("abcdefghijklmnop"));
    let long = json!({"text": format!("{secret} ").repeat(5_000)});
    let posted = post(&folder, Lang::En, long).await.unwrap();
    let place = posted["whole_text_uri"].as_str().unwrap().strip_prefix("file://").unwrap().to_owned();
    assert!(!std::fs::read_to_string(place).unwrap().contains("abcdefghijklmnop"));
}

#[tokio::test]
async fn what_cannot_be_posted_names_the_field() {
    let folder = tempfile::tempdir().unwrap();
    let many: Vec<Value> = (0..101).map(|_| json!({"stage": "x", "state": "done"})).collect();
    for (arguments, field) in [
        (json!({}), "text"),
        (json!({"text": " ", "title": "\n"}), "text"),
        (json!({"text": "x", "marker": "../x"}), "marker"),
        (json!({"text": "x".repeat(70_000), "marker": "../x"}), "marker"),
        (json!({"text": "x", "run_id": "../x"}), "run_id"),
        (json!({"text": "x", "issue_ref": {"repo": "owner", "number": 7}}), "repo"),
        (json!({"stages": many}), "stages"),
        (json!({"text": "x", "stages": [{"stage": "x", "state": "dnoe"}]}), "stages[0].state"),
    ] {
        let error = post(&folder, Lang::En, arguments.clone()).await.unwrap_err();
        let field = if field == "repo" { error.field.clone().unwrap() } else { field.to_owned() };
        assert_eq!((error.kind, error.field), (ErrorKind::InvalidInput, Some(field)), "{arguments}");
    }
    let entry = crate::tools::TOOLS.iter().find(|entry| entry.name == PostIssueComment::NAME).unwrap();
    let arguments = json!({"issue_ref": {"repo": "owner/name", "number": 7}, "text": "x"});
    let error = (entry.run)(&room(&folder), &Call::new("r"), arguments).await.unwrap_err();
    assert_eq!(error.field.as_deref(), Some("run_id"));
}
