//! What a tool is: a struct of its inputs, and what it does with them in its room.

use std::future::Future;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Call, Lang, Result};

/// A tool is the struct of its inputs. The struct's doc comment describes the tool to people and models, and each
/// field's doc comment describes that argument.
pub trait Tool: DeserializeOwned + Serialize + JsonSchema + Send + Sync + 'static {
    /// The name on every wire; the file that holds the tool has the same name.
    const NAME: &'static str;
    /// A short title for people.
    const TITLE: &'static str;
    /// What a call changes.
    const EFFECT: Effect;
    /// The room that the tool works in.
    type Capability: Capability;
    /// What the tool reports.
    type Output: Report;

    /// Does the work. A tool never calls another tool.
    fn run(self, room: &Self::Capability, call: &Call) -> impl Future<Output = Result<Self::Output>> + Send;
}

/// A room: the ports that its tools may touch, and nothing else.
pub trait Capability: Send + Sync + 'static {
    /// The capability's name in code, folders and logs.
    const ID: &'static str;
}

/// What a tool reports.
pub trait Report: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The result in one line for people.
    fn summary(&self, lang: Lang) -> String;

    /// The artifacts that the result speaks of.
    fn artifacts(&self) -> Vec<ArtifactLink> {
        Vec::new()
    }
}

/// What a call to a tool changes. The hints that clients see are derived from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing.
    Read,
    /// It adds things; repeating the call adds nothing more.
    Create,
    /// It changes things that exist; repeating the call changes nothing more.
    Update,
    /// It can take away things that exist.
    Destroy,
}

impl Effect {
    /// Whether nothing is changed.
    pub const fn is_read_only(self) -> bool {
        matches!(self, Self::Read)
    }

    /// Whether something that exists can be lost or replaced.
    pub const fn is_destructive(self) -> bool {
        matches!(self, Self::Destroy)
    }

    /// Whether a repeated call changes nothing more. Every tool of the fleet keeps that.
    pub const fn is_idempotent(self) -> bool {
        true
    }
}

/// An artifact that a result speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArtifactLink {
    /// Where it lies.
    pub uri: String,
    /// What it is, for people.
    pub name: String,
    /// Its media type.
    pub mime_type: String,
}

impl ArtifactLink {
    /// A link whose media type follows from the ending of the URI.
    pub fn new(uri: impl Into<String>, name: impl Into<String>) -> Self {
        let uri = uri.into();
        let mime_type = media_type(&uri).to_owned();
        Self { uri, name: name.into(), mime_type }
    }
}

/// The media type of a file name or URI, by its ending.
pub fn media_type(name: &str) -> &'static str {
    let name = name.to_ascii_lowercase();
    let known = [
        (".json", "application/json"),
        (".jsonl", "application/x-ndjson"),
        (".csv", "text/csv"),
        (".tsv", "text/tab-separated-values"),
        (".html", "text/html"),
        (".md", "text/markdown"),
        (".txt", "text/plain"),
        (".svg", "image/svg+xml"),
        (".png", "image/png"),
        (".parquet", "application/vnd.apache.parquet"),
        (".arrow", "application/vnd.apache.arrow.file"),
        (".gz", "application/gzip"),
        (".zst", "application/zstd"),
    ];
    known.iter().find(|(ending, _)| name.ends_with(ending)).map_or("application/octet-stream", |(_, media)| media)
}
