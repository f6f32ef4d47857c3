//! The three tools in a room, as clients call them.

use futures::executor::block_on;
use mlops_core::{Call, Entry, ErrorKind, Lang, Outcome, Result};
use serde_json::{Value, json};

use super::TOOLS;
use crate::GithubIntegration;
use crate::outside::{Outside, room};

const PENGUINS: &[u8] = include_bytes!("../../../../../examples/penguins.csv");
const ENGLISH: &str = include_str!("../../../../../examples/penguins-classification.md");
const JAPANESE: &str = include_str!("../../../../../examples/penguins-regression-ja.md");
const FORM: &str = include_str!("../../tests/issue-form.md");

fn entry(name: &str) -> &'static Entry<GithubIntegration> {
    TOOLS.iter().find(|entry| entry.name == name).unwrap()
}

fn run(room: &GithubIntegration, name: &str, arguments: Value) -> Result<Outcome> {
    block_on((entry(name).run)(room, &Call::new("r"), arguments))
}

/// A room in which the example's data lies.
fn furnished() -> (GithubIntegration, std::sync::Arc<Outside>) {
    let (room, outside) = room();
    outside.objects.lock().unwrap().insert("examples/penguins.csv".into(), PENGUINS.into());
    (room, outside)
}

fn validated(room: &GithubIntegration, body: &str) -> Value {
    let parsed = run(room, "parse_issue_config", json!({"body": body})).unwrap().value;
    run(room, "validate_training_params", json!({"config": parsed["config"], "lines": parsed["lines"]})).unwrap().value
}

#[test]
fn the_examples_and_the_form_are_valid_and_start_a_run() {
    for (body, model, strategy) in [
        (ENGLISH, "penguin-species", "stratified"),
        (JAPANESE, "penguin-body-mass", "random"),
        (FORM, "penguins-species", "stratified"),
    ] {
        let (room, outside) = furnished();
        let checked = validated(&room, body);
        assert_eq!(checked["errors"], json!([]), "{checked:#}");
        assert_eq!(checked["warnings"], json!([]));
        assert_eq!(checked["normalized_config"]["split"]["strategy"], json!(strategy));
        let estimate = &checked["estimate"];
        assert!((1.0..60.0).contains(&estimate["seconds"].as_f64().unwrap()), "{estimate}");
        assert_eq!(estimate["rows"], json!(344));
        let arguments = json!({"config": checked["normalized_config"], "issue_ref": {"repo": "o/n", "number": 5}});
        let started = run(&room, "start_workflow", arguments.clone()).unwrap();
        let name = started.value["execution_name"].as_str().unwrap().to_owned();
        assert!(name.starts_with(&format!("{model}-")) && name.len() <= 80, "{name}");
        assert_eq!((&started.value["already_running"], &started.value["status"]), (&json!(false), &json!("RUNNING")));
        let input = outside.executions.lock().unwrap()[&name].input.clone();
        assert_eq!(input["run_id"], json!(name));
        assert_eq!(input["issue"], json!({"repo": "o/n", "number": 5}));
        assert_eq!(input["config"], checked["normalized_config"]);
        let again = run(&room, "start_workflow", arguments).unwrap();
        assert_eq!(again.value["already_running"], json!(true));
        assert!(again.summary.contains("already"));
        assert_eq!(outside.executions.lock().unwrap().len(), 1);
    }
}

#[test]
fn the_name_of_a_run_follows_from_what_is_asked() {
    let (room, outside) = furnished();
    let config = validated(&room, ENGLISH)["normalized_config"].clone();
    let name = |arguments: Value| {
        let mut all = json!({"config": config, "dry_run": true});
        all.as_object_mut().unwrap().extend(arguments.as_object().unwrap().clone());
        let outcome = run(&room, "start_workflow", all).unwrap();
        assert_eq!((&outcome.value["execution_arn"], &outcome.value["dry_run"]), (&json!(null), &json!(true)));
        outcome.value["execution_name"].as_str().unwrap().to_owned()
    };
    let mut reordered = config.clone();
    let entries = reordered.as_object_mut().unwrap();
    let first = entries.shift_remove("task").unwrap();
    entries.insert("task".into(), first);
    assert_eq!(name(json!({})), name(json!({"config": reordered})));
    let mut names = vec![
        name(json!({})),
        name(json!({"issue_ref": {"repo": "o/n", "number": 5}})),
        name(json!({"issue_ref": {"repo": "o/n", "number": 6}})),
        name(json!({"data_version": "abc"})),
        name(json!({"lang": "ja"})),
    ];
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 5);
    assert!(outside.executions.lock().unwrap().is_empty(), "a dry run starts nothing");
    let mut odd = config.clone();
    odd["model_name"] = json!("モデル");
    assert!(name(json!({"config": odd})).starts_with("run-"));
}

#[test]
fn a_large_input_goes_to_the_store() {
    let (room, outside) = furnished();
    let mut config = validated(&room, ENGLISH)["normalized_config"].clone();
    config["hyperparameters"]["class_weight"] =
        (0..20_000).map(|class| (format!("class {class}"), json!(1.5))).collect::<serde_json::Map<_, _>>().into();
    for already_running in [false, true] {
        let started = run(&room, "start_workflow", json!({"config": config})).unwrap();
        assert_eq!(started.value["already_running"], json!(already_running));
        let name = started.value["execution_name"].as_str().unwrap().to_owned();
        let uri = format!("s3://store/root/inputs/{name}/input.json");
        assert_eq!(started.value["input_uri"], json!(uri));
        assert_eq!(started.artifacts[0].uri, uri);
        let input = outside.executions.lock().unwrap()[&name].input.clone();
        assert_eq!(input, json!({"run_id": name, "input_uri": uri, "lang": "en"}));
        let stored: Value = serde_json::from_slice(&outside.objects.lock().unwrap()[&uri]).unwrap();
        assert_eq!(stored["config"], config);
    }
}

#[test]
fn a_config_that_was_not_checked_is_pointed_to_its_check() {
    let (room, _) = furnished();
    let raw = json!({"task": "classification", "dataset_s3_uri": "a.csv", "target_column": "y", "algorithm": "auto"});
    for config in [raw, json!("task: classification"), json!({"task": "clasification"})] {
        let error = run(&room, "start_workflow", json!({"config": config})).unwrap_err();
        let hint = error.hint.unwrap();
        assert!(hint.contains("validate_training_params") && hint.contains("normalized_config"), "{hint}");
    }
    let other = json!({"config": validated(&room, ENGLISH)["normalized_config"], "data_version": 1});
    let error = run(&room, "start_workflow", other).unwrap_err();
    assert!(!error.hint.unwrap_or_default().contains("validate_training_params"));
}

#[test]
fn an_issue_is_read_from_its_host() {
    let (room, outside) = furnished();
    outside.issues.lock().unwrap().insert("o/n#5".into(), ENGLISH.replace('\n', "\r\n"));
    let parsed = run(&room, "parse_issue_config", json!({"repo": "o/n", "issue_number": 5})).unwrap();
    assert_eq!(parsed.value, run(&room, "parse_issue_config", json!({"body": ENGLISH})).unwrap().value);
    assert_eq!(parsed.value["format"], json!("yaml"));
    let line = ENGLISH.lines().position(|line| line.contains("n_estimators")).unwrap() + 1;
    assert_eq!(parsed.value["lines"]["hyperparameters.n_estimators"], json!(line));
    let kind = |arguments| run(&room, "parse_issue_config", arguments).unwrap_err().kind;
    assert_eq!(kind(json!({"repo": "o/n", "issue_number": 6})), ErrorKind::NotFound);
    for wrong in [
        json!({}),
        json!({"repo": "o/n"}),
        json!({"issue_number": 5}),
        json!({"body": "x", "repo": "o/n"}),
        json!({"repo": "o/../n", "issue_number": 5}),
        json!({"repo": "../..", "issue_number": 5}),
        json!({"body": "x".repeat(2_000_000)}),
    ] {
        assert_eq!(kind(wrong), ErrorKind::InvalidInput);
    }
}

#[test]
fn a_wrong_request_is_told_with_its_lines() {
    let (room, _) = furnished();
    let body = "Hi\n\n```mlops\ntask: classification\ndataset_s3_uri: examples/penguins.csv\ntarget_column: specis\n\
                algorithm: random_forest\nsplit:\n  train: 0.9\n```\n";
    let checked = validated(&room, body);
    let found = checked["errors"].as_array().unwrap().iter().map(|error| (&error["path"], &error["line"]));
    let found = found.map(|(path, line)| (path.as_str().unwrap(), line.as_u64())).collect::<Vec<_>>();
    assert_eq!(found, [("split", Some(8)), ("target_column", Some(6))]);
    assert_eq!(checked["normalized_config"], json!(null));
    assert_eq!(checked["estimate"], json!(null));
    let absent = validated(&room, &body.replace("penguins.csv", "pigeons.csv"));
    assert_eq!(absent["errors"][1]["kind"], json!("NotFound"));
    let blind = json!({"config": {"task": "regression", "dataset_s3_uri": "no.csv", "target_column": "y",
                                  "algorithm": "auto"}, "check_data": false});
    let blind = run(&room, "validate_training_params", blind).unwrap();
    assert_eq!((&blind.value["valid"], &blind.value["estimate"]), (&json!(true), &json!(null)));
    assert!(blind.summary.contains("valid"));
}

#[test]
fn a_room_says_what_was_left_out_of_it() {
    let (mut room, outside) = furnished();
    let request = validated(&room, ENGLISH)["normalized_config"].clone();
    room.tables = None;
    room.workflows = None;
    let refused = |name, arguments| {
        let error = run(&room, name, arguments).unwrap_err();
        (error.kind, error.field, error.hint.unwrap())
    };
    let (kind, field, hint) = refused("validate_training_params", json!({"config": request}));
    assert_eq!((kind, field.as_deref()), (ErrorKind::InvalidInput, Some("check_data")));
    assert!(hint.contains("set `check_data` to false"), "{hint}");
    let alone = json!({"config": request, "check_data": false});
    assert_eq!(run(&room, "validate_training_params", alone).unwrap().value["valid"], json!(true));
    assert_eq!(refused("start_workflow", json!({"config": request})).0, ErrorKind::Internal);
    assert!(outside.executions.lock().unwrap().is_empty());
}

#[test]
fn summaries_are_in_both_languages() {
    let (room, _) = furnished();
    let call = Call::new("r").in_lang(Lang::Ja);
    let parse = entry("parse_issue_config");
    let parsed = block_on((parse.run)(&room, &call, json!({"body": format!("{JAPANESE}\n")}))).unwrap();
    assert!(parsed.summary.contains("個の設定"), "{}", parsed.summary);
    let unknown = block_on((parse.run)(&room, &call, json!({"body": "task: x\nalgoritm: y"}))).unwrap();
    assert!(unknown.summary.contains("不明なもの 1 個"), "{}", unknown.summary);
    let validate = entry("validate_training_params");
    let wrong = block_on((validate.run)(&room, &call, json!({"config": {}}))).unwrap();
    assert!(wrong.summary.starts_with("依頼に 4 個の誤り"), "{}", wrong.summary);
    assert_eq!(TOOLS.len(), 4);
    for entry in TOOLS {
        assert!(!entry.description().is_empty());
        assert!(!(entry.output_schema)().to_string().contains("$ref"), "{}", entry.name);
    }
}
