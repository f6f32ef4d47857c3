//! The one error type of the fleet, and its small, stable set of kinds.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What a caller can do about an error. The names are wire format: they are the Lambda `errorType`, the `ErrorEquals`
/// of a state machine, the kind of an MCP tool error, and they choose the exit code of `mlops`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ErrorKind {
    /// The request is wrong and stays wrong: correct the named field.
    InvalidInput,
    /// The named thing does not exist.
    NotFound,
    /// The named thing exists already and is not the same.
    AlreadyExists,
    /// Somebody else changed the thing in the meantime: read it again, then decide.
    Conflict,
    /// The caller may not do this.
    Forbidden,
    /// Too many requests: wait, then try again.
    Throttled,
    /// An outside system did not answer: try again.
    Unavailable,
    /// The work did not end in the time it had.
    TimedOut,
    /// A rule or a person decided against it.
    Rejected,
    /// A defect of ours.
    Internal,
}

impl ErrorKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 10] = [
        Self::InvalidInput,
        Self::NotFound,
        Self::AlreadyExists,
        Self::Conflict,
        Self::Forbidden,
        Self::Throttled,
        Self::Unavailable,
        Self::TimedOut,
        Self::Rejected,
        Self::Internal,
    ];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidInput => "InvalidInput",
            Self::NotFound => "NotFound",
            Self::AlreadyExists => "AlreadyExists",
            Self::Conflict => "Conflict",
            Self::Forbidden => "Forbidden",
            Self::Throttled => "Throttled",
            Self::Unavailable => "Unavailable",
            Self::TimedOut => "TimedOut",
            Self::Rejected => "Rejected",
            Self::Internal => "Internal",
        }
    }

    /// The kind of that name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether the same request can succeed later without a change.
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable | Self::TimedOut)
    }

    /// The exit code of `mlops`. 3 is kept for a run that waits for an approval.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Internal => 1,
            Self::InvalidInput => 2,
            Self::NotFound => 4,
            Self::AlreadyExists => 5,
            Self::Conflict => 6,
            Self::Forbidden => 7,
            Self::Throttled => 8,
            Self::Unavailable => 9,
            Self::TimedOut => 10,
            Self::Rejected => 11,
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error that names the thing, and says what to do next.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What a caller can do about it.
    pub kind: ErrorKind,
    /// One or two sentences for a person.
    pub message: String,
    /// The path of the argument that is wrong, as `config.split.train`.
    pub field: Option<String>,
    /// What to write instead, or what to do next.
    pub hint: Option<String>,
    /// What caused it. It is logged and never sent to a caller.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The result of everything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident),* $(,)?) => {
        impl Error {
            $($(#[$doc])* pub fn $name(message: impl Into<String>) -> Self { Self::new(ErrorKind::$kind, message) })*
        }
    };
}

constructors! {
    /// An error of kind [`ErrorKind::InvalidInput`].
    invalid_input => InvalidInput,
    /// An error of kind [`ErrorKind::NotFound`].
    not_found => NotFound,
    /// An error of kind [`ErrorKind::AlreadyExists`].
    already_exists => AlreadyExists,
    /// An error of kind [`ErrorKind::Conflict`].
    conflict => Conflict,
    /// An error of kind [`ErrorKind::Forbidden`].
    forbidden => Forbidden,
    /// An error of kind [`ErrorKind::Throttled`].
    throttled => Throttled,
    /// An error of kind [`ErrorKind::Unavailable`].
    unavailable => Unavailable,
    /// An error of kind [`ErrorKind::TimedOut`].
    timed_out => TimedOut,
    /// An error of kind [`ErrorKind::Rejected`].
    rejected => Rejected,
    /// An error of kind [`ErrorKind::Internal`].
    internal => Internal,
}

impl Error {
    /// An error of that kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), field: None, hint: None, source: None }
    }

    /// The error of work that was told to stop.
    pub fn cancelled() -> Self {
        Self::new(ErrorKind::TimedOut, "the call was cancelled before it ended; nothing was written")
    }

    /// Names the argument that is wrong.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Names the argument that is wrong, unless a deeper one is named already.
    #[must_use]
    pub fn at_or(mut self, field: impl Into<String>) -> Self {
        self.field.get_or_insert_with(|| field.into());
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Keeps the cause for the log.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The error as clients receive it: `{kind, message, field?, hint?}`.
    pub fn to_value(&self) -> Value {
        let mut value = json!({ "kind": self.kind, "message": self.message });
        if let Some(field) = &self.field {
            value["field"] = json!(field);
        }
        if let Some(hint) = &self.hint {
            value["hint"] = json!(hint);
        }
        value
    }

    /// The error that [`Error::to_value`] wrote; an unknown shape is kept as an internal error's message.
    pub fn from_value(value: &Value) -> Self {
        let text = |key: &str| value[key].as_str().map(str::to_owned);
        let kind = value["kind"].as_str().and_then(ErrorKind::from_name).unwrap_or(ErrorKind::Internal);
        let message = text("message").unwrap_or_else(|| value.to_string());
        Self { kind, message, field: text("field"), hint: text("hint"), source: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name_and_has_an_exit_code_of_its_own() {
        let codes: std::collections::BTreeSet<u8> = ErrorKind::ALL.iter().map(|kind| kind.exit_code()).collect();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
        assert!(!codes.contains(&0) && !codes.contains(&3));
        for kind in ErrorKind::ALL {
            assert_eq!(ErrorKind::from_name(kind.as_str()), Some(kind));
        }
    }

    #[test]
    fn an_error_survives_the_wire_without_its_cause() {
        let error = Error::not_found("no such table").at("dataset_s3_uri").hint("check the path").caused_by("disk");
        let value = error.to_value();
        assert_eq!(value.as_object().unwrap().len(), 4);
        let back = Error::from_value(&value);
        assert_eq!((back.kind, back.field.as_deref()), (ErrorKind::NotFound, Some("dataset_s3_uri")));
        assert!(back.source.is_none());
    }
}
