//! What is found while a request is checked: errors, notices and the defaults that were filled in.

use mlops_core::{ErrorKind, Lang};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::markup::Lines;

/// The most names that a line for people lists.
const MOST_LISTED: usize = 20;

/// One thing in a request that must be corrected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigError {
    /// The kind: `InvalidInput`, or that with which the data could not be read, such as `NotFound`.
    pub kind: ErrorKind,
    /// The path of the value, as `split.train` or `notify[1]`.
    pub path: String,
    /// The line of the body, counted from 1; null when it is not known.
    pub line: Option<u32>,
    /// What is wrong, in the language of the call.
    pub message: String,
    /// The names or values that would be right, when they can be listed.
    pub allowed: Vec<String>,
    /// The nearest name or value that would be right.
    pub suggestion: Option<String>,
}

/// One thing that a reader of the request should know, although it stands in nobody's way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// The path of the value that it is about; empty for the request as a whole.
    pub path: String,
    /// The line of the body, counted from 1; null when it is not known.
    pub line: Option<u32>,
    /// What there is to know, in the language of the call.
    pub message: String,
}

/// A value that the request left to its default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DefaultApplied {
    /// The path of the value.
    pub path: String,
    /// The value that holds.
    pub value: Value,
}

/// Collects what is found.
#[derive(Debug)]
pub(crate) struct Findings<'a> {
    pub(crate) lang: Lang,
    lines: &'a Lines,
    pub(crate) errors: Vec<ConfigError>,
    pub(crate) warnings: Vec<Notice>,
    pub(crate) defaults: Vec<DefaultApplied>,
}

impl<'a> Findings<'a> {
    pub(crate) fn new(lang: Lang, lines: &'a Lines) -> Self {
        Self { lang, lines, errors: Vec::new(), warnings: Vec::new(), defaults: Vec::new() }
    }

    /// Adds an error, to which allowed values and a suggestion can be given.
    pub(crate) fn error(&mut self, path: impl Into<String>, message: impl Into<String>) -> &mut ConfigError {
        let path = path.into();
        let error = ConfigError {
            kind: ErrorKind::InvalidInput,
            line: self.lines.of(&path),
            path,
            message: message.into(),
            allowed: Vec::new(),
            suggestion: None,
        };
        // Indexing is safe: the error was pushed on the line before.
        self.errors.push(error);
        let last = self.errors.len() - 1;
        &mut self.errors[last]
    }

    pub(crate) fn warn(&mut self, path: impl Into<String>, message: impl Into<String>) {
        let path = path.into();
        self.warnings.push(Notice { line: self.lines.of(&path), path, message: message.into() });
    }

    /// Notes a default and gives it back.
    pub(crate) fn default<T: Into<Value>>(&mut self, path: impl Into<String>, value: T) -> Value {
        let value = value.into();
        self.defaults.push(DefaultApplied { path: path.into(), value: value.clone() });
        value
    }
}

impl ConfigError {
    pub(crate) fn allowing<S: Into<String>>(&mut self, allowed: impl IntoIterator<Item = S>) -> &mut Self {
        self.allowed = allowed.into_iter().map(Into::into).collect();
        self
    }

    pub(crate) fn suggesting(&mut self, suggestion: Option<impl Into<String>>) -> &mut Self {
        self.suggestion = suggestion.map(Into::into);
        self
    }

    pub(crate) fn of_kind(&mut self, kind: ErrorKind) -> &mut Self {
        self.kind = kind;
        self
    }

    /// The error as one line for people: where, what, and what was probably meant or would be right.
    pub fn to_line(&self, source_name: &str, lang: Lang) -> String {
        let place = self.line.map_or_else(|| source_name.to_owned(), |line| format!("{source_name}:{line}"));
        let mut text = format!("{place}: {}", self.message);
        if let Some(suggestion) = &self.suggestion {
            text.push_str(&say!(lang, "; did you mean `{suggestion}`?", "。`{suggestion}` のことですか"));
        } else if self.allowed.first().is_some_and(|first| !self.message.contains(first)) {
            let listed = self.allowed.iter().take(MOST_LISTED).cloned().collect::<Vec<_>>().join(", ");
            let more = if self.allowed.len() > MOST_LISTED { ", …" } else { "" };
            text.push_str(&say!(lang, "; there are: {listed}{more}", "。使えるもの: {listed}{more}"));
        }
        text
    }
}

impl Notice {
    /// The notice as one line for people.
    pub fn to_line(&self, source_name: &str) -> String {
        let place = self.line.map_or_else(|| source_name.to_owned(), |line| format!("{source_name}:{line}"));
        format!("{place}: {}", self.message)
    }
}
