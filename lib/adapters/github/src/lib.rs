//! GitHub over its REST API: issues, comments, labels, reactions, permissions and checks, and commits of several files
//! over its git data API. Nothing is sent before the first call.

mod client;
mod comments;
mod credentials;
mod issues;
mod json_web_token;
mod limits;
mod reply;
mod repositories;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mlops_core::Result;
use mlops_core::ports::Secrets;
use mlops_core::settings::GithubSettings;

use client::Client;
use comments::Authors;

/// The secret that opens GitHub: a token, or the private key of the GitHub App.
pub const SECRET: &str = "mlops/github-token";

/// GitHub as a host of issues and a keeper of repositories. Cheap to clone; clones share connections and tokens.
#[derive(Clone)]
pub struct Github {
    client: Arc<Client>,
    authors: Arc<Authors>,
}

impl Github {
    /// GitHub at the address of the settings, as the app of the settings or as the owner of the token. The secret
    /// [`SECRET`] is read when it is needed, and read anew once when GitHub refuses it. `InvalidInput` when the address
    /// is none.
    pub fn new(settings: &GithubSettings, secrets: Arc<dyn Secrets>) -> Result<Self> {
        Ok(Self { client: Arc::new(Client::new(settings, secrets)?), authors: Arc::default() })
    }

    /// Waits at most that long when GitHub asks to wait, 20 s by default; what takes longer is `Throttled`, and the error
    /// says until when.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { client: Arc::new(self.client.with_patience(patience)), authors: self.authors }
    }
}

impl fmt::Debug for Github {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Github").field("api", &self.client.api).finish_non_exhaustive()
    }
}
