//! Routes and a port for whoever serves more than MCP: a webhook beside it, on one machine.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Json, Response};
use axum::routing::post;
use futures::future::BoxFuture;
use hyper_util::service::TowerToHyperService;
use mlops_core::{Error, Result};
use serde_json::Value;
use tokio::net::TcpListener;

/// How long the body of a delivery may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);

/// Answers a delivery: its headers by their names in small letters, and its bytes as they were sent; the answer is a
/// status and a body of JSON.
pub type Answer = Arc<dyn Fn(BTreeMap<String, String>, Vec<u8>) -> BoxFuture<'static, (u16, Value)> + Send + Sync>;

/// A route that takes deliveries of at most `limit` bytes.
pub fn webhook(path: &str, limit: usize, answer: Answer) -> Router {
    Router::new().route(path, post(move |request: Request| deliver(request, limit, answer.clone())))
}

/// Serves until `end` is ready; then no connection is taken any more, and open requests have 25 s to end.
pub async fn serve(listener: TcpListener, router: Router, end: impl Future<Output = ()> + Send) -> Result<()> {
    crate::mcp::http::run(listener, TowerToHyperService::new(router), end).await
}

async fn deliver(request: Request, limit: usize, answer: Answer) -> Response {
    let (parts, body) = request.into_parts();
    let body = match read(body, limit).await {
        Ok(body) => body,
        Err((status, error)) => return (status, Json(error.to_value())).into_response(),
    };
    let (status, said) = answer(headers(&parts.headers), body).await;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(said)).into_response()
}

async fn read(body: Body, limit: usize) -> Result<Vec<u8>, (StatusCode, Error)> {
    // Who says beforehand that it will be too much need not send it.
    if body.size_hint().lower() > limit as u64 {
        let message = format!("the body has more than {limit} bytes");
        return Err((StatusCode::PAYLOAD_TOO_LARGE, Error::invalid_input(message).at("body")));
    }
    match tokio::time::timeout(BODY_TIME, to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(error)) => {
            let message = format!("the body could not be read, or has more than {limit} bytes");
            Err((StatusCode::PAYLOAD_TOO_LARGE, Error::invalid_input(message).at("body").caused_by(error)))
        }
        Err(_) => Err((StatusCode::REQUEST_TIMEOUT, Error::timed_out("the body did not arrive in time").at("body"))),
    }
}

/// Each header once; one that was sent twice has both values, joined by a comma.
fn headers(given: &HeaderMap) -> BTreeMap<String, String> {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in given {
        let value = String::from_utf8_lossy(value.as_bytes());
        let known = headers.entry(name.as_str().to_owned()).or_default();
        if !known.is_empty() {
            known.push(',');
        }
        known.push_str(&value);
    }
    headers
}

#[cfg(test)]
mod tests {
    use tower::ServiceExt as _;

    use super::*;

    fn route() -> Router {
        let answer: Answer = Arc::new(|headers, body| {
            Box::pin(async move {
                let said = serde_json::json!({"event": headers.get("x-github-event"), "bytes": body.len()});
                (202, said)
            })
        });
        webhook("/webhook", 16, answer)
    }

    async fn send(body: &'static str) -> (u16, Value) {
        let request = Request::post("/webhook").header("X-GitHub-Event", "ping").header("X-GitHub-Event", "issues");
        let response = route().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_slice(&to_bytes(response.into_body(), 4096).await.unwrap()).unwrap())
    }

    #[tokio::test]
    async fn a_delivery_reaches_its_answer_as_it_was_sent() {
        let (status, said) = send("\u{1f427} {}").await;
        assert_eq!((status, said["bytes"].as_u64(), said["event"].as_str()), (202, Some(7), Some("ping,issues")));
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused() {
        let (status, said) = send("0123456789abcdefg").await;
        assert_eq!((status, said["field"].as_str()), (413, Some("body")));
    }
}
