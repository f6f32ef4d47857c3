//! The text of an issue: it is read or refused with a reason, and read again the same.

use std::cell::RefCell;
use std::time::Duration;

use mlops_core::{Call, ErrorKind, Result};
use mlops_github_integration::tools::TOOLS;
use serde_json::{Value, json};

use crate::edits::Input;
use crate::room::{Renewed, Room, issues};

thread_local! {
    static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    static ROOM: RefCell<Renewed<Room>> = const { RefCell::new(Renewed::new(Room::new)) };
}

fn tool(name: &str, arguments: &Value) -> Result<Value> {
    let entry = TOOLS.iter().find(|entry| entry.name == name).unwrap();
    ROOM.with_borrow_mut(|room| {
        let call = Call::new("fuzz");
        let work = (entry.run)(&room.get().github, &call, arguments.clone());
        RUNTIME.with(|runtime| runtime.block_on(work)).map(|outcome| outcome.value)
    })
}

fn holds(body: &str) {
    let arguments = json!({"body": body});
    let parsed = match tool("parse_issue_config", &arguments) {
        Ok(parsed) => parsed,
        Err(error) => {
            assert_eq!(error.kind, ErrorKind::InvalidInput, "{error}");
            assert!(!error.message.is_empty());
            return;
        }
    };
    assert_eq!(tool("parse_issue_config", &arguments).unwrap(), parsed, "the same text is the same request");
    let checked = json!({"config": parsed["config"], "lines": parsed["lines"], "check_data": false});
    let checked = tool("validate_training_params", &checked).unwrap_or_else(|error| panic!("{error}: {body}"));
    let errors = checked["errors"].as_array().unwrap();
    assert_eq!(checked["valid"], json!(errors.is_empty()));
    assert!(errors.iter().all(|error| error["message"].as_str().is_some_and(|message| !message.is_empty())));
}

#[test]
fn issue_text() {
    let samples = issues();
    for sample in &samples {
        holds(sample);
    }
    bolero::check!().with_type::<Input>().with_test_time(Duration::from_secs(2)).for_each(|input| {
        holds(&String::from_utf8_lossy(&input.bytes(&samples)));
    });
}
