//! What every executor of state machines keeps.

use mlops_core::ErrorKind;
use mlops_core::ports::{ExecutionStatus, LARGEST_DATA, NewExecution, TaskAnswer, Workflows};
use serde_json::json;

/// What an executor promises. `finish` lets an execution of that name end, by walking it or by waiting for it; the
/// machine `machine` ends well for any object and gives its input as its output.
pub async fn workflows<F: AsyncFn(&str)>(workflows: &dyn Workflows, machine: &str, finish: F) {
    let request = |name: &str, number: i64| NewExecution {
        machine: machine.to_owned(),
        name: name.to_owned(),
        input: json!({ "number": number, "text": "ペンギン" }),
    };
    assert_eq!(workflows.describe("contract-1").await.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(workflows.history("contract-1").await.unwrap_err().kind, ErrorKind::NotFound);
    assert!(workflows.list(machine, 10).await.unwrap().is_empty());
    assert_eq!(workflows.list("no-such-machine", 10).await.unwrap_err().kind, ErrorKind::NotFound);
    let wrong = NewExecution { name: "not/a name".to_owned(), ..request("contract-1", 1) };
    assert_eq!(workflows.start(wrong).await.unwrap_err().kind, ErrorKind::InvalidInput);
    let large = NewExecution { input: json!("x".repeat(LARGEST_DATA)), ..request("contract-1", 1) };
    let error = workflows.start(large).await.unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("input")), "it is too large");

    let started = workflows.start(request("contract-1", 1)).await.unwrap();
    assert!(!started.already_exists);
    assert!(started.execution_arn.contains(machine) && started.execution_arn.ends_with("contract-1"));
    let again = workflows.start(request("contract-1", 1)).await.unwrap();
    assert!(again.already_exists, "the same name is the same execution");
    assert_eq!(again.execution_arn, started.execution_arn);
    let other = workflows.start(request("contract-1", 2)).await.unwrap_err();
    assert_eq!(other.kind, ErrorKind::AlreadyExists, "the same name with another input is an error");
    let unknown = NewExecution { machine: "no-such-machine".to_owned(), ..request("contract-2", 1) };
    assert_eq!(workflows.start(unknown).await.unwrap_err().kind, ErrorKind::NotFound);

    finish("contract-1").await;
    let ended = workflows.describe("contract-1").await.unwrap();
    assert_eq!(ended.status, ExecutionStatus::Succeeded);
    assert_eq!((&ended.name[..], &ended.machine[..]), ("contract-1", machine));
    assert_eq!(ended.execution_arn, started.execution_arn);
    assert_eq!(ended.input, json!({ "number": 1, "text": "ペンギン" }));
    assert_eq!(ended.output.as_ref(), Some(&ended.input));
    assert!(ended.ended.unwrap() >= ended.started);
    assert_eq!((ended.error, ended.cause), (None, None));
    assert!(workflows.start(request("contract-1", 1)).await.unwrap().already_exists, "ended, it is still there");

    let history = workflows.history("contract-1").await.unwrap();
    let ids: Vec<u64> = history.iter().map(|event| event.id).collect();
    assert_eq!(ids, (1..=history.len() as u64).collect::<Vec<_>>(), "events count from 1 without a gap");
    assert!(history.windows(2).all(|pair| pair[0].timestamp <= pair[1].timestamp), "events are in order");
    assert_eq!(history[0].kind, "ExecutionStarted");
    assert_eq!(history.last().unwrap().kind, "ExecutionSucceeded");

    for (name, number) in [("contract-3", 3), ("contract-4", 4)] {
        workflows.start(request(name, number)).await.unwrap();
        finish(name).await;
    }
    let names = async |limit| -> Vec<String> {
        workflows.list(machine, limit).await.unwrap().into_iter().map(|execution| execution.name).collect()
    };
    assert_eq!(names(10).await, ["contract-4", "contract-3", "contract-1"], "the newest first");
    assert_eq!(names(2).await, ["contract-4", "contract-3"]);
    assert!(names(0).await.is_empty());
    let error = workflows.redrive("contract-1").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict, "what ended well has nothing to go on from");
    assert_eq!(workflows.redrive("contract-9").await.unwrap_err().kind, ErrorKind::NotFound);

    workflows.stop("contract-1", "Cancelled", "too late").await.unwrap();
    assert_eq!(workflows.describe("contract-1").await.unwrap().status, ExecutionStatus::Succeeded, "what ended stays");
    assert_eq!(workflows.stop("contract-9", "", "").await.unwrap_err().kind, ErrorKind::NotFound);
    let error = workflows.answer("no-such-token", TaskAnswer::Heartbeat).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
}

/// What an executor knows of a token once its task has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// The answer: the same one again is taken, and another one is a `Conflict`.
    Answers,
    /// That the task has ended: every answer is a `Conflict`. So it is at Step Functions.
    Ends,
    /// Nothing: the token is one that nobody gave, and who stops an execution does not take its tokens back.
    Nothing,
}

/// What an executor with that memory promises of tasks that wait for an answer. The machine `machine` waits for one token
/// and gives the answer as its output; `walk` lets an execution of that name go as far as it goes, and `token` is what
/// it waits for.
pub async fn answers<W: AsyncFn(&str), T: AsyncFn(&str) -> String>(
    workflows: &dyn Workflows,
    machine: &str,
    memory: Memory,
    walk: W,
    token: T,
) {
    let begin = async |name: &str| {
        let request = NewExecution { machine: machine.to_owned(), name: name.to_owned(), input: json!({}) };
        workflows.start(request).await.unwrap();
        walk(name).await;
        assert_eq!(workflows.describe(name).await.unwrap().status, ExecutionStatus::Running);
        token(name).await
    };
    let yes = || TaskAnswer::Success(json!({ "approved": true, "by": "アナ" }));
    let no = |cause: &str| TaskAnswer::Failure { error: "Rejected".to_owned(), cause: cause.to_owned() };
    let refused = async |token: &str, answer: TaskAnswer| {
        let kind = workflows.answer(token, answer).await.unwrap_err().kind;
        assert_eq!(kind, if memory == Memory::Nothing { ErrorKind::NotFound } else { ErrorKind::Conflict });
    };

    let own = begin("answers-1").await;
    let large = TaskAnswer::Success(json!("x".repeat(LARGEST_DATA)));
    assert_eq!(workflows.answer(&own, large).await.unwrap_err().kind, ErrorKind::InvalidInput, "it is too large");
    workflows.answer(&own, TaskAnswer::Heartbeat).await.unwrap();
    workflows.answer(&own, TaskAnswer::Heartbeat).await.unwrap();
    workflows.answer(&own, yes()).await.unwrap();
    if memory == Memory::Answers {
        workflows.answer(&own, yes()).await.unwrap();
        refused(&own, no("changed my mind")).await;
    }
    walk("answers-1").await;
    let ended = workflows.describe("answers-1").await.unwrap();
    assert_eq!(
        (ended.status, ended.output),
        (ExecutionStatus::Succeeded, Some(json!({ "approved": true, "by": "アナ" })))
    );
    let history = workflows.history("answers-1").await.unwrap();
    let counted = history.iter().filter(|event| event.kind == "TaskSucceeded").map(|event| &event.details["output"]);
    assert_eq!(
        counted.collect::<Vec<_>>(),
        [&json!({ "approved": true, "by": "アナ" })],
        "the history tells the answer"
    );
    let told = serde_json::to_string(&history).unwrap();
    assert!(!told.contains(&own), "who reads the history cannot answer");
    match memory {
        Memory::Answers => workflows.answer(&own, yes()).await.unwrap(),
        Memory::Ends | Memory::Nothing => refused(&own, yes()).await,
    }
    refused(&own, no("late")).await;
    refused(&own, TaskAnswer::Heartbeat).await;

    let own = begin("answers-2").await;
    workflows.answer(&own, no("not good enough")).await.unwrap();
    if memory == Memory::Answers {
        workflows.answer(&own, no("not good enough")).await.unwrap();
        refused(&own, no("something else")).await;
    }
    walk("answers-2").await;
    refused(&own, no("something else")).await;
    let failed = workflows.describe("answers-2").await.unwrap();
    assert_eq!(failed.status, ExecutionStatus::Failed);
    assert_eq!((failed.error.as_deref(), failed.cause.as_deref()), (Some("Rejected"), Some("not good enough")));

    let own = begin("answers-3").await;
    workflows.stop("answers-3", "Cancelled", "by its owner").await.unwrap();
    workflows.stop("answers-3", "Other", "").await.unwrap();
    if memory != Memory::Nothing {
        refused(&own, yes()).await;
    }
    let stopped = workflows.describe("answers-3").await.unwrap();
    assert_eq!(stopped.status, ExecutionStatus::Aborted);
    assert_eq!((stopped.error.as_deref(), stopped.cause.as_deref()), (Some("Cancelled"), Some("by its owner")));
    assert_eq!(workflows.answer("no-such-token", yes()).await.unwrap_err().kind, ErrorKind::NotFound);
}
