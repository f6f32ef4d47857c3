//! Versions of models: registered once, found by name, alias and hash, taken into use and back.

mod capability;
mod golden;
mod reason;
pub mod tools;
mod verification;
mod view;

pub use capability::ModelRegistry;
pub use mlops_records::ModelStatus;
pub use verification::Verification;
pub use view::{VersionDiff, VersionView};
