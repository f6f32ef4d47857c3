//! The room: models to look into, and the registry to write to.

use mlops_artifacts::Artifacts;
use mlops_core::Capability;
use mlops_records::Registry;

/// What the registry's tools may touch.
#[derive(Clone)]
pub struct ModelRegistry {
    /// Models and where they lie.
    pub artifacts: Artifacts,
    /// The versions.
    pub registry: Registry,
}

impl ModelRegistry {
    /// The registry that lies beside the artifacts.
    pub fn new(artifacts: Artifacts) -> Self {
        let registry = Registry::new(artifacts.store().clone(), artifacts.root());
        Self { artifacts, registry }
    }
}

impl Capability for ModelRegistry {
    const ID: &'static str = "model_registry";
}
