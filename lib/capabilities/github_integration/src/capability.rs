//! The room of the tools: what they may touch.

use std::sync::Arc;

use mlops_artifacts::Artifacts;
use mlops_core::Capability;
use mlops_core::ports::{CodeHost, Workflows};

/// Reads issues, looks at the tables that they name, and starts runs.
pub struct GithubIntegration {
    /// Executes the state machine `training`.
    pub workflows: Arc<dyn Workflows>,
    /// Where issues are opened.
    pub code_host: Arc<dyn CodeHost>,
    /// Where tables lie, and where an input goes that is too large for an execution.
    pub artifacts: Artifacts,
}

impl Capability for GithubIntegration {
    const ID: &'static str = "github_integration";
}
