//! What is known of an object that was just written.

use mlops_core::ports::ObjectMeta;
use mlops_core::values::ArtifactUri;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An object that was just written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Written {
    /// Where it lies.
    pub uri: ArtifactUri,
    /// The SHA-256 of its bytes, 64 hex digits.
    pub sha256: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// The version, where the store keeps versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
}

impl Written {
    pub(crate) fn new(meta: ObjectMeta, sha256: String, bytes: u64) -> Self {
        Self { uri: meta.uri, sha256, bytes, version_id: meta.version_id }
    }
}
