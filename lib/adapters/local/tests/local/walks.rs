//! What states do, one small machine each.

use std::sync::Arc;
use std::time::Duration;

use mlops_core::ports::{ExecutionStatus, Workflows as _};
use mlops_core::{AgentHandler, Call, Error, ErrorKind};
use mlops_local::LocalWorkflows;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::machines::{Scripted, echo, executor, failing, kinds, machine, run, start, task};

#[tokio::test]
async fn the_executor_keeps_the_contract() {
    let home = TempDir::new().unwrap();
    let definition = machine(&json!({"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Succeed"}}));
    let executor = LocalWorkflows::new(home.path(), []).machine("contract", &definition).unwrap();
    let finish = async |name: &str| drop(executor.run_to_end(name, |_| {}).await.unwrap());
    mlops_contract::workflows(&executor, "contract", finish).await;
}

#[tokio::test]
async fn a_task_calls_its_agent_as_a_function_is_invoked() {
    let home = TempDir::new().unwrap();
    let worker = echo("worker");
    let definition = machine(&json!({
        "A": task(&json!({
            "Arguments": {"FunctionName": "${WorkerFunctionArn}", "Payload": {
                "number": "{% $states.input.number + 1 %}",
                "run": "{% $states.context.Execution.Name %}",
                "attempt": "{% $states.context.State.RetryCount + 1 %}",
                "fixed": [1, 2.5, null],
            }},
            "Assign": {"seen": "{% $states.result.Payload.number %}", "version": "{% $states.result.ExecutedVersion %}"},
            "Next": "B",
        })),
        "B": {"Type": "Pass", "Output": {"seen": "{% $seen %}", "version": "{% $version %}",
            "status": "{% $states.input.StatusCode %}", "machine": "{% $states.context.StateMachine.Name %}",
            "id": "{% $states.context.Execution.Id %}", "input": "{% $states.context.Execution.Input.number %}",
            "state": "{% $states.context.State.Name %}"}, "End": true},
    }));
    let executor = executor(home.path(), &[Arc::clone(&worker)], &definition);
    let ended = run(&executor, json!({"number": 1})).await;
    let expected = json!({"seen": 2, "version": "$LATEST", "status": 200, "machine": "test", "input": 1,
        "id": "arn:aws:states:local:000000000000:execution:test:run", "state": "B"});
    assert_eq!(ended.output.unwrap(), expected);
    assert_eq!(worker.asked(), [json!({"number": 2, "run": "run", "attempt": 1, "fixed": [1, 2.5, null]})]);
    let expected = [
        "ExecutionStarted",
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskSucceeded",
        "TaskStateExited",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ];
    assert_eq!(kinds(&executor).await, expected);
    let again = executor.run_to_end("run", |event| panic!("{event:?} is not new")).await.unwrap();
    assert_eq!((again.status, worker.asked().len()), (ExecutionStatus::Succeeded, 1), "it is not walked twice");
}

#[tokio::test]
async fn a_choice_takes_the_first_rule_that_fits() {
    let definition = machine(&json!({
        "A": {"Type": "Choice", "Choices": [
            {"Condition": "{% $states.input.x > 10 %}", "Next": "Big", "Assign": {"size": "big"}},
            {"Condition": "{% $states.input.x > 1 %}", "Next": "Big", "Assign": {"size": "{% 'x' & $states.input.x %}"},
             "Output": {"y": "{% $states.input.x %}"}},
        ], "Default": "Small"},
        "Big": {"Type": "Succeed", "Output": {"size": "{% $size %}", "input": "{% $states.input %}"}},
        "Small": {"Type": "Succeed"},
    }));
    for (x, output) in [
        (11, json!({"size": "big", "input": {"x": 11}})),
        (2, json!({"size": "x2", "input": {"y": 2}})),
        (0, json!({"x": 0})),
    ] {
        let home = TempDir::new().unwrap();
        let executor = executor(home.path(), &[], &definition);
        assert_eq!(run(&executor, json!({ "x": x })).await.output.unwrap(), output);
    }
}

/// How the machine ends for the input: its error and cause.
async fn failure_of(agents: &[Arc<Scripted>], states: Value, input: Value) -> (String, String) {
    let home = TempDir::new().unwrap();
    let ended = run(&executor(home.path(), agents, &machine(&states)), input).await;
    assert_eq!((ended.status, ended.output), (ExecutionStatus::Failed, None));
    (ended.error.unwrap_or_default(), ended.cause.unwrap_or_default())
}

#[tokio::test]
async fn failures_have_the_names_of_step_functions() {
    let choice = |condition: &str| json!({"A": {"Type": "Choice", "Choices": [{"Condition": condition, "Next": "B"}]}, "B": {"Type": "Succeed"}});
    let none = failure_of(&[], choice("{% $states.input.x = 1 %}"), json!({"x": 2})).await;
    assert_eq!(none.0, "States.NoChoiceMatched");
    let text = failure_of(&[], choice("{% 'yes' %}"), json!({})).await;
    assert_eq!(text.0, "States.QueryEvaluationError");
    assert!(text.1.contains("States.A.Choices[0].Condition"), "{}", text.1);
    let broken = failure_of(&[], choice("{% 1 + 'x' %}"), json!({})).await;
    assert_eq!(broken.0, "States.QueryEvaluationError");
    let missing = json!({"A": {"Type": "Pass", "Output": "{% $states.input.nothing %}", "End": true}});
    assert_eq!(failure_of(&[], missing, json!({})).await.0, "States.QueryEvaluationError");
    let grow = json!({"A": {"Type": "Pass", "Output": ["{% $states.input %}", "{% $states.input %}"], "End": true}});
    let large = json!("x".repeat(200_000));
    assert_eq!(failure_of(&[], grow, large.clone()).await.0, "States.DataLimitExceeded");
    let payload = json!({"FunctionName": "worker", "Payload": "{% $states.input & $states.input %}"});
    let task = json!({"A": task(&json!({"Arguments": payload, "End": true}))});
    assert_eq!(failure_of(&[echo("worker")], task, large.clone()).await.0, "States.DataLimitExceeded");
    let succeed = json!({"A": {"Type": "Succeed", "Output": "{% $states.input & $states.input %}"}});
    assert_eq!(failure_of(&[], succeed, large.clone()).await.0, "States.DataLimitExceeded");
    let fail = |error: &str| json!({"A": {"Type": "Fail", "Error": error, "Cause": "{% 'x is ' & $states.input.x %}"}});
    assert_eq!(failure_of(&[], fail("Rejected"), json!({"x": 1})).await, ("Rejected".to_owned(), "x is 1".to_owned()));
    assert_eq!(failure_of(&[], fail("{% 5 %}"), json!({"x": 1})).await.0, "States.QueryEvaluationError");
    let bare = json!({"A": {"Type": "Fail"}});
    assert_eq!(failure_of(&[], bare, json!({})).await, (String::new(), String::new()));
}

#[tokio::test]
async fn an_agents_error_has_its_kind_and_a_cause_that_can_be_read() {
    let refuse = || Error::invalid_input("no such column").at("config.target").hint("did you mean `species`?");
    let (error, cause) =
        failure_of(&[failing("worker", 9, refuse)], json!({"A": task(&json!({"End": true}))}), json!({})).await;
    assert_eq!(error, "InvalidInput");
    let expected = json!({"errorMessage": "no such column", "errorType": "InvalidInput", "field": "config.target",
        "hint": "did you mean `species`?"});
    assert_eq!(serde_json::from_str::<Value>(&cause).unwrap(), expected);
    let panics = Scripted::new("worker", |_, _| panic!("out of cheese"));
    let (error, cause) = failure_of(&[panics], json!({"A": task(&json!({"End": true}))}), json!({})).await;
    assert!(error == "Internal" && cause.contains("out of cheese"), "{error}: {cause}");
    let large = Scripted::new("worker", |_, _| Ok(json!("x".repeat(300_000))));
    let caught = json!({"A": task(&json!({"End": true, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "B"}]})),
        "B": {"Type": "Succeed"}});
    assert_eq!(failure_of(&[large], caught, json!({})).await.0, "States.DataLimitExceeded");
}

#[tokio::test(start_paused = true)]
async fn a_task_is_tried_again_after_the_time_that_its_retrier_says() {
    let home = TempDir::new().unwrap();
    let worker = failing("worker", 3, || Error::throttled("slow down"));
    let definition = machine(&json!({"A": task(&json!({
        "Retry": [{"ErrorEquals": ["Throttled"], "IntervalSeconds": 2, "BackoffRate": 3, "MaxAttempts": 3,
                   "MaxDelaySeconds": 10}],
        "Arguments": {"FunctionName": "worker", "Payload": {"attempt": "{% $states.context.State.RetryCount + 1 %}"}},
        "Output": "{% $states.result.Payload.attempt %}", "End": true}))}));
    let executor = executor(home.path(), &[Arc::clone(&worker)], &definition).waiting(1.0);
    let begun = tokio::time::Instant::now();
    assert_eq!(run(&executor, json!({})).await.output, Some(json!(4)));
    let waited = begun.elapsed();
    assert!(waited >= Duration::from_secs(2 + 6 + 10) && waited < Duration::from_secs(19), "{waited:?}");
    assert_eq!(kinds(&executor).await.iter().filter(|kind| *kind == "TaskFailed").count(), 3);
}

#[tokio::test]
async fn retries_end_and_a_catcher_takes_over() {
    for (attempts, calls) in [(0, 1), (2, 3)] {
        let home = TempDir::new().unwrap();
        let worker = failing("worker", 9, || Error::unavailable("the disk is full"));
        let definition = machine(&json!({
            "A": task(&json!({
                "Retry": [{"ErrorEquals": ["Unavailable"], "MaxAttempts": attempts, "JitterStrategy": "FULL"}],
                "Catch": [{"ErrorEquals": ["InvalidInput"], "Next": "C"},
                          {"ErrorEquals": ["States.TaskFailed"], "Next": "B", "Assign": {"error": "{% $states.errorOutput.Error %}"},
                           "Output": "{% $parse($states.errorOutput.Cause).errorMessage %}"}],
                "Next": "C"})),
            "B": {"Type": "Succeed", "Output": "{% $error & ': ' & $states.input %}"},
            "C": {"Type": "Fail"},
        }));
        let executor = executor(home.path(), &[Arc::clone(&worker)], &definition);
        let ended = run(&executor, json!({})).await;
        assert_eq!(ended.output, Some(json!("Unavailable: the disk is full")));
        assert_eq!(worker.asked().len(), calls);
    }
}

#[tokio::test]
async fn without_an_output_a_catcher_passes_the_error_on() {
    let home = TempDir::new().unwrap();
    let worker = failing("worker", 9, || Error::conflict("changed"));
    let states = json!({
        "A": task(&json!({"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "B"}], "End": true})),
        "B": {"Type": "Succeed"},
    });
    let ended = run(&executor(home.path(), &[worker], &machine(&states)), json!({})).await;
    assert_eq!(ended.output.unwrap()["Error"], "Conflict");
}

#[tokio::test]
async fn what_cannot_be_evaluated_in_a_task_can_be_caught() {
    for (field, value, calls) in [
        ("Output", json!("{% $states.result.Payload.nothing %}"), 1),
        ("Assign", json!({"x": "{% $states.result.Payload.nothing %}"}), 1),
        ("Arguments", json!({"FunctionName": "worker", "Payload": "{% $states.input.nothing %}"}), 0),
        ("TimeoutSeconds", json!("{% $states.input.x %}"), 0),
    ] {
        let home = TempDir::new().unwrap();
        let worker = echo("worker");
        let mut a =
            task(&json!({"Catch": [{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "B"}], "End": true}));
        a[field] = value;
        let states = json!({"A": a, "B": {"Type": "Succeed", "Output": "caught"}});
        let executor = executor(home.path(), &[Arc::clone(&worker)], &machine(&states));
        assert_eq!(run(&executor, json!({"x": 0})).await.output, Some(json!("caught")), "{field}");
        assert_eq!(worker.asked().len(), calls, "{field}");
    }
    // A catcher that cannot be evaluated ends the execution and does not catch itself.
    let catch = json!([{"ErrorEquals": ["States.ALL"], "Next": "B", "Output": "{% $states.result %}"}]);
    let states = json!({"A": task(&json!({"Catch": catch, "End": true})), "B": {"Type": "Succeed"}});
    let worker = failing("worker", 9, || Error::not_found("nothing"));
    assert_eq!(failure_of(&[worker], states, json!({})).await.0, "States.QueryEvaluationError");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_hangs_times_out_and_can_be_caught() {
    for timeout in [json!(5), json!("{% $states.input.seconds %}")] {
        let home = TempDir::new().unwrap();
        let worker = Scripted::new("worker", |_, _| Ok(json!("hang")));
        let states = json!({
            "A": task(&json!({"TimeoutSeconds": timeout, "Retry": [{"ErrorEquals": ["States.Timeout"], "MaxAttempts": 1}],
                "Catch": [{"ErrorEquals": ["States.TaskFailed"], "Next": "C"}, {"ErrorEquals": ["States.ALL"], "Next": "B"}],
                "End": true})),
            "B": {"Type": "Succeed", "Output": "{% $states.input.Error %}"},
            "C": {"Type": "Fail"},
        });
        let executor = executor(home.path(), &[Arc::clone(&worker)], &machine(&states));
        let begun = tokio::time::Instant::now();
        assert_eq!(run(&executor, json!({"seconds": 5})).await.output, Some(json!("States.Timeout")));
        assert_eq!(worker.asked().len(), 2);
        assert!(begun.elapsed() >= Duration::from_secs(10));
        assert!(kinds(&executor).await.contains(&"TaskTimedOut".to_owned()));
    }
}

#[tokio::test]
async fn an_agent_that_computes_is_told_to_stop() {
    let home = TempDir::new().unwrap();
    let worker = Scripted::new("worker", |_, _| Ok(json!("busy")));
    let states = json!({"A": task(&json!({"TimeoutSeconds": 1, "End": true}))});
    let executor = executor(home.path(), &[worker], &machine(&states));
    assert_eq!(run(&executor, json!({})).await.error.as_deref(), Some("States.Timeout"));
}

#[tokio::test(start_paused = true)]
async fn an_execution_has_a_time_too() {
    let hang = || Scripted::new("worker", |_, _| Ok(json!("hang")));
    let fail = || failing("worker", 99, || Error::throttled("slow down"));
    for (worker, more) in [
        (hang(), json!({"End": true})),
        (hang(), json!({"TimeoutSeconds": 100, "End": true})),
        (fail(), json!({"Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 100}], "End": true})),
    ] {
        let home = TempDir::new().unwrap();
        let definition = json!({"QueryLanguage": "JSONata", "StartAt": "A", "TimeoutSeconds": 7,
            "States": {"A": task(&more)}});
        let executor = executor(home.path(), &[worker], &definition.to_string()).waiting(1.0);
        let begun = tokio::time::Instant::now();
        let ended = run(&executor, json!({})).await;
        assert_eq!((ended.status, ended.error.as_deref()), (ExecutionStatus::TimedOut, Some("States.Timeout")));
        assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
        assert_eq!(kinds(&executor).await.last().unwrap(), "ExecutionTimedOut");
    }
}

#[tokio::test]
async fn calls_of_tasks_know_their_run_their_deadline_and_their_caller() {
    struct Looking;
    impl AgentHandler for Looking {
        fn name(&self) -> &'static str {
            "worker"
        }
        fn invoke<'a>(&'a self, _: Value, call: &'a Call) -> futures::future::BoxFuture<'a, mlops_core::Result<Value>> {
            let seen = json!({"request": call.request_id, "agent": call.agent_id, "run": call.run_id,
                "deadline": call.deadline.is_some(), "lang": call.lang});
            Box::pin(async move { Ok(seen) })
        }
    }
    let home = TempDir::new().unwrap();
    let states =
        json!({"A": task(&json!({"TimeoutSeconds": 60, "Output": "{% $states.result.Payload %}", "End": true}))});
    let executor = LocalWorkflows::new(home.path(), [Arc::new(Looking) as Arc<dyn AgentHandler>])
        .calling(Call::new("cli").in_lang(mlops_core::Lang::Ja))
        .machine("test", &machine(&states))
        .unwrap();
    let expected = json!({"request": "run/A/1", "agent": "worker", "run": "run", "deadline": true, "lang": "ja"});
    assert_eq!(run(&executor, json!({})).await.output, Some(expected));
}

#[tokio::test]
async fn a_cancelled_walk_stops_and_goes_on_later() {
    let home = TempDir::new().unwrap();
    let call = Call::new("cli");
    let cancellation = call.cancellation.clone();
    let worker = Scripted::new("worker", move |number, payload| {
        if number == 1 {
            cancellation.cancel();
            return Err(Error::cancelled());
        }
        Ok(payload.clone())
    });
    let definition = machine(&json!({"A": task(&json!({"End": true}))}));
    let first = executor(home.path(), &[Arc::clone(&worker)], &definition).calling(call);
    start(&first, json!({"x": 1})).await;
    assert_eq!(first.run_to_end("run", |_| {}).await.unwrap_err().kind, ErrorKind::TimedOut);
    assert_eq!(first.describe("run").await.unwrap().status, ExecutionStatus::Running);
    let second = executor(home.path(), &[worker], &definition);
    let ended = second.run_to_end("run", |_| {}).await.unwrap();
    assert_eq!(ended.output.unwrap()["Payload"], json!({"x": 1}));
    assert!(!kinds(&second).await.contains(&"TaskFailed".to_owned()));
}
