//! MCP: the toolbox as a server of the Model Context Protocol. Only this folder knows rmcp.

mod resources;
mod schemas;
mod server;

use std::sync::Arc;

use mlops_core::ports::ObjectStore;
use mlops_core::values::ArtifactUri;
use mlops_core::{Audit, Error, Lang, Result};
use rmcp::ServiceExt as _;

use crate::Toolbox;

pub use server::McpServer;

/// What every call through this server has in common.
pub struct McpSettings {
    /// The language of results.
    pub lang: Lang,
    /// Where audit lines go.
    pub audit: Arc<dyn Audit>,
    /// Where artifacts lie; they are the server's resources.
    pub store: Arc<dyn ObjectStore>,
    /// The URI under which they lie.
    pub root: ArtifactUri,
}

/// Serves the toolbox over the standard input and output until the client closes them.
pub async fn serve_stdio(toolbox: Arc<Toolbox>, settings: McpSettings) -> Result<()> {
    let server = McpServer::new(toolbox, settings);
    let running = match server.serve(rmcp::transport::stdio()).await {
        Ok(running) => running,
        // A client may look at what the server is and leave: that is no failure.
        Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => {
            return Err(Error::invalid_input("the client did not speak MCP")
                .caused_by(error)
                .hint("start the server from an MCP client: mlops mcp --stdio"));
        }
    };
    running.waiting().await.map_err(|error| Error::internal("the MCP server ended").caused_by(error))?;
    Ok(())
}
