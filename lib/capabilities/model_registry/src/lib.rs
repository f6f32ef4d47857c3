//! Versions of models: registered once, found by name, alias and hash.

mod capability;
pub mod tools;
mod view;

pub use capability::ModelRegistry;
pub use mlops_records::ModelStatus;
pub use view::{VersionDiff, VersionView};
