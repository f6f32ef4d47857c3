//! The tools of an MCP endpoint, called over HTTP: what agents use instead of a room in their own process.

mod callers;
mod connection;
mod failure;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use mlops_core::ports::Secrets;
use mlops_core::{Call, Cancellation, Error, RemoteTools, Result};
use rmcp::model::{CallToolRequest, CallToolRequestParams, ClientRequest, JsonObject, RequestMetaObject};
use rmcp::service::PeerRequestOptions;
use serde_json::Value;
use tokio::runtime::Runtime;

pub use callers::Callers;
use connection::Endpoint;

/// How often a call that waits for its answer looks whether it should still wait.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The tools of one endpoint. It connects with the first call; all calls share its connections, from any executor.
pub struct McpTools {
    endpoint: Arc<Endpoint>,
    /// Connections outlive the executor that a call happens to run on, so they have one of their own.
    runtime: Option<Runtime>,
}

impl McpTools {
    /// The tools at that URL, as `https://host/mcp`. The secret `mlops/mcp-api-key` is sent as `X-API-Key` when there is
    /// one; it is read when the first call connects.
    pub fn new(url: &str, secrets: Arc<dyn Secrets>) -> Result<Self> {
        let endpoint = Arc::new(Endpoint::new(url, secrets)?);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("mcp-client")
            .enable_all()
            .build()
            .map_err(|error| Error::unavailable("no thread could be started for the MCP client").caused_by(error))?;
        Ok(Self { endpoint, runtime: Some(runtime) })
    }
}

impl std::fmt::Debug for McpTools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("McpTools").field("address", &self.endpoint.address).finish_non_exhaustive()
    }
}

impl Drop for McpTools {
    fn drop(&mut self) {
        // Waiting for its threads would block the executor that drops the last agent.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Tells the endpoint to stop when the caller stops waiting.
struct StopWhenDropped(Cancellation);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl RemoteTools for McpTools {
    fn call<'a>(&'a self, tool: &'static str, arguments: Value, call: &'a Call) -> BoxFuture<'a, Result<Value>> {
        Box::pin(async move {
            let Value::Object(arguments) = arguments else {
                return Err(Error::internal(format!("the arguments of {tool} are not an object")));
            };
            let Some(runtime) = &self.runtime else {
                return Err(Error::internal("the MCP client has ended"));
            };
            call.check()?;
            let endpoint = Arc::clone(&self.endpoint);
            let mut inner = call.clone();
            inner.cancellation = call.cancellation.child();
            let _guard = StopWhenDropped(inner.cancellation.clone());
            let work = runtime.spawn(async move { run(&endpoint, tool, arguments, &inner).await });
            work.await.map_err(|error| Error::internal(format!("the call of {tool} broke off")).caused_by(error))?
        })
    }
}

async fn run(endpoint: &Endpoint, tool: &'static str, arguments: JsonObject, call: &Call) -> Result<Value> {
    let mut over = std::pin::pin!(over(call));
    let request = || {
        let params = CallToolRequestParams::new(tool).with_arguments(arguments.clone());
        let options = PeerRequestOptions::no_options().with_meta(meta_of(call));
        (ClientRequest::CallToolRequest(CallToolRequest::new(params)), options)
    };
    // A connection that ended since the last call is noticed when the request cannot be handed over: nothing was sent.
    let mut connection = tokio::select! {
        connection = endpoint.connection() => connection?,
        error = &mut over => return Err(error),
    };
    let (first, options) = request();
    let sent = match connection.send_cancellable_request(first, options).await {
        Err(rmcp::ServiceError::TransportClosed) => {
            connection = tokio::select! {
                connection = endpoint.connection() => connection?,
                error = &mut over => return Err(error),
            };
            let (second, options) = request();
            connection.send_cancellable_request(second, options).await
        }
        sent => sent,
    };
    let mut handle = sent.map_err(|error| failure::of_call(&endpoint.address, error))?;
    let _listening = connection.service().listen(handle.progress_token.clone(), call);
    let answer = tokio::select! {
        answer = &mut handle.rx => answer.unwrap_or(Err(rmcp::ServiceError::TransportClosed)),
        error = &mut over => {
            // The endpoint sees that nobody waits; whether it could be told changes nothing for the caller.
            let _ = handle.cancel(Some(error.message.clone())).await;
            return Err(error);
        }
    };
    let result = answer.map_err(|error| failure::of_call(&endpoint.address, error))?;
    failure::value_of(tool, &endpoint.address, result)
}

/// Ends, with the reason, when the call should stop.
async fn over(call: &Call) -> Error {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if let Err(error) = call.check() {
            return error;
        }
    }
}

/// What the endpoint knows of the caller.
fn meta_of(call: &Call) -> RequestMetaObject {
    // Endpoints take names alone here: `cli:mona` is told as `cli-mona`.
    let name = |text: &str| -> String {
        let kept = text.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' });
        kept.take(128).collect::<String>().trim_start_matches('.').to_owned()
    };
    let mut meta = JsonObject::new();
    for (key, text) in [("mlops/agent_id", &call.agent_id), ("mlops/request_id", &call.request_id)] {
        let text = name(text);
        if !text.is_empty() {
            meta.insert(key.to_owned(), text.into());
        }
    }
    meta.insert("mlops/lang".to_owned(), call.lang.as_str().into());
    if let Some(run_id) = &call.run_id {
        meta.insert("mlops/run_id".to_owned(), run_id.clone().into());
    }
    meta.into()
}
