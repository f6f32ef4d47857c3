//! The room of data preparation.

use mlops_artifacts::Artifacts;
use mlops_core::Capability;

/// What the tools of data preparation may touch.
#[derive(Clone)]
pub struct DataPreparation {
    /// Where tables, manifests and preprocessors lie.
    pub artifacts: Artifacts,
}

impl Capability for DataPreparation {
    const ID: &'static str = "data_preparation";
}
