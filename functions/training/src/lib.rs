//! The agent that trains a model, registers it, and takes it into use when a person says so.

mod agent;
mod approval;
mod candidates;
mod registration;
mod search;
mod structure;

pub use agent::{Inputs, Outputs, TrainingAgent};
pub use approval::{DecideInputs, DecideOutputs};
pub use candidates::{Candidate, TrainInputs, TrainOutputs};
pub use registration::{Decision, GateOutcome, RegisterInputs, RegisterOutputs};
pub use search::SearchRecord;
pub use structure::{StructureInputs, StructureOutputs};
