//! The room of training.

use mlops_artifacts::Artifacts;
use mlops_core::Capability;

/// What the tools of training may touch.
#[derive(Clone)]
pub struct MlTraining {
    /// Where tables and models lie.
    pub artifacts: Artifacts,
}

impl Capability for MlTraining {
    const ID: &'static str = "ml_training";
}
