//! Where the agents call their tools: in this process, or at the endpoints that the settings name.

use std::sync::Arc;

use mlops_core::{Capability, RemoteTools, Result, Settings, ToolCaller};
use mlops_host::remote::McpTools;
use secrecy::SecretString;

/// Where agents call tools: in their own process, or at the endpoints that the settings name.
pub(crate) struct Callers<'a> {
    settings: &'a Settings,
    api_key: Option<SecretString>,
}

impl<'a> Callers<'a> {
    /// Callers by those settings; endpoints are given that key.
    pub(crate) const fn new(settings: &'a Settings, api_key: Option<SecretString>) -> Self {
        Self { settings, api_key }
    }

    /// The caller of that room's tools.
    pub(crate) fn of<C: Capability>(&self, room: &Arc<C>) -> Result<ToolCaller<C>> {
        let Some(url) = self.settings.mcp_url(C::ID) else { return Ok(ToolCaller::embedded(Arc::clone(room))) };
        let tools: Arc<dyn RemoteTools> = Arc::new(McpTools::new(url, self.api_key.clone())?);
        Ok(ToolCaller::remote(tools))
    }
}
