//! The room of the tools: what they may touch.

use std::sync::Arc;

use mlops_artifacts::Artifacts;
use mlops_core::Capability;
use mlops_core::ports::{CodeHost, Secrets, Workflows};
use mlops_core::settings::RequestSettings;
use mlops_records::Deliveries;

/// Understands webhooks, reads issues, looks at the tables that they name, and starts runs.
pub struct GithubIntegration {
    /// Executes the state machine `training`.
    pub workflows: Arc<dyn Workflows>,
    /// Where issues are opened.
    pub code_host: Arc<dyn CodeHost>,
    /// Where tables lie, and where an input goes that is too large for an execution.
    pub artifacts: Artifacts,
    /// Knows the secret that deliveries are signed with.
    pub secrets: Arc<dyn Secrets>,
    /// Who may ask for what in an issue.
    pub requests: RequestSettings,
}

impl GithubIntegration {
    /// The deliveries that were acted upon.
    pub(crate) fn deliveries(&self) -> Deliveries {
        Deliveries::new(Arc::clone(self.artifacts.store()), self.artifacts.root())
    }
}

impl Capability for GithubIntegration {
    const ID: &'static str = "github_integration";
}
