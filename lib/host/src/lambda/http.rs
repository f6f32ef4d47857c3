//! HTTP requests as Lambda events: API Gateway v1 (REST), v2 (HTTP) and Function URLs, and their answers.
//!
//! They are read here rather than by `lambda_http`, which ends in a panic on a body that is not the base64 it claims to be
//! and on a host that is no host: both come from strangers.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mlops_core::{Error, ErrorKind, Result};
use serde_json::{Map, Value, json};

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// The method, in capitals.
    pub method: String,
    /// The path, without the stage.
    pub path: String,
    /// The query as it was sent, without `?`.
    pub query: String,
    /// Headers by their names in small letters. One that was sent twice has both values, joined by a comma.
    pub headers: BTreeMap<String, String>,
    /// The bytes of the body.
    pub body: Vec<u8>,
    /// Who signed the request, where the gateway has checked that with IAM: an ARN.
    pub signed_by: Option<String>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// Headers by name.
    pub headers: BTreeMap<String, String>,
    /// The bytes of the body.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// An answer in JSON.
    pub fn json(status: u16, body: &Value) -> Self {
        let headers = BTreeMap::from([("content-type".to_owned(), "application/json".to_owned())]);
        Self { status, headers, body: body.to_string().into_bytes() }
    }

    /// The answer to a request that failed: `{kind, message, field?, hint?, request_id}`.
    pub fn of_error(error: &Error, request_id: &str) -> Self {
        let mut body = error.to_value();
        body["request_id"] = json!(request_id);
        Self::json(status_of(error.kind), &body)
    }

    /// The event's answer. One that is no text is sent as base64.
    pub(super) fn to_value(&self) -> Value {
        let (body, encoded) = match std::str::from_utf8(&self.body) {
            Ok(text) => (text.to_owned(), false),
            Err(_) => (STANDARD.encode(&self.body), true),
        };
        json!({ "statusCode": self.status, "headers": self.headers, "body": body, "isBase64Encoded": encoded })
    }
}

/// The status by which a client of HTTP knows a kind.
const fn status_of(kind: ErrorKind) -> u16 {
    match kind {
        ErrorKind::InvalidInput => 400,
        ErrorKind::Forbidden => 403,
        ErrorKind::NotFound => 404,
        ErrorKind::AlreadyExists | ErrorKind::Conflict => 409,
        ErrorKind::Rejected => 422,
        ErrorKind::Throttled => 429,
        ErrorKind::Internal => 500,
        ErrorKind::Unavailable => 503,
        ErrorKind::TimedOut => 504,
    }
}

/// Whether the event is a request.
pub(super) fn is_request(event: &Value) -> bool {
    let context = &event["requestContext"];
    context.is_object() && (event["httpMethod"].is_string() || context["http"]["method"].is_string())
}

/// The request of an event; `InvalidInput` when its body is not what it claims to be.
pub(super) fn request(event: &Value) -> Result<HttpRequest> {
    let is_v1 = event["httpMethod"].is_string();
    let context = &event["requestContext"];
    let method = if is_v1 { &event["httpMethod"] } else { &context["http"]["method"] };
    let path = if is_v1 { &event["path"] } else { &event["rawPath"] };
    let stage = context["stage"].as_str().filter(|stage| !is_v1 && *stage != "$default");
    let query = if is_v1 { query(event) } else { text(&event["rawQueryString"]) };
    let mut headers = headers(event);
    if let Some(cookies) = event["cookies"].as_array() {
        let cookies: Vec<&str> = cookies.iter().filter_map(Value::as_str).collect();
        headers.entry("cookie".to_owned()).or_insert_with(|| cookies.join("; "));
    }
    Ok(HttpRequest {
        method: text(method).to_ascii_uppercase(),
        path: without_stage(path.as_str().unwrap_or("/"), stage),
        query,
        headers,
        body: body(event)?,
        signed_by: signer(context, is_v1),
    })
}

/// What the gateway says of the caller. Callers cannot write here: it is beside their headers and their body.
fn signer(context: &Value, is_v1: bool) -> Option<String> {
    let arn = if is_v1 { &context["identity"]["userArn"] } else { &context["authorizer"]["iam"]["userArn"] };
    arn.as_str().filter(|arn| arn.starts_with("arn:")).map(str::to_owned)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn without_stage(path: &str, stage: Option<&str>) -> String {
    let rest = stage.and_then(|stage| path.strip_prefix('/')?.strip_prefix(stage));
    match rest {
        Some("") => "/".to_owned(),
        Some(rest) if rest.starts_with('/') => rest.to_owned(),
        _ => path.to_owned(),
    }
}

fn body(event: &Value) -> Result<Vec<u8>> {
    let body = event["body"].as_str().unwrap_or_default();
    if event["isBase64Encoded"] != json!(true) {
        return Ok(body.as_bytes().to_vec());
    }
    STANDARD.decode(body).map_err(|error| {
        Error::invalid_input(format!("the body of the request is not base64, as the event says it is: {error}"))
            .at("body")
    })
}

/// All headers. v1 gives those that were sent more than once in a map of their own.
fn headers(event: &Value) -> BTreeMap<String, String> {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    let mut add = |name: &str, value: &str| {
        let name = name.to_ascii_lowercase();
        match headers.get_mut(&name) {
            Some(earlier) => {
                earlier.push_str(", ");
                earlier.push_str(value);
            }
            None => {
                headers.insert(name, value.to_owned());
            }
        }
    };
    let several = event["multiValueHeaders"].as_object();
    for (name, values) in several.into_iter().flatten() {
        values.as_array().into_iter().flatten().filter_map(Value::as_str).for_each(|value| add(name, value));
    }
    let is_known = |name: &str| {
        let same = |(known, values): (&String, &Value)| known.eq_ignore_ascii_case(name) && values.is_array();
        several.is_some_and(|several| several.iter().any(same))
    };
    for (name, value) in event["headers"].as_object().into_iter().flatten() {
        if let Some(value) = value.as_str().filter(|_| !is_known(name)) {
            add(name, value);
        }
    }
    headers
}

/// The query of v1, which comes in pieces that are no longer encoded.
fn query(event: &Value) -> String {
    let empty = Map::new();
    let several = event["multiValueQueryStringParameters"].as_object();
    let single = event["queryStringParameters"].as_object();
    let pieces = several.or(single).unwrap_or(&empty);
    let encoded =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let mut query = Vec::new();
    for (name, values) in pieces {
        let one = std::slice::from_ref(values);
        let values = values.as_array().map_or(one, Vec::as_slice);
        query.extend(
            values.iter().filter_map(Value::as_str).map(|value| format!("{}={}", encoded(name), encoded(value))),
        );
    }
    query.join("&")
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
