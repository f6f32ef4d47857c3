//! Where the agents call their tools: in their own process, or at the endpoints that the settings name.

use std::sync::Arc;

use mlops_core::ports::Secrets;
use mlops_core::{Capability, RemoteTools, Result, Settings, ToolCaller};

use super::McpTools;

/// Where agents call tools: in their own process, or at the endpoints that the settings name.
pub struct Callers<'a> {
    settings: &'a Settings,
    secrets: &'a Arc<dyn Secrets>,
}

impl<'a> Callers<'a> {
    /// Callers by those settings; endpoints are given the secret `mlops/mcp-api-key`, where there is one.
    pub const fn new(settings: &'a Settings, secrets: &'a Arc<dyn Secrets>) -> Self {
        Self { settings, secrets }
    }

    /// The caller of that room's tools. `InvalidInput` names `MLOPS_MCP_URL` when it is no URL.
    pub fn of<C: Capability>(&self, room: impl Into<Arc<C>>) -> Result<ToolCaller<C>> {
        let Some(url) = self.settings.mcp_url(C::ID) else { return Ok(ToolCaller::embedded(room)) };
        let tools: Arc<dyn RemoteTools> = Arc::new(McpTools::new(url, Arc::clone(self.secrets))?);
        Ok(ToolCaller::remote(tools))
    }
}
