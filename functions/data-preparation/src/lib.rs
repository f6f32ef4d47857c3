//! The agent that loads, checks, splits and prepares a data set.

mod agent;
mod requests;

pub use agent::{DataPreparationAgent, Inputs, Outputs, ProcessedParts};
