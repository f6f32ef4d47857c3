//! The agents behind the functions of a definition.

use std::collections::BTreeMap;
use std::sync::Arc;

use mlops_core::arguments::nearest;
use mlops_core::{AgentHandler, Result};

use super::fields::refused;

/// The agents that tasks can call, and how the functions of a definition are named after them.
#[derive(Clone, Default)]
pub(crate) struct Agents {
    pub(crate) handlers: BTreeMap<String, Arc<dyn AgentHandler>>,
    pub(crate) substitutions: BTreeMap<String, String>,
    /// Whether an agent need not be in this process.
    pub(crate) unchecked: bool,
}

impl Agents {
    /// The agent that a `FunctionName` means: its name, or a substitution such as `${IssueDetectorFunctionArn}`, which
    /// is `issue_detector` when the substitutions do not say otherwise.
    pub(crate) fn resolve(&self, function: &str, path: &str) -> Result<String> {
        let placeholder = function.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        let agent = match placeholder {
            None => function.to_owned(),
            Some(name) => match self.substitutions.get(name) {
                Some(agent) => agent.clone(),
                None => snake_case(name.strip_suffix("FunctionArn").unwrap_or(name)),
            },
        };
        let is_name = !agent.is_empty() && agent.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if self.handlers.contains_key(&agent) || (self.unchecked && is_name) {
            return Ok(agent);
        }
        let error = refused(path, format!("is {function}, and there is no agent `{agent}`"));
        let names = || self.handlers.keys().map(String::as_str);
        Err(match nearest(&agent, names()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("there are: {}", names().collect::<Vec<_>>().join(", "))),
        })
    }
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}
