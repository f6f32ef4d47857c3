//! Repositories: git's own, in a folder.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use mlops_contract::KnownRepository;
use mlops_core::ErrorKind;
use mlops_core::ports::{Clock, NewCommit, Repositories as _, RepositoryFile};
use mlops_local::FileRepositories;
use tempfile::TempDir;

const REPO: &str = "owner/a.repository";

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_767_355_200).unwrap()
    }
}

fn first(branch: &str, path: &str, content: &str) -> NewCommit {
    NewCommit {
        branch: branch.to_owned(),
        parent: None,
        makes_branch: true,
        message: "The beginning".to_owned(),
        files: vec![RepositoryFile { path: path.to_owned(), content: Bytes::from(content.to_owned()) }],
    }
}

fn at_noon(home: &Path) -> FileRepositories {
    FileRepositories::new(home).with_clock(Arc::new(Noon))
}

#[tokio::test]
async fn repositories_keep_the_contract() {
    let home = TempDir::new().unwrap();
    let repositories = FileRepositories::new(home.path());
    repositories.commit(REPO, &first("main", "README.md", "# ペンギン\n")).await.unwrap();
    let known = KnownRepository { repo: REPO, readme: "# ペンギン\n".as_bytes() };
    mlops_contract::repositories(&repositories, known).await;
    assert_eq!(fs::read_dir(home.path().join("tmp")).unwrap().count(), 0, "no draft is left");
    assert!(home.path().join("outbox/github/owner/a.repository/pulls/2.json").is_file());
}

#[tokio::test]
async fn a_repository_begins_with_its_first_commit_and_equal_commits_have_equal_hashes() {
    let (one, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mut hashes = Vec::new();
    for home in [&one, &other] {
        let repositories = at_noon(home.path());
        assert_eq!(repositories.branch(REPO, None).await.unwrap(), None);
        let made = repositories.commit(REPO, &first("mlops-history", "history/a.md", "a\n")).await.unwrap();
        assert_eq!(repositories.branch(REPO, None).await.unwrap(), None, "the default branch has no commit yet");
        hashes.push(made.commit);
    }
    assert_eq!(hashes[0], hashes[1]);
    let repositories = at_noon(one.path());
    repositories.commit(REPO, &first("main", "README.md", "x")).await.unwrap();
    let late = repositories.commit(REPO, &first("late", "README.md", "x")).await.unwrap_err();
    assert_eq!(late.kind, ErrorKind::Conflict, "a repository begins once: {late}");
}

#[tokio::test]
async fn a_file_does_not_take_the_place_of_a_folder() {
    let home = TempDir::new().unwrap();
    let repositories = FileRepositories::new(home.path());
    let head = repositories.commit(REPO, &first("main", "history/a.md", "a\n")).await.unwrap();
    let mut commit = first("main", "history", "lost");
    (commit.parent, commit.makes_branch) = (Some(head.commit.clone()), false);
    let error = repositories.commit(REPO, &commit).await.unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("path")));
    assert_eq!(repositories.branch(REPO, Some("main")).await.unwrap(), Some(head));
}

#[tokio::test]
async fn git_itself_reads_what_was_written() {
    let home = TempDir::new().unwrap();
    let repositories = at_noon(home.path());
    let first = repositories.commit(REPO, &first("main", "b/c/d.md", "one\n")).await.unwrap();
    let files = ["a", "b.md", "b/a.md", "b/c/d.md", "b-1/ペンギン.md"];
    let file = |path: &&str| RepositoryFile { path: (*path).to_owned(), content: Bytes::from(format!("{path}\n")) };
    let commit = NewCommit {
        branch: "mlops/history".to_owned(),
        parent: Some(first.commit),
        makes_branch: true,
        message: "Add files\n\nMore.".to_owned(),
        files: files.iter().map(file).collect(),
    };
    let made = repositories.commit(REPO, &commit).await.unwrap();
    let folder = home.path().join("repositories").join(REPO);
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.arg("-C").arg(&folder).args(["-c", "safe.bareRepository=all"]).args(arguments);
        let output = command.env("GIT_CONFIG_COUNT", "0").output();
        output.ok().map(|output| (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
    };
    // Where git is not installed, the hashes above speak for themselves.
    if git(&["--version"]).is_none() {
        return;
    }
    let (is_sound, said) = git(&["fsck", "--strict", "--full"]).unwrap();
    assert!(is_sound, "{said}");
    let (_, listed) = git(&["-c", "core.quotePath=false", "ls-tree", "-r", "--name-only", &made.commit]).unwrap();
    assert_eq!(listed.lines().collect::<Vec<_>>(), ["a", "b-1/ペンギン.md", "b.md", "b/a.md", "b/c/d.md"]);
    let (_, log) = git(&["log", "--format=%H %ct %s", "mlops/history"]).unwrap();
    assert!(log.starts_with(&format!("{} 1767355200 Add files\n", made.commit)), "{log}");
    assert_eq!(git(&["show", &format!("{}:b/c/d.md", made.commit)]).unwrap().1, "b/c/d.md\n");
    // Packed branches are still found; packed objects are named in the error.
    git(&["pack-refs", "--all"]).unwrap();
    assert_eq!(repositories.branch(REPO, Some("mlops/history")).await.unwrap().unwrap().commit, made.commit);
    git(&["repack", "-a", "-d", "-q"]).unwrap();
    let error = repositories.file(REPO, &made.commit, "a").await.unwrap_err();
    assert!(error.hint.unwrap().contains("unpack-objects"));
}
