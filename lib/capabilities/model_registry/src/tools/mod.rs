//! The table of the registry's tools.

mod list_model_versions;
mod register_model;

pub use list_model_versions::{ListModelVersions, ModelVersions};
pub use register_model::{RegisterModel, RegisteredModel};

use mlops_core::Entry;

use crate::ModelRegistry;

/// Every tool of the capability.
pub static TOOLS: &[Entry<ModelRegistry>] = &[Entry::of::<RegisterModel>(), Entry::of::<ListModelVersions>()];
