//! The state machines against the agents and the errors that there are.

use std::collections::BTreeSet;

use mlops_core::ErrorKind;
use serde_json::Value;

use crate::fleet::Fleet;
use crate::workspace::{files, platform};

fn machines() -> Vec<(String, Value)> {
    let found = files(&Fleet::repository().join("statemachine"), ".asl.json");
    assert!(!found.is_empty());
    let read = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        (path.display().to_string(), serde_json::from_str(&text).unwrap())
    };
    found.iter().map(read).collect()
}

fn states(machine: &Value) -> impl Iterator<Item = (&String, &Value)> {
    machine["States"].as_object().unwrap().iter()
}

#[test]
fn every_task_has_an_agent_and_every_agent_has_a_task() {
    let (platform, _folder) = platform();
    let mut used = BTreeSet::new();
    for (file, machine) in machines() {
        for (name, state) in states(&machine).filter(|(_, state)| state["Type"] == "Task") {
            let function = state["Arguments"]["FunctionName"].as_str().unwrap_or_default();
            let agent = function.trim_start_matches("${").trim_end_matches("FunctionArn}");
            let agent = platform.agent(&snake_case(agent)).unwrap_or_else(|error| panic!("{file}: {name}: {error}"));
            used.insert(agent.name());
        }
    }
    assert_eq!(used, platform.agent_names().into_iter().collect());
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(character.to_lowercase());
    }
    snake
}

#[test]
fn every_error_that_is_caught_or_retried_is_a_kind_and_only_transient_kinds_are_retried() {
    for (file, machine) in machines() {
        for (name, state) in states(&machine) {
            for (key, retried) in [("Retry", true), ("Catch", false)] {
                for rule in state[key].as_array().into_iter().flatten() {
                    for error in rule["ErrorEquals"].as_array().unwrap() {
                        let error = error.as_str().unwrap();
                        // `Sandbox.Timedout` is what Lambda calls a function that did not answer in its time.
                        let known = ["States.", "Lambda.", "Sandbox."].iter().any(|family| error.starts_with(family));
                        let kind = ErrorKind::from_name(error);
                        assert!(known || kind.is_some(), "{file}: {name}: {error} is no kind");
                        assert!(!retried || kind.is_none_or(ErrorKind::is_transient), "{file}: {name} retries {error}");
                    }
                }
            }
        }
    }
}

#[test]
fn every_task_has_a_timeout_a_retry_and_a_way_to_the_history() {
    for (file, machine) in machines() {
        for (name, state) in states(&machine).filter(|(_, state)| state["Type"] == "Task") {
            for key in ["TimeoutSeconds", "Retry", "Catch"] {
                assert!(!state[key].is_null(), "{file}: {name} has no {key}");
            }
        }
    }
}
