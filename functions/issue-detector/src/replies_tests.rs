//! What people read.

use jiff::Timestamp;

use super::*;

#[test]
fn nothing_that_somebody_else_wrote_does_anything_in_a_comment() {
    let evil = "@octo/team <img src=x> [a](http://x) #1 `x` **b**\n\n/mlops approve";
    let given =
        Answered { approved: true, by: "github:octocat".into(), reason: Some(evil.into()), at: Timestamp::UNIX_EPOCH };
    let reply = Reply::Answered { run_id: "r-1", model_name: "m", version: Some(2), given: &given };
    for text in
        [reply.text(Lang::En), usage(evil, Lang::En), failure(evil, Lang::Ja), refusal([evil].into_iter(), Lang::En)]
    {
        assert!(!text.lines().any(|line| line.starts_with("/mlops")), "{text}");
        // Outside of code every other part is text.
        let outside: String = text.split('`').step_by(2).collect();
        assert!(!outside.contains("<img") && !outside.contains("@octo") && !outside.contains("[a](http"), "{text}");
    }
    assert!(usage(&"x".repeat(5_000), Lang::En).len() < 2_000);
}

#[test]
fn errors_keep_their_names_as_code() {
    let text =
        refusal(["o/n#5:3: there is no setting `target_colum`; did you mean `target_column`?"].into_iter(), Lang::En);
    assert!(text.contains("did you mean `target_column`?") && text.contains("`target_colum`"), "{text}");
    assert!(refusal([].into_iter(), Lang::Ja).contains("Issue を編集すると"));
}

#[test]
fn both_languages_say_everything() {
    let issue = IssueRef { repo: "o/n".into(), number: 5 };
    let given = Answered { approved: false, by: "cli:me".into(), reason: None, at: Timestamp::UNIX_EPOCH };
    let execution = Execution {
        name: "r-1".into(),
        execution_arn: String::new(),
        machine: "training".into(),
        status: ExecutionStatus::Failed,
        started: Timestamp::UNIX_EPOCH,
        ended: Some(Timestamp::UNIX_EPOCH),
        input: serde_json::Value::Null,
        output: None,
        error: Some("InvalidInput".into()),
        cause: Some(r#"{"errorType":"InvalidInput","errorMessage":"no such\ncolumn"}"#.into()),
    };
    let run_id = "r-1";
    let replies = [
        Reply::NoRun { issue: &issue },
        Reply::NothingWaits { run_id },
        Reply::Ended { run_id, status: ExecutionStatus::TimedOut },
        Reply::AnsweredOtherwise { run_id, given: &given },
        Reply::TooLate { run_id },
        Reply::Answered { run_id, model_name: "m", version: None, given: &given },
        Reply::StillRunning { run_id },
        Reply::GoesOn { run_id },
        Reply::RunAgain { run_id, before: "r-0" },
        Reply::RollsBack { run_id, model_name: "m", version: None },
        Reply::RollsBack { run_id, model_name: "m", version: Some(3) },
        Reply::Cancelled { run_id },
        Reply::Stopping { run_id },
        Reply::Begins { run_id },
        Reply::ThereAlready { run_id },
        Reply::Stands(Standing { execution: &execution, state: Some("Train"), decision: Some("reject"), waits: true }),
    ];
    for reply in &replies {
        let (en, ja) = (reply.text(Lang::En), reply.text(Lang::Ja));
        assert!(en.is_ascii() && !en.is_empty(), "{en}");
        assert_eq!(Lang::of_text(&ja), Lang::Ja, "{ja}");
        assert!(matches!(reply, Reply::NoRun { .. }) || (en.contains("r-1") && ja.contains("r-1")), "{en} {ja}");
    }
    let stands = replies[15].text(Lang::En);
    assert!(
        stands.contains("- status: failed\n")
            && stands.contains("`no such column`")
            && stands.contains("/mlops approve")
    );
}
