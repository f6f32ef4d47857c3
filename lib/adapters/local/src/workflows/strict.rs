//! JSON in which no name is given twice.

use std::fmt;

use mlops_core::{Error, Result};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The largest definition that Step Functions takes, in bytes.
const LARGEST: usize = 1024 * 1024;

/// A value whose objects name nothing twice.
struct Unique(Value);

/// The value of a definition's text.
pub(crate) fn parse(text: &str) -> Result<Value> {
    if text.len() > LARGEST {
        return Err(Error::invalid_input(format!("the definition has {} bytes", text.len()))
            .hint(format!("a definition has at most {LARGEST} bytes")));
    }
    let unique: Unique = serde_json::from_str(text)
        .map_err(|error| Error::invalid_input(format!("the definition is not JSON: {error}")))?;
    Ok(unique.0)
}

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor).map(Self)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Unique(item)) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom(format!("`{name}` is given twice")));
            }
            let Unique(value) = entries.next_value()?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_given_twice_is_refused() {
        let text = r#"{"a": [1, -2, 0.5, true, null, "x", {"b": 1}]}"#;
        assert_eq!(parse(text).unwrap().to_string(), text.replace(": ", ":").replace(", ", ","));
        let error = parse(r#"{"States": {"A": 1, "A": 2}}"#).unwrap_err();
        assert!(error.message.contains("`A` is given twice"), "{}", error.message);
        for hostile in ["", "{", &"[".repeat(100_000), &" ".repeat(2 << 20), "\u{feff}{}", "{} {}"] {
            parse(hostile).unwrap_err();
        }
    }
}
