//! A run that waits for a person, and what people can do to runs and models, at the command line.

use serde_json::{Value, json};

use crate::fleet::Fleet;

const ISSUE: &str = "examples/penguins-classification.md";

/// A champion, and a second run whose gain may be chance: it waits for a person.
fn waiting() -> (Fleet, String) {
    let fleet = Fleet::new();
    fleet.json(&["run", ISSUE, "--json"]);
    let text = std::fs::read_to_string(Fleet::repository().join(ISSUE)).unwrap();
    let other = fleet.file("other.md", text.replace("n_estimators: 200", "n_estimators: 60"));
    let (code, waits) = ended(&fleet, &["run", &other, "--json"]);
    assert_eq!((code, &waits["waits_for"], &waits["version"]), (3, &json!("approval"), &json!(2)), "{waits:#}");
    let run = waits["run_id"].as_str().unwrap().to_owned();
    // Asking again changes nothing: it still waits.
    assert_eq!(ended(&fleet, &["run", &other, "--json"]), (3, waits));
    (fleet, run)
}

/// Exit code and JSON, of the standard output or, when that is empty, of the standard error.
fn ended(fleet: &Fleet, arguments: &[&str]) -> (i32, Value) {
    let output = fleet.output(arguments);
    let text = if output.stdout.is_empty() { &output.stderr } else { &output.stdout };
    let value = serde_json::from_slice(text).unwrap_or_else(|_| json!(String::from_utf8_lossy(text)));
    (output.status.code().unwrap(), value)
}

fn version_of(fleet: &Fleet, alias: &str) -> Value {
    let versions = fleet.tool("list_model_versions", &json!({"model_name": "penguin-species", "alias": alias}));
    versions["versions"][0]["version"].clone()
}

#[test]
fn an_approved_model_is_taken_into_use_and_the_report_says_who_approved() {
    let (fleet, run) = waiting();
    assert_eq!((version_of(&fleet, "champion"), version_of(&fleet, "challenger")), (json!(1), json!(2)));
    let (code, output) = ended(&fleet, &["approve", &run[..20], "--reason", "looked at by hand", "--json"]);
    assert_eq!((code, &output["decision"], &output["approval"]["approved"]), (0, &json!("promote"), &json!(true)));
    assert_eq!((version_of(&fleet, "champion"), version_of(&fleet, "challenger")), (json!(2), Value::Null));
    let report = std::fs::read_to_string(output["report_uri"].as_str().unwrap().trim_start_matches("file://")).unwrap();
    assert!(report.contains("approved penguin-species version 2"));
    // The first answer holds.
    let (again, same) = ended(&fleet, &["approve", &run, "--json"]);
    assert_eq!((again, same), (0, output));
    let (code, refused) = ended(&fleet, &["reject", &run, "--json"]);
    assert!(code != 0 && refused["kind"] == "Conflict", "{code}: {refused}");
    assert_eq!(version_of(&fleet, "champion"), json!(2));
}

#[test]
fn a_rejected_model_is_not_taken_into_use() {
    let (fleet, run) = waiting();
    let (code, output) = ended(&fleet, &["reject", &run, "--json"]);
    assert_eq!((code, &output["decision"]), (0, &json!("reject")), "{output:#}");
    assert_eq!((version_of(&fleet, "champion"), version_of(&fleet, "challenger")), (json!(1), Value::Null));
}

#[test]
fn a_token_reaches_no_output_and_no_file_but_its_own() {
    let (fleet, run) = waiting();
    let path = fleet.path(&format!("home/store/approvals/{run}.json"));
    let approval: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let token = approval["token"].as_str().unwrap();
    let mut places = Vec::new();
    let mut folders = vec![fleet.path("home")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false if String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()).contains(token) => {
                    places.push(entry.path().strip_prefix(fleet.path("home")).unwrap().display().to_string());
                }
                false => {}
            }
        }
    }
    let allowed =
        |place: &String| ["store/approvals/", "tokens/", "executions/"].iter().any(|own| place.starts_with(own));
    assert!(places.iter().all(allowed), "{places:?}");
    let status = fleet.output(&["status", &run, "--json"]);
    assert!(!String::from_utf8_lossy(&status.stdout).contains(token));
}

#[test]
fn a_cancelled_run_ends_and_no_answer_helps_it() {
    let (fleet, run) = waiting();
    let (code, outcome) = ended(&fleet, &["cancel", &run, "--reason", "wrong data", "--json"]);
    assert_eq!((code, &outcome["effect"], &outcome["details"]["status"]), (0, &json!("done"), &json!("ABORTED")));
    let (code, refused) = ended(&fleet, &["approve", &run, "--json"]);
    assert!(code != 0 && refused["kind"] == "Conflict", "{code}: {refused}");
    assert_eq!(version_of(&fleet, "champion"), json!(1));
}

#[test]
fn a_model_is_rolled_back_once_the_earlier_version_is_verified() {
    let (fleet, run) = waiting();
    ended(&fleet, &["approve", &run, "--json"]);
    let (code, output) = ended(&fleet, &["rollback", "penguin-species", "--reason", "worse on new data", "--json"]);
    assert_eq!((code, &output["rolled_back"], &output["champion"]), (0, &json!({"from": 2, "to": 1}), &json!(1)));
    assert_eq!(version_of(&fleet, "champion"), json!(1));
    let (code, missing) = ended(&fleet, &["rollback", "no-such-model", "--json"]);
    assert_eq!((code, &missing["kind"]), (4, &json!("NotFound")));
}

#[test]
fn a_model_that_was_changed_on_disk_is_not_taken_into_use() {
    let (fleet, run) = waiting();
    let versions = fleet.tool("list_model_versions", &json!({"model_name": "penguin-species", "alias": "challenger"}));
    let model = versions["versions"][0]["model_s3_uri"].as_str().unwrap().trim_start_matches("file://").to_owned();
    let mut bytes = std::fs::read(&model).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&model, bytes).unwrap();
    let (code, failed) = ended(&fleet, &["approve", &run, "--json"]);
    assert!(code != 0, "{failed}");
    assert_eq!(version_of(&fleet, "champion"), json!(1), "the champion before is in use again");
}
