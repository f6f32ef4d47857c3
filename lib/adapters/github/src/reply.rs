//! What GitHub replied, and what that means to a caller.

use bytes::Bytes;
use hyper::{HeaderMap, StatusCode};
use mlops_core::masking::mask_text;
use mlops_core::{Error, ErrorKind, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::SECRET;

/// The longest text of GitHub's that becomes a part of a message, in characters.
const LONGEST: usize = 500;

/// A reply, of whatever status.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What GitHub writes when it refuses something.
#[derive(Debug, Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    errors: Vec<serde_json::Value>,
}

impl Reply {
    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as that; an error when the status is one.
    pub(crate) fn json<T: DeserializeOwned>(self, asked: &str) -> Result<T> {
        let reply = self.success(asked)?;
        serde_json::from_slice(&reply.body).map_err(|error| {
            let message = format!("GitHub's answer to {asked} is not what it should be: {error}{}", reply.request());
            Error::unavailable(message).caused_by(error)
        })
    }

    /// The reply, when its status says that all is well.
    pub(crate) fn success(self, asked: &str) -> Result<Self> {
        if self.status.is_success() { Ok(self) } else { Err(self.error(asked)) }
    }

    /// Whether the status is that.
    pub(crate) fn is(&self, status: u16) -> bool {
        self.status.as_u16() == status
    }

    /// What GitHub says about a refusal, without secrets.
    pub(crate) fn refusal(&self) -> String {
        let refusal: Refusal = serde_json::from_slice(&self.body).unwrap_or_default();
        let details = refusal.errors.iter().map(|error| {
            let text = |key: &str| error[key].as_str();
            match (error.as_str().or(text("message")), text("field"), text("code")) {
                (Some(message), ..) => message.to_owned(),
                (None, Some(field), Some(code)) => format!("{field}: {code}"),
                _ => error.to_string(),
            }
        });
        let message = refusal.message.unwrap_or_else(|| self.status.to_string());
        let text = std::iter::once(message).chain(details).collect::<Vec<_>>().join("; ");
        mask_text(&text).chars().filter(|c| !c.is_control()).take(LONGEST).collect()
    }

    fn request(&self) -> String {
        self.header("x-github-request-id").map(|id| format!(" (request {id})")).unwrap_or_default()
    }

    /// The error of a status that is one.
    pub(crate) fn error(&self, asked: &str) -> Error {
        let message = format!("GitHub refused {asked}: {}{}", self.refusal(), self.request());
        let kind = match self.status.as_u16() {
            400 | 413 | 414 | 422 => ErrorKind::InvalidInput,
            401 | 403 | 451 => ErrorKind::Forbidden,
            404 | 410 => ErrorKind::NotFound,
            409 => ErrorKind::Conflict,
            429 => ErrorKind::Throttled,
            500..=599 => ErrorKind::Unavailable,
            _ => ErrorKind::Internal,
        };
        let error = Error::new(kind, message);
        match (self.status.as_u16(), self.header("x-accepted-github-permissions")) {
            (401, _) => error.hint(format!("check the secret {SECRET}: it may have been revoked or have run out")),
            (403, Some(needed)) if !needed.is_empty() => error.hint(format!("the token needs the permission {needed}")),
            (403, _) => error.hint("check what the token may do in the repository"),
            (404, _) => error.hint("check the name; a token does not see what it has no right to"),
            _ => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn reply(status: u16, body: &'static str) -> Reply {
        let mut headers = HeaderMap::new();
        headers.insert("x-github-request-id", HeaderValue::from_static("AB:12"));
        Reply { status: StatusCode::from_u16(status).unwrap(), headers, body: Bytes::from(body) }
    }

    #[test]
    fn every_status_has_its_kind_and_the_message_says_what_and_which_request() {
        for (status, kind) in [
            (400, ErrorKind::InvalidInput),
            (401, ErrorKind::Forbidden),
            (403, ErrorKind::Forbidden),
            (404, ErrorKind::NotFound),
            (409, ErrorKind::Conflict),
            (410, ErrorKind::NotFound),
            (422, ErrorKind::InvalidInput),
            (429, ErrorKind::Throttled),
            (502, ErrorKind::Unavailable),
            (304, ErrorKind::Internal),
        ] {
            let error = reply(status, r#"{"message": "No ghp_abcdefghijklmnop"}"#).success("the issue 7").unwrap_err();
            assert_eq!(error.kind, kind, "{status}");
            assert!(error.message.contains("the issue 7: No") && error.message.ends_with("(request AB:12)"), "{error}");
            assert!(!error.message.contains("abcdefghijklmnop"));
        }
    }

    #[test]
    fn the_details_of_a_refusal_are_said() {
        let body = r#"{"message": "Validation Failed", "errors": ["plain", {"message": "told"},
            {"resource": "Label", "field": "name", "code": "invalid"}, {"odd": 1}]}"#;
        assert_eq!(reply(422, body).refusal(), r#"Validation Failed; plain; told; name: invalid; {"odd":1}"#);
        assert_eq!(reply(502, "<html>").refusal(), "502 Bad Gateway");
        let mut forbidden = reply(403, "{}");
        forbidden.headers.insert("x-accepted-github-permissions", HeaderValue::from_static("issues=write"));
        assert!(forbidden.error("x").hint.unwrap().contains("issues=write"));
    }

    #[test]
    fn an_answer_that_is_no_json_is_told() {
        let error = reply(200, "<html>").json::<u64>("the issue 7").unwrap_err();
        assert_eq!((error.kind, reply(200, "7").json::<u64>("x").unwrap()), (ErrorKind::Unavailable, 7));
    }
}
