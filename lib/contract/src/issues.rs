//! What every host of issues keeps.

use mlops_core::ErrorKind;
use mlops_core::ports::{
    CheckState, CodeHost, Comment, CommentChange, CommitCheck, Issue, Permission, Reaction, is_same_label,
};
use mlops_core::values::IssueRef;

/// What there is at a host of issues before anything was promised.
#[derive(Debug, Clone, Copy)]
pub struct KnownHost<'a> {
    /// An issue as it stands there, without comments, labels and reactions.
    pub issue: &'a Issue,
    /// An issue that is not there.
    pub absent: &'a IssueRef,
    /// Who may write in the issue's repository.
    pub writer: &'a str,
    /// Who is nobody there.
    pub stranger: &'a str,
    /// A commit of the repository without checks.
    pub commit: &'a str,
}

/// What a host of issues promises. `read` gives the whole text of the comment at a URL that the host gave.
pub async fn code_host<F: AsyncFn(&str) -> String>(host: &dyn CodeHost, known: KnownHost<'_>, read: F) {
    let issue = &known.issue.reference;
    issues(host, known.issue, known.absent).await;
    comments(host, issue, read).await;
    what_is_no_comment(host, issue).await;
    labels(host, issue).await;
    reactions(host, issue).await;
    permissions(host, &issue.repo, known).await;
    checks(host, &issue.repo, known.commit).await;
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

async fn labels(host: &dyn CodeHost, issue: &IssueRef) {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let none = names(&[]);
    let added = host.label(issue, &names(&["mlops:running", "学習 中"]), &names(&["mlops:done"])).await.unwrap();
    assert_eq!((added.labels, added.changed), (names(&["mlops:running", "学習 中"]), true));
    let again = host.label(issue, &names(&["MLOPS:Running"]), &none).await.unwrap();
    assert_eq!((again.labels.len(), again.changed), (2, false), "case makes no other label");
    let changed = host.label(issue, &names(&["mlops:done"]), &names(&["mlops:RUNNING"])).await.unwrap();
    assert!(changed.changed && changed.labels.iter().any(|label| label == "mlops:done"));
    assert!(!changed.labels.iter().any(|label| is_same_label(label, "mlops:running")));
    let looked = host.label(issue, &none, &none).await.unwrap();
    assert_eq!((looked.labels, looked.changed), (changed.labels, false));
    for (add, remove, field) in [(names(&[""]), none.clone(), "add"), (none.clone(), names(&["a\nb"]), "remove")] {
        let error = host.label(issue, &add, &remove).await.unwrap_err();
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some(field)));
    }
}

async fn reactions(host: &dyn CodeHost, issue: &IssueRef) {
    assert!(host.react(issue, None, Reaction::Eyes).await.unwrap());
    assert!(!host.react(issue, None, Reaction::Eyes).await.unwrap(), "a reaction is set once");
    assert!(host.react(issue, None, Reaction::Rocket).await.unwrap());
    let nowhere = IssueRef { repo: "owner/../name".to_owned(), number: 1 };
    let error = host.react(&nowhere, None, Reaction::Eyes).await.unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("repo")));
}

async fn permissions(host: &dyn CodeHost, repo: &str, known: KnownHost<'_>) {
    assert_eq!(host.permission(repo, known.writer).await.unwrap(), Permission::Write);
    assert!(host.permission(repo, known.stranger).await.unwrap() < Permission::Write);
    for wrong in ["", "a/b", "..", "a b"] {
        let error = host.permission(repo, wrong).await.unwrap_err();
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("login")), "{wrong:?}");
    }
}

async fn checks(host: &dyn CodeHost, repo: &str, commit: &str) {
    let check = |state, description: &str| CommitCheck {
        context: "mlops/contract".to_owned(),
        state,
        description: Some(description.to_owned()),
        link: Some("https://example.org/runs/1".to_owned()),
    };
    let first = host.check(repo, commit, &check(CheckState::Pending, "training")).await.unwrap();
    assert!(first.changed && !first.url.is_empty());
    assert!(!host.check(repo, commit, &check(CheckState::Pending, "training")).await.unwrap().changed);
    assert!(host.check(repo, commit, &check(CheckState::Success, "trained")).await.unwrap().changed);
    let other = CommitCheck { context: "mlops/other".to_owned(), ..check(CheckState::Success, "trained") };
    assert!(host.check(repo, commit, &other).await.unwrap().changed, "another context is another check");
    assert!(!host.check(repo, commit, &check(CheckState::Success, "trained")).await.unwrap().changed);
    let error = host.check(repo, "main", &other).await.unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("commit")));
    let nameless = CommitCheck { context: String::new(), ..other };
    let error = host.check(repo, commit, &nameless).await.unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("context")));
}
