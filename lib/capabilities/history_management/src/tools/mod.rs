//! The table of the history tools.

mod commit_to_github;
mod format_training_history;
mod post_issue_comment;

pub use commit_to_github::{
    CommitMode, CommitToGithub, CommittedFile, CommittedToGithub, FileChange, FileToCommit, OpenPullRequest,
};
pub use format_training_history::{FormatTrainingHistory, TrainingHistory, WrittenFile};
pub use post_issue_comment::{PostIssueComment, PostedIssueComment};

use mlops_core::Entry;

use crate::HistoryManagement;

/// Every tool of the capability.
pub static TOOLS: &[Entry<HistoryManagement>] =
    &[Entry::of::<FormatTrainingHistory>(), Entry::of::<CommitToGithub>(), Entry::of::<PostIssueComment>()];
