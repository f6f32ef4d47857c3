//! The body of an MCP request: it is answered, in JSON, and never with a defect.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, Request};
use mlops_host::Toolbox;
use mlops_host::mcp::http::{HttpSettings, Keys, router};
use mlops_host::mcp::{McpServer, McpSettings};
use mlops_model_registry::ModelRegistry;
use mlops_notification::Notification;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::edits::Input;
use crate::room::{Renewed, Room, issues};

const VERSIONS: [&str; 2] = ["2025-11-25", "2026-07-28"];

thread_local! {
    static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    static ENDPOINT: RefCell<Renewed<(Room, Router)>> = const { RefCell::new(Renewed::new(make)) };
}

fn make() -> (Room, Router) {
    let room = Room::new();
    let machine = &room.machine;
    let (mailer, code_host) = (Arc::clone(&machine.mailer), Arc::clone(&machine.code_host));
    let notification = Notification::new(&machine.settings, Arc::clone(&machine.store), mailer, code_host);
    let toolbox = Toolbox::default()
        .with(&room.github, mlops_github_integration::tools::TOOLS)
        .with(&Arc::new(notification), mlops_notification::tools::TOOLS)
        .with(&Arc::new(ModelRegistry::new(room.artifacts.clone())), mlops_model_registry::tools::TOOLS);
    let settings = McpSettings::new(
        &machine.settings,
        Arc::clone(&machine.store),
        Arc::clone(&machine.audit),
        Arc::clone(&machine.secrets),
    );
    let server = McpServer::new(Arc::new(toolbox), settings).unwrap();
    let mut http = HttpSettings::new(&machine.settings.mcp, Keys::Fixed("key".into()));
    http.calls_per_minute = None;
    let router = router(server, &http);
    (room, router)
}

fn holds(path: &str, version: &str, body: &[u8]) {
    let mut request = Request::post(path)
        .header("host", "localhost")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("x-api-key", "key")
        .header("mcp-protocol-version", version);
    // The newer protocol wants the method and the name in headers too: without them nothing gets far.
    let read = serde_json::from_slice::<Value>(body).unwrap_or_default();
    for (header, value) in [("mcp-method", &read["method"]), ("mcp-name", &read["params"]["name"])] {
        if let Some(Ok(value)) = value.as_str().map(HeaderValue::from_str) {
            request = request.header(header, value);
        }
    }
    let request = request.body(Body::from(body.to_vec())).unwrap();
    let router = ENDPOINT.with_borrow_mut(|endpoint| endpoint.get().1.clone());
    let (status, text) = RUNTIME.with(|runtime| {
        runtime.block_on(async {
            let answered = tokio::time::timeout(Duration::from_secs(20), router.oneshot(request)).await;
            let response = answered.expect("an answer within 20 seconds").unwrap();
            let (parts, body) = response.into_parts();
            // A subscription stays open; everything else ends.
            let read = tokio::time::timeout(Duration::from_secs(20), to_bytes(body, 64 * 1024 * 1024));
            let bytes = if read_is_stream(&parts) { Vec::new() } else { read.await.expect("an end").unwrap().to_vec() };
            (parts.status.as_u16(), String::from_utf8(bytes).expect("text"))
        })
    });
    assert!(matches!(status, 200 | 202 | 400 | 401 | 403 | 404 | 405 | 413 | 415 | 422), "{status}: {text}");
    if !text.is_empty() {
        let answer: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_ne!(answer["error"]["code"], json!(-32603), "{answer}");
        assert!(!text.contains(r#"\"kind\":\"Internal\""#), "{text}");
    }
}

fn read_is_stream(parts: &axum::http::response::Parts) -> bool {
    parts.headers.get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

fn messages() -> Vec<String> {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "fuzz", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
        "mlops/run_id": "run-1",
    });
    let call = |name: &str, arguments: Value| ("tools/call", json!({"name": name, "arguments": arguments}));
    let initialize = json!({
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "fuzz", "version": "1"},
    });
    let messages = [
        ("initialize", initialize),
        ("server/discover", json!({})),
        ("ping", json!({})),
        ("tools/list", json!({"cursor": "1"})),
        call("parse_issue_config", json!({"body": issues()[0]})),
        call("list_model_versions", json!({"model_name": "penguins", "limit": 2})),
        call("apply_notification_template", json!({"template": "training_completed", "variables": {}})),
        call("search_tools", json!({"query": "train"})),
        call("no_such_tool", json!({})),
        ("resources/list", json!({})),
        ("resources/read", json!({"uri": "file:///etc/passwd"})),
        ("resources/templates/list", json!({})),
        ("prompts/list", json!({})),
        ("prompts/get", json!({"name": "train", "arguments": {"file": "x.csv"}})),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/prompt", "name": "train"}, "argument": {"name": "a", "value": "b"}}),
        ),
    ];
    messages
        .into_iter()
        .map(|(method, mut params)| {
            params["_meta"] = meta.clone();
            json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string()
        })
        .collect()
}

#[test]
fn mcp_body() {
    let samples = messages();
    for sample in &samples {
        for version in VERSIONS {
            holds("/mcp", version, sample.as_bytes());
        }
    }
    bolero::check!().with_type::<(bool, Input)>().with_test_time(Duration::from_secs(2)).for_each(|(newer, input)| {
        holds("/mcp", VERSIONS[usize::from(*newer)], &input.bytes(&samples));
    });
}
