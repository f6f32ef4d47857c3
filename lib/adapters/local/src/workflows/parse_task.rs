//! Reads tasks, and what follows on the failures of states.

use mlops_core::Result;
use serde_json::Value;

use super::agents::Agents;
use super::definition::{Catcher, Handling, Retrier, Task};
use super::errors::{ALL, RESERVED};
use super::expressions::Template;
use super::fields::{Fields, refused};
use super::parse::{MOST, exit, next};

/// The resources of tasks: an agent behind a function, which answers itself or passes a token on.
const RESOURCE: &str = "arn:aws:states:::lambda:invoke";
const WITH_TOKEN: &str = "arn:aws:states:::lambda:invoke.waitForTaskToken";
/// The longest `MaxDelaySeconds` that Step Functions takes: 366 days.
const LONGEST_DELAY: u64 = 31_622_400;

pub(crate) fn task(fields: &mut Fields<'_>, agents: &Agents) -> Result<Task> {
    let resource = fields.required_text("Resource")?;
    if resource != RESOURCE && resource != WITH_TOKEN {
        return Err(refused(&fields.path_of("Resource"), format!("is {resource}, which is not executed here"))
            .hint(format!("write {RESOURCE} or {WITH_TOKEN}")));
    }
    let waits_for_token = resource == WITH_TOKEN;
    let (value, path) = fields.required("Arguments")?;
    let mut arguments = Fields::of(value, path)?;
    let agent = agents.resolve(arguments.required_text("FunctionName")?, &arguments.path_of("FunctionName"))?;
    let (payload, path) = arguments.required("Payload")?;
    arguments.finish()?;
    let payload = Template::parse(payload, &path)?;
    if waits_for_token && !payload.expressions().iter().any(|expression| expression.source.contains("Token")) {
        return Err(refused(&path, "passes no token on, so nobody could answer")
            .hint("write {% $states.context.Task.Token %} into the payload"));
    }
    let timeout = number(fields, "TimeoutSeconds", 1)?;
    let heartbeat = if waits_for_token { number(fields, "HeartbeatSeconds", 1)? } else { None };
    if let (Some(Template::Literal(timeout)), Some(Template::Literal(heartbeat))) = (&timeout, &heartbeat)
        && heartbeat.as_u64() >= timeout.as_u64()
    {
        return Err(refused(&fields.path_of("HeartbeatSeconds"), "must be less than TimeoutSeconds"));
    }
    let handling = handling(fields)?;
    Ok(Task { agent, payload, waits_for_token, timeout, heartbeat, handling, exit: exit(fields)?, next: next(fields)? })
}

/// A whole number from `least`, or an expression that gives one.
pub(crate) fn number(fields: &mut Fields<'_>, name: &'static str, least: u64) -> Result<Option<Template>> {
    match fields.optional(name) {
        Some((value @ Value::String(_), path)) => match Template::parse(value, &path)? {
            Template::Literal(_) => Err(refused(&path, "must be a number or an expression")),
            expression => Ok(Some(expression)),
        },
        _ => Ok(fields.count(name, least..=MOST)?.map(|number| Template::Literal(number.into()))),
    }
}

/// The retriers and catchers of a state.
pub(crate) fn handling(fields: &mut Fields<'_>) -> Result<Handling> {
    Ok(Handling { retry: list(fields, "Retry", retrier)?, catch: list(fields, "Catch", catcher)? })
}

/// The items of a list of retriers, catchers or rules.
pub(crate) fn list<T>(
    fields: &mut Fields<'_>,
    name: &'static str,
    item: fn(&mut Fields<'_>) -> Result<T>,
) -> Result<Vec<T>> {
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
