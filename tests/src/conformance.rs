//! What holds for every tool.

use std::collections::BTreeSet;

use mlops_core::Lang;
use mlops_host::locales;
use serde_json::Value;

use crate::fleet::Fleet;
use crate::workspace::platform;

/// The design document's names of the tools that are here.
const TOOLS: [&str; 30] = [
    "detect_mlops_issue",
    "parse_issue_config",
    "validate_training_params",
    "start_workflow",
    "load_dataset",
    "validate_data",
    "preprocess_supervised",
    "preprocess_unsupervised",
    "split_dataset",
    "train_supervised_classifier",
    "train_supervised_regressor",
    "train_unsupervised_clustering",
    "train_unsupervised_dimensionality_reduction",
    "hyperparameter_optimization",
    "evaluate_classifier",
    "evaluate_regressor",
    "evaluate_clustering",
    "generate_confusion_matrix",
    "generate_roc_curve",
    "create_evaluation_report",
    "send_email_notification",
    "send_github_notification",
    "apply_notification_template",
    "format_training_history",
    "commit_to_github",
    "post_issue_comment",
    "register_model",
    "list_model_versions",
    "update_model_status",
    "rollback_model",
];

#[test]
fn the_tools_are_those_of_the_design_document_each_once() {
    let (platform, _folder) = platform();
    let names: Vec<&str> = platform.toolbox.tools().iter().map(|tool| tool.name).collect();
    let unique: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(unique.len(), names.len());
    assert_eq!(unique, BTreeSet::from(TOOLS));
}

#[test]
fn a_tool_lies_in_the_file_of_its_name_in_the_folder_of_its_capability() {
    let (platform, _folder) = platform();
    for tool in platform.toolbox.tools() {
        let file = format!("lib/capabilities/{}/src/tools/{}.rs", tool.capability, tool.name);
        let text = std::fs::read_to_string(Fleet::repository().join(&file)).unwrap_or_default();
        assert!(text.contains(&format!("NAME: &'static str = \"{}\"", tool.name)), "{file}");
        let name: String = tool.name.split('_').map(|part| part[..1].to_uppercase() + &part[1..]).collect();
        assert!(text.contains(&format!("for {name} {{")), "{file} holds the struct {name}");
    }
}

#[test]
fn every_argument_and_every_result_is_described() {
    let (platform, _folder) = platform();
    for tool in platform.toolbox.tools() {
        assert!(tool.description(Lang::En).len() > 30, "{} says what it does", tool.name);
        assert_eq!(tool.input_schema()["type"], "object", "{}", tool.name);
        assert_eq!(tool.input_schema()["additionalProperties"], false, "{} refuses unknown arguments", tool.name);
        assert_eq!(tool.output_schema()["type"], "object", "{}", tool.name);
        for (side, schema) in [("input", tool.input_schema()), ("output", tool.output_schema())] {
            let mut missing = Vec::new();
            undescribed(schema, side, &mut missing);
            assert!(missing.is_empty(), "{}: no description of {missing:?}", tool.name);
        }
    }
}

fn undescribed(schema: &Value, path: &str, missing: &mut Vec<String>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        // The tag of a tagged union says itself what it is.
        if property["description"].as_str().is_none_or(str::is_empty) && property.get("const").is_none() {
            missing.push(path.clone());
        }
        undescribed(property, &path, missing);
    }
    for key in ["items", "additionalProperties"] {
        if schema[key].is_object() {
            undescribed(&schema[key], path, missing);
        }
    }
    for variant in ["anyOf", "oneOf"].iter().filter_map(|key| schema[*key].as_array()).flatten() {
        undescribed(variant, path, missing);
    }
}

#[test]
fn schemas_hold_nothing_that_clients_trip_over() {
    let (platform, _folder) = platform();
    for tool in platform.toolbox.tools() {
        // Where any value is taken, null is one of them.
        let any = r#"{"type":"array","items":{"type":"object"}},{"type":"null"}"#;
        let input = tool.input_schema().to_string().replace(any, "");
        for word in ["$schema", "\"$ref\"", "uint", "\"null\"", "x-aliases"] {
            assert!(!input.contains(word), "{} has {word} in its input schema: {input}", tool.name);
        }
        let output = tool.output_schema().to_string();
        for word in ["$schema", "\"$ref\"", "uint", "x-aliases"] {
            assert!(!output.contains(word), "{} has {word} in its output schema", tool.name);
        }
    }
}

#[test]
fn every_tool_is_described_in_japanese_and_nothing_else_is() {
    let (platform, _folder) = platform();
    let described: BTreeSet<&str> = locales::japanese_tools().collect();
    assert_eq!(described, BTreeSet::from(TOOLS));
    for tool in platform.toolbox.tools() {
        assert_eq!(Lang::of_text(&tool.description(Lang::Ja)), Lang::Ja, "{}", tool.name);
    }
}

#[test]
fn a_wrong_name_is_told_with_the_nearest_one() {
    let fleet = Fleet::new();
    let (error, code) = fleet.error(&["tool", "load_datset"]);
    assert_eq!((error["kind"].as_str(), code), (Some("NotFound"), 4));
    assert!(error["hint"].as_str().unwrap().contains("load_dataset"));
}
