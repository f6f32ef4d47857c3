//! The values that tools, agents and ports share.

mod artifact_uri;
mod digest;
mod issue_ref;
mod mailbox;
mod training_config;

pub use artifact_uri::ArtifactUri;
pub use digest::{Sha256, sha256_hex};
pub use issue_ref::IssueRef;
pub use mailbox::Mailbox;
pub use training_config::{EvaluationConfig, Gate, SupervisedTask, TaskType, TrainingConfig};

/// The seed when none is given: one for the whole fleet, so that a tool called alone does what it does in a run.
pub const DEFAULT_SEED: u64 = 42;

/// [`DEFAULT_SEED`] as `#[serde(default = …)]` takes it.
#[must_use]
pub const fn default_seed() -> u64 {
    DEFAULT_SEED
}
