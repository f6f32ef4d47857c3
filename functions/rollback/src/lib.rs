//! The agent that looks whether a registered model works, and rolls it back when it does not or when it is told to.

mod agent;
mod healing;
mod words;

pub use agent::{Inputs, Outputs, RollbackAgent, RollbackInputs, RolledBack, SmokeInputs};
