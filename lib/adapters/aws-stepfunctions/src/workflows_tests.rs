//! What Step Functions is asked, and what its answers mean.

use std::collections::BTreeMap;

use mlops_core::ErrorKind;
use mlops_core::ports::{ExecutionStatus, LARGEST_DATA, NewExecution, TaskAnswer, Workflows as _};
use serde_json::{Value, json};

use super::StepFunctions;
use crate::stand_in::{ROLLBACK, StandIn, TRAINING, described, refusal};

const RUN: &str = "arn:aws:states:eu-central-1:123456789012:execution:fleet-training:run-1";

fn workflows(answer: impl Fn(&str, &Value) -> (u16, Value) + Send + Sync + 'static) -> (StepFunctions, StandIn) {
    let service = StandIn::new(answer);
    let machines = [("training", TRAINING), ("rollback", ROLLBACK)];
    let machines: BTreeMap<_, _> = machines.map(|(name, arn)| (name.to_owned(), arn.to_owned())).into();
    (StepFunctions::over(service.client(), machines).unwrap(), service)
}

/// Workflows in which `run-1` of the machine `training` stands like this.
fn standing(status: &'static str) -> (StepFunctions, StandIn) {
    workflows(move |action, input| match action {
        "DescribeExecution" if input["executionArn"] == RUN => described(RUN, status, &json!({"number": 1})),
        "DescribeExecution" => refusal("ExecutionDoesNotExist", "Execution Does Not Exist"),
        "GetExecutionHistory" => (200, json!({"events": []})),
        _ => (200, json!({})),
    })
}

fn request(machine: &str, name: &str, input: Value) -> NewExecution {
    NewExecution { machine: machine.to_owned(), name: name.to_owned(), input }
}

#[tokio::test]
async fn an_execution_is_started_by_its_machines_arn() {
    let arn = RUN.replace("run-1", "run-2");
    let answer = json!({"executionArn": arn, "startDate": 1_700_000_000});
    let (workflows, service) = workflows(move |action, _| match action {
        "StartExecution" => (200, answer.clone()),
        _ => refusal("ExecutionDoesNotExist", "Execution Does Not Exist"),
    });
    let started = workflows.start(request("training", "run-2", json!({"text": "ペンギン"}))).await.unwrap();
    assert_eq!((&started.execution_arn, started.already_exists), (&arn, false));
    assert!(started.console_url.unwrap().ends_with(&format!("#/v2/executions/details/{arn}")));
    let expected = json!({"stateMachineArn": TRAINING, "name": "run-2", "input": r#"{"text":"ペンギン"}"#});
    assert_eq!(service.asked("StartExecution"), [expected]);
}

#[tokio::test]
async fn a_name_that_exists_is_that_execution_or_another_whatever_its_machine() {
    for status in ["RUNNING", "SUCCEEDED", "FAILED"] {
        let (workflows, service) = standing(status);
        let same = workflows.start(request("training", "run-1", json!({"number": 1}))).await.unwrap();
        assert_eq!((same.execution_arn.as_str(), same.already_exists), (RUN, true));
        for other in
            [request("training", "run-1", json!({"number": 2})), request("rollback", "run-1", json!({"number": 1}))]
        {
            let error = workflows.start(other).await.unwrap_err();
            assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::AlreadyExists, Some("name")));
        }
        assert!(service.asked("StartExecution").is_empty());
    }
}

#[tokio::test]
async fn of_two_who_start_it_the_slower_finds_what_the_faster_started() {
    for (there, input, expected) in [
        (true, json!({"number": 1}), Ok(true)),
        (true, json!({"number": 2}), Err(ErrorKind::AlreadyExists)),
        (false, json!({"number": 1}), Err(ErrorKind::Unavailable)),
    ] {
        let seen = std::sync::atomic::AtomicUsize::new(0);
        let (workflows, _) = workflows(move |action, input| match action {
            "StartExecution" => refusal("ExecutionAlreadyExists", "Execution Already Exists"),
            _ if !there
                || input["executionArn"] != RUN
                || seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 =>
            {
                refusal("ExecutionDoesNotExist", "Execution Does Not Exist")
            }
            _ => described(RUN, "RUNNING", &json!({"number": 1})),
        });
        let started = workflows.start(request("training", "run-1", input)).await;
        assert_eq!(started.map(|started| started.already_exists).map_err(|error| error.kind), expected);
    }
}

#[tokio::test]
async fn what_cannot_be_started_is_refused_before_anything_is_sent() {
    let (workflows, service) = standing("RUNNING");
    for (wrong, kind, field) in [
        (request("training", "a/b", json!({})), ErrorKind::InvalidInput, "name"),
        (request("trainin", "run-1", json!({})), ErrorKind::NotFound, "machine"),
        (request("training", "run-1", json!("x".repeat(LARGEST_DATA))), ErrorKind::InvalidInput, "input"),
    ] {
        let error = workflows.start(wrong).await.unwrap_err();
        assert_eq!((error.kind, error.field.as_deref()), (kind, Some(field)));
    }
    assert!(service.asked("StartExecution").is_empty() && service.asked("DescribeExecution").is_empty());
}

#[tokio::test]
async fn an_execution_is_described_with_the_fleets_words() {
    for (status, expected) in [
        ("RUNNING", ExecutionStatus::Running),
        ("PENDING_REDRIVE", ExecutionStatus::Running),
        ("SUCCEEDED", ExecutionStatus::Succeeded),
        ("FAILED", ExecutionStatus::Failed),
        ("TIMED_OUT", ExecutionStatus::TimedOut),
        ("ABORTED", ExecutionStatus::Aborted),
    ] {
        let execution = standing(status).0.describe("run-1").await.unwrap();
        assert_eq!(
            (execution.status, execution.machine.as_str(), execution.name.as_str()),
            (expected, "training", "run-1")
        );
        assert_eq!(execution.started, "2023-11-14T22:13:20.25Z".parse().unwrap());
        assert_eq!(execution.ended.is_some(), expected != ExecutionStatus::Running);
        assert_eq!((execution.input, execution.execution_arn.as_str()), (json!({"number": 1}), RUN));
        assert_eq!(execution.output.is_some(), expected == ExecutionStatus::Succeeded);
        let failed = (expected == ExecutionStatus::Failed).then_some(("Rejected", "not good enough"));
        assert_eq!(execution.error.as_deref().zip(execution.cause.as_deref()), failed);
    }
    let error = standing("LOST").0.describe("run-1").await.unwrap_err();
    assert!(error.kind == ErrorKind::Internal && error.message.contains("`LOST`"), "{}", error.message);
    assert_eq!(standing("RUNNING").0.describe("run-9").await.unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn a_machine_that_may_not_be_read_is_told_unless_another_has_the_execution() {
    let message = "User: arn:aws:sts::1:role/x is not authorized to perform: states:DescribeExecution on resource: y";
    let (workflows, _) = workflows(move |_, input| match input["executionArn"].as_str() {
        Some(RUN) => described(RUN, "RUNNING", &json!({})),
        _ => refusal("AccessDeniedException", message),
    });
    assert_eq!(workflows.describe("run-1").await.unwrap().machine, "training");
    let error = workflows.describe("run-9").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Forbidden);
    assert!(error.message.contains("states:DescribeExecution"), "{}", error.message);
}

#[tokio::test]
async fn a_list_reads_as_many_pages_as_it_needs() {
    let arn = |number: u64| RUN.replace("run-1", &format!("run-{number}"));
    let (workflows, service) = workflows(move |action, input| match action {
        "ListExecutions" => {
            let from = input["nextToken"].as_str().map_or(9, |token| token.parse::<u64>().unwrap());
            let item = |number| {
                json!({"executionArn": arn(number), "stateMachineArn": TRAINING, "status": "RUNNING",
                "name": format!("run-{number}"), "startDate": 1_700_000_000 + number})
            };
            let items: Vec<Value> = (from - 1..=from).rev().map(item).collect();
            (200, json!({"executions": items, "nextToken": (from - 2).to_string()}))
        }
        _ if input["executionArn"] == arn(8) => refusal("ExecutionDoesNotExist", "it is too old"),
        _ => {
            let (status, mut body) = described(input["executionArn"].as_str().unwrap(), "RUNNING", &json!({}));
            let number: u64 = body["name"].as_str().unwrap().rsplit('-').next().unwrap().parse().unwrap();
            body["startDate"] = json!(1_700_000_000 + number);
            (status, body)
        }
    });
    let names = async |limit| -> Vec<String> {
        workflows.list("training", limit).await.unwrap().into_iter().map(|execution| execution.name).collect()
    };
    assert_eq!(names(4).await, ["run-9", "run-7", "run-6"], "run-8 is gone");
    assert_eq!(service.asked("ListExecutions").len(), 2);
    assert_eq!(names(1).await, ["run-9"]);
    assert_eq!(service.asked("ListExecutions")[2]["maxResults"], 1);
    assert!(names(0).await.is_empty());
    assert_eq!(workflows.list("other", 1).await.unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn only_what_failed_goes_on() {
    for (status, goes_on) in
        [("FAILED", true), ("TIMED_OUT", true), ("ABORTED", false), ("SUCCEEDED", false), ("RUNNING", false)]
    {
        let (workflows, service) = standing(status);
        let redriven = workflows.redrive("run-1").await.map_err(|error| error.kind);
        assert_eq!(redriven, if goes_on { Ok(()) } else { Err(ErrorKind::Conflict) }, "{status}");
        assert_eq!(service.asked("RedriveExecution").len(), usize::from(goes_on));
    }
    for (last, goes_on) in [
        (["ExecutionFailed", "FailStateEntered", "TaskStateExited"], false),
        (["ExecutionFailed", "EvaluationFailed", "FailStateEntered"], false),
        (["ExecutionFailed", "TaskFailed", "TaskStarted"], true),
        (["ExecutionFailed", "ParallelStateFailed", "FailStateEntered"], true),
    ] {
        let (workflows, service) = workflows(move |action, _| match action {
            "GetExecutionHistory" => {
                let event = |(at, kind)| json!({"id": 9 - at, "type": kind, "timestamp": 1_700_000_000});
                (200, json!({"events": last.iter().enumerate().map(event).collect::<Vec<_>>()}))
            }
            "DescribeExecution" => described(RUN, "FAILED", &json!({})),
            _ => (200, json!({})),
        });
        let redriven = workflows.redrive("run-1").await.map_err(|error| error.kind);
        assert_eq!(redriven, if goes_on { Ok(()) } else { Err(ErrorKind::Conflict) }, "{last:?}");
        assert_eq!(service.asked("GetExecutionHistory")[0]["reverseOrder"], true);
    }
    let (workflows, _) = workflows(|action, _| match action {
        "GetExecutionHistory" => (200, json!({"events": []})),
        "RedriveExecution" => refusal("ExecutionNotRedrivable", "Execution exceeded the redrivable period of 14 days"),
        _ => described(RUN, "FAILED", &json!({})),
    });
    let error = workflows.redrive("run-1").await.unwrap_err();
    assert!(error.kind == ErrorKind::Conflict && error.message.contains("14 days"), "{}", error.message);
}

#[tokio::test]
async fn a_task_is_answered_by_its_token() {
    let (workflows, service) = standing("RUNNING");
    workflows.answer("token", TaskAnswer::Success(json!({"by": "アナ"}))).await.unwrap();
    let long = TaskAnswer::Failure {
        error: "é".repeat(300),
        cause: format!("{}ghp_abcdefghij1234567890", "é".repeat(40_000)),
    };
    workflows.answer("token", long).await.unwrap();
    let short = TaskAnswer::Failure { error: "E".to_owned(), cause: "with ghp_abcdefghij1234567890".to_owned() };
    workflows.answer("token", short).await.unwrap();
    workflows.answer("token", TaskAnswer::Heartbeat).await.unwrap();
    assert_eq!(service.asked("SendTaskSuccess"), [json!({"taskToken": "token", "output": r#"{"by":"アナ"}"#})]);
    let failures = service.asked("SendTaskFailure");
    assert_eq!(failures[0], json!({"taskToken": "token", "error": "é".repeat(256), "cause": "é".repeat(32_768)}));
    assert_eq!(failures[1]["cause"], "with ghp_***masked***");
    assert_eq!(service.asked("SendTaskHeartbeat"), [json!({"taskToken": "token"})]);
    let large = TaskAnswer::Success(json!("x".repeat(LARGEST_DATA)));
    assert_eq!(workflows.answer("token", large).await.unwrap_err().field.as_deref(), Some("output"));
}

#[tokio::test]
async fn a_token_that_was_never_given_and_one_whose_task_has_ended_are_told_apart() {
    for (code, kind) in [
        ("InvalidToken", ErrorKind::NotFound),
        ("TaskDoesNotExist", ErrorKind::NotFound),
        ("TaskTimedOut", ErrorKind::Conflict),
        ("InvalidOutput", ErrorKind::InvalidInput),
        ("KmsThrottlingException", ErrorKind::Throttled),
        ("KmsAccessDeniedException", ErrorKind::Forbidden),
        ("ThrottlingException", ErrorKind::Throttled),
    ] {
        let (workflows, _) = workflows(move |_, _| refusal(code, "no"));
        for answer in [TaskAnswer::Success(json!(1)), TaskAnswer::Heartbeat] {
            let error = workflows.answer("a-token-of-a-task", answer).await.unwrap_err();
            assert_eq!(error.kind, kind, "{code}");
            assert!(!error.message.contains("a-token-of-a-task"));
        }
    }
    let (workflows, service) = standing("RUNNING");
    for never in [String::new(), "x".repeat(2049)] {
        assert_eq!(workflows.answer(&never, TaskAnswer::Heartbeat).await.unwrap_err().kind, ErrorKind::NotFound);
    }
    assert!(service.asked("SendTaskHeartbeat").is_empty());
}

#[tokio::test]
async fn what_has_ended_stays_as_it_is() {
    let (workflows, service) = standing("SUCCEEDED");
    workflows.stop("run-1", "Cancelled", "too late").await.unwrap();
    assert!(service.asked("StopExecution").is_empty());
    let (workflows, service) = standing("RUNNING");
    workflows.stop("run-1", "Cancelled", "by its owner").await.unwrap();
    let expected = json!({"executionArn": RUN, "error": "Cancelled", "cause": "by its owner"});
    assert_eq!(service.asked("StopExecution"), [expected]);
    assert_eq!(workflows.stop("run-9", "", "").await.unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn what_ends_while_it_is_stopped_has_ended_by_itself() {
    for (then, expected) in [("SUCCEEDED", Ok(())), ("RUNNING", Err(ErrorKind::InvalidInput))] {
        let stopped = std::sync::atomic::AtomicBool::new(false);
        let (workflows, _) = workflows(move |action, input| match action {
            "StopExecution" => {
                stopped.store(true, std::sync::atomic::Ordering::SeqCst);
                refusal("ValidationException", "Execution is not running")
            }
            _ if input["executionArn"] != RUN => refusal("ExecutionDoesNotExist", "no"),
            _ if stopped.load(std::sync::atomic::Ordering::SeqCst) => described(RUN, then, &json!({})),
            _ => described(RUN, "RUNNING", &json!({})),
        });
        assert_eq!(workflows.stop("run-1", "Cancelled", "").await.map_err(|error| error.kind), expected);
    }
}

#[tokio::test]
async fn a_refusal_names_the_request_and_what_was_asked() {
    for (status, code, kind) in [
        (400, "StateMachineDoesNotExist", ErrorKind::NotFound),
        (400, "StateMachineDeleting", ErrorKind::Conflict),
        (400, "ExecutionLimitExceeded", ErrorKind::Throttled),
        (400, "InvalidName", ErrorKind::InvalidInput),
        (400, "InvalidExecutionInput", ErrorKind::InvalidInput),
        (400, "InvalidArn", ErrorKind::InvalidInput),
        (500, "InternalServerError", ErrorKind::Unavailable),
        (503, "ServiceUnavailable", ErrorKind::Unavailable),
    ] {
        let (workflows, _) = workflows(move |action, _| match action {
            "StartExecution" => (status, refusal(code, "because of that").1),
            _ => refusal("ExecutionDoesNotExist", "no"),
        });
        let error = workflows.start(request("training", "run-1", json!({}))).await.unwrap_err();
        assert_eq!(error.kind, kind, "{code}: {}", error.message);
        assert!(error.message.contains("request-7") && error.message.contains("because of that"), "{}", error.message);
    }
}
