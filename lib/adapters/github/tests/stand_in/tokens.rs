//! Tokens that change, and those of an app.

use std::sync::atomic::Ordering;

use axum::http::Method;
use futures::future::join_all;
use mlops_core::ErrorKind;
use mlops_core::masking::mask_text;
use mlops_core::ports::{CodeHost as _, CommentChange};
use mlops_core::settings::GithubApp;

use crate::server::Answer;
use crate::{Kept, TOKEN, comment, github, octo, seven};

const KEY: &str = include_str!("../app_key.pem");
const APP: GithubApp = GithubApp { id: 123, installation: 456 };

#[tokio::test]
async fn a_token_that_was_changed_is_read_anew_once() {
    let (server, _) = octo().await;
    let secrets = Kept::new("ghp_revoked1234567890");
    TOKEN.clone_into(&mut secrets.newest.lock().unwrap());
    let github = github(&server, None, secrets.clone());
    assert_eq!(github.issue(&seven()).await.unwrap().title, "Train");
    assert_eq!(server.change(|world| world.log.len()), 2);
    github.issue(&seven()).await.unwrap();
    assert_eq!((server.change(|world| world.log.len()), secrets.read_anew.load(Ordering::Acquire)), (3, 1));
}

#[tokio::test]
async fn a_token_that_stays_wrong_is_refused_after_one_look() {
    let (server, _) = octo().await;
    let secrets = Kept::new("ghp_revoked1234567890");
    let github = github(&server, None, secrets.clone());
    let error = github.issue(&seven()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Forbidden);
    assert!(error.hint.unwrap().contains("mlops/github-token") && !error.message.contains("revoked1234567890"));
    assert_eq!((server.change(|world| world.log.len()), secrets.read_anew.load(Ordering::Acquire)), (1, 1));
}

#[tokio::test]
async fn many_calls_of_an_app_share_one_token_until_it_ends() {
    let (server, _) = octo().await;
    let github = github(&server, Some(APP), Kept::new(KEY));
    let (first, second) = (seven(), seven());
    let calls = (0..8).map(|at| github.issue(if at % 2 == 0 { &first } else { &second }));
    assert!(join_all(calls).await.into_iter().all(|issue| issue.is_ok()));
    assert_eq!(server.change(|world| world.asked("POST /app/installations/456/access_tokens")), 1);
    let token = server.change(|world| world.tokens.keys().find(|token| token.starts_with("ghs_")).unwrap().clone());
    assert!(!mask_text(&format!("with {token}")).contains(&token), "the token is masked from then on");
    // One that ends shortly is not used any more.
    server.change(|world| world.holds = 60);
    let hurried = crate::github(&server, Some(APP), Kept::new(KEY));
    for _ in 0..3 {
        hurried.issue(&seven()).await.unwrap();
    }
    assert_eq!(server.change(|world| world.asked("POST /app/installations/456/access_tokens")), 4);
}

#[tokio::test]
async fn a_token_of_an_app_that_was_revoked_is_fetched_again_and_a_changed_key_is_read() {
    let (server, _) = octo().await;
    let secrets = Kept::new(KEY);
    let github = github(&server, Some(APP), secrets.clone());
    github.issue(&seven()).await.unwrap();
    server.change(|world| world.tokens.retain(|token, _| !token.starts_with("ghs_")));
    github.issue(&seven()).await.unwrap();
    assert_eq!(server.change(|world| world.asked("POST /app/")), 2);
    assert_eq!(secrets.read_anew.load(Ordering::Acquire), 0, "the key was never refused");
    // The key is refused, and there is another one.
    format!("{KEY}\n").clone_into(&mut secrets.newest.lock().unwrap());
    server.change(|world| world.tokens.retain(|token, _| !token.starts_with("ghs_")));
    server.fault(Method::POST, "/app/", Answer::refused(401, "A JSON web token could not be decoded"), false);
    github.issue(&seven()).await.unwrap();
    assert_eq!(secrets.read_anew.load(Ordering::Acquire), 1);
}

#[tokio::test]
async fn an_app_edits_its_own_comments_and_names_an_installation_that_is_none() {
    let (server, by_token) = octo().await;
    let by_app = github(&server, Some(APP), Kept::new(KEY));
    by_token.comment(&seven(), &comment("run-1", "of a person")).await.unwrap();
    for change in [CommentChange::Created, CommentChange::Unchanged] {
        assert_eq!(by_app.comment(&seven(), &comment("run-1", "of the app")).await.unwrap().change, change);
    }
    assert_eq!(server.change(|world| world.asked("GET /user")), 0);
    let absent = github(&server, Some(GithubApp { installation: 9, ..APP }), Kept::new(KEY));
    let error = absent.issue(&seven()).await.unwrap_err();
    assert!(
        error.kind == ErrorKind::NotFound && error.message.contains("the installation 9 of the app 123"),
        "{error}"
    );
    let wrong = github(&server, Some(APP), Kept::new("ghp_abcdefghijklmnop"));
    assert_eq!(wrong.issue(&seven()).await.unwrap_err().kind, ErrorKind::InvalidInput);
}

#[tokio::test]
async fn a_workflows_token_that_may_not_ask_who_it_is_edits_comments_of_bots() {
    let (server, _) = octo().await;
    server.change(|world| {
        world.tokens.insert("ghs_workflow1234567".to_owned(), ("github-actions[bot]".to_owned(), Some(15_368)));
    });
    let github = github(&server, None, Kept::new("ghs_workflow1234567"));
    github.comment(&seven(), &comment("run-1", "one")).await.unwrap();
    let changed = github.comment(&seven(), &comment("run-1", "two")).await.unwrap();
    assert_eq!(changed.change, CommentChange::Updated);
}
