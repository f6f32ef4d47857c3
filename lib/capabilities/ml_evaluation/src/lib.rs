//! Evaluation: metrics with intervals, plots and reports of trained models.

mod capability;
mod classification;
mod classifier_run;
mod clustering_run;
mod comparison;
pub mod evaluation;
mod fault;
mod guessing;
mod known_groups;
mod labels;
mod pictures;
pub mod plots;
mod reduction;
mod regression;
mod regressor_run;
pub mod report;
mod resampling;
mod rounding;
mod scoring;
mod slicing;
mod storing;
pub mod structure;
pub mod tools;

pub use capability::MlEvaluation;
pub use comparison::{ComparedModel, Comparison, Tests};
pub use evaluation::{Evaluation, Metrics};

#[cfg(test)]
mod test_world;
#[cfg(test)]
mod tests;
