//! `mlops mcp`: every tool for MCP clients.

use std::net::SocketAddr;
use std::sync::Arc;

use mlops_core::settings::McpAccess;
use mlops_core::{Error, Result};
use mlops_host::mcp::http::{HttpSettings, Keys, serve};
use mlops_host::mcp::{McpServer, McpSettings, serve_stdio, told_to_end};
use tokio::net::TcpListener;

use crate::Platform;
use crate::output::tell;

/// Serves the toolbox, or the part of it that was asked for, until the client leaves or the process is told to end.
pub(crate) async fn run(
    platform: &Platform,
    http: Option<SocketAddr>,
    toolsets: Vec<String>,
    read_only: bool,
) -> Result<()> {
    let mut settings = settings(platform);
    if !toolsets.is_empty() {
        settings.access.toolsets = Some(toolsets);
    }
    settings.access.read_only |= read_only;
    match http {
        None => serve_stdio(Arc::clone(&platform.toolbox), settings).await?,
        Some(address) => {
            let doors = doors(platform, &settings.access, address).await?;
            let server = McpServer::new(Arc::clone(&platform.toolbox), settings)?;
            let listener = listen(address).await?;
            tell!("listening on http://{}/mcp", shown(&listener)?);
            serve(listener, server, &doors, told_to_end()).await?;
        }
    }
    platform.finish_started_runs().await;
    Ok(())
}

/// What an MCP server on this platform has.
pub(crate) fn settings(platform: &Platform) -> McpSettings {
    let (store, audit) = (Arc::clone(&platform.store), Arc::clone(&platform.audit));
    McpSettings::new(&platform.settings, store, audit, Arc::clone(&platform.secrets))
}

/// Who may call over HTTP. Without a key nobody but this machine may.
pub(crate) async fn doors(platform: &Platform, access: &McpAccess, address: SocketAddr) -> Result<HttpSettings> {
    let is_set = platform.api_key().await?.is_some();
    if !is_set && !address.ip().is_loopback() {
        return Err(Error::forbidden(format!("{address} can be reached from elsewhere, and no key is set"))
            .at("http")
            .hint("set MLOPS_SECRET_MCP_API_KEY, or listen on 127.0.0.1"));
    }
    let keys = if is_set { Keys::Secret(Arc::clone(&platform.secrets)) } else { Keys::NotAsked };
    Ok(HttpSettings::new(access, keys))
}

/// The port, or why it cannot be had.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let message = format!("{address} cannot be listened on: {error}");
        Error::unavailable(message).at("http").hint("choose another port; 0 takes a free one").caused_by(error)
    })
}

/// The address that was taken.
pub(crate) fn shown(listener: &TcpListener) -> Result<SocketAddr> {
    listener.local_addr().map_err(|error| Error::internal("the port has no address").caused_by(error))
}
