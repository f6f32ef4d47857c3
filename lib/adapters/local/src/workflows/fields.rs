//! Reads an object of a definition field by field and refuses what nobody read.

use mlops_core::arguments::nearest;
use mlops_core::{Error, Result};
use serde_json::{Map, Value};

/// Fields that only the other query language has, and what to write instead.
const JSON_PATH: [(&str, &str); 8] = [
    ("InputPath", "Arguments or Output"),
    ("OutputPath", "Output"),
    ("ResultPath", "Output"),
    ("ResultSelector", "Output"),
    ("Parameters", "Arguments"),
    ("Variable", "Condition"),
    ("ErrorPath", "Error"),
    ("CausePath", "Cause"),
];

/// An object of a definition that is being read.
pub(crate) struct Fields<'a> {
    path: String,
    object: &'a Map<String, Value>,
    known: Vec<&'static str>,
}

/// The error of something in a definition that is wrong.
pub(crate) fn refused(path: &str, what: impl std::fmt::Display) -> Error {
    let place = if path.is_empty() { "the definition".to_owned() } else { path.to_owned() };
    Error::invalid_input(format!("{place} {what}")).at(path)
}

/// The path of a field.
pub(crate) fn below(path: &str, name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    match (plain, path.is_empty()) {
        (true, true) => name.to_owned(),
        (true, false) => format!("{path}.{name}"),
        (false, _) => format!("{path}[{name:?}]"),
    }
}

impl<'a> Fields<'a> {
    /// The fields of an object at that path.
    pub(crate) fn of(value: &'a Value, path: impl Into<String>) -> Result<Self> {
        let path = path.into();
        match value.as_object() {
            Some(object) => Ok(Self { path, object, known: Vec::new() }),
            None => Err(refused(&path, "must be an object")),
        }
    }

    /// The path of this object.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The path of a field of this object.
    pub(crate) fn path_of(&self, name: &str) -> String {
        below(&self.path, name)
    }

    /// The error of this object as a whole.
    pub(crate) fn refused(&self, what: impl std::fmt::Display) -> Error {
        refused(&self.path, what)
    }

    /// A field that need not be there.
    pub(crate) fn optional(&mut self, name: &'static str) -> Option<(&'a Value, String)> {
        self.known.push(name);
        self.object.get(name).map(|value| (value, self.path_of(name)))
    }

    /// A field that must be there.
    pub(crate) fn required(&mut self, name: &'static str) -> Result<(&'a Value, String)> {
        self.optional(name).ok_or_else(|| refused(&self.path_of(name), "is missing"))
    }

    /// A text that need not be there.
    pub(crate) fn text(&mut self, name: &'static str) -> Result<Option<&'a str>> {
        let Some((value, path)) = self.optional(name) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| refused(&path, "must be a text"))
    }

    /// A text that must be there.
    pub(crate) fn required_text(&mut self, name: &'static str) -> Result<&'a str> {
        let (value, path) = self.required(name)?;
        value.as_str().ok_or_else(|| refused(&path, "must be a text"))
    }

    /// A whole number in that range.
    pub(crate) fn count(&mut self, name: &'static str, range: std::ops::RangeInclusive<u64>) -> Result<Option<u64>> {
        let Some((value, path)) = self.optional(name) else { return Ok(None) };
        match value.as_u64().filter(|count| range.contains(count)) {
            Some(count) => Ok(Some(count)),
            None => Err(refused(&path, format!("must be a whole number from {} to {}", range.start(), range.end()))),
        }
    }

    /// The items of a list, each with its path; none when the list is not there.
    pub(crate) fn list(&mut self, name: &'static str) -> Result<Vec<(&'a Value, String)>> {
        let Some((value, path)) = self.optional(name) else { return Ok(Vec::new()) };
        let items = value.as_array().ok_or_else(|| refused(&path, "must be a list"))?;
        Ok(items.iter().enumerate().map(|(index, item)| (item, format!("{path}[{index}]"))).collect())
    }

    /// Refuses the fields that nobody asked for.
    pub(crate) fn finish(self) -> Result<()> {
        let Some(unknown) = self.object.keys().find(|name| !self.known.contains(&name.as_str())) else { return Ok(()) };
        let error = refused(&self.path_of(unknown), "is not executed here");
        if let Some((_, instead)) = JSON_PATH.iter().find(|(name, _)| name == unknown) {
            return Err(error.hint(format!("it belongs to JSONPath; in JSONata write {instead}")));
        }
        Err(match nearest(unknown, self.known.iter().copied()) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error.hint(format!("there are: {}", self.known.join(", "))),
        })
    }
}
