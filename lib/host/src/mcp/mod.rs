//! MCP: the toolbox as a server of the Model Context Protocol. Only this folder knows rmcp.

mod calls;
mod completions;
#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "http")]
pub mod http;
mod jobs;
mod lines;
mod meta;
mod offer;
mod prompts;
mod refusals;
mod resources;
mod schemas;
mod server;

use std::sync::Arc;
use std::time::Duration;

use mlops_core::ports::{ObjectStore, Secrets};
use mlops_core::settings::{self, McpAccess};
use mlops_core::values::ArtifactUri;
use mlops_core::{Audit, Error, Lang, Result, Settings};
use rmcp::ServiceExt as _;

use crate::Toolbox;

pub use server::McpServer;

/// After how long a call answers with a handle, when its client asked for no progress.
const HANDLE_AFTER: Duration = Duration::from_secs(30);

/// What every call through this server has in common.
pub struct McpSettings {
    /// The language of results, unless a request names another.
    pub lang: Lang,
    /// Where audit lines go.
    pub audit: Arc<dyn Audit>,
    /// Where artifacts lie; they are the server's resources.
    pub store: Arc<dyn ObjectStore>,
    /// The URI under which they lie.
    pub root: ArtifactUri,
    /// The secrets, of which `diagnose_setup` says whether they are there.
    pub secrets: Arc<dyn Secrets>,
    /// What is offered, and to whom.
    pub access: McpAccess,
    /// What becomes of a call that takes long.
    pub long_calls: LongCalls,
    /// Which of [`settings::ALL`] are set.
    pub variables_set: Vec<&'static str>,
}

/// What becomes of a call that takes long and whose client asked for no progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LongCalls {
    /// After that time it answers with a `job_id` and goes on; the tool `get_result` gives the result.
    Handle(Duration),
    /// The answer waits for it: where the process stops between requests, nothing could go on.
    Wait,
}

impl McpSettings {
    /// The settings of a server in a process that goes on between requests.
    pub fn new(
        settings: &Settings,
        store: Arc<dyn ObjectStore>,
        audit: Arc<dyn Audit>,
        secrets: Arc<dyn Secrets>,
    ) -> Self {
        let is_set = |name: &&'static str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        Self {
            lang: settings.lang,
            audit,
            store,
            root: settings.store.clone(),
            secrets,
            access: settings.mcp.clone(),
            long_calls: LongCalls::Handle(HANDLE_AFTER),
            variables_set: settings::ALL.iter().map(|setting| setting.name).filter(is_set).collect(),
        }
    }

    /// With another rule for calls that take long.
    #[must_use]
    pub fn with_long_calls(mut self, long_calls: LongCalls) -> Self {
        self.long_calls = long_calls;
        self
    }
}

/// Serves the toolbox over the standard input and output until the client closes them or the process is told to end.
pub async fn serve_stdio(toolbox: Arc<Toolbox>, settings: McpSettings) -> Result<()> {
    let server = McpServer::new(toolbox, settings)?;
    let (input, output) = rmcp::transport::stdio_pipes();
    let running = match server.clone().serve(lines::Lines::new(input, output)).await {
        Ok(running) => running,
        // A client may look at what the server is and leave: that is no failure.
        Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => {
            return Err(Error::invalid_input("the client did not speak MCP")
                .caused_by(error)
                .hint("start the server from an MCP client: mlops mcp --stdio"));
        }
    };
    let told = running.cancellation_token();
    let waiting = tokio::spawn(async move {
        told_to_end().await;
        told.cancel();
    });
    let ended = running.waiting().await;
    waiting.abort();
    server.stop_jobs().await;
    ended.map_err(|error| Error::internal("the MCP server ended").caused_by(error))?;
    Ok(())
}

/// Waits for ctrl-c, or for what a supervisor sends.
pub async fn told_to_end() {
    let interrupt = async {
        // Without a handler the process ends by the signal itself.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<Option<()>>();
    tokio::select! {
        () = interrupt => {}
        _ = terminate => {}
    }
}
