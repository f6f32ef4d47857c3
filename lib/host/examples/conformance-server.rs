//! The MCP server with what the protocol's conformance suite expects: `conformance-server 127.0.0.1:8123`.

#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a program of the tests: it says where it listens, or stops"
)]

use std::sync::Arc;

use mlops_core::{Result, Settings};
use mlops_host::Toolbox;
use mlops_host::mcp::http::{HttpSettings, Keys};
use mlops_host::mcp::{McpServer, McpSettings, conformance, told_to_end};
use mlops_local::{Access, LocalMachine};
use mlops_notification::Notification;

#[tokio::main]
async fn main() -> Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8123".to_owned());
    let home = tempfile::tempdir().expect("a folder");
    let read = |name: &str| (name == "MLOPS_HOME").then(|| home.path().display().to_string());
    let settings = Settings::from_variables(read, home.path())?;
    let machine = LocalMachine::new(settings, home.path().to_owned(), Access::HomeOnly)?;
    let LocalMachine { settings, store, audit, secrets, mailer, code_host, .. } = machine;
    let room = Notification::new(&settings, Arc::clone(&store), mailer, code_host);
    let toolbox = Toolbox::default().with(&Arc::new(room), mlops_notification::tools::TOOLS);
    let server = McpServer::new(Arc::new(toolbox), McpSettings::new(&settings, store, audit, secrets))?;
    let mut http = HttpSettings::new(&settings.mcp, Keys::NotAsked);
    http.origins = ["http://localhost:*", "http://127.0.0.1:*"].map(str::to_owned).into();
    http.calls_per_minute = None;
    let listener = tokio::net::TcpListener::bind(&address).await.expect("the address is free");
    eprintln!("listening on http://{}/mcp", listener.local_addr().expect("an address"));
    conformance::serve(listener, server, &http, told_to_end()).await
}
