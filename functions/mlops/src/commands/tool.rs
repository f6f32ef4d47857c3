//! `mlops tool`: one tool, with its result as one JSON object.

use std::path::Path;

use mlops_core::{Lang, Result};
use mlops_host::BoundTool;
use mlops_host::command_line::{Texts, arguments};
use serde_json::Value;

use crate::output::say;
use crate::{Platform, output};

struct Machine;

impl Texts for Machine {
    fn file(&mut self, path: &str) -> Result<String> {
        output::read_text(Path::new(path))
    }

    fn standard_input(&mut self) -> Result<String> {
        output::read_text(Path::new("-"))
    }
}

/// Calls the tool and prints its structured result.
pub(crate) async fn run(platform: &Platform, name: &str, words: &[String]) -> Result<()> {
    let tool = platform.toolbox.find(name)?;
    if words.iter().any(|word| word == "--help" || word == "-h") {
        help(tool, platform.settings.lang);
        return Ok(());
    }
    let arguments = arguments(words, tool.input_schema(), &mut Machine)?;
    let outcome = tool.call(platform.call("cli"), arguments).await?;
    output::json(&outcome.value);
    platform.finish_started_runs().await;
    Ok(())
}

/// The tool's arguments, from its schema.
fn help(tool: &BoundTool, lang: Lang) {
    say!("{}\n\nUsage: mlops tool {} [ARGUMENTS]\n\nArguments:", tool.description(lang), tool.name);
    let required = tool.input_schema()["required"].as_array();
    for (name, schema) in tool.input_schema()["properties"].as_object().into_iter().flatten() {
        let needed = required.is_some_and(|names| names.iter().any(|of| of == name));
        let kind = schema["type"].as_str().unwrap_or("one of several types");
        let choices = schema["enum"]
            .as_array()
            .map(|values| format!(": {}", values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("|")));
        let default = schema.get("default").map(|value| format!(", default {value}"));
        let mark = if needed { ", required" } else { "" };
        say!("  {name} ({kind}{}{}{mark})", choices.unwrap_or_default(), default.unwrap_or_default());
        say!("      {}", schema["description"].as_str().unwrap_or_default());
    }
}
