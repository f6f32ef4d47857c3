//! The adapter against a running Step Functions API: `python tests/servers/ministack.py -- cargo nextest run …`.

#![expect(clippy::unwrap_used, reason = "what a test needs and does not get is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use aws_sdk_sfn::Client;
use mlops_aws_environment::AwsEnvironment;
use mlops_aws_stepfunctions::StepFunctions;
use mlops_contract::Memory;
use mlops_core::ErrorKind;
use mlops_core::ports::{ExecutionStatus, NewExecution, Workflows as _};
use serde_json::{Value, json};

/// A task that waits for its token, which it gives to an execution of the machine `asked`: no function is needed.
const WAITS: &str = "arn:aws:states:::states:startExecution.waitForTaskToken";

/// Machines of those definitions, made anew.
async fn made(definitions: &[(&str, Value)]) -> StepFunctions {
    let environment = AwsEnvironment::from_variables().unwrap();
    let client = Client::new(environment.config());
    let mut machines = BTreeMap::new();
    for (name, states) in definitions {
        let states = states.as_object().unwrap();
        let definition =
            json!({"QueryLanguage": "JSONata", "StartAt": states.keys().next().unwrap(), "States": states});
        let request = client.create_state_machine().name(*name).definition(definition.to_string());
        let made = request.role_arn("arn:aws:iam::000000000000:role/machines").send().await.unwrap();
        machines.insert((*name).to_owned(), made.state_machine_arn);
    }
    StepFunctions::new(&environment, machines).unwrap()
}

/// Waits until the execution has ended, or until `is_enough` says so.
async fn until(workflows: &StepFunctions, name: &str, is_enough: impl AsyncFn() -> bool) {
    let since = Instant::now();
    while workflows.describe(name).await.unwrap().status == ExecutionStatus::Running && !is_enough().await {
        assert!(since.elapsed() < Duration::from_secs(30), "{name} goes no further");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A state that waits for an answer. What it asks lies in the input of the execution `<name>-asked`.
fn asking(asked: &str) -> Value {
    json!({"Type": "Task", "Resource": WAITS, "End": true, "Arguments": {
        "StateMachineArn": format!("arn:aws:states:us-east-1:000000000000:stateMachine:{asked}"),
        "Name": "{% $states.context.Execution.Name & '-asked' %}",
        "Input": {"task_token": "{% $states.context.Task.Token %}"},
    }})
}

#[tokio::test]
async fn the_adapter_keeps_the_contract() {
    let states = json!({"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Succeed"}});
    let workflows = made(&[("contract", states)]).await;
    let finish = async |name: &str| until(&workflows, name, async || false).await;
    mlops_contract::workflows(&workflows, "contract", finish).await;
}

// MiniStack forgets a token once its task has ended, so an answer that comes too late is one to an unknown token, and it
// takes an answer to a task of an execution that was stopped. Step Functions says `TaskTimedOut` to both, and the
// adapter's own tests hold that this is a `Conflict`.
#[tokio::test]
async fn the_adapter_keeps_the_contract_of_answers() {
    let asked = json!({"Keep": {"Type": "Pass", "End": true}});
    let workflows = made(&[("asked", asked), ("answers", json!({"Ask": asking("asked")}))]).await;
    let seen = Mutex::new(BTreeSet::new());
    let walk = async |name: &str| {
        let is_asked = async || {
            let asked = workflows.describe(&format!("{name}-asked")).await.is_ok();
            asked && seen.lock().unwrap().insert(name.to_owned())
        };
        until(&workflows, name, is_asked).await;
    };
    let token = async |name: &str| {
        let asked = workflows.describe(&format!("{name}-asked")).await.unwrap();
        asked.input["task_token"].as_str().unwrap().to_owned()
    };
    mlops_contract::answers(&workflows, "answers", Memory::Nothing, walk, token).await;
}

#[tokio::test]
async fn a_history_has_the_states_of_its_tasks_and_their_failures() {
    let missing = json!({"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:secretsmanager:getSecretValue",
        "Arguments": {"SecretId": "no-such-secret"}, "Next": "Unreached",
        "Catch": [{"ErrorEquals": ["States.ALL"], "Assign": {"caught": "{% $states.errorOutput.Error %}"},
            "Next": "Give up"}]});
    let states = json!({
        "Look": missing,
        "Unreached": {"Type": "Succeed"},
        "Give up": {"Type": "Fail", "Error": "Rejected", "Cause": "{% 'caught ' & $caught %}"},
    });
    let workflows = made(&[("history", states)]).await;
    let request = NewExecution { machine: "history".to_owned(), name: "history-1".to_owned(), input: json!({"x": 1}) };
    workflows.start(request).await.unwrap();
    until(&workflows, "history-1", async || false).await;
    let ended = workflows.describe("history-1").await.unwrap();
    assert_eq!((ended.status, ended.error.as_deref(), ended.output), (ExecutionStatus::Failed, Some("Rejected"), None));
    let history = workflows.history("history-1").await.unwrap();
    let told: Vec<_> = history.iter().map(|event| (event.kind.as_str(), event.state.as_deref())).collect();
    // Step Functions tells of `TaskStarted` too, which MiniStack leaves out.
    let expected = [
        ("ExecutionStarted", None),
        ("TaskStateEntered", Some("Look")),
        ("TaskScheduled", Some("Look")),
        ("TaskFailed", Some("Look")),
        ("TaskStateExited", Some("Look")),
        ("FailStateEntered", Some("Give up")),
        ("ExecutionFailed", None),
    ];
    assert_eq!(told, expected);
    assert_eq!(history[0].details, json!({"input": {"x": 1}}));
    assert!(history[3].details["error"].as_str().unwrap().contains("ResourceNotFound"), "{:?}", history[3]);
    assert_eq!(history[6].details["error"], "Rejected");
    assert_eq!(workflows.redrive("history-1").await.unwrap_err().kind, ErrorKind::Conflict, "it ended in a Fail state");
}

#[tokio::test]
async fn what_failed_is_asked_to_go_on() {
    let missing = json!({"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:secretsmanager:getSecretValue",
        "Arguments": {"SecretId": "no-such-secret"}, "End": true});
    let workflows = made(&[("failing", json!({"Look": missing}))]).await;
    let request = NewExecution { machine: "failing".to_owned(), name: "failing-1".to_owned(), input: json!({}) };
    workflows.start(request).await.unwrap();
    until(&workflows, "failing-1", async || false).await;
    // MiniStack has no RedriveExecution: that it was asked for is seen in the refusal.
    let error = workflows.redrive("failing-1").await.unwrap_err();
    assert!(error.kind != ErrorKind::Conflict && error.message.contains("RedriveExecution"), "{}", error.message);
}

#[tokio::test]
async fn of_many_who_start_an_execution_at_once_all_are_told_of_one() {
    let workflows = made(&[("races", json!({"A": {"Type": "Pass", "End": true}}))]).await;
    let request = |number: usize| NewExecution {
        machine: "races".to_owned(),
        name: "races-1".to_owned(),
        input: json!({"number": number}),
    };
    let same = futures::future::join_all((0..8).map(|_| workflows.start(request(1)))).await;
    let arns: BTreeSet<String> = same.into_iter().map(|started| started.unwrap().execution_arn).collect();
    assert_eq!(arns.len(), 1);
    let others = futures::future::join_all((2..6).map(|number| workflows.start(request(number)))).await;
    assert!(others.into_iter().all(|started| started.unwrap_err().kind == ErrorKind::AlreadyExists));
}
