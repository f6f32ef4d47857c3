//! Histories as Step Functions tells them, in the words of the local walker.

use std::collections::BTreeMap;

use mlops_core::ErrorKind;
use mlops_core::ports::Workflows as _;
use serde_json::{Value, json};

use crate::StepFunctions;
use crate::stand_in::{StandIn, TRAINING, described, refusal};

const RUN: &str = "arn:aws:states:eu-central-1:123456789012:execution:fleet-training:run-1";

/// Workflows in which `run-1` has that history, three events a page.
fn told(events: Vec<Value>, definition: Value) -> (StepFunctions, StandIn) {
    let service = StandIn::new(move |action, input| match action {
        "GetExecutionHistory" => {
            let from = input["nextToken"].as_str().map_or(0, |token| token.parse::<usize>().unwrap());
            let mut page = json!({"events": events.iter().skip(from).take(3).collect::<Vec<_>>()});
            if from + 3 < events.len() {
                page["nextToken"] = json!((from + 3).to_string());
            }
            (200, page)
        }
        "DescribeStateMachineForExecution" => (
            200,
            json!({"stateMachineArn": TRAINING, "name": "fleet-training", "roleArn": "arn:aws:iam::1:role/x",
                "updateDate": 1_700_000_000, "definition": definition.to_string()}),
        ),
        _ if input["executionArn"] == RUN => described(RUN, "RUNNING", &json!({})),
        _ => refusal("ExecutionDoesNotExist", "no"),
    });
    let machines: BTreeMap<_, _> = [("training".to_owned(), TRAINING.to_owned())].into();
    (StepFunctions::over(service.client(), machines).unwrap(), service)
}

fn event(id: u64, previous: u64, kind: &str, details: Value) -> Value {
    let mut event =
        json!({"id": id, "previousEventId": previous, "type": kind, "timestamp": 1_700_000_000.5 + id as f64});
    if let Value::Object(details) = details {
        for (name, value) in details {
            event[name] = value;
        }
    }
    event
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one history, event by event")]
async fn a_history_has_the_words_of_the_local_walker() {
    let resource = json!({"resourceType": "lambda", "resource": "invoke.waitForTaskToken"});
    let with = |more: Value| {
        let mut details = resource.clone();
        more.as_object().unwrap().iter().for_each(|(name, value)| details[name] = value.clone());
        details
    };
    let asked = json!({"task_token": "AAAA-secret", "items": [{"TaskToken": "AAAA-secret"}]});
    let parameters = json!({"FunctionName": "arn:f", "Payload": {"inputs": asked}});
    let (workflows, service) = told(
        vec![
            event(
                1,
                0,
                "ExecutionStarted",
                json!({"executionStartedEventDetails": {"input": r#"{"x": 1.0}"#, "roleArn": "r"}}),
            ),
            event(
                2,
                0,
                "TaskStateEntered",
                json!({"stateEnteredEventDetails": {"name": "Ask", "input": r#"{"x": 1.0}"#}}),
            ),
            event(
                3,
                2,
                "TaskScheduled",
                json!({"taskScheduledEventDetails": with(json!({"region": "eu-central-1",
                "parameters": parameters.to_string(), "timeoutInSeconds": 60, "heartbeatInSeconds": 5}))}),
            ),
            event(4, 3, "TaskStarted", json!({"taskStartedEventDetails": resource})),
            event(
                5,
                4,
                "TaskSubmitted",
                json!({"taskSubmittedEventDetails": with(json!({"output": "{\"StatusCode\": 200}"}))}),
            ),
            event(
                6,
                5,
                "TaskFailed",
                json!({"taskFailedEventDetails": with(json!({"error": "Throttled", "cause": "slow"}))}),
            ),
            event(
                7,
                6,
                "TaskScheduled",
                json!({"taskScheduledEventDetails": {"resourceType": "lambda", "resource": "invoke",
                "region": "eu-central-1", "parameters": r#"{"token": "stays"}"#}}),
            ),
            event(
                8,
                7,
                "TaskSucceeded",
                json!({"taskSucceededEventDetails": {"resourceType": "lambda", "resource": "invoke", "output": "[1"}}),
            ),
            event(
                9,
                8,
                "TaskStateExited",
                json!({"stateExitedEventDetails": {"name": "Ask", "output": "{}",
                "assignedVariables": {"b": "{\"y\": 2}", "a": "1"}}}),
            ),
            event(10, 9, "FailStateEntered", json!({"stateEnteredEventDetails": {"name": "Broken", "input": "{}"}})),
            event(
                11,
                10,
                "EvaluationFailed",
                json!({"evaluationFailedEventDetails": {"error": "States.QueryEvaluationError",
                "cause": "no", "location": "Error", "state": "Broken"}}),
            ),
            event(
                12,
                11,
                "ExecutionFailed",
                json!({"executionFailedEventDetails": {"error": "States.QueryEvaluationError", "cause": "no"}}),
            ),
            event(13, 12, "ExecutionRedriven", json!({"executionRedrivenEventDetails": {"redriveCount": 1}})),
            event(14, 13, "ExecutionAborted", json!({"executionAbortedEventDetails": {}})),
        ],
        Value::Null,
    );
    let history = workflows.history("run-1").await.unwrap();
    assert_eq!(service.asked("GetExecutionHistory").len(), 5, "every page is read");
    assert!(service.asked("DescribeStateMachineForExecution").is_empty(), "it has no branches");
    assert!(history.iter().zip(1..).all(|(event, id)| event.id == id && event.path.is_none()));
    assert_eq!(history[1].timestamp, "2023-11-14T22:13:22.5Z".parse().unwrap());
    let place = "(task token)";
    let resting =
        json!({"FunctionName": "arn:f", "Payload": {"inputs": {"task_token": place, "items": [{"TaskToken": place}]}}});
    let failure = |error: &str, cause: &str| json!({"error": error, "cause": cause});
    let expected = [
        ("ExecutionStarted", None, json!({"input": {"x": 1.0}})),
        ("TaskStateEntered", Some("Ask"), json!({"input": {"x": 1.0}})),
        (
            "TaskScheduled",
            Some("Ask"),
            with(json!({"parameters": resting, "timeoutInSeconds": 60, "heartbeatInSeconds": 5})),
        ),
        ("TaskStarted", Some("Ask"), resource.clone()),
        ("TaskSubmitted", Some("Ask"), with(json!({"output": {"StatusCode": 200}}))),
        ("TaskFailed", Some("Ask"), failure("Throttled", "slow")),
        (
            "TaskScheduled",
            Some("Ask"),
            json!({"resourceType": "lambda", "resource": "invoke", "parameters": {"token": "stays"}}),
        ),
        ("TaskSucceeded", Some("Ask"), json!({"output": "[1"})),
        ("TaskStateExited", Some("Ask"), json!({"output": {}, "assignedVariables": {"a": 1, "b": {"y": 2}}})),
        ("FailStateEntered", Some("Broken"), json!({"input": {}})),
        ("EvaluationFailed", Some("Broken"), failure("States.QueryEvaluationError", "no")),
        ("ExecutionFailed", None, failure("States.QueryEvaluationError", "no")),
        ("ExecutionRedriven", None, json!({"redriveCount": 1})),
        ("ExecutionAborted", None, Value::Null),
    ];
    assert_eq!(history.len(), expected.len());
    for (event, (kind, state, details)) in history.iter().zip(expected) {
        assert_eq!((event.kind.as_str(), event.state.as_deref(), &event.details), (kind, state, &details));
    }
}

#[tokio::test]
async fn the_branches_are_those_of_the_definition_that_the_execution_began_with() {
    let pass = json!({"Type": "Pass", "End": true});
    let each = json!({"Type": "Map", "ItemProcessor": {"StartAt": "C", "States": {"C": pass}}, "End": true});
    let definition = json!({"States": {"Fan": {"Type": "Parallel", "End": true, "Branches": [
        {"StartAt": "A", "States": {"A": pass}}, {"StartAt": "B", "States": {"B": each}}]}}});
    let entered = |name: &str| json!({"stateEnteredEventDetails": {"name": name, "input": "{}"}});
    let item = |index: u64| json!({"name": "B", "index": index});
    let (workflows, service) = told(
        vec![
            event(1, 0, "ExecutionStarted", Value::Null),
            event(2, 0, "ParallelStateEntered", entered("Fan")),
            event(3, 2, "ParallelStateStarted", Value::Null),
            event(4, 3, "MapStateEntered", entered("B")),
            event(5, 3, "PassStateEntered", entered("A")),
            event(6, 4, "MapStateStarted", json!({"mapStateStartedEventDetails": {"length": 2}})),
            event(7, 6, "MapIterationStarted", json!({"mapIterationStartedEventDetails": item(1)})),
            event(8, 7, "PassStateEntered", entered("C")),
            event(9, 8, "MapIterationFailed", json!({"mapIterationFailedEventDetails": item(1)})),
        ],
        definition,
    );
    let history = workflows.history("run-1").await.unwrap();
    assert_eq!(service.asked("DescribeStateMachineForExecution"), [json!({"executionArn": RUN})]);
    let places = history.iter().map(|event| (event.state.as_deref(), event.path.as_deref()));
    let expected = [
        (None, None),
        (Some("Fan"), None),
        (Some("Fan"), None),
        (Some("B"), Some("Fan.1")),
        (Some("A"), Some("Fan.0")),
        (Some("B"), Some("Fan.1")),
        (Some("B"), Some("Fan.1/B.1")),
        (Some("C"), Some("Fan.1/B.1")),
        (Some("B"), Some("Fan.1/B.1")),
    ];
    assert_eq!(places.collect::<Vec<_>>(), expected);
    assert_eq!(history[5].details, json!({"length": 2}));
    assert_eq!((&history[6].details, &history[8].details), (&item(1), &item(1)));
}

#[tokio::test]
async fn a_history_that_is_not_there_or_may_not_be_read_is_an_error() {
    let (workflows, _) = told(Vec::new(), Value::Null);
    assert_eq!(workflows.history("run-2").await.unwrap_err().kind, ErrorKind::NotFound);
    let service = StandIn::new(|action, _| match action {
        "DescribeExecution" => described(RUN, "RUNNING", &json!({})),
        _ => refusal("AccessDeniedException", "not authorized to perform: states:GetExecutionHistory"),
    });
    let machines: BTreeMap<_, _> = [("training".to_owned(), TRAINING.to_owned())].into();
    let workflows = StepFunctions::over(service.client(), machines).unwrap();
    assert_eq!(workflows.history("run-1").await.unwrap_err().kind, ErrorKind::Forbidden);
}
