//! `mlops tools`: what tools there are.

use mlops_host::documentation::first_sentence;
use serde_json::{Value, json};

use crate::output::say;
use crate::{Platform, output};

/// Lists the tools by capability.
pub(crate) fn run(platform: &Platform, json: bool) {
    let lang = platform.settings.lang;
    let tools = platform.toolbox.tools();
    if json {
        let tools: Vec<Value> = tools.iter().map(|tool| tool.to_value(lang)).collect();
        output::json(&json!({"tools": tools}));
        return;
    }
    let mut capability = "";
    for tool in tools {
        if tool.capability != capability {
            capability = tool.capability;
            say!("{capability}");
        }
        let description = tool.description(lang);
        say!("  {:<30} {}", tool.name, first_sentence(&description));
    }
}
