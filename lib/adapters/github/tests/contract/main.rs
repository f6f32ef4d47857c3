//! Every call against GitHub's own description of its API: Prism refuses a request that does not fit it, and answers
//! with the examples of the description. `MLOPS_GITHUB_API` is its address.

#![expect(clippy::unwrap_used, reason = "what a test needs and does not get is a failed test")]

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use mlops_core::ports::{
    CheckState, CodeHost as _, Comment, CommentChange, CommitCheck, NewCommit, NewPullRequest, Reaction,
    Repositories as _, RepositoryFile, Secrets,
};
use mlops_core::settings::{GithubApp, GithubSettings};
use mlops_core::values::IssueRef;
use mlops_core::{ErrorKind, Result};
use mlops_github::Github;
use secrecy::SecretString;

const REPO: &str = "octocat/Hello-World";
const COMMIT: &str = "7638417db6d59f3c431d3e1f261cc637155684cd";

struct OneSecret(&'static str);

#[async_trait]
impl Secrets for OneSecret {
    async fn secret(&self, _: &str) -> Result<SecretString> {
        Ok(SecretString::from(self.0))
    }
}

fn github(app: Option<GithubApp>, secret: &'static str) -> Github {
    let settings = GithubSettings {
        api: std::env::var("MLOPS_GITHUB_API").unwrap(),
        app,
        history_repository: None,
        history_branch: "mlops-history".to_owned(),
    };
    Github::new(&settings, Arc::new(OneSecret(secret))).unwrap()
}

fn by_token() -> Github {
    github(None, "ghp_abcdefghijklmnop")
}

fn issue() -> IssueRef {
    IssueRef { repo: REPO.to_owned(), number: 1347 }
}

#[tokio::test]
async fn issues_and_what_is_said_of_them() {
    let github = by_token();
    let found = github.issue(&issue()).await.unwrap();
    assert!(!found.title.is_empty() && !found.body.is_empty());
    // The starter of the server has put a comment of the marker `contract` into the example.
    for (marker, change) in [("contract", CommentChange::Updated), ("contract.new", CommentChange::Created)] {
        let comment = Comment { marker: marker.to_owned(), body: "Said by a test".to_owned() };
        let said = github.comment(&issue(), &comment).await.unwrap();
        assert_eq!(said.change, change);
        assert!(said.url.starts_with("https://github.com/"), "{}", said.url);
    }
    let names = |name: &str| vec![name.to_owned()];
    let labelled = github.label(&issue(), &names("mlops:done"), &names("bug")).await.unwrap();
    assert!(labelled.changed && labelled.labels.contains(&"bug".to_owned()), "the example has a bug: {labelled:?}");
    for comment_id in [None, Some(1)] {
        github.react(&issue(), comment_id, Reaction::Eyes).await.unwrap();
    }
    github.permission(REPO, "octocat").await.unwrap();
    for (state, link) in [(CheckState::Pending, None), (CheckState::Success, Some("https://example.org/1".to_owned()))]
    {
        let description = link.as_ref().map(|_| "trained".to_owned());
        let check = CommitCheck { context: "mlops/contract".to_owned(), state, description, link };
        assert!(github.check(REPO, COMMIT, &check).await.unwrap().changed);
    }
}

#[tokio::test]
async fn branches_files_commits_and_pull_requests() {
    let github = by_token();
    let branch = github.branch(REPO, None).await.unwrap().unwrap();
    let named = github.branch(REPO, Some("feature/a+b")).await.unwrap().unwrap();
    assert_eq!((branch.commit.len(), named.name.as_str()), (40, "feature/a+b"));
    // The example of a file is cut off, so that it is no base64 any more.
    let error = github.file(REPO, COMMIT, "ペンギン 1.md").await.unwrap_err();
    assert!(error.message.contains("is not base64"), "{error}");
    let file =
        |path: &str, content: &'static [u8]| RepositoryFile { path: path.into(), content: Bytes::from_static(content) };
    let mut commit = NewCommit {
        branch: "feature/a".to_owned(),
        parent: Some(branch.commit.clone()),
        makes_branch: false,
        message: "Add a run\n\nMore.".to_owned(),
        files: vec![file("history/a.md", b"# A page\n"), file("history/b.bin", b"\xff\x00")],
    };
    let made = github.commit(REPO, &commit).await.unwrap();
    assert_eq!((made.commit.len(), made.name.as_str()), (40, "feature/a"));
    (commit.branch, commit.makes_branch) = ("feature/b".to_owned(), true);
    assert_eq!(github.commit(REPO, &commit).await.unwrap().name, "feature/b");
    commit.makes_branch = false;
    commit.parent = Some(COMMIT.to_owned());
    assert_eq!(github.commit(REPO, &commit).await.unwrap_err().kind, ErrorKind::Conflict, "it ends with another");
    let request = NewPullRequest {
        from: "feature/a".to_owned(),
        into: "main".to_owned(),
        title: "Add a run".to_owned(),
        body: String::new(),
    };
    assert!(github.pull_request(REPO, &request).await.unwrap().number > 0);
}

#[tokio::test]
async fn an_app_is_given_a_token() {
    let github = github(Some(GithubApp { id: 1, installation: 2 }), include_str!("../app_key.pem"));
    assert_eq!(github.issue(&issue()).await.unwrap().reference, issue());
}
