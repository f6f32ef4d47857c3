//! Documentation that is generated from the tools themselves.

use std::fmt::Write as _;

use mlops_core::{Effect, Lang};

use crate::Toolbox;

/// The table of tools for the README: name, effect and first sentence, by capability.
pub fn table_of_tools(toolbox: &Toolbox) -> String {
    let mut table = String::from("| capability | tool | changes | what it does |\n|---|---|---|---|\n");
    for tool in toolbox.tools() {
        let description = tool.description(Lang::En);
        let sentence = first_sentence(&description).replace('|', "\\|");
        let changes = match tool.effect {
            Effect::Read => "nothing",
            Effect::Create => "adds",
            Effect::Update => "changes",
            Effect::Destroy => "removes",
        };
        // Writing to a string does not fail.
        let _ = writeln!(table, "| `{}` | `{}` | {changes} | {sentence} |", tool.capability, tool.name);
    }
    table
}

/// The text up to the first full stop that ends a sentence.
pub fn first_sentence(text: &str) -> &str {
    text.find(". ").map_or(text, |at| &text[..=at])
}
