//! The history of runs, as records, as pages and as comments on the issues that asked for them.

mod capability;
mod comment;
mod page;
mod secrets;
pub mod tools;

pub use capability::HistoryManagement;
pub use comment::{Link, Stage, StageState};
