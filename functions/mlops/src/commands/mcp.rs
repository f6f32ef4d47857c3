//! `mlops mcp`: every tool for an MCP client.

use std::sync::Arc;

use mlops_core::{Error, Result};
use mlops_host::mcp::{McpSettings, serve_stdio};

use crate::Platform;

/// Serves the toolbox until the client leaves.
pub(crate) async fn run(platform: &Platform, stdio: bool) -> Result<()> {
    if !stdio {
        return Err(Error::invalid_input("name the transport").hint("mlops mcp --stdio"));
    }
    let settings = McpSettings {
        lang: platform.settings.lang,
        audit: Arc::clone(&platform.audit),
        store: Arc::clone(&platform.store),
        root: platform.settings.store.clone(),
    };
    serve_stdio(Arc::clone(&platform.toolbox), settings).await?;
    platform.finish_started_runs().await;
    Ok(())
}
