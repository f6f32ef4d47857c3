//! MCP over HTTP: stateless, JSON replies, one URL for everything and one for each narrower set of tools.

mod door;
mod gate;
mod keys;
mod rate;
mod serve;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Json, Response};
use axum::routing::{any, get};
use mlops_core::settings::McpAccess;
use rmcp::ServerHandler;
use serde_json::json;

use super::McpServer;
use super::offer::Narrowing;
use door::Door;

#[cfg(feature = "lambda")]
pub(crate) use gate::SignedCaller;
pub use keys::Keys;

pub(crate) use serve::run;
pub use serve::serve;

/// The largest request, in bytes, unless the settings say otherwise.
pub const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// Who may call over HTTP, how often, and with how much.
pub struct HttpSettings {
    /// What `X-API-Key` or `Authorization: Bearer` must hold.
    pub keys: Keys,
    /// The host names that are answered; empty stands for this machine alone, and `*` for every name.
    pub hosts: Vec<String>,
    /// The origins of web pages that may call; `https://page.example` or `http://localhost:*`.
    pub origins: Vec<String>,
    /// How many requests a minute a key may send; `None` sets no limit.
    pub calls_per_minute: Option<u32>,
    /// The largest request, in bytes.
    pub body_limit: usize,
    /// How long a request's body may take to arrive.
    pub body_time: Duration,
}

impl HttpSettings {
    /// The settings of that access.
    pub fn new(access: &McpAccess, keys: Keys) -> Self {
        Self {
            keys,
            hosts: access.hosts.clone(),
            origins: access.origins.clone(),
            calls_per_minute: access.calls_per_minute,
            body_limit: BODY_LIMIT,
            body_time: Duration::from_secs(30),
        }
    }
}

type Shared<S> = State<Arc<Door<S>>>;

/// `/mcp`, `/mcp/readonly`, `/mcp/x/{set}`, `/mcp/x/{set}/readonly` and `/healthz`.
pub fn router(server: McpServer, settings: &HttpSettings) -> Router {
    routes(server.clone(), server, settings, false)
}

/// The routes with a handler that may add to the server. Sessions are for the suite that tests the protocol alone.
pub(super) fn routes<S: ServerHandler + Clone>(
    handler: S,
    server: McpServer,
    settings: &HttpSettings,
    sessions: bool,
) -> Router {
    let narrowed = |path: Option<String>, read_only| Narrowing { toolsets: None, path, read_only };
    Router::new()
        .route("/healthz", get(healthy))
        .route(
            "/mcp",
            any(move |State(door): Shared<S>, request: Request| async move {
                door.answer(narrowed(None, false), request).await
            }),
        )
        .route(
            "/mcp/readonly",
            any(move |State(door): Shared<S>, request: Request| async move {
                door.answer(narrowed(None, true), request).await
            }),
        )
        .route(
            "/mcp/x/{set}",
            any(move |State(door): Shared<S>, Path(set): Path<String>, request: Request| async move {
                door.answer(narrowed(Some(set), false), request).await
            }),
        )
        .route(
            "/mcp/x/{set}/readonly",
            any(move |State(door): Shared<S>, Path(set): Path<String>, request: Request| async move {
                door.answer(narrowed(Some(set), true), request).await
            }),
        )
        .fallback(nothing_here)
        .with_state(Arc::new(Door::new(handler, server, settings, sessions)))
}

async fn healthy() -> Response {
    Json(json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")})).into_response()
}

async fn nothing_here() -> Response {
    let said = json!({"kind": "NotFound", "message": "there is nothing at this address", "hint": "MCP is at /mcp"});
    (StatusCode::NOT_FOUND, Json(said)).into_response()
}
