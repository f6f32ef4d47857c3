//! Waits, branches, maps and tokens that are refused, each with its place.

use mlops_core::{AgentHandler, Error, ErrorKind};
use mlops_local::LocalWorkflows;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::machines::{echo, flow, machine, task};

fn load(state: &Value) -> Result<LocalWorkflows, Error> {
    let home = TempDir::new().unwrap();
    let agents = [echo("worker") as std::sync::Arc<dyn AgentHandler>];
    LocalWorkflows::new(home.path(), agents).machine("test", &machine(&json!({"A": state})))
}

#[track_caller]
fn refused(state: &Value, more: &Value, place: &str) {
    let mut state = state.clone();
    for (name, value) in more.as_object().unwrap() {
        state[name] = value.clone();
    }
    let error = load(&state).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidInput, "{}", error.message);
    assert_eq!(error.field.as_deref(), Some(format!("States.A{place}").as_str()), "{}", error.message);
}

fn passing() -> Value {
    flow("P", &json!({"P": {"Type": "Pass", "End": true}}))
}

#[test]
fn waits_are_read_strictly() {
    let ok = json!({"Type": "Wait", "End": true});
    for fine in [json!({"Seconds": 0}), json!({"Seconds": "{% 5 %}"}), json!({"Timestamp": "2026-01-31T12:00:00Z"})] {
        let mut state = ok.clone();
        state.as_object_mut().unwrap().extend(fine.as_object().unwrap().clone());
        load(&state).unwrap();
    }
    refused(&ok, &json!({}), "");
    refused(&ok, &json!({"Seconds": 1, "Timestamp": "2026-01-31T12:00:00Z"}), "");
    refused(&ok, &json!({"Seconds": -1}), ".Seconds");
    refused(&ok, &json!({"Seconds": "5"}), ".Seconds");
    refused(&ok, &json!({"Timestamp": "tomorrow"}), ".Timestamp");
    refused(&ok, &json!({"SecondsPath": "$.x"}), "");
}

#[test]
fn branches_are_read_strictly() {
    let ok = json!({"Type": "Parallel", "Branches": [passing()], "End": true});
    load(&ok).unwrap();
    refused(&ok, &json!({"Branches": []}), ".Branches");
    refused(&ok, &json!({"Branches": [{"StartAt": "P"}]}), ".Branches[0].States");
    refused(&ok, &json!({"Branches": [flow("Q", &json!({"P": {"Type": "Succeed"}}))]}), ".Branches[0].StartAt");
    let leading = flow("P", &json!({"P": {"Type": "Pass", "Next": "A"}}));
    refused(&ok, &json!({"Branches": [leading]}), ".Branches[0].States.P");
    refused(&ok, &json!({"Branches": [passing(), passing()]}), ".Branches[1].States.P");
    let mut slow = passing();
    slow["TimeoutSeconds"] = json!(5);
    refused(&ok, &json!({"Branches": [slow]}), ".Branches[0].TimeoutSeconds");
    refused(&ok, &json!({"MaxConcurrency": 1}), ".MaxConcurrency");
    let assigning = flow("P", &json!({"P": {"Type": "Pass", "Assign": {"x": 1}, "End": true}}));
    refused(&ok, &json!({"Assign": {"x": 2}, "Branches": [assigning]}), ".Branches[0].States.P");
    refused(&ok, &json!({"Branches": [assigning], "Output": "{% $x %}"}), ".Output");
}

#[test]
fn maps_are_read_strictly() {
    let ok = json!({"Type": "Map", "ItemProcessor": passing(), "End": true});
    load(&ok).unwrap();
    let mut inline = passing();
    inline["ProcessorConfig"] = json!({"Mode": "INLINE"});
    load(&json!({"Type": "Map", "ItemProcessor": inline, "Items": [1], "MaxConcurrency": 0, "End": true})).unwrap();
    for (name, value) in [
        ("Iterator", passing()),
        ("ItemsPath", json!("$.x")),
        ("ToleratedFailureCount", json!(1)),
        ("ItemReader", json!({})),
        ("ItemBatcher", json!({})),
        ("ResultWriter", json!({})),
    ] {
        refused(&ok, &json!({ name: value }), &format!(".{name}"));
    }
    refused(&ok, &json!({"Items": 5}), ".Items");
    refused(&ok, &json!({"MaxConcurrency": -1}), ".MaxConcurrency");
    let mut wrong = passing();
    wrong["ProcessorConfig"] = json!({"Mode": "REMOTE"});
    refused(&ok, &json!({"ItemProcessor": wrong}), ".ItemProcessor.ProcessorConfig.Mode");
}

#[test]
fn distributed_maps_are_read_strictly() {
    let mut processor = passing();
    processor["ProcessorConfig"] = json!({"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"});
    let ok = json!({"Type": "Map", "ItemProcessor": processor, "Label": "Each", "End": true});
    load(&ok).unwrap();
    refused(&ok, &json!({"ResultWriter": {}}), ".ResultWriter");
    refused(&ok, &json!({"ToleratedFailurePercentage": 101}), ".ToleratedFailurePercentage");
    refused(&ok, &json!({"ToleratedFailureCount": 0.5}), ".ToleratedFailureCount");
    refused(&ok, &json!({"ItemBatcher": {}}), ".ItemBatcher");
    refused(&ok, &json!({"ItemBatcher": {"MaxItemsPerBatch": 0}}), ".ItemBatcher.MaxItemsPerBatch");
    let object = "arn:aws:states:::s3:getObject";
    let place = json!({"Bucket": "my-data", "Key": "x"});
    let reader = |value: Value| json!({ "ItemReader": value });
    let config =
        |config: Value| json!({"ItemReader": {"Resource": object, "Arguments": place, "ReaderConfig": config}});
    refused(&ok, &reader(json!({"Resource": "arn:aws:states:::s3:getBucket"})), ".ItemReader.Resource");
    refused(&ok, &reader(json!({"Resource": object, "Arguments": {"Bucket": "x"}})), ".ItemReader.Arguments.Key");
    refused(&ok, &reader(json!({"Resource": object, "Arguments": place})), ".ItemReader.ReaderConfig");
    refused(&ok, &config(json!({"InputType": "MANIFEST"})), ".ItemReader.ReaderConfig.InputType");
    refused(&ok, &config(json!({"InputType": "CSV"})), ".ItemReader.ReaderConfig.CSVHeaderLocation");
    let given = json!({"InputType": "CSV", "CSVHeaderLocation": "GIVEN"});
    refused(&ok, &config(given), ".ItemReader.ReaderConfig.CSVHeaders");
    let comma = json!({"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "CSVDelimiter": ","});
    refused(&ok, &config(comma), ".ItemReader.ReaderConfig.CSVDelimiter");
    let mut both = config(json!({"InputType": "JSON"}));
    both["Items"] = json!([1]);
    refused(&ok, &both, ".ItemReader");
    // Items that are executions of their own do not see the variables outside.
    let mut seeing = flow("P", &json!({"P": {"Type": "Pass", "Output": "{% $outer %}", "End": true}}));
    seeing["ProcessorConfig"] = json!({"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"});
    let more = json!({"Assign": {"outer": 1}, "ItemProcessor": seeing});
    refused(&ok, &more, ".ItemProcessor.States.P.Output");
}

#[test]
fn tasks_with_tokens_are_read_strictly() {
    let ok = task(&json!({"Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "End": true,
        "Arguments": {"FunctionName": "worker", "Payload": {"t": "{% $states.context.Task.Token %}"}}}));
    load(&ok).unwrap();
    refused(&ok, &json!({"Arguments": {"FunctionName": "worker", "Payload": {}}}), ".Arguments.Payload");
    refused(&ok, &json!({"HeartbeatSeconds": 0}), ".HeartbeatSeconds");
    refused(&ok, &json!({"HeartbeatSeconds": 60, "TimeoutSeconds": 60}), ".HeartbeatSeconds");
    refused(&ok, &json!({"Catch": [{"ErrorEquals": ["States.Heartbeat"], "Next": "A"}]}), ".Catch[0].ErrorEquals[0]");
}
