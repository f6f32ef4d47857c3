//! Checks a section of a request against the schema of the tool that reads it.

use mlops_core::arguments::{self, Fault};
use mlops_core::schema::ALIASES;
use serde_json::{Map, Value, json};

use super::words;
use crate::findings::Findings;

/// The section with its own names in place of aliases and without nulls; what is wrong with it goes to the findings.
/// A section that is absent, or wrong as a whole, is empty.
pub(super) fn read(
    name: &str,
    schema: &Value,
    section: Option<&Value>,
    findings: &mut Findings<'_>,
) -> Map<String, Value> {
    let Some(section) = section else { return Map::new() };
    let whole = json!({"type": "object", "properties": {name: schema}});
    for fault in arguments::check(&whole, &json!({name: section})) {
        report(schema, section, name, fault, findings);
    }
    let Value::Object(entries) = section else { return Map::new() };
    let entries = entries.iter().filter(|(_, value)| !value.is_null());
    entries.map(|(key, value)| (own_name(schema, key).to_owned(), value.clone())).collect()
}

/// Tells one fault in the language of the call, with what would be right.
fn report(schema: &Value, section: &Value, name: &str, fault: Fault, findings: &mut Findings<'_>) {
    let lang = findings.lang;
    let Fault { path, nearest, message } = fault;
    let inside = path.strip_prefix(name).unwrap_or(&path).trim_start_matches('.');
    let found = at(section, inside);
    let (message, allowed) = match (schema_at(schema, inside), found) {
        (Some(schema), Some(found)) => {
            let allowed = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let allowed = allowed.map(str::to_owned).collect::<Vec<_>>();
            if message.contains("given twice") {
                let own = path.rsplit('.').next().unwrap_or_default().to_owned();
                let text = say!(
                    lang,
                    "`{path}` is another name of a setting that is given already; keep one of them",
                    "`{own}` は、すでに指定された設定の別名です。どちらかを消してください"
                );
                (text, allowed)
            } else {
                (words::wrong(&path, &words::expected(schema, lang), found, lang), allowed)
            }
        }
        (Some(_), None) => (words::missing(&path, lang), Vec::new()),
        (None, _) => {
            let around = inside.rfind('.').map_or("", |cut| &inside[..cut]);
            let names = schema_at(schema, around).and_then(|of| of["properties"].as_object());
            let names = names.into_iter().flat_map(|names| names.keys().cloned()).collect();
            (words::unknown(&path, lang), names)
        }
    };
    let suggestion = nearest.filter(|nearest| !message.contains(&format!("`{nearest}`")));
    findings.error(path, message).allowing(allowed).suggesting(suggestion);
}

/// The schema of the value at that path.
fn schema_at<'a>(schema: &'a Value, path: &str) -> Option<&'a Value> {
    let mut schema = schema;
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let (name, index) = part.split_once('[').map_or((part, None), |(name, index)| (name, Some(index)));
        let properties = schema["properties"].as_object();
        schema = match properties.and_then(|of| of.get(own_name(schema, name))) {
            Some(found) => found,
            None => Some(&schema["additionalProperties"]).filter(|other| other.is_object())?,
        };
        if index.is_some() {
            schema = Some(&schema["items"]).filter(|items| items.is_object())?;
        }
    }
    Some(schema)
}

/// The value at that path.
fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let mut value = value;
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let (name, indices) = part.split_once('[').map_or((part, ""), |(name, rest)| (name, rest));
        value = value.get(name)?;
        for index in indices.split(['[', ']']).filter(|index| !index.is_empty()) {
            value = value.get(index.parse::<usize>().ok()?)?;
        }
    }
    Some(value)
}

/// The name that an alias stands for.
fn own_name<'a>(schema: &'a Value, name: &'a str) -> &'a str {
    let has_alias = |of: &Value| of[ALIASES].as_array().is_some_and(|aliases| aliases.iter().any(|of| of == name));
    let properties = schema["properties"].as_object();
    if properties.is_some_and(|of| of.contains_key(name)) {
        return name;
    }
    let found = properties.and_then(|of| of.iter().find(|(_, property)| has_alias(property)));
    found.map_or(name, |(own, _)| own.as_str())
}
