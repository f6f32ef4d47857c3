//! Commits where others commit too, and where rules forbid it.

use axum::http::Method;
use bytes::Bytes;
use mlops_core::ErrorKind;
use mlops_core::ports::{NewCommit, NewPullRequest, Repositories as _, RepositoryFile};
use serde_json::json;

use crate::git::Git;
use crate::server::Answer;
use crate::{REPO, octo};

fn commit(parent: &str, makes_branch: bool) -> NewCommit {
    NewCommit {
        branch: if makes_branch { "mlops/history".to_owned() } else { "main".to_owned() },
        parent: Some(parent.to_owned()),
        makes_branch,
        message: "Add a run".to_owned(),
        files: vec![RepositoryFile { path: "history/a.md".to_owned(), content: Bytes::from("mine\n") }],
    }
}

#[tokio::test]
async fn who_comes_between_the_look_and_the_move_stays() {
    let (server, github) = octo().await;
    let head = github.branch(REPO, None).await.unwrap().unwrap();
    // The others' commit comes when everything of ours is uploaded.
    for (status, message) in [(422, "Update is not a fast forward"), (409, "Reference cannot be updated")] {
        server.fault(Method::PATCH, "/git/refs/", Answer::refused(status, message), false);
        let error = github.commit(REPO, &commit(&head.commit, false)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Conflict, "{error}");
    }
    server.change(|world| world.repositories.get_mut(REPO).unwrap().push("main", "theirs.md", "theirs"));
    let error = github.commit(REPO, &commit(&head.commit, false)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict);
    let head = github.branch(REPO, None).await.unwrap().unwrap();
    let made = github.commit(REPO, &commit(&head.commit, false)).await.unwrap();
    assert_eq!(github.file(REPO, &made.commit, "theirs.md").await.unwrap().unwrap(), "theirs");
}

#[tokio::test]
async fn a_rule_of_the_repository_is_forbidden_and_something_wrong_stays_wrong() {
    let (server, github) = octo().await;
    let head = github.branch(REPO, None).await.unwrap().unwrap();
    for (message, kind) in [
        ("Protected branch update failed for refs/heads/main.", ErrorKind::Forbidden),
        ("Repository rule violations found", ErrorKind::Forbidden),
        ("Reference does not exist", ErrorKind::Conflict),
        ("Object does not exist", ErrorKind::InvalidInput),
        ("Invalid request", ErrorKind::InvalidInput),
    ] {
        server.fault(Method::PATCH, "/git/refs/", Answer::refused(422, message), false);
        let error = github.commit(REPO, &commit(&head.commit, false)).await.unwrap_err();
        assert_eq!(error.kind, kind, "{message}");
    }
    assert_eq!(github.branch(REPO, None).await.unwrap(), Some(head), "nothing has moved");
}

#[tokio::test]
async fn a_move_whose_answer_is_lost_is_made_again_and_does_nothing_more() {
    let (server, github) = octo().await;
    let head = github.branch(REPO, None).await.unwrap().unwrap();
    server.fault(Method::PATCH, "/git/refs/", Answer::refused(502, "Server Error"), true);
    server.fault(Method::POST, "/git/trees", Answer::refused(500, "Server Error"), true);
    let made = github.commit(REPO, &commit(&head.commit, false)).await.unwrap();
    assert_eq!(github.branch(REPO, None).await.unwrap().unwrap(), made);
}

#[tokio::test]
async fn slashes_in_names_are_encoded_and_large_files_come_and_go_as_blobs() {
    let (server, github) = octo().await;
    let head = github.branch(REPO, None).await.unwrap().unwrap();
    let large: Vec<u8> = (0..600_000_u32).map(|at| at.to_le_bytes()[0]).collect();
    let mut commit = commit(&head.commit, true);
    commit.files[0].content = Bytes::from(large.clone());
    let text = "x".repeat(300_000);
    commit.files.push(RepositoryFile { path: "history/b c.txt".to_owned(), content: Bytes::from(text.clone()) });
    let made = github.commit(REPO, &commit).await.unwrap();
    server.change(|world| {
        world.repositories.get_mut(REPO).unwrap().large = 1_000;
        assert_eq!(world.asked(&format!("POST /repos/{REPO}/git/blobs")), 2);
    });
    assert_eq!(github.file(REPO, &made.commit, "history/a.md").await.unwrap().unwrap(), large);
    assert_eq!(github.file(REPO, &made.commit, "history/b c.txt").await.unwrap().unwrap(), text);
    let moved = github.branch(REPO, Some("mlops/history")).await.unwrap().unwrap();
    assert_eq!(moved, made);
    assert_eq!(server.change(|world| world.asked(&format!("GET /repos/{REPO}/git/ref/heads%2Fmlops%2Fhistory"))), 1);
}

#[tokio::test]
async fn a_repository_without_a_commit_and_one_that_is_not_there_are_told_apart() {
    let (server, github) = octo().await;
    server.change(|world| world.repositories.insert("octo/empty".to_owned(), Git::default()));
    assert_eq!(github.branch("octo/empty", None).await.unwrap(), None);
    let mut first = commit(&"0".repeat(40), true);
    first.parent = None;
    let error = github.commit("octo/empty", &first).await.unwrap_err();
    assert!(error.kind == ErrorKind::InvalidInput && error.hint.unwrap().contains("first commit"));
    let error = github.branch("octo/absent", None).await.unwrap_err();
    assert!(error.kind == ErrorKind::NotFound && error.message.contains("octo/absent"), "{error}");
}

#[tokio::test]
async fn a_pull_request_that_another_opens_at_the_same_time_is_found() {
    let (server, github) = octo().await;
    let head = github.branch(REPO, None).await.unwrap().unwrap();
    github.commit(REPO, &commit(&head.commit, true)).await.unwrap();
    let request = NewPullRequest {
        from: "mlops/history".to_owned(),
        into: "main".to_owned(),
        title: "A run with ghp_abcdefghijklmnop".to_owned(),
        body: String::new(),
    };
    // The first look finds nothing; then there is one.
    server.fault(Method::GET, "/pulls", Answer::ok(json!([])), false);
    let first = github.pull_request(REPO, &request).await.unwrap();
    server.fault(Method::GET, "/pulls", Answer::ok(json!([])), false);
    let second = github.pull_request(REPO, &request).await.unwrap();
    assert_eq!((second.number, first.created, second.created), (first.number, true, false));
}
