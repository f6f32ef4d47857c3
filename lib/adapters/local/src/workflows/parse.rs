//! Reads a definition into a state machine and refuses everything that is not executed here.

use std::collections::BTreeMap;
use std::time::Duration;

use mlops_core::Result;
use serde_json::Value;

use super::agents::Agents;
use super::definition::{Choice, Exit, Flow, Machine, Next, Pass, Rule, State};
use super::expressions::{Expression, Template};
use super::fields::{Fields, below, refused};
use super::parse_fan::{mapping, parallel, wait};
use super::parse_task::{list, task};
use super::validate::validate;

/// The longest time and the most attempts that Step Functions takes.
pub(crate) const MOST: u64 = 99_999_999;
/// The longest name of a state or a variable, in characters.
const LONGEST_NAME: usize = 80;

/// The state machine of a definition. Every error names the place in `field`.
pub(crate) fn machine(definition: &Value, agents: &Agents) -> Result<Machine> {
    let mut fields = Fields::of(definition, "")?;
    fields.text("Comment")?;
    let language = fields.required_text("QueryLanguage")?;
    require_jsonata(language, "QueryLanguage")?;
    let timeout = fields.count("TimeoutSeconds", 1..=MOST)?.map(Duration::from_secs);
    let flow = flow(&mut fields, agents)?;
    fields.finish()?;
    validate(&flow)?;
    Ok(Machine { timeout, flow })
}

/// The states that one thread of control walks. The caller finishes the fields.
pub(crate) fn flow(fields: &mut Fields<'_>, agents: &Agents) -> Result<Flow> {
    let start_at = fields.required_text("StartAt")?.to_owned();
    let (states, path) = fields.required("States")?;
    let states = states.as_object().ok_or_else(|| refused(&path, "must be an object"))?;
    let mut flow = Flow { start_at, states: BTreeMap::new(), path: fields.path().to_owned() };
    for (name, value) in states {
        let path = below(&path, name);
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(refused(&path, format!("must have a name of 1 to {LONGEST_NAME} characters")));
        }
        flow.states.insert(name.clone(), state(value, path, agents)?);
    }
    Ok(flow)
}

fn require_jsonata(language: &str, path: &str) -> Result<()> {
    if language == "JSONata" {
        return Ok(());
    }
    Err(refused(path, format!("must be JSONata, and is {language}")))
}

fn state(value: &Value, path: String, agents: &Agents) -> Result<State> {
    let mut fields = Fields::of(value, path)?;
    fields.text("Comment")?;
    if let Some(language) = fields.text("QueryLanguage")? {
        require_jsonata(language, &fields.path_of("QueryLanguage"))?;
    }
    let state = match fields.required_text("Type")? {
        "Task" => State::Task(Box::new(task(&mut fields, agents)?)),
        "Choice" => State::Choice(choice(&mut fields)?),
        "Wait" => State::Wait(wait(&mut fields)?),
        "Parallel" => State::Parallel(Box::new(parallel(&mut fields, agents)?)),
        "Map" => State::Map(Box::new(mapping(&mut fields, agents)?)),
        "Pass" => State::Pass(Pass { exit: exit(&mut fields)?, next: next(&mut fields)? }),
        "Succeed" => State::Succeed { output: template(&mut fields, "Output")? },
        "Fail" => State::Fail { error: text(&mut fields, "Error")?, cause: text(&mut fields, "Cause")? },
        other => {
            return Err(refused(&fields.path_of("Type"), format!("is {other}, which is not executed here"))
                .hint("there are: Task, Choice, Pass, Wait, Parallel, Map, Succeed, Fail"));
        }
    };
    fields.finish()?;
    Ok(state)
}

fn choice(fields: &mut Fields<'_>) -> Result<Choice> {
    for name in ["Assign", "Output"] {
        if let Some((_, path)) = fields.optional(name) {
            return Err(refused(&path, "is not executed here on a Choice state")
                .hint("write it into each rule, and let Default lead to a Pass state"));
        }
    }
    let rules = list(fields, "Choices", rule)?;
    if rules.is_empty() {
        return Err(refused(&fields.path_of("Choices"), "must have a rule"));
    }
    Ok(Choice { rules, default: fields.text("Default")?.map(str::to_owned) })
}

fn rule(fields: &mut Fields<'_>) -> Result<Rule> {
    let path = fields.path_of("Condition");
    let condition = Expression::parse(fields.required_text("Condition")?, &path)?;
    let condition = condition.ok_or_else(|| refused(&path, "must be an expression").hint("write {% … %}"))?;
    Ok(Rule { condition, exit: exit(fields)?, next: fields.required_text("Next")?.to_owned() })
}

/// What a state leaves behind.
pub(crate) fn exit(fields: &mut Fields<'_>) -> Result<Exit> {
    let output = template(fields, "Output")?;
    let mut assign = Vec::new();
    if let Some((value, path)) = fields.optional("Assign") {
        let variables = value.as_object().ok_or_else(|| refused(&path, "must be an object"))?;
        for (name, value) in variables {
            let path = below(&path, name);
            let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            let is_name = begins_well && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if !is_name || name.len() > LONGEST_NAME || name == "states" {
                return Err(refused(&path, "is not the name of a variable")
                    .hint("write letters, digits and underscores; `states` is taken"));
            }
            assign.push((name.clone(), Template::parse(value, &path)?));
        }
    }
    Ok(Exit { output, assign })
}

/// The state that follows.
pub(crate) fn next(fields: &mut Fields<'_>) -> Result<Next> {
    let end = match fields.optional("End") {
        None => false,
        Some((value, path)) => value.as_bool().ok_or_else(|| refused(&path, "must be true or false"))?,
    };
    match (fields.text("Next")?, end) {
        (Some(name), false) => Ok(Next::State(name.to_owned())),
        (None, true) => Ok(Next::End),
        (Some(_), true) => Err(fields.refused("has both Next and End")),
        (None, false) => Err(fields.refused("has neither Next nor End")),
    }
}

/// A value that can hold expressions.
pub(crate) fn template(fields: &mut Fields<'_>, name: &'static str) -> Result<Option<Template>> {
    fields.optional(name).map(|(value, path)| Template::parse(value, &path)).transpose()
}

fn text(fields: &mut Fields<'_>, name: &'static str) -> Result<Option<Template>> {
    fields.text(name)?;
    template(fields, name)
}
