//! The agent that loads, checks, splits and prepares a data set.

mod agent;
mod facts;
mod requests;
mod structure;

pub use agent::{DataPreparationAgent, Inputs, Outputs, ProcessedParts};
pub use facts::DataFacts;
