//! Reads what came from outside so that an error knows its place.

use serde::{Deserialize, Deserializer};
use serde_path_to_error::Track;

/// What could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at {path}: {message}")]
pub struct Misread {
    /// Where, as `split.train` or `columns[2]`; `.` for the whole.
    pub path: String,
    /// What is wrong there.
    pub message: String,
}

/// The value that is read from there.
///
/// The reader is reached through pointers, so that the code that follows paths is compiled once and not for every type: a
/// program with all tools is half a megabyte smaller for it.
pub fn read<'de, T: Deserialize<'de>>(from: impl Deserializer<'de>) -> Result<T, Misread> {
    let mut track = Track::new();
    let tracked = serde_path_to_error::Deserializer::new(from, &mut track);
    let result = erased_serde::deserialize(&mut <dyn erased_serde::Deserializer<'_>>::erase(tracked));
    result.map_err(|error: erased_serde::Error| Misread { path: track.path().to_string(), message: error.to_string() })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "only read")]
        parts: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    #[expect(dead_code, reason = "only read")]
    enum Inner {
        Count(u32),
        Named { name: String, more: Option<BTreeMap<String, f64>> },
    }

    #[test]
    fn an_error_names_its_place() {
        let outer = |parts: serde_json::Value| read::<Outer>(json!({ "parts": parts }));
        assert!(outer(json!([{"count": 3}, {"named": {"name": "a", "more": {"x": 1.5}}}])).is_ok());
        let error = outer(json!([{"count": 3}, {"count": -1}])).unwrap_err();
        assert!(error.path.starts_with("parts[1]") && error.message.contains("-1"), "{error}");
        let error = outer(json!([{"named": {"name": "a", "more": {"x": "y"}}}])).unwrap_err();
        assert!(error.path.ends_with("more.x") && error.message.contains("f64"), "{error}");
        let error = outer(json!([{"nemed": 1}])).unwrap_err();
        assert!(error.message.contains("nemed") && error.message.contains("named"), "{error}");
        assert_eq!(read::<Outer>(json!(7)).unwrap_err().path, ".");
        let error = read::<Outer>(&mut serde_json::Deserializer::from_str("{\"parts\": [")).unwrap_err();
        assert!(error.message.contains("line 1"), "{error}");
    }
}
