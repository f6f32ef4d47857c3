//! A question is asked once, answered once, and its token is seen nowhere else.

use mlops_core::masking::mask_text;
use mlops_local::{Access, FileStore};

use super::*;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn approvals() -> (Approvals, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(FileStore::new(folder.path(), folder.path(), Access::Anywhere));
    (Approvals::new(store, &ArtifactUri::from_path(&folder.path().join("store"))), folder)
}

fn question(token: &str) -> NewApproval {
    NewApproval {
        run_id: "run-1".to_owned(),
        issue: Some(IssueRef { repo: "acme/models".to_owned(), number: 7 }),
        token: token.to_owned().into(),
        model_name: "things".to_owned(),
        version: Some(2),
        report_uri: Some("s3://store/report.html".to_owned()),
        asked_at: NOW,
    }
}

#[tokio::test]
async fn a_question_is_kept_with_its_token_and_found_again() {
    let (approvals, folder) = approvals();
    assert!(approvals.find("run-1").await.unwrap().is_none());
    let asked = approvals.ask(question("token-of-the-first-task")).await.unwrap();
    assert_eq!((asked.token.expose_secret(), asked.answer), ("token-of-the-first-task", None));
    let later =
        NewApproval { asked_at: NOW + jiff::SignedDuration::from_hours(1), ..question("token-of-the-first-task") };
    assert_eq!(approvals.ask(later).await.unwrap().asked_at, NOW, "a repeat changes nothing");
    let found = approvals.find("run-1").await.unwrap().unwrap();
    assert_eq!((found.version, found.issue.unwrap().number, found.model_name.as_str()), (Some(2), 7, "things"));
    let text = std::fs::read_to_string(folder.path().join("store/approvals/run-1.json")).unwrap();
    assert!(text.contains("token-of-the-first-task"));
}

#[tokio::test]
async fn the_token_is_masked_everywhere_else() {
    let (approvals, _folder) = approvals();
    let asked = approvals.ask(question("tell-nobody-of-this-token")).await.unwrap();
    assert!(!format!("{asked:?} {:?}", question("tell-nobody-of-this-token")).contains("tell-nobody"));
    assert!(!mask_text("it is tell-nobody-of-this-token!").contains("tell-nobody"));
}

#[tokio::test]
async fn a_new_token_takes_the_place_of_the_old_one() {
    let (approvals, _folder) = approvals();
    approvals.ask(question("first-token-12345")).await.unwrap();
    let again = approvals.ask(NewApproval { version: Some(3), ..question("second-token-12345") }).await.unwrap();
    assert_eq!((again.token.expose_secret(), again.version), ("second-token-12345", Some(3)));
    let answered = approvals.answer("run-1", true, "ada", None, NOW).await.unwrap();
    assert_eq!(answered.token.expose_secret(), "second-token-12345");
    let third = approvals.ask(question("third-token-12345")).await.unwrap();
    assert_eq!(third.token.expose_secret(), "third-token-12345");
    assert_eq!(third.answer, answered.answer, "what a person decided stays decided");
}

#[tokio::test]
async fn the_first_answer_counts() {
    let (approvals, _folder) = approvals();
    let error = approvals.answer("run-1", true, "ada", None, NOW).await.unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::NotFound, Some("run_id")));
    approvals.ask(question("a-token-for-answers")).await.unwrap();
    let error = approvals.answer("run-1", true, " ", None, NOW).await.unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("by")));
    let secret = format!("good, see ghp_{}", "a1".repeat(18));
    let answered = approvals.answer("run-1", true, "ada", Some(&secret), NOW).await.unwrap().answer.unwrap();
    assert_eq!((answered.by.as_str(), answered.reason.as_deref()), ("ada", Some("good, see ghp_***masked***")));
    let later = NOW + jiff::SignedDuration::from_hours(1);
    let again = approvals.answer("run-1", true, "bob", Some("me too"), later).await.unwrap();
    assert_eq!(again.answer.unwrap(), answered);
    let error = approvals.answer("run-1", false, "bob", None, later).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert!(error.message.contains("approved by ada at 1970-01-01T00:00:00Z"), "{error}");
}

#[tokio::test]
async fn of_many_answers_at_once_one_counts() {
    let (approvals, _folder) = approvals();
    approvals.ask(question("a-token-for-a-race")).await.unwrap();
    let answers = (0..16).map(|index| {
        let approvals = approvals.clone();
        tokio::spawn(
            async move { approvals.answer("run-1", index % 2 == 0, &format!("person-{index}"), None, NOW).await },
        )
    });
    let mut first = None;
    for answer in answers.collect::<Vec<_>>() {
        match answer.await.unwrap() {
            Ok(approval) => {
                let given = approval.answer.unwrap();
                assert_eq!(*first.get_or_insert(given.clone()), given);
            }
            Err(error) => assert_eq!(error.kind, ErrorKind::Conflict),
        }
    }
    assert_eq!(approvals.find("run-1").await.unwrap().unwrap().answer, first);
}

#[tokio::test]
async fn a_run_id_cannot_leave_its_folder() {
    let (approvals, _folder) = approvals();
    for run_id in ["../x", "", "a/b"] {
        assert_eq!(approvals.find(run_id).await.unwrap_err().field.as_deref(), Some("run_id"));
        let new = NewApproval { run_id: run_id.to_owned(), ..question("a-token-for-nobody") };
        assert_eq!(approvals.ask(new).await.unwrap_err().kind, ErrorKind::InvalidInput);
    }
}
