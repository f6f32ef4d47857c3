//! The table of the registry's tools.

mod list_model_versions;
mod register_model;
mod rollback_model;
mod update_model_status;

pub use list_model_versions::{ListModelVersions, ModelVersions};
pub use register_model::{RegisterModel, RegisteredModel};
pub use rollback_model::{RollbackModel, RolledBackModel};
pub use update_model_status::{AliasMove, StatusTransition, UpdateModelStatus, UpdatedModelStatus};

use mlops_core::Entry;

use crate::ModelRegistry;

/// Every tool of the capability.
pub static TOOLS: &[Entry<ModelRegistry>] = &[
    Entry::of::<RegisterModel>(),
    Entry::of::<ListModelVersions>(),
    Entry::of::<UpdateModelStatus>(),
    Entry::of::<RollbackModel>(),
];
