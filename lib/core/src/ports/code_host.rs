//! Where issues are opened.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::values::IssueRef;

/// An issue as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// Which one.
    pub reference: IssueRef,
    /// Its title.
    pub title: String,
    /// Its body, Markdown.
    pub body: String,
}

/// Reads issues.
#[async_trait]
pub trait CodeHost: Send + Sync {
    /// The issue as it stands now; `NotFound` names the repository and the number.
    async fn issue(&self, reference: &IssueRef) -> Result<Issue>;
}
