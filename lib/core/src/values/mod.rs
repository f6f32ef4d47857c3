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
