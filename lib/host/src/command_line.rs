//! The arguments of `mlops tool NAME`, in every way that people and programs write them.

use mlops_core::{Error, Result};
use serde_json::{Map, Value};

/// Where the text of a file or of the standard input comes from.
pub trait Texts {
    /// The text of a file.
    fn file(&mut self, path: &str) -> Result<String>;
    /// All of the standard input.
    fn standard_input(&mut self) -> Result<String>;
}

/// One JSON object from the words of a command line. A word is a JSON object, `@file`, `-` (the standard input),
/// `name=value`, `--name value` or `--name=value`; a later word wins. A value that is JSON is taken as JSON unless the
/// schema asks for a string.
pub fn arguments(words: &[String], schema: &Value, texts: &mut impl Texts) -> Result<Value> {
    let mut arguments = Map::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        if word == "-" {
            merge(&mut arguments, &texts.standard_input()?, "the standard input")?;
        } else if let Some(path) = word.strip_prefix('@') {
            merge(&mut arguments, &texts.file(path)?, path)?;
        } else if word.trim_start().starts_with('{') {
            merge(&mut arguments, word, "the argument")?;
        } else if let Some(flag) = word.strip_prefix("--") {
            let (name, value) = match flag.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (flag, None),
            };
            let name = name.replace('-', "_");
            let of = &schema["properties"][&name];
            let value = match value {
                Some(value) => value,
                // A flag that is a boolean needs no value.
                None if of["type"] == "boolean" => "true".to_owned(),
                None => rest
                    .next()
                    .cloned()
                    .ok_or_else(|| Error::invalid_input(format!("--{name} needs a value")).at(name.clone()))?,
            };
            // Whole objects may come under the usual names of such an option.
            if of.is_null() && matches!(name.as_str(), "args" | "arguments" | "json" | "input") {
                let text = match value.as_str() {
                    "-" => texts.standard_input()?,
                    text if text.trim_start().starts_with('{') => text.to_owned(),
                    path => texts.file(path.trim_start_matches('@'))?,
                };
                merge(&mut arguments, &text, &format!("--{name}"))?;
            } else {
                match (typed(&value, of), arguments.get_mut(&name)) {
                    // A list may be given a flag at a time.
                    (Value::Array(more), Some(Value::Array(items))) => items.extend(more),
                    (value, _) => {
                        arguments.insert(name, value);
                    }
                }
            }
        } else if let Some((name, value)) = word.split_once('=') {
            arguments.insert(name.to_owned(), typed(value, &schema["properties"][name]));
        } else {
            return Err(Error::invalid_input(format!("`{word}` is not an argument"))
                .hint("write a JSON object, @file, -, name=value or --name value"));
        }
    }
    Ok(Value::Object(arguments))
}

fn merge(arguments: &mut Map<String, Value>, text: &str, from: &str) -> Result<()> {
    let value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| {
        Error::invalid_input(format!("{from} is not JSON: {error}")).hint("the arguments are one JSON object")
    })?;
    let Value::Object(object) = value else {
        return Err(Error::invalid_input(format!("{from} is JSON, but not an object")));
    };
    arguments.extend(object);
    Ok(())
}

fn typed(text: &str, schema: &Value) -> Value {
    if schema["type"] == "string" || schema["enum"].is_array() {
        return Value::String(text.to_owned());
    }
    if schema["type"] == "array" && !text.trim_start().starts_with('[') {
        let items = text.split(',').map(|item| typed(item.trim(), &schema["items"]));
        return Value::Array(items.collect());
    }
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct Fixed;

    impl Texts for Fixed {
        fn file(&mut self, path: &str) -> Result<String> {
            if path == "a.json" { Ok(r#"{"uri": "file.csv"}"#.to_owned()) } else { Err(Error::not_found(path)) }
        }

        fn standard_input(&mut self) -> Result<String> {
            Ok(r#"{"limit": 3}"#.to_owned())
        }
    }

    fn parse(words: &[&str]) -> Result<Value> {
        let schema = json!({"properties": {
            "uri": {"type": "string"}, "limit": {"type": "integer"}, "dry_run": {"type": "boolean"},
            "columns": {"type": "array", "items": {"type": "string"}}, "config": {"type": "object"}}});
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        arguments(&words, &schema, &mut Fixed)
    }

    #[test]
    fn every_spelling_gives_the_same_arguments() {
        let expected = json!({"uri": "1.csv", "limit": 3});
        for words in [
            vec![r#"{"uri": "1.csv", "limit": 3}"#],
            vec!["uri=1.csv", "limit=3"],
            vec!["--uri", "1.csv", "--limit=3"],
            vec!["-", "uri=1.csv"],
            vec!["@a.json", "--limit", "3", "--uri=1.csv"],
            vec!["--args", r#"{"uri": "1.csv"}"#, "--input", "-"],
        ] {
            assert_eq!(parse(&words).unwrap(), expected, "{words:?}");
        }
    }

    #[test]
    fn values_have_the_type_of_the_schema() {
        let words = ["uri=12", "--columns", "a", "--columns=2", "--dry-run", r#"config={"a": 1}"#];
        let parsed = parse(&words).unwrap();
        assert_eq!(parsed, json!({"uri": "12", "columns": ["a", "2"], "dry_run": true, "config": {"a": 1}}));
    }

    #[test]
    fn what_is_no_argument_is_refused() {
        for words in [vec!["file.csv"], vec!["--limit"], vec!["@b.json"], vec!["{"], vec!["--args", "[1]"]] {
            assert!(parse(&words).is_err(), "{words:?}");
        }
    }
}
