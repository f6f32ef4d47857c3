//! Parallel and Wait states.

use std::sync::Arc;
use std::time::Duration;

use mlops_core::Error;
use mlops_core::ports::{ExecutionStatus, Workflows as _};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Barrier;

use crate::machines::{
    Scripted, echo, executor, failing, flow, kinds, kinds_in, machine, run, start, task, walk_until,
};

fn parallel(branches: &[Value], more: &Value) -> Value {
    let mut state = json!({"Type": "Parallel", "Branches": branches});
    for (name, value) in more.as_object().unwrap() {
        state[name] = value.clone();
    }
    state
}

#[tokio::test]
async fn branches_get_the_arguments_see_the_variables_and_give_their_outputs_in_order() {
    let home = TempDir::new().unwrap();
    let left = flow(
        "L",
        &json!({"L": {"Type": "Pass", "Assign": {"own": "{% $outer & '!' %}"}, "Next": "L2"},
        "L2": {"Type": "Succeed", "Output": "{% $own & $states.input.x %}"}}),
    );
    let right = flow("R", &json!({"R": task(&json!({"Output": "{% $states.result.Payload.x + 1 %}", "End": true}))}));
    let definition = machine(&json!({
        "A": {"Type": "Pass", "Assign": {"outer": "o"}, "Next": "Fan"},
        "Fan": parallel(&[left, right], &json!({"Arguments": {"x": "{% $states.input.x * 2 %}"},
            "Assign": {"both": "{% $states.result %}"}, "Output": "{% $states.result[1] %}", "Next": "E"})),
        "E": {"Type": "Succeed", "Output": {"both": "{% $both %}", "input": "{% $states.input %}"}},
    }));
    let executor = executor(home.path(), &[echo("worker")], &definition);
    let ended = run(&executor, json!({"x": 3})).await;
    assert_eq!(ended.output, Some(json!({"both": ["o!6", 7], "input": 7})));
    let expected = [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "ParallelStateEntered",
        "ParallelStateStarted",
        "ParallelStateSucceeded",
        "ParallelStateExited",
        "SucceedStateEntered",
        "SucceedStateExited",
        "ExecutionSucceeded",
    ];
    assert_eq!(kinds_in(&executor, None).await, expected);
    let expected = ["PassStateEntered", "PassStateExited", "SucceedStateEntered", "SucceedStateExited"];
    assert_eq!(kinds_in(&executor, Some("Fan.0")).await, expected);
    let expected = ["TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSucceeded", "TaskStateExited"];
    assert_eq!(kinds_in(&executor, Some("Fan.1")).await, expected);
}

#[tokio::test]
async fn branches_run_at_the_same_time() {
    struct Meeting(Barrier);
    impl mlops_core::AgentHandler for Meeting {
        fn name(&self) -> &'static str {
            "worker"
        }
        fn invoke<'a>(
            &'a self,
            payload: Value,
            _: &'a mlops_core::Call,
        ) -> futures::future::BoxFuture<'a, mlops_core::Result<Value>> {
            Box::pin(async move {
                // Nobody passes before all three are here.
                self.0.wait().await;
                Ok(payload)
            })
        }
    }
    let home = TempDir::new().unwrap();
    let branch = |name: &str| flow(name, &json!({name: task(&json!({"Output": name, "End": true}))}));
    let definition = machine(&json!({"A": parallel(&[branch("X"), branch("Y"), branch("Z")], &json!({"End": true}))}));
    let executor = mlops_local::LocalWorkflows::new(
        home.path(),
        [Arc::new(Meeting(Barrier::new(3))) as Arc<dyn mlops_core::AgentHandler>],
    );
    let executor = executor.machine("test", &definition).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(20), run(&executor, json!({}))).await.unwrap();
    assert_eq!(ended.output, Some(json!(["X", "Y", "Z"])));
}

#[tokio::test]
async fn a_branch_that_fails_breaks_off_the_others_and_can_be_caught() {
    let home = TempDir::new().unwrap();
    let hang = Scripted::new("worker", |_, _| Ok(json!("hang")));
    let bad = flow("Bad", &json!({"Bad": {"Type": "Fail", "Error": "Broken", "Cause": "no luck"}}));
    let long = flow("Long", &json!({"Long": task(&json!({"End": true}))}));
    let catch = json!([{"ErrorEquals": ["Broken"], "Next": "B", "Output": "{% $states.errorOutput %}"}]);
    let states = |more: &Value| json!({"A": parallel(&[long.clone(), bad.clone()], more), "B": {"Type": "Succeed"}});
    let definition = machine(&states(&json!({"Catch": catch, "Next": "B"})));
    let executor_of = |definition: &str, home: &TempDir| executor(home.path(), &[Arc::clone(&hang)], definition);
    let walked = executor_of(&definition, &home);
    let ended = run(&walked, json!({})).await;
    assert_eq!(ended.output, Some(json!({"Error": "Broken", "Cause": "no luck"})));
    let root = kinds_in(&walked, None).await;
    assert_eq!(root[2..5], ["ParallelStateStarted", "ParallelStateFailed", "ParallelStateExited"]);
    let home = TempDir::new().unwrap();
    let walked = executor_of(&machine(&states(&json!({"Next": "B"}))), &home);
    let ended = run(&walked, json!({})).await;
    assert_eq!((ended.status, ended.error.as_deref()), (ExecutionStatus::Failed, Some("Broken")));
    assert_eq!(kinds(&walked).await.last().unwrap(), "ExecutionFailed");
}

#[tokio::test]
async fn a_parallel_state_is_tried_again_as_a_whole() {
    let home = TempDir::new().unwrap();
    let worker = failing("worker", 2, || Error::unavailable("gone"));
    let second = echo("second");
    let one = flow("One", &json!({"One": task(&json!({"End": true}))}));
    let two = flow(
        "Two",
        &json!({"Two": task(&json!({
        "Arguments": {"FunctionName": "second", "Payload": {}}, "End": true}))}),
    );
    let retry = json!([{"ErrorEquals": ["Unavailable"], "MaxAttempts": 2}]);
    let more = json!({"Retry": retry, "Output": "{% $count($states.result) %}", "End": true});
    let definition = machine(&json!({"A": parallel(&[one, two], &more)}));
    let executor = executor(home.path(), &[Arc::clone(&worker), second], &definition);
    assert_eq!(run(&executor, json!({})).await.output, Some(json!(2)));
    assert_eq!(worker.asked().len(), 3);
    let root = kinds_in(&executor, None).await;
    assert_eq!(root.iter().filter(|kind| *kind == "ParallelStateStarted").count(), 3);
    assert!(!root.contains(&"ParallelStateFailed".to_owned()), "what is tried again has not failed yet");
}

/// Branches with tasks, a map within a branch, a retry and variables.
fn nested() -> String {
    let item = flow(
        "Item",
        &json!({"Item": task(&json!({
        "Arguments": {"FunctionName": "second", "Payload": "{% $states.input %}"},
        "Output": "{% $states.result.Payload + $base %}", "End": true}))}),
    );
    let mapped = flow(
        "Each",
        &json!({"Each": {"Type": "Map", "Items": [1, 2], "ItemProcessor": item,
        "MaxConcurrency": 1, "Next": "Sum"}, "Sum": {"Type": "Pass", "Output": "{% $sum($states.input) %}", "End": true}}),
    );
    let plain = flow(
        "Plain",
        &json!({"Plain": task(&json!({
        "Retry": [{"ErrorEquals": ["Throttled"], "MaxAttempts": 1}],
        "Output": "{% $states.result.Payload.x %}", "End": true}))}),
    );
    machine(&json!({
        "A": {"Type": "Pass", "Assign": {"base": 10}, "Next": "Fan"},
        "Fan": parallel(&[mapped, plain], &json!({"Next": "W"})),
        "W": {"Type": "Wait", "Seconds": 1, "End": true},
    }))
}

#[tokio::test]
async fn broken_off_anywhere_in_branches_and_items_it_ends_the_same() {
    let agents = || [failing("worker", 1, || Error::throttled("slow")), echo("second")];
    let home = TempDir::new().unwrap();
    let whole = executor(home.path(), &agents(), &nested());
    let expected = run(&whole, json!({"x": 5})).await;
    assert_eq!(expected.output, Some(json!([23, 5])));
    let events = kinds(&whole).await.len();
    assert!(events > 30, "{events}");
    for crash in 1..events {
        let home = TempDir::new().unwrap();
        let agents = agents();
        let first = executor(home.path(), &agents, &nested());
        start(&first, json!({"x": 5})).await;
        if walk_until(&first, crash).await {
            continue;
        }
        drop(first);
        let second = executor(home.path(), &agents, &nested());
        let ended = second.run_to_end("run", |_| {}).await.unwrap();
        assert_eq!((ended.status, &ended.output), (ExecutionStatus::Succeeded, &expected.output), "event {crash}");
        let history = second.history("run").await.unwrap();
        let succeeded = |path: &str| {
            let of_path = history.iter().filter(|event| event.path.as_deref() == Some(path));
            of_path.filter(|event| event.kind == "TaskSucceeded").count()
        };
        for path in ["Fan.1", "Fan.0/Each.0", "Fan.0/Each.1"] {
            assert_eq!(succeeded(path), 1, "event {crash}, {path}");
        }
        let once = |kind: &str| history.iter().filter(|event| event.kind == kind).count();
        assert_eq!((once("MapIterationStarted"), once("MapIterationSucceeded")), (2, 2), "event {crash}");
        assert_eq!((once("ParallelStateStarted"), once("ParallelStateSucceeded")), (1, 1), "event {crash}");
    }
}

#[tokio::test]
async fn a_redriven_execution_does_only_the_branch_again_that_failed() {
    let home = TempDir::new().unwrap();
    let (good, bad) = (echo("worker"), failing("second", 1, || Error::unavailable("gone")));
    let one = flow("One", &json!({"One": task(&json!({"Output": 1, "End": true}))}));
    let two = flow(
        "Two",
        &json!({"WaitFirst": {"Type": "Pass", "End": true}, "Two": task(&json!({
        "Arguments": {"FunctionName": "second", "Payload": {}}, "Output": 2, "Next": "WaitFirst"}))}),
    );
    let definition = machine(&json!({"A": parallel(&[one, two], &json!({"End": true}))}));
    let executor = executor(home.path(), &[Arc::clone(&good), Arc::clone(&bad)], &definition);
    let failed = run(&executor, json!({})).await;
    assert_eq!(failed.error.as_deref(), Some("Unavailable"));
    let before = good.asked().len();
    let done = kinds_in(&executor, Some("A.0")).await.contains(&"TaskSucceeded".to_owned());
    executor.redrive("run").await.unwrap();
    let ended = executor.run_to_end("run", |_| {}).await.unwrap();
    assert_eq!(ended.output, Some(json!([1, 2])));
    assert_eq!(bad.asked().len(), 2);
    assert_eq!(good.asked().len(), before + usize::from(!done), "a branch that ended is not walked again");
}

#[tokio::test(start_paused = true)]
async fn a_wait_takes_its_time_and_its_scale() {
    for (scale, state, least, most) in [
        (1.0, json!({"Seconds": 20}), 19, 22),
        (0.5, json!({"Seconds": "{% $states.input.seconds %}"}), 9, 12),
        (1.0, json!({"Timestamp": "{% $fromMillis($millis() + 5000) %}"}), 3, 7),
        (1.0, json!({"Timestamp": "2001-01-01T00:00:00Z"}), 0, 1),
        (0.0, json!({"Seconds": 99_999}), 0, 1),
    ] {
        let home = TempDir::new().unwrap();
        let mut wait = state.clone();
        wait["Type"] = json!("Wait");
        wait["Next"] = json!("B");
        wait["Assign"] = json!({"x": 1});
        let definition = machine(&json!({"A": wait, "B": {"Type": "Succeed", "Output": "{% $x %}"}}));
        let executor = executor(home.path(), &[], &definition).waiting(scale);
        let begun = tokio::time::Instant::now();
        assert_eq!(run(&executor, json!({"seconds": 20})).await.output, Some(json!(1)));
        let waited = begun.elapsed().as_secs();
        assert!((least..=most).contains(&waited), "{state}: {waited} s");
        assert_eq!(kinds(&executor).await[1..3], ["WaitStateEntered", "WaitStateExited"]);
    }
}

#[tokio::test]
async fn a_wait_that_cannot_be_evaluated_fails() {
    for state in [json!({"Seconds": "{% 'x' %}"}), json!({"Timestamp": "{% 'soon' %}"}), json!({"Seconds": "{% -1 %}"})]
    {
        let home = TempDir::new().unwrap();
        let mut wait = state;
        wait["Type"] = json!("Wait");
        wait["End"] = json!(true);
        let executor = executor(home.path(), &[], &machine(&json!({"A": wait})));
        assert_eq!(run(&executor, json!({})).await.error.as_deref(), Some("States.QueryEvaluationError"));
    }
}
