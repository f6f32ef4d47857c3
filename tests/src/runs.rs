//! Both demo issues, from the issue to the report.

use serde_json::{Value, json};

use crate::fleet::{Fleet, path_of};

const ENGLISH: &str = "examples/penguins-classification.md";
const JAPANESE: &str = "examples/penguins-regression-ja.md";

#[test]
fn an_issue_becomes_a_judged_and_registered_model_with_a_report_and_a_history() {
    let fleet = Fleet::new();
    let output = fleet.json(&["run", ENGLISH, "--json"]);
    assert_eq!(output["decision"], "promote", "{output:#}");
    assert_eq!(output["version"], 1);
    for key in ["accuracy", "precision", "recall", "f1_score", "auc_roc"] {
        assert!(output["metrics"][key].as_f64().is_some_and(|value| value > 0.9), "{key}: {:#}", output["metrics"]);
    }
    for key in ["report_uri", "history_uri", "model_s3_uri", "train_uri", "validation_uri", "test_uri"] {
        assert!(path_of(&output[key]).is_file(), "{key}: {}", output[key]);
    }
    let name = output["model_name"].as_str().unwrap();
    let versions = fleet.tool("list_model_versions", &json!({"model_name": name}));
    assert_eq!(versions["versions"][0]["aliases"], json!(["champion"]));
    assert_eq!(versions["versions"][0]["model_sha256"], output["model_sha256"]);
    let run = output["run_id"].as_str().unwrap();
    let status = fleet.json(&["status", run, "--json"]);
    assert_eq!(status["status"], "SUCCEEDED");
    let steps: Vec<&str> =
        status["steps"].as_array().unwrap().iter().filter_map(|step| step["step"].as_str()).collect();
    let order = [
        "Plan",
        "PrepareData",
        "Train",
        "Evaluate",
        "Judge",
        "Register",
        "WriteReport",
        "SmokePrediction",
        "RememberRun",
        "TellPeople",
    ];
    assert_eq!(steps, order);
    let report = fleet.output(&["report", run]);
    assert_eq!(String::from_utf8_lossy(&report.stdout).trim(), path_of(&output["report_uri"]).to_str().unwrap());
    let events = std::fs::read_dir(fleet.path("home/outbox/events")).unwrap();
    assert_eq!(events.count(), 1, "what happened lies in the outbox");
}

#[test]
fn the_same_issue_is_the_same_run_and_another_one_is_judged_against_the_champion() {
    let fleet = Fleet::new();
    let first = fleet.json(&["run", ENGLISH, "--json"]);
    let second = fleet.json(&["run", ENGLISH, "--json"]);
    assert_eq!(first, second);
    assert_eq!(fleet.json(&["runs", "--json"])["runs"].as_array().unwrap().len(), 1);
    let text = std::fs::read_to_string(Fleet::repository().join(ENGLISH)).unwrap();
    let issue = fleet
        .file("weaker.md", text.replace("random_forest", "decision_tree").replace("n_estimators: 200", "max_depth: 1"));
    let weaker = fleet.json(&["run", &issue, "--json"]);
    assert_ne!(weaker["decision"], "promote", "{weaker:#}");
    let name = first["model_name"].as_str().unwrap();
    let champion = fleet.tool("list_model_versions", &json!({"model_name": name, "alias": "champion"}));
    assert_eq!(champion["versions"][0]["version"], 1);
}

#[test]
fn a_japanese_issue_is_answered_in_japanese() {
    let fleet = Fleet::new();
    let output = fleet.json(&["run", JAPANESE, "--json"]);
    for key in ["rmse", "mae", "r2", "mape"] {
        assert!(output["metrics"][key].is_number(), "{key}: {:#}", output["metrics"]);
    }
    let page = std::fs::read_to_string(path_of(&output["report_uri"])).unwrap();
    assert!(page.contains("lang=\"ja\"") && page.contains('の'), "the report is in Japanese");
    let history = std::fs::read_to_string(path_of(&output["history_uri"])).unwrap();
    assert!(history.contains("アルゴリズム"), "{history}");
}

#[test]
fn a_run_is_the_same_to_the_byte_in_another_home() {
    let [first, second] = [Fleet::new(), Fleet::new()].map(|fleet| fleet.json(&["run", ENGLISH, "--json"]));
    assert_eq!(first["model_sha256"], second["model_sha256"]);
    assert_eq!(first["metrics"], second["metrics"]);
    assert_eq!(first["run_id"], second["run_id"]);
}

#[test]
fn changed_data_is_another_run() {
    let fleet = Fleet::new();
    let table = std::fs::read_to_string(Fleet::repository().join("examples/penguins.csv")).unwrap();
    let data = fleet.file("table.csv", &table);
    let text = std::fs::read_to_string(Fleet::repository().join(ENGLISH)).unwrap();
    let issue = fleet.file("issue.md", text.replace("examples/penguins.csv", &data));
    let first = fleet.json(&["run", &issue, "--json"]);
    let shorter: Vec<&str> = table.lines().take(300).collect();
    std::fs::write(&data, shorter.join("\n")).unwrap();
    // It is another run, so it is judged against the champion: it may wait for a person.
    let output = fleet.output(&["run", &issue, "--json"]);
    assert!(matches!(output.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&output.stderr));
    let second: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_ne!(first["run_id"], second["run_id"]);
    assert_eq!(fleet.json(&["runs", "--json"])["runs"].as_array().unwrap().len(), 2);
}

#[test]
fn a_failure_is_remembered_told_and_named_by_its_kind() {
    let fleet = Fleet::new();
    let data = fleet.file("one-class.csv", "a,b\n1,x\n2,x\n3,x\n4,x\n5,x\n6,x\n7,x\n8,x\n9,x\n10,x\n");
    let issue = fleet.file(
        "issue.md",
        format!(
            "```yaml mlops\ntask: classification\ndataset_s3_uri: {data}\ntarget_column: b\nalgorithm: auto\n```\n"
        ),
    );
    let (error, code) = fleet.error(&["run", &issue, "--json"]);
    assert_eq!((error["kind"].as_str(), code), (Some("InvalidInput"), 2), "{error:#}");
    let runs = fleet.json(&["runs", "--json"]);
    if let Some(run) = runs["runs"].as_array().unwrap().first() {
        assert_eq!(run["status"], "FAILED");
        let stored = fleet.stored();
        assert!(stored.iter().any(|file| file.starts_with("history/")), "{stored:?}");
        assert!(stored.iter().all(|file| !file.starts_with("registry/")), "{stored:?}");
    }
}

#[test]
fn every_call_to_a_tool_is_one_audit_line_with_the_keys_of_the_design_document() {
    let fleet = Fleet::new();
    fleet.tool("load_dataset", &json!({"uri": "examples/penguins.csv"}));
    fleet.tool_error("load_dataset", &json!({"uri": "nowhere.csv"}));
    let log = std::fs::read_to_string(fleet.path("home/logs/audit.jsonl")).unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let keys = [
        "timestamp",
        "level",
        "capability",
        "tool_name",
        "agent_id",
        "request_id",
        "arguments",
        "duration_ms",
        "status",
        "result_summary",
    ];
    for line in &lines {
        assert_eq!(line.as_object().unwrap().keys().collect::<Vec<_>>(), keys);
    }
    let statuses: Vec<&str> = lines.iter().filter_map(|line| line["status"].as_str()).collect();
    assert_eq!(statuses, ["success", "NotFound"]);
}

#[test]
fn a_run_that_a_tool_starts_is_walked_to_its_end() {
    let fleet = Fleet::new();
    let body = std::fs::read_to_string(Fleet::repository().join(ENGLISH)).unwrap();
    let parsed = fleet.tool("parse_issue_config", &json!({"body": body}));
    let checked = fleet.tool("validate_training_params", &json!({"config": parsed["config"]}));
    assert_eq!(checked["valid"], true, "{checked:#}");
    let started = fleet.tool("start_workflow", &json!({"config": checked["normalized_config"]}));
    let run = started["execution_name"].as_str().unwrap();
    let status = fleet.json(&["status", run, "--json"]);
    assert_eq!((&status["status"], &status["interrupted"]), (&json!("SUCCEEDED"), &json!(false)), "{status:#}");
}

#[test]
fn a_secret_in_a_request_reaches_no_output_and_no_log() {
    let fleet = Fleet::new();
    // Put together here, so that the repository holds no token.
    let token = format!("ghp_{}", "q7".repeat(18));
    let data = fleet.file("t.csv", format!("{token},y\n1,a\n2,b\n"));
    let mut shown = String::new();
    let issue = fleet.file(
        "i.md",
        format!(
            "```yaml mlops\ntask: classification\ndataset_s3_uri: {data}\ntarget_column: y\nalgorithm: random_forest\n\
         hyperparameters: {{{token}: 3}}\n```\n"
        ),
    );
    for arguments in [
        vec!["tool", "load_dataset", &format!(r#"{{"uri": "{data}", "{token}": 1}}"#)],
        vec!["tool", "load_dataset", &format!(r#"{{"uri": "{data}"}}"#)],
        vec!["tool", "register_model", &format!(r#"{{"model_name": "{token}", "model_s3_uri": "{data}"}}"#)],
        vec!["run", &issue],
        vec!["run", &issue, "--json"],
    ] {
        let output = fleet.output(&arguments);
        shown += &String::from_utf8_lossy(&output.stdout);
        shown += &String::from_utf8_lossy(&output.stderr);
    }
    shown += &std::fs::read_to_string(fleet.path("home/logs/audit.jsonl")).unwrap();
    assert!(shown.contains("***masked***") && !shown.contains(&token), "{shown}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let fleet = Fleet::new();
    let program = env!("CARGO_BIN_EXE_mlops-under-test");
    let script = format!("'{program}' tools --json 2>&1 | head -c 40");
    let output = std::process::Command::new("sh").args(["-c", &script]).env("MLOPS_HOME", fleet.path("home")).output();
    assert!(!String::from_utf8_lossy(&output.unwrap().stdout).contains("panicked"));
}
