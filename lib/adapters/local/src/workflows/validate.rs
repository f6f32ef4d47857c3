//! What must hold of a state machine as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mlops_core::arguments::nearest;
use mlops_core::{AgentHandler, Result};

use super::definition::{Machine, State};
use super::expressions::{Expression, Template, is_function};
use super::fields::{below, refused};
use super::names::Names;

/// The agents that tasks can call, and how the functions of a definition are named after them.
#[derive(Clone, Default)]
pub(crate) struct Agents {
    pub(crate) handlers: BTreeMap<String, Arc<dyn AgentHandler>>,
    pub(crate) substitutions: BTreeMap<String, String>,
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
        if self.handlers.contains_key(&agent) {
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

/// Every transition leads to a state, every state can be reached, and every name in an expression is known.
pub(crate) fn validate(machine: &Machine) -> Result<()> {
    let known = |name: &str| machine.states.contains_key(name);
    let missing = |path: &str, name: &str| {
        let error = refused(path, format!("leads to `{name}`, and there is no such state"));
        match nearest(name, machine.states.keys().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error,
        }
    };
    if !known(&machine.start_at) {
        return Err(missing("StartAt", &machine.start_at));
    }
    for (name, state) in &machine.states {
        if let Some(target) = state.targets().into_iter().find(|target| !known(target)) {
            return Err(missing(&below("States", name), target));
        }
    }
    let mut reached = BTreeSet::new();
    let mut open = vec![machine.start_at.as_str()];
    while let Some(name) = open.pop() {
        if reached.insert(name) {
            open.extend(machine.states.get(name).into_iter().flat_map(State::targets));
        }
    }
    if let Some(name) = machine.states.keys().find(|name| !reached.contains(name.as_str())) {
        return Err(refused(&below("States", name), "is never reached"));
    }
    names_are_known(machine)
}

fn names_are_known(machine: &Machine) -> Result<()> {
    let exits = machine.states.values().flat_map(State::exits);
    let variables: BTreeSet<&str> = exits.flat_map(|exit| exit.assign.iter().map(|(name, _)| name.as_str())).collect();
    for state in machine.states.values() {
        let mut expressions: Vec<&Expression> = state.templates().into_iter().flat_map(Template::expressions).collect();
        if let State::Choice(choice) = state {
            expressions.extend(choice.rules.iter().map(|rule| &rule.condition));
        }
        for expression in expressions {
            for name in Names::of(&expression.tree)?.used {
                if name == "eval" {
                    return Err(refused(&expression.path, "calls $eval, which Step Functions does not have"));
                }
                let is_known = matches!(name.as_str(), "states" | "parse") || variables.contains(name.as_str());
                if !is_known && !is_function(&name) {
                    let error = refused(&expression.path, format!("names ${name}, which nothing assigns"));
                    return Err(match nearest(&name, variables.iter().copied()) {
                        Some(near) => error.hint(format!("did you mean ${near}?")),
                        None => error,
                    });
                }
            }
        }
    }
    Ok(())
}
