//! Checks arguments against their schema and says, for each that is wrong, its path, what was expected and the
//! nearest name or value that would be right.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::reading::{self, Misread};
use crate::schema::ALIASES;
use crate::{Error, Result};

/// One thing that is wrong with an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The path of the argument, as `split.train` or `columns[2]`; empty for the arguments as a whole.
    pub path: String,
    /// What is wrong and what was expected.
    pub message: String,
    /// The nearest valid name or value.
    pub nearest: Option<String>,
}

/// The typed arguments, or an error that names every fault.
pub fn parse<T: DeserializeOwned>(schema: &Value, arguments: Value) -> Result<T> {
    let arguments = if arguments.is_null() { Value::Object(Map::new()) } else { arguments };
    let faults = check(schema, &arguments);
    if let Some(error) = into_error(&faults) {
        return Err(error);
    }
    reading::read(arguments).map_err(|Misread { path, message }| {
        let path = if path == "." { String::new() } else { path };
        let named = if path.is_empty() { message } else { format!("{path}: {message}") };
        Error::invalid_input(named).at(path)
    })
}

/// One error for all faults: it names the first in `field` and all in the message.
pub fn into_error(faults: &[Fault]) -> Option<Error> {
    let first = faults.first()?;
    let lines = faults.iter().map(|fault| match (fault.path.as_str(), &fault.nearest) {
        (_, Some(nearest)) => format!("{}; did you mean `{nearest}`?", fault.message),
        _ => fault.message.clone(),
    });
    let mut error = Error::invalid_input(lines.collect::<Vec<_>>().join(" | ")).at(first.path.clone());
    if let Some(nearest) = &first.nearest {
        error = error.hint(format!("did you mean `{nearest}`?"));
    }
    Some(error)
}

/// Every fault of the arguments under the schema, in the order of the arguments.
pub fn check(schema: &Value, arguments: &Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    walk(schema, arguments, "", &mut faults);
    faults
}

/// The candidate nearest to what was written, when it is near enough to be meant.
pub fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    let scored = candidates.into_iter().map(|candidate| {
        let lower = candidate.to_lowercase();
        let mut score = strsim::jaro_winkler(&written, &lower);
        if lower.len() > 2 && written.len() > 2 && (lower.contains(&written) || written.contains(&lower)) {
            score = score.max(0.85);
        }
        (score, candidate)
    });
    scored.filter(|(score, _)| *score >= 0.75).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, candidate)| candidate)
}

fn walk(schema: &Value, value: &Value, path: &str, faults: &mut Vec<Fault>) {
    if let Some(variants) = schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array()) {
        return walk_variants(variants, value, path, faults);
    }
    if let Some(allowed) = schema["enum"].as_array() {
        return check_enum(allowed, value, path, faults);
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !types.is_empty() && !types.iter().any(|name| has_type(value, name)) {
        let message = format!("{} must be {}, and is {}", name_of(path), article(&types), describe(value));
        faults.push(Fault { path: path.to_owned(), message, nearest: None });
        return;
    }
    check_range(schema, value, path, faults);
    match value {
        Value::Object(object) => walk_object(schema, object, path, faults),
        Value::Array(items) if schema["items"].is_object() => {
            for (index, item) in items.iter().enumerate() {
                walk(&schema["items"], item, &format!("{path}[{index}]"), faults);
            }
        }
        _ => {}
    }
}

fn walk_object(schema: &Value, object: &Map<String, Value>, path: &str, faults: &mut Vec<Fault>) {
    let empty = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&empty);
    let mut given = Vec::with_capacity(object.len());
    for (key, value) in object {
        let at = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let known = properties.get_key_value(key).or_else(|| properties.iter().find(|(_, of)| is_alias(of, key)));
        let Some((name, of)) = known else {
            match &schema["additionalProperties"] {
                Value::Bool(false) => {
                    let nearest = nearest(key, properties.keys().map(String::as_str)).map(str::to_owned);
                    let place = if path.is_empty() { String::new() } else { format!(" in `{path}`") };
                    let names = properties.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                    let message = format!("there is no argument `{key}`{place}; there are: {names}");
                    faults.push(Fault { path: at, message, nearest });
                }
                other if other.is_object() => walk(other, value, &at, faults),
                _ => {}
            }
            continue;
        };
        if given.contains(&name) {
            let message = format!("`{name}` is given twice, once as `{key}`");
            faults.push(Fault { path: at, message, nearest: None });
            continue;
        }
        given.push(name);
        let required = schema["required"].as_array().is_some_and(|names| names.iter().any(|of| of == name));
        // An optional argument that is null is one that is not given.
        if !value.is_null() || required {
            walk(of, value, &at, faults);
        }
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !given.iter().any(|given| *given == name) {
            let at = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            let text = properties.get(name).and_then(|of| of["description"].as_str()).unwrap_or_default();
            let message = format!("`{at}` is missing. {text}").trim_end().to_owned();
            faults.push(Fault { path: at, message, nearest: None });
        }
    }
}

fn walk_variants(variants: &[Value], value: &Value, path: &str, faults: &mut Vec<Fault>) {
    let tried = variants.iter().map(|variant| {
        let mut own = Vec::new();
        walk(variant, value, path, &mut own);
        own
    });
    // The variant that fits best is the one that was meant.
    if let Some(best) = tried.min_by_key(|own| (own.len(), own.iter().filter(|fault| fault.path == path).count())) {
        faults.extend(best);
    }
}

fn check_enum(allowed: &[Value], value: &Value, path: &str, faults: &mut Vec<Fault>) {
    if allowed.contains(value) {
        return;
    }
    let names = || allowed.iter().filter_map(Value::as_str);
    let nearest = value.as_str().and_then(|written| nearest(written, names())).map(str::to_owned);
    let list = allowed.iter().map(|of| of.as_str().map_or_else(|| of.to_string(), str::to_owned));
    let message =
        format!("{} must be one of {}, and is {}", name_of(path), list.collect::<Vec<_>>().join(", "), describe(value));
    faults.push(Fault { path: path.to_owned(), message, nearest });
}

fn check_range(schema: &Value, value: &Value, path: &str, faults: &mut Vec<Fault>) {
    let mut fault = |message: String| {
        faults.push(Fault { path: path.to_owned(), message: format!("{} {message}", name_of(path)), nearest: None });
    };
    if let Some(number) = value.as_f64() {
        let bound = |key: &str| schema[key].as_f64();
        if let Some(least) = bound("minimum").filter(|least| number < *least) {
            fault(format!("must be at least {least}, and is {number}"));
        }
        if let Some(most) = bound("maximum").filter(|most| number > *most) {
            fault(format!("must be at most {most}, and is {number}"));
        }
        if let Some(least) = bound("exclusiveMinimum").filter(|least| number <= *least) {
            fault(format!("must be greater than {least}, and is {number}"));
        }
        if let Some(most) = bound("exclusiveMaximum").filter(|most| number >= *most) {
            fault(format!("must be less than {most}, and is {number}"));
        }
    }
    let length = match value {
        Value::String(text) => Some((text.chars().count() as u64, "minLength", "maxLength", "characters")),
        Value::Array(items) => Some((items.len() as u64, "minItems", "maxItems", "items")),
        _ => None,
    };
    if let Some((length, least, most, unit)) = length {
        if schema[least].as_u64().is_some_and(|least| length < least) {
            fault(format!("must have at least {} {unit}, and has {length}", schema[least]));
        }
        if schema[most].as_u64().is_some_and(|most| length > most) {
            fault(format!("must have at most {} {unit}, and has {length}", schema[most]));
        }
    }
}

fn is_alias(property: &Value, key: &str) -> bool {
    property[ALIASES].as_array().is_some_and(|aliases| aliases.iter().any(|alias| alias == key))
}

fn has_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

fn name_of(path: &str) -> String {
    if path.is_empty() { "the arguments".to_owned() } else { format!("`{path}`") }
}

fn article(types: &[&str]) -> String {
    let words = types.iter().map(|name| match *name {
        "integer" | "array" | "object" => format!("an {name}"),
        _ => format!("a {name}"),
    });
    words.collect::<Vec<_>>().join(" or ").replace("a null", "null")
}

fn describe(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("an array of {} items", items.len()),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) if text.chars().count() > 60 => {
            format!("\"{}…\"", text.chars().take(60).collect::<String>())
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
#[path = "arguments_tests.rs"]
mod tests;
