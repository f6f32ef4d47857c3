//! The adapter against a server that remembers what it was told, and that refuses, forgets and hurries as GitHub does.

#![expect(clippy::unwrap_used, reason = "what a test needs and does not get is a failed test")]

mod commits;
mod git;
mod issues;
mod limits;
mod server;
mod tokens;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mlops_contract::{KnownHost, KnownRepository};
use mlops_core::Result;
use mlops_core::ports::{CodeHost as _, Comment as NewComment, CommentChange, Issue, Secrets};
use mlops_core::settings::{GithubApp, GithubSettings};
use mlops_core::values::IssueRef;
use mlops_github::Github;
use secrecy::SecretString;
use serde_json::json;

use git::Git;
use server::{Comment, Server};

/// The token that the server takes.
const TOKEN: &str = "ghp_first1234567890";
const REPO: &str = "octo/a.models";
const README: &[u8] = "# ペンギン\n".as_bytes();

/// A keeper of one secret, which can be changed behind its back: what was read is kept until it is read anew.
struct Kept {
    known: Mutex<String>,
    newest: Mutex<String>,
    read_anew: AtomicUsize,
}

impl Kept {
    fn new(secret: &str) -> Arc<Self> {
        Arc::new(Self { known: Mutex::new(secret.into()), newest: Mutex::new(secret.into()), read_anew: 0.into() })
    }
}

#[async_trait]
impl Secrets for Kept {
    async fn secret(&self, _: &str) -> Result<SecretString> {
        Ok(SecretString::from(self.known.lock().unwrap().clone()))
    }

    async fn refreshed(&self, _: &str) -> Result<SecretString> {
        self.read_anew.fetch_add(1, Ordering::AcqRel);
        let newest = self.newest.lock().unwrap().clone();
        newest.clone_into(&mut self.known.lock().unwrap());
        Ok(SecretString::from(newest))
    }
}

fn github(server: &Server, app: Option<GithubApp>, secrets: Arc<Kept>) -> Github {
    let settings = GithubSettings {
        api: server.change(|world| world.address.clone()),
        app,
        history_repository: None,
        history_branch: "mlops-history".to_owned(),
    };
    Github::new(&settings, secrets).unwrap().with_patience(Duration::from_secs(3))
}

/// A server with the issue 7 and a repository, and GitHub as its token's owner.
async fn octo() -> (Server, Github) {
    let server = Server::start().await;
    server.change(|world| {
        world.issues.insert(format!("{REPO}/7"), ("Train".to_owned(), "A model\n".to_owned()));
        world.permissions.insert("a-writer".to_owned(), "write".to_owned());
        world.repositories.insert(REPO.to_owned(), Git::with(&[("README.md", README)]));
    });
    let github = github(&server, None, Kept::new(TOKEN));
    (server, github)
}

fn seven() -> IssueRef {
    IssueRef { repo: REPO.to_owned(), number: 7 }
}

fn comment(marker: &str, body: &str) -> NewComment {
    NewComment { marker: marker.to_owned(), body: body.to_owned() }
}

#[tokio::test]
async fn issues_keep_the_contract() {
    let (server, github) = octo().await;
    let known = Issue { reference: seven(), title: "Train".to_owned(), body: "A model\n".to_owned() };
    let absent = IssueRef { number: 404, ..seven() };
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let known = KnownHost { issue: &known, absent: &absent, writer: "a-writer", stranger: "a-stranger", commit };
    let read = async |url: &str| {
        let id: u64 = url.rsplit_once('-').unwrap().1.parse().unwrap();
        server.change(|world| world.comments.iter().find(|comment| comment.id == id).unwrap().body.clone())
    };
    mlops_contract::code_host(&github, known, read).await;
}

#[tokio::test]
async fn repositories_keep_the_contract() {
    let (_server, github) = octo().await;
    mlops_contract::repositories(&github, KnownRepository { repo: REPO, readme: README }).await;
}

#[tokio::test]
async fn who_asks_says_so_and_in_which_version_of_the_api() {
    let (server, github) = octo().await;
    github.issue(&seven()).await.unwrap();
    let headers = server.change(|world| world.headers.clone());
    let all = |name: &str| headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect::<Vec<_>>();
    assert!(all("user-agent")[0].starts_with("mlops-fleet/") && all("user-agent").len() == 1);
    assert_eq!(all("x-github-api-version").len(), 1);
    assert_eq!(
        (all("accept"), all("authorization")),
        (vec!["application/vnd.github+json, application/json;q=0.9"], vec!["Bearer ghp_first1234567890"])
    );
}

#[tokio::test]
async fn our_comment_is_found_on_a_late_page_and_others_are_never_edited() {
    let (server, github) = octo().await;
    server.change(|world| {
        for at in 0..250 {
            // Somebody copied our line to the top of the issue.
            let body = if at == 3 { "<!-- mlops:run-1 -->\n\nnot ours".to_owned() } else { format!("comment {at}") };
            let login = "somebody".to_owned();
            world.comments.push(Comment { id: at, issue: format!("{REPO}/7"), body, login, app: None });
        }
    });
    let made = github.comment(&seven(), &comment("run-1", "one")).await.unwrap();
    assert_eq!(made.change, CommentChange::Created);
    let changed = github.comment(&seven(), &comment("run-1", "two")).await.unwrap();
    assert_eq!((changed.change, &changed.url), (CommentChange::Updated, &made.url));
    server.change(|world| {
        assert_eq!((world.comments.len(), &world.comments[3].body[..]), (251, "<!-- mlops:run-1 -->\n\nnot ours"));
        assert_eq!(world.asked(&format!("GET /repos/{REPO}/issues/7/comments?")), 6, "three pages each time");
        assert_eq!(world.asked("GET /user"), 1, "who we are is asked once");
    });
}

#[tokio::test]
async fn a_comment_that_is_deleted_in_between_is_written_anew() {
    let (server, github) = octo().await;
    github.comment(&seven(), &comment("run-1", "one")).await.unwrap();
    server.fault(axum::http::Method::PATCH, "/comments/", server::Answer::not_found(), false);
    let made = github.comment(&seven(), &comment("run-1", "two")).await.unwrap();
    assert_eq!(made.change, CommentChange::Created);
}

#[tokio::test]
async fn labels_of_many_pages_are_read_whole() {
    let (server, github) = octo().await;
    let names: Vec<String> = (0..130).map(|at| format!("label {at:03}")).collect();
    server.change(|world| world.labels.insert(format!("{REPO}/7"), names.clone()));
    let labelled = github.label(&seven(), &[], &["LABEL 129".to_owned()]).await.unwrap();
    assert_eq!((labelled.changed, labelled.labels), (true, names[..129].to_vec()));
}

#[tokio::test]
async fn a_repository_that_has_moved_is_followed_within_the_api_only() {
    let (server, github) = octo().await;
    let moved = |to: String| server::Answer::new(301, json!({"message": "Moved Permanently"})).with("location", to);
    let address = server.change(|world| world.address.clone());
    let old = IssueRef { repo: "octo/old".to_owned(), number: 7 };
    server.fault(axum::http::Method::GET, "octo/old", moved(format!("{address}/repos/{REPO}/issues/7")), false);
    assert_eq!(github.issue(&old).await.unwrap().title, "Train");
    server.fault(axum::http::Method::GET, "octo/old", moved("https://elsewhere.example/repos/x".to_owned()), false);
    assert!(github.issue(&old).await.unwrap_err().message.contains("Moved Permanently"));
}
