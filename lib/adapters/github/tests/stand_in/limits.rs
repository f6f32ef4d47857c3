//! Limits, and servers that fail.

use axum::http::Method;
use jiff::Timestamp;
use mlops_core::ErrorKind;
use mlops_core::ports::{CodeHost as _, CommentChange};
use serde_json::json;

use crate::server::Answer;
use crate::{REPO, comment, octo, seven};

fn hurried(message: &str) -> Answer {
    Answer::refused(403, message)
}

#[tokio::test]
async fn a_short_wait_is_waited_for_and_then_the_request_is_made_again() {
    let (server, github) = octo().await;
    let told = "You have exceeded a secondary rate limit.";
    server.fault(Method::POST, "/comments", hurried(told).with("retry-after", "1"), false);
    server.fault(Method::GET, "/comments", Answer::refused(429, "Too many").with("retry-after", "0"), false);
    let reset = (Timestamp::now().as_second()).to_string();
    let primary =
        hurried("API rate limit exceeded").with("x-ratelimit-remaining", "0").with("x-ratelimit-reset", reset);
    server.fault(Method::GET, "/comments", primary, false);
    let began = std::time::Instant::now();
    let made = github.comment(&seven(), &comment("run-1", "text")).await.unwrap();
    assert_eq!(made.change, CommentChange::Created);
    assert!(began.elapsed().as_secs_f64() >= 1.0, "it was waited");
    server.change(|world| {
        assert_eq!(world.comments.len(), 1, "nothing was done twice");
        assert_eq!(world.asked(&format!("POST /repos/{REPO}/issues/7/comments")), 2);
    });
}

#[tokio::test]
async fn a_long_wait_is_told_with_its_end() {
    let (server, github) = octo().await;
    let before = Timestamp::now();
    for answer in [
        hurried("You have exceeded a secondary rate limit."),
        hurried("Slow down").with("retry-after", "60"),
        hurried("API rate limit exceeded")
            .with("x-ratelimit-remaining", "0")
            .with("x-ratelimit-reset", (before.as_second() + 59).to_string()),
    ] {
        server.fault(Method::GET, "/issues/7", answer, false);
        let error = github.issue(&seven()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Throttled);
        let until = error.message.split("until ").nth(1).unwrap().split(": ").next().unwrap();
        let seconds = until.parse::<Timestamp>().unwrap().as_second() - before.as_second();
        assert!((58..=65).contains(&seconds), "{error}");
    }
    assert_eq!(server.change(|world| world.log.len()), 3, "nothing was tried again");
}

#[tokio::test]
async fn waits_add_up_and_a_limit_without_end_is_given_up() {
    let (server, github) = octo().await;
    for _ in 0..100 {
        server.fault(Method::GET, "/issues/7", hurried("Slow down").with("retry-after", "1"), false);
    }
    let error = github.issue(&seven()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Throttled);
    assert_eq!(server.change(|world| world.log.len()), 4, "three seconds are the patience");
}

#[tokio::test]
async fn a_server_that_fails_is_asked_again_where_nothing_can_happen_twice() {
    let (server, github) = octo().await;
    for _ in 0..2 {
        server.fault(Method::GET, "/issues/7", Answer::refused(502, "Server Error"), false);
    }
    assert_eq!(github.issue(&seven()).await.unwrap().title, "Train");
    for _ in 0..3 {
        server.fault(Method::GET, "/issues/7", Answer::refused(503, "No server"), false);
    }
    let error = github.issue(&seven()).await.unwrap_err();
    assert!(error.kind == ErrorKind::Unavailable && error.message.contains("C0DE:1"), "{error}");
    // A comment may be there though the answer was lost: the caller looks again, and finds it.
    server.fault(Method::POST, "/comments", Answer::refused(502, "Server Error"), true);
    let error = github.comment(&seven(), &comment("run-1", "text")).await.unwrap_err();
    assert_eq!((error.kind, server.change(|world| world.comments.len())), (ErrorKind::Unavailable, 1));
    let again = github.comment(&seven(), &comment("run-1", "text")).await.unwrap();
    assert_eq!(again.change, CommentChange::Unchanged);
}

#[tokio::test]
async fn a_refusal_names_the_permission_that_is_missing() {
    let (server, github) = octo().await;
    let answer = hurried("Resource not accessible by personal access token")
        .with("x-accepted-github-permissions", "issues=write; pull_requests=write");
    server.fault(Method::POST, "/comments", answer, false);
    let error = github.comment(&seven(), &comment("run-1", "text")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Forbidden);
    assert!(error.hint.unwrap().contains("issues=write"));
}

#[tokio::test]
async fn an_answer_that_is_none_of_githubs_is_told() {
    let (server, github) = octo().await;
    server.fault(Method::GET, "/issues/7", Answer::ok(json!("<html>")), false);
    let error = github.issue(&seven()).await.unwrap_err();
    assert!(error.kind == ErrorKind::Unavailable && error.message.contains("not what it should be"), "{error}");
    server.fault(Method::GET, "/issues/7", Answer::refused(410, "This issue was deleted"), false);
    let error = github.issue(&seven()).await.unwrap_err();
    assert!(error.kind == ErrorKind::NotFound && error.message.contains("deleted"), "{error}");
}
