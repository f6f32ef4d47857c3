//! The room: the records of runs.

use mlops_core::Capability;
use mlops_records::RunRecords;

/// What the history tools may touch.
#[derive(Clone)]
pub struct HistoryManagement {
    /// The records of runs.
    pub runs: RunRecords,
}

impl Capability for HistoryManagement {
    const ID: &'static str = "history_management";
}
