//! The commands as people use them: their words, their exit codes and where help leads.

use serde_json::json;

use crate::fleet::Fleet;

const ISSUE: &str = "examples/penguins-classification.md";

/// What the command prints for people; it must end well.
fn said(fleet: &Fleet, arguments: &[&str]) -> String {
    let output = fleet.output(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The exit code and the error of a command that must not end well.
fn refused(fleet: &Fleet, arguments: &[&str]) -> (i32, String) {
    let output = fleet.output(arguments);
    assert!(!output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
    (output.status.code().expect("a code"), String::from_utf8(output.stderr).expect("UTF-8"))
}

#[test]
fn a_run_is_told_step_by_step_and_found_again() {
    let fleet = Fleet::new();
    assert!(said(&fleet, &["runs"]).starts_with("nothing has been run yet"));
    let output = fleet.output(&["run", ISSUE]);
    let steps = String::from_utf8_lossy(&output.stderr);
    for step in ["PrepareData", "Train", "Evaluate", "Judge", "Register", "WriteReport"] {
        assert!(steps.contains(&format!("✓ {step}")), "{steps}");
    }
    let summary = String::from_utf8_lossy(&output.stdout);
    for part in ["penguin-species version 1: promote", "accuracy", "report   ", "history  "] {
        assert!(summary.contains(part), "{part}: {summary}");
    }
    let runs = fleet.json(&["runs", "--json"]);
    let run = runs["runs"][0]["run_id"].as_str().expect("an id").to_owned();
    let listed = said(&fleet, &["runs"]);
    assert!(listed.contains(&run) && listed.contains("SUCCEEDED") && listed.contains("promote"), "{listed}");
    let status = said(&fleet, &["status", &run[..18]]);
    assert!(status.contains("decision: promote") && status.contains("Train"), "{status}");
    let report = fleet.json(&["report", &run, "--json"]);
    assert!(report["markdown_uri"].as_str().is_some_and(|uri| uri.ends_with("report.md")), "{report}");
    let (code, error) = refused(&fleet, &["status", "no-such-run"]);
    assert_eq!(code, 4, "{error}");
    assert!(error.contains("there is no run `no-such-run`") && error.contains("fix: list them"), "{error}");
}

#[test]
fn a_japanese_run_is_told_in_japanese() {
    let fleet = Fleet::new();
    let summary = said(&fleet, &["run", "examples/penguins-regression-ja.md"]);
    assert!(summary.contains("バージョン 1") && summary.contains("テスト行での指標"), "{summary}");
}

#[test]
fn a_failed_run_says_where_and_why_and_has_no_report() {
    let fleet = Fleet::new();
    let data = fleet.file("constant.csv", "a,b\n".to_owned() + &"1,2\n".repeat(40) + "1,3\n");
    let issue = fleet.file(
        "issue.md",
        format!(
            "```mlops\ntask: classification\ndataset_s3_uri: {data}\ntarget_column: b\nalgorithm: random_forest\n```\n"
        ),
    );
    let (code, error) = refused(&fleet, &["run", &issue]);
    assert_eq!(code, 2, "{error}");
    let runs = fleet.json(&["runs", "--json"]);
    let Some(run) = runs["runs"][0]["run_id"].as_str() else {
        assert!(error.contains("error (InvalidInput)"), "{error}");
        return;
    };
    let status = said(&fleet, &["status", run]);
    assert!(status.contains("InvalidInput"), "{status}");
    assert_eq!(refused(&fleet, &["report", run]).0, 4);
}

#[test]
fn tools_are_listed_explained_and_called_in_every_way_of_writing() {
    let fleet = Fleet::new();
    let listed = said(&fleet, &["tools"]);
    assert!(listed.contains("data_preparation\n") && listed.contains("  load_dataset "), "{listed}");
    let help = said(&fleet, &["tool", "split_dataset", "--help"]);
    assert!(help.contains("Usage: mlops tool split_dataset") && help.contains("required"), "{help}");
    let pairs = fleet.json(&["tool", "load_dataset", "uri=examples/penguins.csv", "limit=3"]);
    let options = fleet.json(&["tool", "load_dataset", "--uri", "examples/penguins.csv", "--limit", "3"]);
    let file = fleet.file("arguments.json", json!({"uri": "examples/penguins.csv", "limit": 3}).to_string());
    let from_file = fleet.json(&["tool", "load_dataset", &format!("@{file}")]);
    let mut command = fleet.command(&["tool", "load_dataset", "-"]);
    command.stdin(std::fs::File::open(&file).expect("the file is there"));
    let from_input = command.output().expect("the program runs");
    assert_eq!(pairs["num_rows"], 3);
    assert_eq!((&options, &from_file), (&pairs, &pairs));
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&from_input.stdout).expect("JSON"), pairs);
    let (code, error) = refused(&fleet, &["tool", "load_datset"]);
    assert!(code == 4 && error.contains("load_dataset"), "{code}: {error}");
}

#[test]
fn an_agent_takes_a_task_from_a_file() {
    let fleet = Fleet::new();
    let text = std::fs::read_to_string(Fleet::repository().join(ISSUE)).expect("the example is there");
    let request = fleet.file("request.json", json!({"body": text, "source_name": "issue.md"}).to_string());
    let started = fleet.json(&["agent", "issue-detector", "--event", &request]);
    assert_eq!(started["outcome"], "accepted", "{started:#}");
    let run = started["run_id"].as_str().expect("an id");
    let config = &started["config"];
    let task = json!({"run_id": run, "config": config, "inputs": {"step": "split"}});
    let task = fleet.file("task.json", task.to_string());
    let prepared = fleet.json(&["agent", "data-preparation", "--event", &task]);
    assert_eq!((&prepared["status"], &prepared["run_id"]), (&json!("succeeded"), &json!(run)));
    let (code, error) = refused(&fleet, &["agent", "judge", "--event", &task]);
    assert!(code == 2 && error.contains("inputs"), "{code}: {error}");
    let (code, error) = refused(&fleet, &["agent", "juge", "--event", &task]);
    assert!(code == 4 && error.contains("did you mean `judge`?"), "{code}: {error}");
    let (code, error) = refused(&fleet, &["agent", "judge", "--event", &fleet.file("no.json", "{")]);
    assert!(code == 2 && error.contains("is not JSON"), "{code}: {error}");
    // The run that was only started is walked by the command that asks for it again.
    let listed = said(&fleet, &["status", run]);
    assert!(listed.contains("it was interrupted"), "{listed}");
}

#[test]
fn the_doctor_looks_at_the_machine_and_names_every_setting() {
    let fleet = Fleet::new();
    let healthy = said(&fleet, &["doctor"]);
    assert!(healthy.contains("✓ store") && healthy.contains("MLOPS_HOME"), "{healthy}");
    let report = fleet.json(&["doctor", "--json"]);
    assert_eq!(report["ok"], true, "{report:#}");
    let mut blocked = fleet.command(&["doctor"]);
    blocked.env("MLOPS_HOME", fleet.file("a-file", "not a folder"));
    let output = blocked.output().expect("the program runs");
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stdout).contains("✗ store"));
}

#[test]
fn completions_know_every_command() {
    let script = said(&Fleet::new(), &["completions", "bash"]);
    for command in ["run", "tool", "agent", "doctor"] {
        assert!(script.contains(command), "{command}");
    }
}
