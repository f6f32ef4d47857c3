//! The routes, driven in process and on a port.

mod access;
mod bodies;
mod calls;
mod load;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use mlops_core::{Call, Capability, Effect, Entry, Error, Lang, Report, Result, Settings, Tool};
use mlops_local::{Access, LocalMachine};
use mlops_notification::Notification;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::{HttpSettings, Keys, router};
use crate::Toolbox;
use crate::mcp::{LongCalls, McpServer, McpSettings};

/// A room whose one tool takes its time.
struct Workshop;

impl Capability for Workshop {
    const ID: &'static str = "workshop";
}

/// Work for a while.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WorkSlowly {
    /// How long.
    milliseconds: u64,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
struct Worked {
    agent: String,
    run: Option<String>,
}

impl Tool for WorkSlowly {
    const NAME: &'static str = "work_slowly";
    const TITLE: &'static str = "Work slowly";
    const EFFECT: Effect = Effect::Create;
    type Capability = Workshop;
    type Output = Worked;

    async fn run(self, _: &Workshop, call: &Call) -> Result<Worked> {
        let step = Duration::from_millis(5);
        for done in 0..self.milliseconds / 5 {
            call.check()?;
            call.progress(done as f64, Some((self.milliseconds / 5) as f64), "working");
            tokio::time::sleep(step).await;
        }
        if self.milliseconds == 13 {
            return Err(Error::invalid_input("13 is too unlucky").at("milliseconds"));
        }
        Ok(Worked { agent: call.agent_id.clone(), run: call.run_id.clone() })
    }
}

impl Report for Worked {
    fn summary(&self, _: Lang) -> String {
        "worked".to_owned()
    }
}

static WORKSHOP: &[Entry<Workshop>] = &[Entry::of::<WorkSlowly>()];

/// A server in a folder of its own.
struct House {
    folder: TempDir,
    settings: Settings,
    http: HttpSettings,
    long_calls: LongCalls,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let read = |name: &str| match name {
            "MLOPS_HOME" => Some(folder.path().join("home").display().to_string()),
            "MLOPS_MCP_CALLS_PER_MINUTE" => Some("0".to_owned()),
            _ => None,
        };
        let settings = Settings::from_variables(read, folder.path()).unwrap();
        let http = HttpSettings::new(&settings.mcp, Keys::NotAsked);
        Self { folder, settings, http, long_calls: LongCalls::Wait }
    }

    fn with_key(mut self, key: &str) -> Self {
        self.http.keys = Keys::Fixed(key.into());
        self
    }

    fn server(&self) -> McpServer {
        let machine =
            LocalMachine::new(self.settings.clone(), self.folder.path().to_owned(), Access::HomeOnly).unwrap();
        let LocalMachine { settings, store, audit, secrets, mailer, code_host, .. } = machine;
        let room = Notification::new(&settings, Arc::clone(&store), mailer, code_host);
        let toolbox = Toolbox::default()
            .with(&Arc::new(room), mlops_notification::tools::TOOLS)
            .with(&Arc::new(Workshop), WORKSHOP);
        let settings = McpSettings::new(&settings, store, audit, secrets).with_long_calls(self.long_calls);
        McpServer::new(Arc::new(toolbox), settings).unwrap()
    }

    fn router(&self) -> Router {
        router(self.server(), &self.http)
    }

    fn store(&self, name: &str, text: &str) {
        let path = self.folder.path().join("home/store").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// A request as a client sends it.
fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path)
        .header("host", "localhost:8000")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-11-25")
        .body(body.into())
        .unwrap()
}

fn message(method: &str, parameters: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).to_string()
}

/// A request of the newer protocol.
fn modern(method: &str, parameters: &Value) -> Request<Body> {
    let mut parameters = parameters.clone();
    parameters["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
    parameters["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
    let mut request = post("/mcp", message(method, &parameters));
    let headers = request.headers_mut();
    headers.insert("mcp-protocol-version", "2026-07-28".parse().unwrap());
    headers.insert("mcp-method", method.parse().unwrap());
    if let Some(name) = parameters["name"].as_str() {
        headers.insert("mcp-name", name.parse().unwrap());
    }
    request
}

async fn send(router: &Router, request: Request<Body>) -> (StatusCode, HeaderMap, String) {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 16 << 20).await.unwrap();
    (parts.status, parts.headers, String::from_utf8(bytes.to_vec()).unwrap())
}

async fn ask(router: &Router, request: Request<Body>) -> (StatusCode, Value) {
    let (status, _, text) = send(router, request).await;
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// The result of a call to a tool.
async fn call(router: &Router, tool: &str, arguments: &Value) -> Value {
    let (status, answer) =
        ask(router, post("/mcp", message("tools/call", &json!({"name": tool, "arguments": arguments})))).await;
    assert_eq!(status, StatusCode::OK, "{answer:#}");
    answer["result"].clone()
}

async fn tool_names(router: &Router, path: &str, header: Option<(&str, &str)>) -> Vec<String> {
    let mut request = post(path, message("tools/list", &json!({})));
    if let Some((name, value)) = header {
        request
            .headers_mut()
            .insert(axum::http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
    }
    let (status, answer) = ask(router, request).await;
    assert_eq!(status, StatusCode::OK, "{answer:#}");
    let tools = answer["result"]["tools"].as_array().unwrap();
    tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}
