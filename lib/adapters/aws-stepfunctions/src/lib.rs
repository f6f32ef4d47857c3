//! State machines executed by AWS Step Functions.

mod failure;
mod history;
mod machines;
mod places;
#[cfg(test)]
mod stand_in;
mod workflows;

pub use workflows::StepFunctions;
