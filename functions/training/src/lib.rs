//! The agent that trains a model, and later registers it.

mod agent;
mod candidates;
mod registration;

pub use agent::{Inputs, Outputs, TrainingAgent};
pub use candidates::{Candidate, TrainInputs, TrainOutputs};
pub use registration::{Decision, RegisterInputs, RegisterOutputs};
