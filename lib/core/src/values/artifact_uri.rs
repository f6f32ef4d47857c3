//! Where an artifact lies: `s3://bucket/key`, `file:///path` or a plain path.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A URI of an artifact, with the spelling it was given. It never holds `..`, a NUL or a backslash escape of its root.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ArtifactUri(String);

impl ArtifactUri {
    /// The URI, or `InvalidInput` saying what is wrong with it.
    pub fn new(uri: impl Into<String>) -> Result<Self> {
        let uri = uri.into();
        let wrong = |what: &str| {
            let shown: String = uri.chars().take(200).collect();
            Err(Error::invalid_input(format!("`{shown}` is not a place for an artifact: {what}"))
                .hint("write s3://bucket/key, file:///path or a plain path"))
        };
        if uri.trim().is_empty() {
            return wrong("it is empty");
        }
        if uri.chars().any(char::is_control) {
            return wrong("it holds a control character");
        }
        if let Some(rest) = uri.strip_prefix("s3://") {
            let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
            let is_bucket = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._".contains(c);
            if bucket.len() < 3 || bucket.len() > 63 || !bucket.chars().all(is_bucket) || bucket.starts_with('.') {
                return wrong("the bucket's name is not one of S3");
            }
            if key.split('/').any(|part| part == ".." || part == ".") {
                return wrong("the key holds `..` or `.`");
            }
        } else if let Some(path) = uri.strip_prefix("file://") {
            if !path.starts_with('/') {
                return wrong("a file URI has three slashes and an absolute path");
            }
        } else if uri.starts_with("file:") {
            return wrong("a file URI begins with file:///");
        } else if let Some((scheme, _)) = uri.split_once("://") {
            return wrong(&format!("the scheme {scheme} is not known"));
        }
        Ok(Self(uri))
    }

    /// The file URI of an absolute path.
    pub fn from_path(path: &Path) -> Self {
        Self(format!("file://{}", path.display()))
    }

    /// The URI as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is an `s3://` URI.
    pub fn is_s3(&self) -> bool {
        self.0.starts_with("s3://")
    }

    /// Bucket and key of an `s3://` URI.
    pub fn bucket_and_key(&self) -> Option<(&str, &str)> {
        let rest = self.0.strip_prefix("s3://")?;
        Some(rest.split_once('/').unwrap_or((rest, "")))
    }

    /// The path of a file URI or a plain path; `None` for an `s3://` URI. Percent escapes of a file URI are resolved
    /// when the path as written is not there, which the caller can see; this gives the path as written.
    pub fn to_path(&self) -> Option<PathBuf> {
        if self.is_s3() {
            return None;
        }
        Some(PathBuf::from(self.0.strip_prefix("file://").unwrap_or(&self.0)))
    }

    /// The URI of something below this one. `relative` is a key of our own: segments without `..`.
    #[must_use]
    pub fn join(&self, relative: &str) -> Self {
        let kept = relative.split('/').filter(|part| !part.is_empty() && *part != ".." && *part != ".");
        let mut joined = self.0.trim_end_matches('/').to_owned();
        for part in kept {
            joined.push('/');
            joined.push_str(part);
        }
        Self(joined)
    }

    /// The last part of the path or key, without a trailing slash.
    pub fn file_name(&self) -> &str {
        self.0.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
    }

    /// The URI of the folder that this one lies in.
    #[must_use]
    pub fn parent(&self) -> Self {
        let trimmed = self.0.trim_end_matches('/');
        let cut = trimmed.rfind('/').map_or(".", |at| &trimmed[..at]);
        if cut.ends_with('/') || cut.is_empty() { Self(trimmed.to_owned()) } else { Self(cut.to_owned()) }
    }

    /// The URI with another last part.
    #[must_use]
    pub fn with_file_name(&self, name: &str) -> Self {
        let trimmed = self.0.trim_end_matches('/');
        trimmed.rfind('/').map_or_else(|| Self(name.to_owned()), |at| Self(format!("{}/{name}", &trimmed[..at])))
    }
}

impl fmt::Display for ArtifactUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ArtifactUri {
    type Error = Error;

    fn try_from(uri: String) -> Result<Self> {
        Self::new(uri)
    }
}

impl From<ArtifactUri> for String {
    fn from(uri: ArtifactUri) -> Self {
        uri.0
    }
}

impl JsonSchema for ArtifactUri {
    fn schema_name() -> Cow<'static, str> {
        "ArtifactUri".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "minLength": 1})
    }

    fn inline_schema() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_spellings_are_accepted() {
        assert_eq!(ArtifactUri::new("s3://bucket/a/b.csv").unwrap().bucket_and_key(), Some(("bucket", "a/b.csv")));
        let file = ArtifactUri::new("file:///a/b.csv").unwrap();
        assert_eq!(file.to_path(), Some(PathBuf::from("/a/b.csv")));
        assert_eq!(ArtifactUri::new("data/b.csv").unwrap().file_name(), "b.csv");
        assert_eq!(file.with_file_name("c.json").as_str(), "file:///a/c.json");
        assert_eq!(file.parent().as_str(), "file:///a");
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for uri in [
            "",
            " ",
            "s3://b/k",
            "s3://bucket/../k",
            "s3://bucket/a/../../k",
            "http://x/y",
            "file://a",
            "file:/a",
            "a\0b",
        ] {
            let error = ArtifactUri::new(uri).unwrap_err();
            assert!(error.hint.is_some(), "{uri}");
        }
    }

    #[test]
    fn a_join_stays_below() {
        let root = ArtifactUri::new("s3://bucket/store/").unwrap();
        assert_eq!(root.join("models/../../x.json").as_str(), "s3://bucket/store/models/x.json");
    }
}
