//! The line on which each value of a request stands.

use std::collections::BTreeMap;

use mlops_core::masking::is_secret_key;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

/// The line of the body, counted from 1, by the path of the value: `split.train`, `notify[1]`. The empty path is
/// the request as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Lines(#[serde(serialize_with = "without_secrets")] pub BTreeMap<String, u32>);

/// A path that names a secret is left out: its line would be masked in a result, and then be no number any more.
fn without_secrets<S: Serializer>(lines: &BTreeMap<String, u32>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(lines.iter().filter(|(path, _)| !is_secret_key(path)))
}

impl Lines {
    /// The line of the value, or of the nearest value around it.
    pub fn of(&self, path: &str) -> Option<u32> {
        let mut path = path;
        loop {
            if let Some(line) = self.0.get(path) {
                return Some(*line);
            }
            if path.is_empty() {
                return None;
            }
            path = path.rfind(['.', '[']).map_or("", |at| &path[..at]);
        }
    }

    /// Sets the line of a value.
    pub(crate) fn set(&mut self, path: impl Into<String>, line: u32) {
        self.0.insert(path.into(), line);
    }
}

/// The path of a member.
pub(crate) fn member(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_without_a_line_has_that_of_the_value_around_it() {
        let mut lines = Lines::default();
        lines.set("", 3);
        lines.set("split", 7);
        lines.set("notify[0]", 9);
        assert_eq!(lines.of("split.train"), Some(7));
        assert_eq!(lines.of("notify[0]"), Some(9));
        assert_eq!(lines.of("target_column"), Some(3));
        assert_eq!(Lines::default().of("a.b[2].c"), None);
        lines.set("notify.password", 11);
        assert_eq!(lines.of("notify.password"), Some(11));
        let written = serde_json::to_value(&lines).unwrap();
        assert_eq!(written, serde_json::json!({"": 3, "notify[0]": 9, "split": 7}));
    }
}
