//! The table of the history tools.

mod format_training_history;
mod post_issue_comment;

pub use format_training_history::{FormatTrainingHistory, TrainingHistory, WrittenFile};
pub use post_issue_comment::{PostIssueComment, PostedIssueComment};

use mlops_core::Entry;

use crate::HistoryManagement;

/// Every tool of the capability.
pub static TOOLS: &[Entry<HistoryManagement>] =
    &[Entry::of::<FormatTrainingHistory>(), Entry::of::<PostIssueComment>()];
