//! What came back from an endpoint, as the result or the error that an embedded call would have given.

use mlops_core::{Error, ErrorKind, Result};
use rmcp::ServiceError;
use rmcp::model::{CallToolResult, ContentBlock, ErrorCode, ErrorData, ServerResult};
use rmcp::service::ClientInitializeError;
use rmcp::transport::DynamicTransportError;
use rmcp::transport::streamable_http_client::StreamableHttpError;
use serde_json::Value;

/// The structured result of a tool, or the error that the tool gave.
pub(super) fn value_of(tool: &str, address: &str, result: ServerResult) -> Result<Value> {
    let ServerResult::CallToolResult(result) = result else {
        return Err(foreign(format!("{address} answered the call of {tool} with something else than a result")));
    };
    if result.is_error == Some(true) {
        return Err(error_of(tool, &result));
    }
    result.structured_content.ok_or_else(|| foreign(format!("{address} gave no structured result for {tool}")))
}

fn foreign(message: String) -> Error {
    Error::internal(message).hint("MLOPS_MCP_URL must be the endpoint of this release of mlops")
}

fn error_of(tool: &str, result: &CallToolResult) -> Error {
    let text = result.content.iter().find_map(|block| match block {
        ContentBlock::Text(text) => Some(text.text.as_str()),
        _ => None,
    });
    let text = text.unwrap_or("no reason was given");
    match serde_json::from_str::<Value>(text) {
        Ok(value) if value["kind"].is_string() => Error::from_value(&value),
        _ => Error::internal(format!("{tool} failed: {text}")),
    }
}

/// The error of a call that got no result.
pub(super) fn of_call(address: &str, error: ServiceError) -> Error {
    match error {
        ServiceError::McpError(data) => of_protocol(data),
        ServiceError::TransportSend(error) => of_transport(address, error),
        ServiceError::TransportClosed => {
            Error::unavailable(format!("the connection to the MCP endpoint {address} ended before the answer came"))
        }
        ServiceError::Timeout { .. } => Error::timed_out(format!("the MCP endpoint {address} did not answer in time")),
        ServiceError::Cancelled { .. } => Error::cancelled(),
        other => foreign(format!("the MCP endpoint {address} gave no result")).caused_by(other),
    }
}

/// The error of an endpoint that could not be reached, or that speaks no protocol of ours.
pub(super) fn of_connecting(address: &str, error: ClientInitializeError) -> Error {
    match error {
        ClientInitializeError::TransportError { error, .. } => of_transport(address, error),
        // An endpoint that knows no `server/discover` is asked as an older one: that answer counts.
        ClientInitializeError::LegacyFallbackFailed { fallback, .. } => of_connecting(address, *fallback),
        ClientInitializeError::JsonRpcError(data) => of_protocol(data),
        ClientInitializeError::ConnectionClosed(_) => {
            let message = format!("the MCP endpoint {address} does not answer");
            Error::unavailable(message).hint("is it running, and is MLOPS_MCP_URL its URL?").caused_by(error)
        }
        other => {
            let message = format!("{address} is no MCP endpoint that mlops can use: {other}");
            foreign(message).caused_by(other)
        }
    }
}

/// An error of the protocol. Ours carry the error itself as their data.
fn of_protocol(data: ErrorData) -> Error {
    if let Some(value) = data.data.as_ref().filter(|value| value["kind"].is_string()) {
        return Error::from_value(value);
    }
    let kind = match data.code {
        ErrorCode::INVALID_PARAMS | ErrorCode::INVALID_REQUEST => ErrorKind::InvalidInput,
        ErrorCode::METHOD_NOT_FOUND | ErrorCode::RESOURCE_NOT_FOUND => ErrorKind::NotFound,
        _ => ErrorKind::Internal,
    };
    Error::new(kind, data.message.into_owned())
}

fn of_transport(address: &str, error: DynamicTransportError) -> Error {
    let (status, told) = status_of(&error);
    let made = match status {
        Some(401 | 403) => Error::forbidden(format!("the MCP endpoint {address} does not let this caller in{told}"))
            .hint("set the secret mlops/mcp-api-key (MLOPS_SECRET_MCP_API_KEY) to the key of the endpoint"),
        Some(404 | 405) => Error::not_found(format!("there is no MCP endpoint at {address}{told}"))
            .hint("MLOPS_MCP_URL ends with the endpoint's path, as https://host/mcp"),
        Some(413) => Error::invalid_input(format!("the MCP endpoint {address} does not take so large a request{told}"))
            .hint("pass large values as artifacts, by their URIs"),
        Some(429) => {
            Error::new(ErrorKind::Throttled, format!("the MCP endpoint {address} takes no more calls now{told}"))
        }
        Some(status) if status < 500 => {
            foreign(format!("the MCP endpoint {address} refused the request: HTTP {status}{told}"))
        }
        Some(status) => Error::unavailable(format!("the MCP endpoint {address} failed: HTTP {status}{told}")),
        None => Error::unavailable(format!("the MCP endpoint {address} does not answer"))
            .hint("is it running, and is MLOPS_MCP_URL its URL?"),
    };
    made.caused_by(error)
}

/// The HTTP status behind a transport error, and what the endpoint said with it.
fn status_of(error: &DynamicTransportError) -> (Option<u16>, String) {
    let silent = |status| (status, String::new());
    match error.error.downcast_ref::<StreamableHttpError<reqwest::Error>>() {
        Some(StreamableHttpError::HttpStatus(status)) => {
            let told = status.retry_after.as_ref().map(|after| format!("; it says to try again after {after} seconds"));
            (Some(status.status), told.unwrap_or_default())
        }
        Some(StreamableHttpError::AuthRequired(_)) => silent(Some(401)),
        Some(StreamableHttpError::InsufficientScope(_)) => silent(Some(403)),
        Some(StreamableHttpError::UnexpectedServerResponse(text)) => of_text(text),
        Some(StreamableHttpError::Client(error)) => silent(error.status().map(|status| status.as_u16())),
        _ => silent(None),
    }
}

/// Reads `HTTP 401 Unauthorized: {"message": …}`, which is how the client words what has no error of its own.
fn of_text(text: &str) -> (Option<u16>, String) {
    let Some(rest) = text.strip_prefix("HTTP ") else { return (None, String::new()) };
    let status = rest.get(..3).and_then(|digits| digits.parse().ok());
    let body = rest.split_once(": ").map_or("", |(_, body)| body);
    let said = serde_json::from_str::<Value>(body).ok().and_then(|body| {
        let message = body["message"].as_str().or_else(|| body["error"]["message"].as_str());
        message.map(|message| format!(": {message}"))
    });
    (status, said.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_and_the_message_of_a_refusal_are_read() {
        let json = r#"HTTP 401 Unauthorized: {"kind":"Forbidden","message":"the API key is wrong"}"#;
        assert_eq!(of_text(json), (Some(401), ": the API key is wrong".to_owned()));
        let rpc = r#"HTTP 400 Bad Request: {"error":{"message":"no such host"}}"#;
        assert_eq!(of_text(rpc), (Some(400), ": no such host".to_owned()));
        assert_eq!(of_text("HTTP 413 Payload Too Large: no"), (Some(413), String::new()));
        for text in ["", "HTTP", "HTTP ", "HTTP 4", "HTTP äöü", "could not parse"] {
            assert_eq!(of_text(text).0, None, "{text}");
        }
    }

    #[test]
    fn an_error_of_the_protocol_keeps_what_it_carries() {
        let carried = Error::not_found("there is no tool `x`").at("name").hint("did you mean `y`?");
        let back = of_protocol(ErrorData::invalid_params("text", Some(carried.to_value())));
        assert_eq!((back.kind, back.field.as_deref()), (ErrorKind::NotFound, Some("name")));
        assert_eq!(of_protocol(ErrorData::invalid_params("text", None)).kind, ErrorKind::InvalidInput);
        assert_eq!(of_protocol(ErrorData::internal_error("text", None)).kind, ErrorKind::Internal);
    }

    #[test]
    fn a_tool_error_keeps_its_kind_field_and_hint() {
        let told = Error::invalid_input("`limt` is no argument").at("limt").hint("did you mean `limit`?");
        let result = CallToolResult::error(vec![ContentBlock::text(told.to_value().to_string())]);
        let back = value_of("load_dataset", "http://here/mcp", ServerResult::CallToolResult(result)).unwrap_err();
        assert_eq!(back.to_value(), told.to_value());
        let result = CallToolResult::error(vec![ContentBlock::text("no JSON")]);
        let back = value_of("load_dataset", "http://here/mcp", ServerResult::CallToolResult(result)).unwrap_err();
        assert_eq!(back.kind, ErrorKind::Internal);
        assert!(back.message.contains("no JSON"), "{back}");
    }
}
