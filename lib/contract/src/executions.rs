//! What every executor of state machines keeps.

use mlops_core::ErrorKind;
use mlops_core::ports::{ExecutionStatus, NewExecution, Workflows};
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
    let error = workflows.redrive("contract-1").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict, "what ended well has nothing to go on from");
    assert_eq!(workflows.redrive("contract-9").await.unwrap_err().kind, ErrorKind::NotFound);
}
