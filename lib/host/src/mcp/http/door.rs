//! One request through the door: checked, narrowed, read, answered.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE,
    ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Json, Response};
use futures::StreamExt as _;
use mlops_core::{Error, ErrorKind};
use rmcp::ServerHandler;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::Value;

use super::HttpSettings;
use super::gate::{Gate, Refused, SignedCaller, narrowed, refused};
use crate::mcp::McpServer;
use crate::mcp::offer::Narrowing;
use crate::mcp::refusals::{INVALID_REQUEST, refusal, refusal_of};

const PREFLIGHT_HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, accept, mcp-protocol-version, mcp-method, mcp-name, x-api-key, x-mcp-toolsets, \
     x-mcp-readonly",
);

enum Service<S> {
    Stateless(StreamableHttpService<S, NeverSessionManager>),
    Sessions(StreamableHttpService<S, LocalSessionManager>),
}

/// The server behind its gate.
pub(super) struct Door<S> {
    service: Service<S>,
    server: McpServer,
    gate: Gate,
    body_limit: usize,
    body_time: Duration,
}

impl<S: ServerHandler + Clone> Door<S> {
    pub(super) fn new(handler: S, server: McpServer, settings: &HttpSettings, sessions: bool) -> Self {
        let mut config = StreamableHttpServerConfig::default()
            .with_legacy_session_mode(sessions)
            .with_json_response(!sessions)
            .with_sse_keep_alive(None)
            .with_max_request_body_bytes(settings.body_limit)
            .with_allowed_origins(settings.origins.clone())
            .enforce_origin_validation();
        if settings.hosts.iter().any(|host| host == "*") {
            config = config.disable_allowed_hosts();
        } else if !settings.hosts.is_empty() {
            config = config.with_allowed_hosts(settings.hosts.clone());
        }
        let factory = move || Ok(handler.clone());
        let service = if sessions {
            Service::Sessions(StreamableHttpService::new(factory, Arc::default(), config))
        } else {
            Service::Stateless(StreamableHttpService::new(factory, Arc::default(), config))
        };
        let gate = Gate::new(settings);
        Self { service, server, gate, body_limit: settings.body_limit, body_time: settings.body_time }
    }

    /// Answers one request.
    pub(super) async fn answer(&self, path: Narrowing, request: Request) -> Response {
        let origin = self.gate.allowed_origin(request.headers()).cloned();
        let mut response = match self.pass(path, request).await {
            Ok(response) => response,
            Err(refused) => *refused,
        };
        let headers = response.headers_mut();
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        if let Some(origin) = origin {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(VARY, HeaderValue::from_static("Origin"));
        }
        response
    }

    async fn pass(&self, path: Narrowing, request: Request) -> Result<Response, Refused> {
        if request.method() == Method::OPTIONS {
            return self.preflight(request.headers());
        }
        let signed = request.extensions().get::<SignedCaller>().copied();
        self.gate.check(request.headers(), signed).await?;
        let asked = narrowed(path, request.headers()).map_err(|error| refused(StatusCode::BAD_REQUEST, &error))?;
        let offer = self.server.inner.offer.narrowed(&asked, &self.server.inner.toolbox).map_err(|error| {
            let missing = error.kind == ErrorKind::NotFound;
            refused(if missing { StatusCode::NOT_FOUND } else { StatusCode::BAD_REQUEST }, &error)
        })?;
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(offer);
        if parts.method != Method::POST {
            return match &self.service {
                Service::Sessions(service) => {
                    Ok(service.handle(Request::from_parts(parts, Body::empty())).await.map(Body::new))
                }
                Service::Stateless(_) => {
                    let error = Error::invalid_input("send messages by POST: this server keeps no sessions");
                    let mut response = refused(StatusCode::METHOD_NOT_ALLOWED, &error);
                    response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST, OPTIONS"));
                    Err(response)
                }
            };
        }
        is_json(&parts.headers)?;
        let bytes = self.read(&parts.headers, body).await?;
        let request = Request::from_parts(parts, Body::from(bytes.clone()));
        let response = match &self.service {
            Service::Stateless(service) => service.handle(request).await,
            Service::Sessions(service) => service.handle(request).await,
        };
        // The media type was right: what rmcp means is that the body is no message.
        if response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            let said = "this is no message of the protocol";
            let answer = refusal_of(&bytes).unwrap_or_else(|| refusal(&Value::Null, INVALID_REQUEST, said, None));
            return Ok((StatusCode::BAD_REQUEST, Json(answer)).into_response());
        }
        Ok(response.map(Body::new))
    }

    fn preflight(&self, headers: &HeaderMap) -> Result<Response, Refused> {
        if self.gate.allowed_origin(headers).is_none() {
            let error = Error::forbidden("web pages of this origin may not call");
            return Err(refused(StatusCode::FORBIDDEN, &error));
        }
        let mut response = StatusCode::NO_CONTENT.into_response();
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, PREFLIGHT_HEADERS);
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        Ok(response)
    }

    async fn read(&self, headers: &HeaderMap, body: Body) -> Result<Bytes, Refused> {
        let too_large = || {
            let error = Error::invalid_input(format!("the request has more than {} bytes", self.body_limit));
            refused(StatusCode::PAYLOAD_TOO_LARGE, &error.hint("give files by their URI instead of their contents"))
        };
        let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|announced| announced > self.body_limit) {
            return Err(too_large());
        }
        let collected = tokio::time::timeout(self.body_time, async {
            let mut stream = body.into_data_stream();
            let mut bytes = Vec::with_capacity(announced.unwrap_or_default());
            while let Some(piece) = stream.next().await {
                let piece = piece.map_err(|_| {
                    refused(StatusCode::BAD_REQUEST, &Error::invalid_input("the request broke off before its end"))
                })?;
                if bytes.len() + piece.len() > self.body_limit {
                    return Err(too_large());
                }
                bytes.extend_from_slice(&piece);
            }
            Ok(Bytes::from(bytes))
        });
        collected.await.unwrap_or_else(|_| {
            Err(refused(StatusCode::REQUEST_TIMEOUT, &Error::timed_out("the request took too long to arrive")))
        })
    }
}

fn is_json(headers: &HeaderMap) -> Result<(), Refused> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let essence = text(CONTENT_TYPE).map(|value| value.split(';').next().unwrap_or_default().trim());
    let plain = headers.get(CONTENT_ENCODING).is_none_or(|value| value.as_bytes().eq_ignore_ascii_case(b"identity"));
    if plain && essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json")) {
        return Ok(());
    }
    let error = Error::invalid_input("a request is JSON").hint("Content-Type: application/json, not compressed");
    Err(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, &error))
}
