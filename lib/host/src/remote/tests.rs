//! An endpoint in this process that does what tools do: answer, fail, report, hang.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use mlops_core::ports::Secrets;
use mlops_core::{Call, Error, ErrorKind, Lang, RemoteTools as _};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData, ProgressNotificationParam,
    ServerCapabilities, ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{RoleServer, ServerHandler};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::McpTools;

/// The one secret that a client needs, or none.
struct Key(Option<&'static str>);

#[async_trait::async_trait]
impl Secrets for Key {
    async fn secret(&self, name: &str) -> mlops_core::Result<SecretString> {
        assert_eq!(name, "mlops/mcp-api-key");
        self.0.map(SecretString::from).ok_or_else(|| Error::not_found("there is no key"))
    }
}

fn tools_at(url: &str, key: Option<&'static str>) -> mlops_core::Result<McpTools> {
    McpTools::new(url, Arc::new(Key(key)))
}

#[derive(Clone, Default)]
struct Tools {
    stopped: Arc<AtomicUsize>,
}

impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let value = match &*request.name {
            "echo" => json!({
                "arguments": request.arguments,
                "meta": context.meta.0,
                "protocol": context.protocol_version().map(|version| version.to_string()),
            }),
            "progress" => {
                let token = context.meta.get_progress_token().expect("the client asks for progress");
                for at in 1..=3 {
                    let param = ProgressNotificationParam::new(token.clone(), f64::from(at)).with_total(3.0);
                    context.peer.notify_progress(param.with_message(format!("step {at}"))).await.unwrap();
                }
                json!({"steps": 3})
            }
            "fail" => {
                let error = Error::invalid_input("`rows` is too large").at("rows").hint("write at most 10");
                let content = vec![ContentBlock::text(error.to_value().to_string())];
                return Ok(CallToolResult::error(content).into());
            }
            "hang" => {
                tokio::select! {
                    () = context.ct.cancelled() => { self.stopped.fetch_add(1, Ordering::SeqCst); }
                    () = tokio::time::sleep(Duration::from_mins(1)) => {}
                }
                json!({})
            }
            "plain" => return Ok(CallToolResult::success(vec![ContentBlock::text("no structure")]).into()),
            name => {
                let error = Error::not_found(format!("there is no tool `{name}`")).at("name");
                return Err(ErrorData::invalid_params(error.message.clone(), Some(error.to_value())));
            }
        };
        Ok(CallToolResult::structured(value).into())
    }
}

async fn let_in(request: Request, next: Next) -> Response {
    match request.headers().get("x-api-key").map(axum::http::HeaderValue::as_bytes) {
        Some(b"opens") => next.run(request).await,
        Some(b"k-often") => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "7")]).into_response(),
        Some(b"k-broken") => StatusCode::BAD_GATEWAY.into_response(),
        _ => (StatusCode::UNAUTHORIZED, axum::Json(json!({"message": "the API key is wrong"}))).into_response(),
    }
}

struct Endpoint {
    tools: Tools,
    address: std::net::SocketAddr,
    server: tokio::task::JoinHandle<()>,
}

impl Endpoint {
    async fn start(json_response: bool, address: Option<std::net::SocketAddr>) -> Self {
        let tools = Tools::default();
        let config = StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_json_response(json_response)
            .with_sse_keep_alive(None);
        let served = tools.clone();
        let service =
            StreamableHttpService::new(move || Ok(served.clone()), Arc::new(NeverSessionManager::default()), config);
        let router = axum::Router::new().route_service("/mcp", service).layer(axum::middleware::from_fn(let_in));
        let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = tokio::net::TcpListener::bind(address.unwrap_or(any)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { tools, address, server }
    }

    fn client(&self, key: &'static str) -> McpTools {
        tools_at(&format!("http://{}/mcp", self.address), Some(key)).unwrap()
    }
}

#[tokio::test]
async fn a_call_carries_its_arguments_and_who_asks() {
    let endpoint = Endpoint::start(true, None).await;
    let client = endpoint.client("opens");
    let call = Call::new("request-1").by("training").in_run("run-7").in_lang(Lang::Ja);
    let given = json!({"rows": 3, "precise": 0.1, "large": 9_007_199_254_740_993_u64, "nothing": null});
    let value = client.call("echo", given.clone(), &call).await.unwrap();
    assert_eq!(value["arguments"], given);
    assert_eq!(value["meta"]["mlops/agent_id"], "training");
    assert_eq!(value["meta"]["mlops/run_id"], "run-7");
    assert_eq!(value["meta"]["mlops/lang"], "ja");
    assert_eq!(value["meta"]["mlops/request_id"], "request-1");
    assert_eq!(value["protocol"], "2026-07-28");
    let odd = client.call("echo", json!({}), &Call::new("..").by("cli:mona/空")).await.unwrap();
    assert_eq!(odd["meta"]["mlops/agent_id"], "cli-mona--");
    assert!(odd["meta"].get("mlops/request_id").is_none() && odd["meta"].get("mlops/run_id").is_none());
}

#[test]
fn calls_need_no_executor_of_their_own_and_share_the_connection() {
    let server = tokio::runtime::Runtime::new().unwrap();
    let endpoint = server.block_on(Endpoint::start(true, None));
    let client = endpoint.client("opens");
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let client = &client;
            scope.spawn(move || {
                for number in 0..20 {
                    let call = Call::new("r");
                    let given = json!({"number": thread * 100 + number});
                    let value = futures::executor::block_on(client.call("echo", given.clone(), &call)).unwrap();
                    assert_eq!(value["arguments"], given);
                }
            });
        }
    });
}

#[tokio::test]
async fn errors_keep_their_kind_field_and_hint() {
    let endpoint = Endpoint::start(true, None).await;
    let client = endpoint.client("opens");
    let call = Call::new("r");
    let error = client.call("fail", json!({}), &call).await.unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("rows")));
    assert_eq!(error.hint.as_deref(), Some("write at most 10"));
    let error = client.call("unknown", json!({}), &call).await.unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::NotFound, Some("name")));
    let error = client.call("plain", json!({}), &call).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Internal);
    assert!(error.message.contains("no structured result"), "{error}");
    assert_eq!(client.call("echo", Value::Null, &call).await.unwrap_err().kind, ErrorKind::Internal);
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let endpoint = Endpoint::start(true, None).await;
    let call = Call::new("r");
    for (key, kind, text) in [
        ("k-unknown", ErrorKind::Forbidden, "does not let this caller in"),
        ("k-often", ErrorKind::Throttled, "after 7 seconds"),
        ("k-broken", ErrorKind::Unavailable, "HTTP 502"),
    ] {
        let error = endpoint.client(key).call("echo", json!({}), &call).await.unwrap_err();
        assert_eq!(error.kind, kind, "{key}: {error:?}");
        assert!(error.message.contains(text), "{key}: {error}");
        assert!(!format!("{error:?}{}", error.to_value()).contains(key), "the key is not told: {error:?}");
    }
    let elsewhere = tools_at(&format!("http://{}/other", endpoint.address), Some("opens")).unwrap();
    assert_eq!(elsewhere.call("echo", json!({}), &call).await.unwrap_err().kind, ErrorKind::NotFound);
    for url in ["", "host/mcp", "ftp://host/mcp", "http://", "unix:/run/x"] {
        let error = tools_at(url, None).unwrap_err();
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("MLOPS_MCP_URL")), "{url}");
    }
    let error = endpoint.client("two\nlines").call("echo", json!({}), &call).await.unwrap_err();
    assert_eq!(error.field.as_deref(), Some("MLOPS_SECRET_MCP_API_KEY"));
}

#[tokio::test]
async fn the_time_of_a_call_ends_here_and_there() {
    for json_response in [true, false] {
        let endpoint = Endpoint::start(json_response, None).await;
        let client = endpoint.client("opens");
        let started = Instant::now();
        let call = Call::new("r").within(Duration::from_millis(300));
        assert_eq!(client.call("hang", json!({}), &call).await.unwrap_err().kind, ErrorKind::TimedOut);
        let call = Call::new("r");
        let cancellation = call.cancellation.clone();
        let (ended, ()) = tokio::join!(client.call("hang", json!({}), &call), async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            cancellation.cancel();
        });
        assert_eq!(ended.unwrap_err().kind, ErrorKind::TimedOut);
        // A caller that goes away altogether.
        let call = Call::new("r");
        let gone = tokio::time::timeout(Duration::from_millis(200), client.call("hang", json!({}), &call)).await;
        assert!(gone.is_err());
        while endpoint.tools.stopped.load(Ordering::SeqCst) < 3 {
            assert!(started.elapsed() < Duration::from_secs(20), "the endpoint goes on with work that nobody wants");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // The connection is still good.
        assert!(client.call("echo", json!({}), &Call::new("r")).await.is_ok());
    }
}

#[tokio::test]
async fn progress_reaches_the_call() {
    let endpoint = Endpoint::start(false, None).await;
    let client = endpoint.client("opens");
    let (sender, receiver) = std::sync::mpsc::channel();
    let call = Call::new("r").reporting_to(move |progress| sender.send(progress).unwrap());
    // The first message may come before the client knows under which name.
    assert_eq!(client.call("progress", json!({}), &call).await.unwrap(), json!({"steps": 3}));
    let last = receiver.try_iter().last().expect("progress is reported");
    assert_eq!((last.done, last.total, last.message.as_str()), (3.0, Some(3.0), "step 3"));
}

#[tokio::test]
async fn an_endpoint_that_comes_back_is_used_again() {
    let endpoint = Endpoint::start(true, None).await;
    let client = endpoint.client("opens");
    let call = Call::new("r");
    client.call("echo", json!({}), &call).await.unwrap();
    endpoint.server.abort();
    assert!(endpoint.server.await.unwrap_err().is_cancelled());
    let address = endpoint.address;
    // Connections that are open are served to their end; a new client finds nobody.
    let late = tools_at(&format!("http://{address}/mcp"), Some("opens")).unwrap();
    let error = late.call("echo", json!({}), &call).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable, "{error:?}");
    assert!(error.hint.unwrap_or_default().contains("MLOPS_MCP_URL"));
    // The same over TLS: nobody there speaks it, and that is an error too, not a panic.
    let again = Endpoint::start(true, Some(address)).await;
    let secure = tools_at(&format!("https://{address}/mcp"), None).unwrap();
    assert_eq!(secure.call("echo", json!({}), &call).await.unwrap_err().kind, ErrorKind::Unavailable);
    assert_eq!(again.address, address);
    assert!(late.call("echo", json!({}), &call).await.is_ok());
    assert!(client.call("echo", json!({}), &call).await.is_ok());
}
