//! Reads a definition into a state machine and refuses everything that is not executed here.

use std::collections::BTreeMap;
use std::time::Duration;

use mlops_core::Result;
use serde_json::Value;

use super::definition::{Catcher, Choice, Exit, Machine, Next, Pass, Retrier, Rule, State, Task};
use super::errors::{ALL, RESERVED};
use super::expressions::{Expression, Template};
use super::fields::{Fields, below, refused};
use super::validate::{Agents, validate};

/// The one resource of tasks: an agent behind a function.
const RESOURCE: &str = "arn:aws:states:::lambda:invoke";
/// The longest time and the most attempts that Step Functions takes.
const MOST: u64 = 99_999_999;
/// The longest `MaxDelaySeconds` that Step Functions takes: 366 days.
const LONGEST_DELAY: u64 = 31_622_400;
/// The longest name of a state or a variable, in characters.
const LONGEST_NAME: usize = 80;

/// The state machine of a definition. Every error names the place in `field`.
pub(crate) fn machine(definition: &Value, agents: &Agents) -> Result<Machine> {
    let mut fields = Fields::of(definition, "")?;
    fields.text("Comment")?;
    let language = fields.required_text("QueryLanguage")?;
    require_jsonata(language, "QueryLanguage")?;
    let start_at = fields.required_text("StartAt")?.to_owned();
    let timeout = fields.count("TimeoutSeconds", 1..=MOST)?.map(Duration::from_secs);
    let (states, path) = fields.required("States")?;
    fields.finish()?;
    let states = states.as_object().ok_or_else(|| refused(&path, "must be an object"))?;
    let mut machine = Machine { start_at, timeout, states: BTreeMap::new() };
    for (name, value) in states {
        let path = below(&path, name);
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(refused(&path, format!("must have a name of 1 to {LONGEST_NAME} characters")));
        }
        machine.states.insert(name.clone(), state(value, path, agents)?);
    }
    validate(&machine)?;
    Ok(machine)
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
        "Pass" => State::Pass(Pass { exit: exit(&mut fields)?, next: next(&mut fields)? }),
        "Succeed" => State::Succeed { output: template(&mut fields, "Output")? },
        "Fail" => State::Fail { error: text(&mut fields, "Error")?, cause: text(&mut fields, "Cause")? },
        other => {
            return Err(refused(&fields.path_of("Type"), format!("is {other}, which is not executed here"))
                .hint("there are: Task, Choice, Pass, Succeed, Fail"));
        }
    };
    fields.finish()?;
    Ok(state)
}

fn task(fields: &mut Fields<'_>, agents: &Agents) -> Result<Task> {
    let resource = fields.required_text("Resource")?;
    if resource != RESOURCE {
        return Err(refused(&fields.path_of("Resource"), format!("is {resource}, which is not executed here"))
            .hint(format!("write {RESOURCE}")));
    }
    let (value, path) = fields.required("Arguments")?;
    let mut arguments = Fields::of(value, path)?;
    let agent = agents.resolve(arguments.required_text("FunctionName")?, &arguments.path_of("FunctionName"))?;
    let (payload, path) = arguments.required("Payload")?;
    arguments.finish()?;
    let payload = Template::parse(payload, &path)?;
    let timeout = match fields.optional("TimeoutSeconds") {
        Some((value @ Value::String(_), path)) => match Template::parse(value, &path)? {
            Template::Literal(_) => return Err(refused(&path, "must be a number or an expression")),
            expression => Some(expression),
        },
        _ => fields.count("TimeoutSeconds", 1..=MOST)?.map(|seconds| Template::Literal(seconds.into())),
    };
    Ok(Task {
        agent,
        payload,
        timeout,
        retry: list(fields, "Retry", retrier)?,
        catch: list(fields, "Catch", catcher)?,
        exit: exit(fields)?,
        next: next(fields)?,
    })
}

fn list<T>(fields: &mut Fields<'_>, name: &'static str, item: fn(&mut Fields<'_>) -> Result<T>) -> Result<Vec<T>> {
    let items = fields.list(name)?;
    let last = items.len().saturating_sub(1);
    let items = items.into_iter().enumerate().map(|(index, (value, path))| {
        let all = value["ErrorEquals"].as_array().is_some_and(|names| names.iter().any(|name| name == ALL));
        if all && index != last {
            return Err(refused(&format!("{path}.ErrorEquals"), "names States.ALL, which must come last"));
        }
        let mut fields = Fields::of(value, path)?;
        fields.text("Comment")?;
        let item = item(&mut fields)?;
        fields.finish()?;
        Ok(item)
    });
    items.collect()
}

fn retrier(fields: &mut Fields<'_>) -> Result<Retrier> {
    let errors = errors(fields)?;
    let interval = fields.count("IntervalSeconds", 1..=MOST)?.unwrap_or(1);
    let attempts = fields.count("MaxAttempts", 0..=MOST)?.unwrap_or(3);
    let longest = fields.count("MaxDelaySeconds", 1..=LONGEST_DELAY)?;
    if longest.is_some_and(|longest| longest <= interval) {
        return Err(refused(&fields.path_of("MaxDelaySeconds"), "must be greater than IntervalSeconds"));
    }
    let backoff = match fields.optional("BackoffRate") {
        None => 2.0,
        Some((value, path)) => match value.as_f64().filter(|rate| *rate >= 1.0) {
            Some(rate) => rate,
            None => return Err(refused(&path, "must be a number of at least 1")),
        },
    };
    let jitter = match fields.text("JitterStrategy")? {
        None | Some("NONE") => false,
        Some("FULL") => true,
        Some(other) => {
            return Err(refused(&fields.path_of("JitterStrategy"), format!("must be FULL or NONE, and is {other}")));
        }
    };
    Ok(Retrier { errors, interval, backoff, attempts, longest, jitter })
}

fn catcher(fields: &mut Fields<'_>) -> Result<Catcher> {
    Ok(Catcher { errors: errors(fields)?, exit: exit(fields)?, next: fields.required_text("Next")?.to_owned() })
}

fn errors(fields: &mut Fields<'_>) -> Result<Vec<String>> {
    let path = fields.path_of("ErrorEquals");
    let mut names = Vec::new();
    for (value, path) in fields.list("ErrorEquals")? {
        let name = value.as_str().filter(|name| !name.is_empty()).ok_or_else(|| refused(&path, "must be a name"))?;
        if name.starts_with("States.") && !RESERVED.contains(&name) {
            let known = RESERVED.join(", ");
            return Err(
                refused(&path, format!("is {name}, which no state reports")).hint(format!("there are: {known}"))
            );
        }
        names.push(name.to_owned());
    }
    if names.is_empty() {
        return Err(refused(&path, "must name an error"));
    }
    if names.len() > 1 && names.iter().any(|name| name == ALL) {
        return Err(refused(&path, "names States.ALL, which must stand alone"));
    }
    Ok(names)
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

fn exit(fields: &mut Fields<'_>) -> Result<Exit> {
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

fn next(fields: &mut Fields<'_>) -> Result<Next> {
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

fn template(fields: &mut Fields<'_>, name: &'static str) -> Result<Option<Template>> {
    fields.optional(name).map(|(value, path)| Template::parse(value, &path)).transpose()
}

fn text(fields: &mut Fields<'_>, name: &'static str) -> Result<Option<Template>> {
    fields.text(name)?;
    template(fields, name)
}
