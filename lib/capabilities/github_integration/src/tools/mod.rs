//! The tools of this room.

mod detect_mlops_issue;
mod parse_issue_config;
mod start_workflow;
mod validate_training_params;

use mlops_core::Entry;

pub use detect_mlops_issue::{DetectMlopsIssue, DetectedMlopsIssue, PlainIssue};
pub use parse_issue_config::{ParseIssueConfig, ParsedIssueConfig};
pub use start_workflow::{StartWorkflow, StartedWorkflow};
pub use validate_training_params::{ValidateTrainingParams, ValidatedTrainingParams};

use crate::GithubIntegration;

/// Every tool of this room.
pub static TOOLS: &[Entry<GithubIntegration>] = &[
    Entry::of::<DetectMlopsIssue>(),
    Entry::of::<ParseIssueConfig>(),
    Entry::of::<ValidateTrainingParams>(),
    start_workflow::ENTRY,
];

#[cfg(test)]
mod tools_tests;
