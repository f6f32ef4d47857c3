//! Executions that are stopped, and machines whose agents are elsewhere.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mlops_core::ports::{ExecutionStatus, Workflows as _};
use mlops_core::{Error, ErrorKind};
use mlops_local::LocalWorkflows;
use serde_json::json;
use tempfile::TempDir;

use crate::machines::{Scripted, echo, executor, failing, flow, kinds, machine, run, start, task};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_is_told_when_its_execution_is_stopped() {
    for busy in ["busy", "hang"] {
        let home = TempDir::new().unwrap();
        let worker = Scripted::new("worker", move |_, _| Ok(json!(busy)));
        let branch = flow("T", &json!({"T": task(&json!({"End": true}))}));
        let definition = machine(&json!({"A": {"Type": "Parallel", "Branches": [branch], "End": true}}));
        let walked = executor(home.path(), &[Arc::clone(&worker)], &definition);
        let other = executor(home.path(), &[Arc::clone(&worker)], &definition);
        start(&walked, json!({})).await;
        let walk = async { walked.run_to_end("run", |_| {}).await.unwrap() };
        let stop = async {
            while worker.asked().is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            other.stop("run", "Cancelled", "by ana").await.unwrap();
            Instant::now()
        };
        let (ended, stopped) = tokio::join!(walk, stop);
        assert!(stopped.elapsed() < Duration::from_secs(1), "{:?}", stopped.elapsed());
        assert_eq!(ended.status, ExecutionStatus::Aborted);
        assert_eq!((ended.error.as_deref(), ended.cause.as_deref()), (Some("Cancelled"), Some("by ana")));
        assert_eq!(kinds(&walked).await.last().unwrap(), "ExecutionAborted");
        // The agent's computation has ended too: nobody else holds it.
        let begun = Instant::now();
        while Arc::strong_count(&worker) > 3 {
            assert!(begun.elapsed() < Duration::from_secs(5), "the agent goes on");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test]
async fn what_nobody_walks_can_be_stopped_and_what_ended_stays() {
    let home = TempDir::new().unwrap();
    let definition = machine(&json!({"A": {"Type": "Succeed"}}));
    let executor = executor(home.path(), &[], &definition);
    start(&executor, json!({})).await;
    executor.stop("run", "Cancelled", "").await.unwrap();
    executor.stop("run", "Again", "").await.unwrap();
    let stopped = executor.run_to_end("run", |_| {}).await.unwrap();
    assert_eq!((stopped.status, stopped.error.as_deref()), (ExecutionStatus::Aborted, Some("Cancelled")));
    assert_eq!(kinds(&executor).await, ["ExecutionStarted", "ExecutionAborted"]);
    assert_eq!(executor.redrive("run").await.unwrap_err().kind, ErrorKind::Conflict);
    assert_eq!(executor.stop("nowhere", "", "").await.unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn what_a_machine_itself_let_fail_would_only_fail_again() {
    for error in [json!("Rejected"), json!("{% 5 %}")] {
        let home = TempDir::new().unwrap();
        let definition = machine(&json!({
            "A": task(&json!({"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "B"}], "End": true})),
            "B": {"Type": "Fail", "Error": error},
        }));
        let worker = failing("worker", 1, || Error::not_found("the table is missing"));
        let executor = executor(home.path(), &[worker], &definition);
        assert_eq!(run(&executor, json!({})).await.status, ExecutionStatus::Failed);
        let refused = executor.redrive("run").await.unwrap_err();
        assert!(refused.kind == ErrorKind::Conflict && refused.message.contains("Fail state"), "{}", refused.message);
        assert_eq!(executor.describe("run").await.unwrap().status, ExecutionStatus::Failed);
    }
}

#[tokio::test]
async fn a_recorder_starts_what_others_walk() {
    let home = TempDir::new().unwrap();
    let definition = machine(&json!({"A": task(&json!({"End": true}))}));
    LocalWorkflows::new(home.path(), []).machine("test", &definition).unwrap_err();
    let recorder = LocalWorkflows::new(home.path(), []).recording().machine("test", &definition).unwrap();
    start(&recorder, json!({"x": 1})).await;
    assert_eq!(recorder.run_to_end("run", |_| {}).await.unwrap_err().kind, ErrorKind::Unavailable);
    let ended = run(&executor(home.path(), &[echo("worker")], &definition), json!({"x": 1})).await;
    assert_eq!(ended.status, ExecutionStatus::Succeeded);
}
