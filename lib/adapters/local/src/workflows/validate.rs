//! What must hold of a state machine as a whole.

use std::collections::BTreeSet;

use mlops_core::Result;
use mlops_core::arguments::nearest;

use super::definition::{Flow, State};
use super::expressions::{Expression, Template, is_function};
use super::fields::{below, refused};
use super::functions::is_added;
use super::names::Names;

/// Every transition leads to a state, every state can be reached, every name in an expression is known, and no name is
/// given to two states.
pub(crate) fn validate(flow: &Flow) -> Result<()> {
    every_flow(flow, &BTreeSet::new(), &mut BTreeSet::new())
}

fn every_flow<'a>(flow: &'a Flow, outside: &BTreeSet<&'a str>, states: &mut BTreeSet<&'a str>) -> Result<()> {
    transitions(flow)?;
    for name in flow.states.keys() {
        if !states.insert(name) {
            let path = below(&below(&flow.path, "States"), name);
            return Err(refused(&path, "has the name of another state").hint("a name is of one state of the machine"));
        }
    }
    let exits = flow.states.iter().flat_map(|(name, state)| state.exits().into_iter().map(move |exit| (name, exit)));
    let mut variables = BTreeSet::new();
    for (state, (name, _)) in exits.flat_map(|(state, exit)| exit.assign.iter().map(move |assign| (state, assign))) {
        if outside.contains(name.as_str()) {
            let path = below(&below(&flow.path, "States"), state);
            return Err(refused(&path, format!("assigns ${name}, which is assigned outside of the branch or item"))
                .hint("a branch or item sees the variables outside and gives its results as output"));
        }
        variables.insert(name.as_str());
    }
    variables.extend(outside);
    names_are_known(flow, &variables)?;
    for state in flow.states.values() {
        for (inner, sees) in state.flows() {
            let nothing = BTreeSet::new();
            every_flow(inner, if sees { &variables } else { &nothing }, states)?;
        }
    }
    Ok(())
}

fn transitions(flow: &Flow) -> Result<()> {
    let path = below(&flow.path, "States");
    let known = |name: &str| flow.states.contains_key(name);
    let missing = |path: &str, name: &str| {
        let error = refused(path, format!("leads to `{name}`, and there is no such state"));
        match nearest(name, flow.states.keys().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error,
        }
    };
    if !known(&flow.start_at) {
        return Err(missing(&below(&flow.path, "StartAt"), &flow.start_at));
    }
    for (name, state) in &flow.states {
        if let Some(target) = state.targets().into_iter().find(|target| !known(target)) {
            return Err(missing(&below(&path, name), target));
        }
    }
    let mut reached = BTreeSet::new();
    let mut open = vec![flow.start_at.as_str()];
    while let Some(name) = open.pop() {
        if reached.insert(name) {
            open.extend(flow.states.get(name).into_iter().flat_map(State::targets));
        }
    }
    match flow.states.keys().find(|name| !reached.contains(name.as_str())) {
        Some(name) => Err(refused(&below(&path, name), "is never reached")),
        None => Ok(()),
    }
}

fn names_are_known(flow: &Flow, variables: &BTreeSet<&str>) -> Result<()> {
    for state in flow.states.values() {
        let mut expressions: Vec<&Expression> = state.templates().into_iter().flat_map(Template::expressions).collect();
        if let State::Choice(choice) = state {
            expressions.extend(choice.rules.iter().map(|rule| &rule.condition));
        }
        for expression in expressions {
            for name in Names::of(&expression.tree)?.used {
                if name == "eval" {
                    return Err(refused(&expression.path, "calls $eval, which Step Functions does not have"));
                }
                let is_known = name == "states" || variables.contains(name.as_str());
                if !is_known && !is_function(&name) && !is_added(&name) {
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
