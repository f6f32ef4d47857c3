//! Commits to git repositories on this machine, and to one where others always come first.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use mlops_core::ports::{PullRequest, Repositories};
use mlops_local::{Access, FileCodeHost, FileRepositories, FileStore};
use mlops_records::RunRecords;
use serde_json::{Value, json};

use super::*;

/// A room over the folder, whose branches others move first that many times.
fn room_among(folder: &tempfile::TempDir, others: u32) -> HistoryManagement {
    let store = Arc::new(FileStore::new(folder.path(), folder.path(), Access::Anywhere));
    let repositories = Busy { own: FileRepositories::new(folder.path()), others: AtomicU32::new(others) };
    HistoryManagement {
        runs: RunRecords::new(store, &ArtifactUri::from_path(&folder.path().join("store"))),
        code_host: Arc::new(FileCodeHost::new(folder.path())),
        repositories: Arc::new(repositories),
    }
}

/// Others commit in between.
struct Busy {
    own: FileRepositories,
    others: AtomicU32,
}

#[async_trait]
impl Repositories for Busy {
    async fn branch(&self, repo: &str, name: Option<&str>) -> Result<Option<Branch>> {
        self.own.branch(repo, name).await
    }

    async fn file(&self, repo: &str, commit: &str, path: &str) -> Result<Option<Bytes>> {
        self.own.file(repo, commit, path).await
    }

    async fn commit(&self, repo: &str, commit: &NewCommit) -> Result<Branch> {
        let left = self.others.load(Ordering::Acquire);
        if left > 0 {
            self.others.store(left - 1, Ordering::Release);
            let file = RepositoryFile { path: format!("others/{left}.md"), content: Bytes::from("theirs") };
            self.own.commit(repo, &NewCommit { files: vec![file], ..commit.clone() }).await?;
        }
        self.own.commit(repo, commit).await
    }

    async fn pull_request(&self, repo: &str, request: &NewPullRequest) -> Result<PullRequest> {
        self.own.pull_request(repo, request).await
    }
}

async fn run(room: &HistoryManagement, arguments: Value) -> Result<Value> {
    let mut all = json!({"repo": "owner/name", "branch": "mlops-history", "message": "Add a run\n\nIt went well."});
    all.as_object_mut().unwrap().extend(arguments.as_object().unwrap().clone());
    let entry = crate::tools::TOOLS.iter().find(|entry| entry.name == CommitToGithub::NAME).unwrap();
    let outcome = (entry.run)(room, &Call::new("r"), all).await?;
    assert!(!outcome.summary.is_empty());
    Ok(outcome.value)
}

fn page(text: &str) -> Value {
    json!({"files": [{"path": "history/m/r1/history.md", "text": text}]})
}

/// A first commit in the default branch.
async fn begin(room: &HistoryManagement) -> Value {
    run(room, json!({"branch": "main", "files": [{"path": "README.md", "text": "# A repository\n"}]})).await.unwrap()
}

#[tokio::test]
async fn files_are_committed_at_once_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let room = room_among(&folder, 0);
    let place = folder.path().join("history.json");
    std::fs::write(&place, b"\x00\xffbytes").unwrap();
    let arguments = json!({"files": [{"path": "history/m/r1/history.md", "text": "# 履歴\n"},
        {"path": "history/m/r1/history.json", "uri": place.to_str().unwrap()}]});
    let dry = json!({"dry_run": true, "files": arguments["files"]});
    let shown = run(&room, dry.clone()).await.unwrap();
    assert_eq!((&shown["changed"], &shown["commit"], &shown["head"]), (&json!(true), &json!(null), &json!(null)));
    assert_eq!(room.repositories.branch("owner/name", Some("mlops-history")).await.unwrap(), None);

    let first = run(&room, arguments.clone()).await.unwrap();
    assert_eq!((&first["changed"], &first["attempts"], &first["parent"]), (&json!(true), &json!(1), &json!(null)));
    assert_eq!(first["commit"], first["head"]);
    assert_eq!(first["files"][0]["change"], "created");
    let commit = first["commit"].as_str().unwrap();
    let written = room.repositories.file("owner/name", commit, "history/m/r1/history.json").await.unwrap().unwrap();
    assert_eq!(written, &b"\x00\xffbytes"[..]);
    assert_eq!(first["files"][1]["sha256"], json!(sha256_hex(&written)));

    let again = run(&room, arguments).await.unwrap();
    assert_eq!((&again["changed"], &again["commit"], &again["url"]), (&json!(false), &first["commit"], &first["url"]));
    let files = json!([{"path": "history/m/r1/history.md", "text": "# 履歴 2\n"}]);
    let second = run(&room, json!({"files": files})).await.unwrap();
    assert_eq!((&second["files"][0]["change"], &second["parent"]), (&json!("updated"), &first["commit"]));
}

#[tokio::test]
async fn a_new_branch_begins_at_the_default_one() {
    let folder = tempfile::tempdir().unwrap();
    let room = room_among(&folder, 0);
    let base = begin(&room).await;
    let made = run(&room, page("a\n")).await.unwrap();
    assert_eq!(made["parent"], base["commit"]);
    let commit = made["commit"].as_str().unwrap();
    assert!(room.repositories.file("owner/name", commit, "README.md").await.unwrap().is_some());
    let default = room.repositories.branch("owner/name", None).await.unwrap().unwrap();
    assert_eq!(json!(default.commit), base["commit"], "the default branch has not moved");
}

#[tokio::test]
async fn what_others_commit_in_between_stays() {
    let folder = tempfile::tempdir().unwrap();
    let room = room_among(&folder, 3);
    let made = run(&room, page("mine\n")).await.unwrap();
    assert_eq!((&made["changed"], &made["attempts"]), (&json!(true), &json!(4)));
    let commit = made["commit"].as_str().unwrap();
    for path in ["others/1.md", "others/2.md", "others/3.md", "history/m/r1/history.md"] {
        assert!(room.repositories.file("owner/name", commit, path).await.unwrap().is_some(), "{path}");
    }
    let never_first = room_among(&folder, 100);
    let error = run(&never_first, page("yours\n")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict, "it is given up in the end");
}

#[tokio::test]
async fn a_pull_request_is_opened_once() {
    let folder = tempfile::tempdir().unwrap();
    let room = room_among(&folder, 0);
    let arguments = json!({"mode": "pr", "files": page("a\n")["files"]});
    let error = run(&room, arguments.clone()).await.unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("mode")));
    begin(&room).await;
    let shown = run(&room, json!({"mode": "pr", "dry_run": true, "files": page("a\n")["files"]})).await.unwrap();
    assert_eq!(shown["pull_request"], json!(null));
    let opened = run(&room, arguments.clone()).await.unwrap();
    assert_eq!(opened["pull_request"]["created"], true);
    let place = opened["pull_request"]["url"].as_str().unwrap().strip_prefix("file://").unwrap();
    let kept: Value = serde_json::from_slice(&std::fs::read(place).unwrap()).unwrap();
    let expected = json!({"from": "mlops-history", "into": "main", "title": "Add a run", "body": "It went well."});
    assert_eq!(kept, expected);
    let again = run(&room, arguments).await.unwrap();
    assert_eq!((&again["changed"], &again["pull_request"]["created"]), (&json!(false), &json!(false)));
    assert_eq!(again["pull_request"]["number"], opened["pull_request"]["number"]);
    let error = run(&room, json!({"mode": "pr", "branch": "main", "files": page("a\n")["files"]})).await.unwrap_err();
    assert_eq!(error.field.as_deref(), Some("branch"));
    let nothing =
        json!({"mode": "pr", "branch": "other", "files": [{"path": "README.md", "text": "# A repository\n"}]});
    let nothing = run(&room, nothing).await.unwrap();
    assert_eq!(
        (&nothing["changed"], &nothing["pull_request"], &nothing["head"]),
        (&json!(false), &json!(null), &json!(null))
    );
}

#[tokio::test]
async fn a_secret_is_refused_by_its_file_and_line_and_not_said() {
    let folder = tempfile::tempdir().unwrap();
    let room = room_among(&folder, 0);
    let files =
        json!([{"path": "a.md", "text": "fine\n"}, {"path": "b.md", "text": "one\nuse ghp_abcdefghijklmnop\n"}]);
    let error = run(&room, json!({"files": files})).await.unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("files[1]")));
    assert!(error.message.contains("line 2 of `b.md`") && !format!("{error:?}").contains("abcdefghijklmnop"));
    assert_eq!(room.repositories.branch("owner/name", Some("mlops-history")).await.unwrap(), None);
}

#[tokio::test]
async fn what_cannot_be_committed_names_the_field() {
    let folder = tempfile::tempdir().unwrap();
    let room = room_among(&folder, 0);
    run(&room, page("a\n")).await.unwrap();
    for (arguments, kind, field) in [
        (json!({"files": []}), ErrorKind::InvalidInput, "files"),
        (json!({"files": [{"path": "a.md"}]}), ErrorKind::InvalidInput, "files[0].text"),
        (json!({"files": [{"path": "a.md", "text": "x", "uri": "y"}]}), ErrorKind::InvalidInput, "files[0].text"),
        (json!({"files": [{"path": "a.md", "uri": "absent.md"}]}), ErrorKind::NotFound, "files[0].uri"),
        (json!({"files": [{"path": "../a.md", "text": "x"}]}), ErrorKind::InvalidInput, "files[0].path"),
        (json!({"files": [{"path": "history/m", "text": "x"}]}), ErrorKind::InvalidInput, "files[0].path"),
        (json!({"files": page("x")["files"], "repo": "owner"}), ErrorKind::InvalidInput, "repo"),
        (json!({"files": page("x")["files"], "branch": "a..b"}), ErrorKind::InvalidInput, "branch"),
        (json!({"files": page("x")["files"], "message": " "}), ErrorKind::InvalidInput, "message"),
        (json!({"files": page("x")["files"], "mode": "force"}), ErrorKind::InvalidInput, "mode"),
    ] {
        let error = run(&room, arguments.clone()).await.unwrap_err();
        assert_eq!((error.kind, error.field.as_deref()), (kind, Some(field)), "{arguments}");
    }
}
