//! The room of evaluation.

use mlops_artifacts::Artifacts;
use mlops_core::Capability;

/// What the tools of evaluation may touch.
#[derive(Clone)]
pub struct MlEvaluation {
    /// Where models, test data and evaluations lie.
    pub artifacts: Artifacts,
}

impl Capability for MlEvaluation {
    const ID: &'static str = "ml_evaluation";
}
