//! What every host of issues keeps.

use mlops_core::ErrorKind;
use mlops_core::ports::{CodeHost, Comment, CommentChange, Issue};
use mlops_core::values::IssueRef;

/// What a host of issues promises. `known` is an issue as it stands there, without comments; there is no issue
/// `absent`. `read` gives the whole text of the comment at a URL that the host gave.
pub async fn code_host<F: AsyncFn(&str) -> String>(host: &dyn CodeHost, known: &Issue, absent: &IssueRef, read: F) {
    issues(host, known, absent).await;
    comments(host, &known.reference, read).await;
    what_is_no_comment(host, &known.reference).await;
}

async fn issues(host: &dyn CodeHost, known: &Issue, absent: &IssueRef) {
    assert_eq!(host.issue(&known.reference).await.unwrap(), *known);
    let error = host.issue(absent).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    let names_it = error.message.contains(&absent.repo) && error.message.contains(&absent.number.to_string());
    assert!(names_it, "the message names the repository and the number: {}", error.message);
    for repo in ["", "owner", "owner/..", "../repository", "a/b/c", "owner/a b", "owner/", "/name"] {
        let wrong = IssueRef { repo: repo.to_owned(), number: 1 };
        let error = host.issue(&wrong).await.unwrap_err();
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("repo")), "{repo:?}");
    }
}

fn comment(marker: &str, body: &str) -> Comment {
    Comment { marker: marker.to_owned(), body: body.to_owned() }
}

async fn comments<F: AsyncFn(&str) -> String>(host: &dyn CodeHost, issue: &IssueRef, read: F) {
    let first = comment("contract-1.a_b", "### 計画\n\n- [ ] *Train* the model\n<!-- mlops:contract-2 -->");
    let created = host.comment(issue, &first).await.unwrap();
    assert_eq!(created.change, CommentChange::Created);
    assert!(!created.url.is_empty());
    assert_eq!(read(&created.url).await.trim_end(), first.to_text().unwrap().trim_end());
    let again = host.comment(issue, &first).await.unwrap();
    assert_eq!((again.change, &again.url), (CommentChange::Unchanged, &created.url), "the same text changes nothing");

    let changed = comment(&first.marker, "- [x] *Train* the model");
    let updated = host.comment(issue, &changed).await.unwrap();
    assert_eq!((updated.change, &updated.url), (CommentChange::Updated, &created.url), "the comment keeps its place");
    assert_eq!(read(&created.url).await.trim_end(), changed.to_text().unwrap().trim_end());

    host.comment(issue, &first).await.unwrap();
    let second = comment("contract-2", "Another comment");
    let other = host.comment(issue, &second).await.unwrap();
    assert_eq!(other.change, CommentChange::Created, "a marker within another comment means nothing");
    assert_ne!(other.url, created.url);
    let beginning = host.comment(issue, &comment("contract", "A marker that others begin with")).await.unwrap();
    assert_eq!(beginning.change, CommentChange::Created, "a marker is compared as a whole");
    assert!(read(&created.url).await.contains("計画"), "the other comment is as it was");

    let secret = host.comment(issue, &comment("contract-3", "with ghp_abcdefghijklmnop1234")).await.unwrap();
    let text = read(&secret.url).await;
    assert!(text.contains("ghp_***masked***") && !text.contains("abcdefghijklmnop"), "secrets are masked: {text}");
}

async fn what_is_no_comment(host: &dyn CodeHost, issue: &IssueRef) {
    let refused = async |wrong: Comment, field: &str| {
        let error = host.comment(issue, &wrong).await.unwrap_err();
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some(field)), "{}", error.message);
    };
    for marker in ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", "a b", "x-->", "a\nb", "ペンギン"] {
        refused(comment(marker, "text"), "marker").await;
    }
    refused(comment(&"x".repeat(101), "text"), "marker").await;
    refused(comment("contract-4", " \n"), "body").await;
    refused(comment("contract-4", &"x".repeat(Comment::LONGEST)), "body").await;
    let longest = "x".repeat(Comment::LONGEST - 100);
    assert_eq!(host.comment(issue, &comment("contract-4", &longest)).await.unwrap().change, CommentChange::Created);
    let nowhere = IssueRef { repo: "owner/../name".to_owned(), number: 1 };
    let error = host.comment(&nowhere, &comment("contract-5", "text")).await.unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("repo")));
}
