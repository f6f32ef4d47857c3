//! The table of the history tools.

mod format_training_history;

pub use format_training_history::{FormatTrainingHistory, TrainingHistory, WrittenFile};

use mlops_core::Entry;

use crate::HistoryManagement;

/// Every tool of the capability.
pub static TOOLS: &[Entry<HistoryManagement>] = &[Entry::of::<FormatTrainingHistory>()];
