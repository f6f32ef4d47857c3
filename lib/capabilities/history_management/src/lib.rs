//! The history of runs, as records and as pages.

mod capability;
mod page;
pub mod tools;

pub use capability::HistoryManagement;
