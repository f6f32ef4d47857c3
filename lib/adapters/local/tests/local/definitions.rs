//! Definitions that are refused, each with its place.

use std::sync::Arc;

use mlops_core::{AgentHandler, Error, ErrorKind};
use mlops_local::LocalWorkflows;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::machines::{echo, machine, task};

fn load(definition: &str) -> Result<LocalWorkflows, Error> {
    let home = TempDir::new().unwrap();
    let agents = [echo("worker") as Arc<dyn AgentHandler>, echo("issue_detector") as Arc<dyn AgentHandler>];
    LocalWorkflows::new(home.path(), agents).substituting([("TrainerArn", "worker")]).machine("test", definition)
}

#[track_caller]
fn refused(definition: &str, place: &str) -> Error {
    let error = load(definition).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidInput, "{}", error.message);
    assert_eq!(error.field.as_deref(), Some(place), "{}", error.message);
    error
}

/// The field of state A with that value, and what is refused of it.
#[track_caller]
fn refused_in(state: &Value, more: &Value, place: &str) -> Error {
    let mut state = state.clone();
    for (name, value) in more.as_object().unwrap() {
        state[name] = value.clone();
    }
    refused(&machine(&json!({"A": state, "B": {"Type": "Succeed"}})), &format!("States.A{place}"))
}

#[test]
fn what_is_not_json_is_refused() {
    for text in ["", "[]", "{", "null", "{\"a\": 1, \"a\": 2}", &"[".repeat(10_000)] {
        assert_eq!(load(text).unwrap_err().kind, ErrorKind::InvalidInput, "{text}");
    }
    assert_eq!(load(&format!("\"{}\"", "x".repeat(2 << 20))).unwrap_err().kind, ErrorKind::InvalidInput);
    LocalWorkflows::new("/nowhere", []).machine("../x", "{}").unwrap_err();
}

#[test]
fn the_machine_itself_is_read_strictly() {
    let whole = json!({"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {"Type": "Succeed"}}});
    load(&whole.to_string()).unwrap();
    let with = |name: &str, value: Value| {
        let mut changed = whole.clone();
        changed[name] = value;
        changed.to_string()
    };
    load(&with("Comment", json!("what it does"))).unwrap();
    load(&with("TimeoutSeconds", json!(60))).unwrap();
    refused(&with("QueryLanguage", json!("JSONPath")), "QueryLanguage");
    refused(&with("Version", json!("1.0")), "Version");
    refused(&with("Comment", json!(1)), "Comment");
    for wrong in [json!(0), json!(-1), json!(1.5), json!("60"), json!(1e12)] {
        refused(&with("TimeoutSeconds", wrong), "TimeoutSeconds");
    }
    refused(&with("States", json!([])), "States");
    refused(&with("StartAt", json!("B")), "StartAt");
    refused(&with("States", json!({"A": {"Type": "Succeed"}, "": {"Type": "Succeed"}})), "States[\"\"]");
    refused(&with("States", json!({"A": {"Type": "Succeed"}, "B": {"Type": "Succeed"}})), "States.B");
    refused(&with("States", json!({"A": "x"})), "States.A");
    for missing in ["QueryLanguage", "StartAt", "States"] {
        let mut changed = whole.clone();
        changed.as_object_mut().unwrap().remove(missing);
        refused(&changed.to_string(), missing);
    }
}

#[test]
fn other_types_and_fields_are_refused() {
    for other in ["Sleep", "Iterator", "task", ""] {
        refused(&machine(&json!({"A": {"Type": other}})), "States.A.Type");
    }
    let pass = json!({"Type": "Pass", "Next": "B"});
    for field in
        ["InputPath", "OutputPath", "ResultPath", "Parameters", "Result", "ResultSelector", "Retry", "Catch", "Choices"]
    {
        let error = refused_in(&pass, &json!({ field: "$.x" }), &format!(".{field}"));
        assert!(error.hint.is_some());
    }
    let error = refused_in(&pass, &json!({"Asign": {}}), ".Asign");
    assert_eq!(error.hint.as_deref(), Some("did you mean Assign?"));
    refused_in(&pass, &json!({"QueryLanguage": "JSONPath"}), ".QueryLanguage");
    refused_in(&pass, &json!({"Output": {"x.$": "$.x"}}), ".Output[\"x.$\"]");
    refused_in(&pass, &json!({"Output": ["{% $states.input"]}), ".Output[0]");
    refused_in(&pass, &json!({"Assign": []}), ".Assign");
    for name in ["states", "1x", "a-b", "", "日本"] {
        load(&machine(&json!({"A": {"Type": "Pass", "Assign": {name: 1}, "End": true}}))).unwrap_err();
    }
    refused_in(&pass, &json!({"End": true}), "");
    refused_in(&pass, &json!({"End": 1}), ".End");
    refused(&machine(&json!({"A": {"Type": "Pass"}})), "States.A");
    refused(&machine(&json!({"A": {"Type": "Pass", "End": false}})), "States.A");
    let error = refused(&machine(&json!({"A": {"Type": "Pass", "Next": "Bb"}, "B": {"Type": "Succeed"}})), "States.A");
    assert!(error.message.contains("`Bb`"));
    refused(&machine(&json!({"A": {"Type": "Succeed", "Assign": {}}})), "States.A.Assign");
    refused(&machine(&json!({"A": {"Type": "Fail", "Error": 1}})), "States.A.Error");
    refused(&machine(&json!({"A": {"Type": "Fail", "CausePath": "$.x"}})), "States.A.CausePath");
    refused(
        &machine(&json!({"A b": {"Type": "Fail"}, "A": {"Type": "Pass", "Next": "A b", "Input": 1}})),
        "States.A.Input",
    );
    refused(
        &machine(&json!({"A": {"Type": "Pass", "Next": "A b"}, "A b": {"Type": "Fail", "X": 1}})),
        "States[\"A b\"].X",
    );
}

#[test]
fn tasks_are_read_strictly() {
    let ok = task(&json!({"Next": "B"}));
    for name in ["${WorkerFunctionArn}", "${TrainerArn}", "worker", "${IssueDetectorFunctionArn}", "${IssueDetector}"] {
        let states = json!({"A": task(&json!({"Arguments": {"FunctionName": name, "Payload": 1}, "End": true}))});
        load(&machine(&states)).unwrap();
    }
    let arguments = |name: &str| json!({"Arguments": {"FunctionName": name, "Payload": {}}});
    for name in ["${JudgeFunctionArn}", "{% 'worker' %}", "arn:aws:lambda:eu-west-1:1:function:x", "${", "", "${}"] {
        refused_in(&ok, &arguments(name), ".Arguments.FunctionName");
    }
    let error = refused_in(&ok, &arguments("${WorkersFunctionArn}"), ".Arguments.FunctionName");
    assert_eq!(error.hint.as_deref(), Some("did you mean `worker`?"));
    refused_in(&ok, &json!({"Arguments": {"FunctionName": "worker"}}), ".Arguments.Payload");
    let more = json!({"Arguments": {"FunctionName": "worker", "Payload": {}, "InvocationType": "Event"}});
    refused_in(&ok, &more, ".Arguments.InvocationType");
    refused_in(&ok, &json!({"Arguments": {"FunctionName": "worker", "Payload": "${Arn}"}}), ".Arguments.Payload");
    for resource in ["arn:aws:states:::lambda:invoke.sync", "arn:aws:states:::sqs:sendMessage", ""] {
        refused_in(&ok, &json!({ "Resource": resource }), ".Resource");
    }
    for wrong in [json!(0), json!("60"), json!(null), json!([])] {
        refused_in(&ok, &json!({ "TimeoutSeconds": wrong }), ".TimeoutSeconds");
    }
    refused_in(&ok, &json!({"HeartbeatSeconds": 5}), ".HeartbeatSeconds");
    refused_in(&ok, &json!({"Credentials": {}}), ".Credentials");
}

#[test]
fn retriers_and_catchers_are_read_strictly() {
    let ok = task(&json!({"Next": "B"}));
    let retry = |retrier: Value, place: &str| {
        let mut whole = json!({"ErrorEquals": ["Throttled"]});
        whole.as_object_mut().unwrap().extend(retrier.as_object().unwrap().clone());
        refused_in(&ok, &json!({ "Retry": [whole] }), &format!(".Retry[0]{place}"));
    };
    retry(json!({"IntervalSeconds": 0}), ".IntervalSeconds");
    retry(json!({"MaxAttempts": -1}), ".MaxAttempts");
    retry(json!({"BackoffRate": 0.5}), ".BackoffRate");
    retry(json!({"BackoffRate": "2"}), ".BackoffRate");
    retry(json!({"IntervalSeconds": 10, "MaxDelaySeconds": 10}), ".MaxDelaySeconds");
    retry(json!({"JitterStrategy": "HALF"}), ".JitterStrategy");
    retry(json!({"Next": "B"}), ".Next");
    retry(json!({"ErrorEquals": []}), ".ErrorEquals");
    retry(json!({"ErrorEquals": [1]}), ".ErrorEquals[0]");
    retry(json!({"ErrorEquals": ["States.Unknown"]}), ".ErrorEquals[0]");
    retry(json!({"ErrorEquals": ["States.ALL", "Throttled"]}), ".ErrorEquals");
    let all = json!({"ErrorEquals": ["States.ALL"]});
    refused_in(&ok, &json!({"Retry": [all, {"ErrorEquals": ["Throttled"]}]}), ".Retry[0].ErrorEquals");
    refused_in(&ok, &json!({"Retry": {}}), ".Retry");
    refused_in(&ok, &json!({"Retry": ["x"]}), ".Retry[0]");
    refused_in(&ok, &json!({ "Catch": [all] }), ".Catch[0].Next");
    refused_in(
        &ok,
        &json!({"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "B", "ResultPath": "$"}]}),
        ".Catch[0].ResultPath",
    );
    refused_in(&ok, &json!({"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Nowhere"}]}), "");
    let fine = json!({"Retry": [{"ErrorEquals": ["Throttled", "Unavailable"], "IntervalSeconds": 1, "BackoffRate": 2, "MaxAttempts": 0,
        "MaxDelaySeconds": 60, "JitterStrategy": "NONE", "Comment": "transient"}], "End": true});
    load(&machine(&json!({"A": task(&fine)}))).unwrap();
}

#[test]
fn choices_are_read_strictly() {
    let rule = json!({"Condition": "{% true %}", "Next": "B"});
    let ok = json!({"Type": "Choice", "Choices": [rule]});
    load(&machine(&json!({"A": ok, "B": {"Type": "Succeed"}}))).unwrap();
    refused_in(&ok, &json!({"Assign": {}}), ".Assign");
    refused_in(&ok, &json!({"Output": 1}), ".Output");
    refused_in(&ok, &json!({"Next": "B"}), ".Next");
    refused_in(&ok, &json!({"Choices": []}), ".Choices");
    refused_in(&ok, &json!({"Choices": [{"Condition": "true", "Next": "B"}]}), ".Choices[0].Condition");
    refused_in(&ok, &json!({"Choices": [{"Condition": true, "Next": "B"}]}), ".Choices[0].Condition");
    refused_in(&ok, &json!({"Choices": [rule, {"Condition": "{% true %}"}]}), ".Choices[1].Next");
    let old = json!({"Choices": [{"Variable": "$.x", "NumericEquals": 1, "Next": "B"}]});
    refused_in(&ok, &old, ".Choices[0].Condition");
    refused_in(&ok, &json!({"Default": "Nowhere"}), "");
}

#[test]
fn names_in_expressions_are_known() {
    let pass = json!({"Type": "Pass", "Next": "B"});
    let of = |text: &str| json!({ "Output": { "x": text } });
    refused_in(&pass, &of("{% $eval('1') %}"), ".Output.x");
    refused_in(&pass, &of("{% $nothing %}"), ".Output.x");
    refused_in(&pass, &of("{% $uppercas('x') %}"), ".Output.x");
    let error = refused_in(&pass, &json!({"Assign": {"model_uri": 1}, "Output": "{% $model_url %}"}), ".Output");
    assert_eq!(error.hint.as_deref(), Some("did you mean $model_uri?"));
    let condition = json!({"Type": "Choice", "Choices": [{"Condition": "{% $x %}", "Next": "B"}]});
    refused_in(&condition, &json!({}), ".Choices[0].Condition");
    let fine = "{% $map([1, 2], function($v) { $v + $count($states.input) }) %}";
    load(&machine(&json!({"A": {"Type": "Pass", "Output": fine, "End": true}}))).unwrap();
}
