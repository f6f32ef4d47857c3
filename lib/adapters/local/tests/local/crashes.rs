//! Executions that are broken off and go on.

use std::fs;
use std::sync::Arc;

use mlops_core::ports::{ExecutionStatus, NewExecution, Workflows as _};
use mlops_core::{Error, ErrorKind};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::machines::{Scripted, echo, executor, failing, kinds, machine, run, start, task, walk_until};

/// A machine with everything: two tasks that fail at first, variables, a choice, a catcher and a loop.
fn everything() -> String {
    let second = json!({"FunctionName": "second", "Payload": {"total": "{% $total %}"}});
    machine(&json!({
        "A": task(&json!({
            "Assign": {"total": "{% $states.result.Payload.x %}", "rounds": 0},
            "Retry": [{"ErrorEquals": ["Throttled"], "MaxAttempts": 2}], "Next": "B"})),
        "B": task(&json!({
            "Arguments": second, "Retry": [{"ErrorEquals": ["Unavailable"], "MaxAttempts": 1}],
            "Catch": [{"ErrorEquals": ["Unavailable"], "Next": "C", "Assign": {"caught": "{% $states.errorOutput.Error %}"}}],
            "Next": "F"})),
        "C": {"Type": "Pass", "Assign": {"total": "{% $total + 10 %}", "rounds": "{% $rounds + 1 %}"}, "Output": {}, "Next": "D"},
        "D": {"Type": "Choice", "Choices": [{"Condition": "{% $rounds < 2 %}", "Next": "C"}], "Default": "E"},
        "E": {"Type": "Succeed", "Output": {"total": "{% $total %}", "caught": "{% $caught %}"}},
        "F": {"Type": "Fail"},
    }))
}

fn workers() -> [Arc<Scripted>; 2] {
    [failing("worker", 1, || Error::throttled("slow")), failing("second", 9, || Error::unavailable("gone"))]
}

#[tokio::test]
async fn broken_off_after_any_event_it_ends_the_same_and_does_no_finished_task_again() {
    let home = TempDir::new().unwrap();
    let whole = executor(home.path(), &workers(), &everything());
    let expected = run(&whole, json!({"x": 1})).await;
    assert_eq!(expected.output, Some(json!({"total": 21, "caught": "Unavailable"})));
    let events = kinds(&whole).await;
    assert!(events.len() > 20);
    for crash in 1..=events.len() {
        let home = TempDir::new().unwrap();
        let agents = workers();
        let first = executor(home.path(), &agents, &everything());
        start(&first, json!({"x": 1})).await;
        assert!(!walk_until(&first, crash).await, "it is broken off at event {crash}");
        drop(first);
        let second = executor(home.path(), &agents, &everything());
        let ended = second.run_to_end("run", |_| {}).await.unwrap();
        assert_eq!((ended.status, &ended.output), (ExecutionStatus::Succeeded, &expected.output), "event {crash}");
        let history = second.history("run").await.unwrap();
        // An attempt that was scheduled when the crash came is scheduled again; everything else is as it was.
        let repeated = usize::from(events[crash - 1] == "TaskScheduled" || events[crash - 1] == "TaskStarted");
        let scheduled = |kinds: &[String]| kinds.iter().filter(|kind| *kind == "TaskScheduled").count();
        let after = kinds(&second).await;
        assert_eq!(scheduled(&after), scheduled(&events) + repeated, "event {crash}: {after:?}");
        let of_tasks = |kind: &str| history.iter().filter(|event| event.kind == kind).count();
        assert_eq!((of_tasks("TaskSucceeded"), of_tasks("TaskFailed")), (1, 3), "event {crash}");
        assert_eq!(
            history.iter().map(|event| event.id).collect::<Vec<_>>(),
            (1..=history.len() as u64).collect::<Vec<_>>()
        );
    }
}

#[tokio::test]
async fn broken_off_after_every_single_event_it_still_ends() {
    let home = TempDir::new().unwrap();
    let agents = workers();
    let mut walks = 0;
    start(&executor(home.path(), &agents, &everything()), json!({"x": 1})).await;
    loop {
        walks += 1;
        // A scheduled task needs three events in one walk: scheduled, started, ended.
        if walk_until(&executor(home.path(), &agents, &everything()), 3).await {
            break;
        }
        assert!(walks < 100);
    }
    let executor = executor(home.path(), &agents, &everything());
    assert_eq!(executor.describe("run").await.unwrap().output, Some(json!({"total": 21, "caught": "Unavailable"})));
}

#[tokio::test]
async fn a_torn_journal_goes_on_from_its_last_whole_event() {
    let home = TempDir::new().unwrap();
    let definition = machine(&json!({"A": task(&json!({"Next": "B"})), "B": task(&json!({"End": true}))}));
    let path = home.path().join("executions/test/run/journal.jsonl");
    run(&executor(home.path(), &[echo("worker")], &definition), json!({})).await;
    let whole = fs::read(&path).unwrap();
    for cut in (0..whole.len()).step_by(37) {
        fs::write(&path, &whole[..cut]).unwrap();
        let worker = echo("worker");
        let executor = executor(home.path(), &[Arc::clone(&worker)], &definition);
        let before = executor.history("run").await.unwrap();
        let done = before.iter().filter(|event| event.kind == "TaskSucceeded").count();
        assert_eq!(executor.run_to_end("run", |_| {}).await.unwrap().status, ExecutionStatus::Succeeded);
        assert_eq!(worker.asked().len(), 2 - done, "cut at {cut}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_walkers_of_one_execution_take_turns() {
    let home = TempDir::new().unwrap();
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(std::sync::Barrier::new(2)));
    let (told, barrier) = (Arc::clone(&begun), Arc::clone(&go_on));
    let worker = Scripted::new("worker", move |_, payload| {
        told.notify_one();
        tokio::task::block_in_place(|| barrier.wait());
        Ok(payload.clone())
    });
    let definition = machine(&json!({"A": task(&json!({"Next": "B"})), "B": {"Type": "Succeed"}}));
    let one = executor(home.path(), &[Arc::clone(&worker)], &definition);
    let two = executor(home.path(), &[Arc::clone(&worker)], &definition);
    start(&one, json!({})).await;
    let first = async { one.run_to_end("run", |_| {}).await.unwrap() };
    let second = async {
        begun.notified().await;
        assert_eq!(two.redrive("run").await.unwrap_err().kind, ErrorKind::Conflict, "it is being walked");
        let seen = std::sync::Mutex::new(Vec::new());
        let follow =
            async { two.run_to_end("run", |event| seen.lock().unwrap().push(event.kind.clone())).await.unwrap() };
        let release = async {
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            tokio::task::spawn_blocking(move || go_on.wait()).await.unwrap();
        };
        let (followed, ()) = tokio::join!(follow, release);
        (followed, seen.into_inner().unwrap())
    };
    let (walked, (followed, seen)) = futures::future::join(Box::pin(first), Box::pin(second)).await;
    assert_eq!(walked, followed);
    assert_eq!(worker.asked().len(), 1, "one walks and the other follows");
    assert_eq!(
        seen,
        ["TaskSucceeded", "TaskStateExited", "SucceedStateEntered", "SucceedStateExited", "ExecutionSucceeded"]
    );
}

#[tokio::test]
async fn a_failed_execution_goes_on_from_the_state_that_failed() {
    let home = TempDir::new().unwrap();
    let (first, second) = (echo("worker"), failing("second", 2, || Error::unavailable("the disk is full")));
    let definition = machine(&json!({
        "A": task(&json!({"Assign": {"x": "{% $states.input.x %}"}, "Output": {}, "Next": "B"})),
        "B": task(&json!({"Arguments": {"FunctionName": "second", "Payload": {"x": "{% $x %}"}},
            "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}], "Output": "{% $states.result.Payload %}", "End": true})),
    }));
    let executor = executor(home.path(), &[Arc::clone(&first), Arc::clone(&second)], &definition);
    let failed = run(&executor, json!({"x": 5})).await;
    assert_eq!((failed.status, failed.error.as_deref()), (ExecutionStatus::Failed, Some("Unavailable")));
    assert_eq!(executor.run_to_end("run", |_| {}).await.unwrap(), failed, "it stays failed until it is redriven");
    executor.redrive("run").await.unwrap();
    assert_eq!(executor.describe("run").await.unwrap().status, ExecutionStatus::Running);
    assert_eq!(executor.redrive("run").await.unwrap_err().kind, ErrorKind::Conflict, "it runs");
    let ended = executor.run_to_end("run", |_| {}).await.unwrap();
    assert_eq!((ended.status, ended.output), (ExecutionStatus::Succeeded, Some(json!({"x": 5}))));
    assert_eq!((first.asked().len(), second.asked().len()), (1, 3), "retries count anew, and what was done is done");
}

#[tokio::test]
async fn an_execution_keeps_to_the_definition_that_it_began_with() {
    let home = TempDir::new().unwrap();
    let of =
        |text: &str| machine(&json!({"A": {"Type": "Pass", "Output": text, "Next": "B"}, "B": {"Type": "Succeed"}}));
    start(&executor(home.path(), &[], &of("old")), json!({})).await;
    let changed = executor(home.path(), &[], &of("new"));
    assert_eq!(changed.run_to_end("run", |_| {}).await.unwrap().output, Some(json!("old")));
}

#[tokio::test]
async fn names_belong_to_one_execution() {
    let home = TempDir::new().unwrap();
    let definition = machine(&json!({"A": {"Type": "Succeed"}}));
    let executor = executor(home.path(), &[], &definition).machine("other", &definition).unwrap();
    let request = |machine: &str, name: &str, input: Value| NewExecution {
        machine: machine.to_owned(),
        name: name.to_owned(),
        input,
    };
    let starts = (0..8).map(|number| executor.start(request("test", "raced", json!({ "x": number }))));
    let won = futures::future::join_all(starts).await.into_iter().flatten().count();
    assert_eq!(won, 1, "of many that start a name with inputs of their own, one does");
    executor.start(request("test", "run", json!({}))).await.unwrap();
    let error = executor.start(request("other", "run", json!({}))).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::AlreadyExists, "a name is of one machine");
    let error = executor.start(request("tset", "run2", json!({}))).await.unwrap_err();
    assert_eq!(error.hint.as_deref(), Some("did you mean `test`?"));
    let too_large = json!("x".repeat(300_000));
    let error = executor.start(request("test", "large", too_large)).await.unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("input")));
    for name in ["", "..", ".hidden", "a/b", "a b", "日本", &"x".repeat(81)] {
        let error = executor.start(request("test", name, json!({}))).await.unwrap_err();
        assert_eq!(error.field.as_deref(), Some("name"), "{name}");
        assert!(executor.describe(name).await.is_err() && executor.run_to_end(name, |_| {}).await.is_err());
    }
    assert_eq!(executor.run_to_end("nowhere", |_| {}).await.unwrap_err().kind, ErrorKind::NotFound);
    assert!(executor.list("../..", 10).await.is_err());
    assert!(format!("{executor:?}").contains("LocalWorkflows"));
}

#[tokio::test]
async fn a_damaged_execution_is_an_error_and_no_panic() {
    let home = TempDir::new().unwrap();
    let definition = machine(&json!({"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Succeed"}}));
    let executor = executor(home.path(), &[], &definition);
    run(&executor, json!({})).await;
    let folder = home.path().join("executions/test/run");
    let journal = fs::read_to_string(folder.join("journal.jsonl")).unwrap();
    for (from, to) in [("\"next\":\"B\"", "\"next\":\"Z\""), ("\"id\":2", "\"id\":9"), ("PassStateEntered", "\u{1}")] {
        let changed = journal.replace(from, to);
        let four: String = changed.split_inclusive('\n').take(4).collect();
        fs::write(folder.join("journal.jsonl"), four).unwrap();
        assert_eq!(executor.run_to_end("run", |_| {}).await.unwrap_err().kind, ErrorKind::Internal, "{from}");
    }
    fs::write(folder.join("input.json"), "{}").unwrap();
    assert_eq!(executor.describe("run").await.unwrap_err().kind, ErrorKind::Internal);
    assert_eq!(executor.list("test", 5).await.unwrap_err().kind, ErrorKind::Internal);
}
