//! The room: the records of runs, the issues that asked for them, and the repositories that keep their history.

use std::sync::Arc;

use mlops_core::Capability;
use mlops_core::ports::{CodeHost, Repositories};
use mlops_records::RunRecords;

/// What the history tools may touch.
#[derive(Clone)]
pub struct HistoryManagement {
    /// The records of runs; what is too long for a comment lies in the folder of its run.
    pub runs: RunRecords,
    /// Where issues are answered.
    pub code_host: Arc<dyn CodeHost>,
    /// Where the history is committed to.
    pub repositories: Arc<dyn Repositories>,
}

impl Capability for HistoryManagement {
    const ID: &'static str = "history_management";
}
