//! The room of the tools: what they may touch.

use std::sync::Arc;

use mlops_core::ports::{CodeHost, ObjectStore, Secrets, Workflows};
use mlops_core::settings::RequestSettings;
use mlops_core::values::ArtifactUri;
use mlops_core::{Capability, Error, Result};
use mlops_records::Deliveries;

use crate::Tables;

/// Understands webhooks, reads issues, looks at the tables that they name, and starts runs.
///
/// A function that only plans a run starts none, and one that only starts runs looks at no table: each links what it
/// needs, and what it leaves out is `None`.
pub struct GithubIntegration {
    /// Executes the state machine `training`; `None` where no run is started.
    pub workflows: Option<Arc<dyn Workflows>>,
    /// Where issues are opened.
    pub code_host: Arc<dyn CodeHost>,
    /// Where deliveries are remembered.
    pub store: Arc<dyn ObjectStore>,
    /// Where an input goes that is too large for an execution: below this.
    pub root: ArtifactUri,
    /// Reads the tables that requests name; `None` where no data is looked at.
    pub tables: Option<Arc<dyn Tables>>,
    /// Knows the secret that deliveries are signed with.
    pub secrets: Arc<dyn Secrets>,
    /// Who may ask for what in an issue.
    pub requests: RequestSettings,
}

impl GithubIntegration {
    /// The room, which looks at the tables of its store too.
    #[cfg(feature = "tables")]
    #[must_use]
    pub fn with_tables(mut self) -> Self {
        let artifacts = mlops_artifacts::Artifacts::new(Arc::clone(&self.store), self.root.clone());
        self.tables = Some(Arc::new(artifacts));
        self
    }

    /// The deliveries that were acted upon.
    pub(crate) fn deliveries(&self) -> Deliveries {
        Deliveries::new(Arc::clone(&self.store), &self.root)
    }

    /// Where runs are started.
    pub(crate) fn workflows(&self) -> Result<&dyn Workflows> {
        let missing = || Error::internal("no runs are started here").hint("start them where issues are taken");
        self.workflows.as_deref().ok_or_else(missing)
    }

    /// What reads tables. Without it a request can still be checked by itself.
    pub(crate) fn tables(&self) -> Result<&dyn Tables> {
        let missing = || {
            Error::invalid_input("the data cannot be looked at here")
                .at("check_data")
                .hint("set `check_data` to false; the plan of the run looks at the data")
        };
        self.tables.as_deref().ok_or_else(missing)
    }
}

impl Capability for GithubIntegration {
    const ID: &'static str = "github_integration";
}
