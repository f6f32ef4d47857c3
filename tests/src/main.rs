//! What holds for the fleet as a whole.

mod bad_input;
mod conformance;
mod crashes;
mod fleet;
mod machine;
mod mcp;
mod odd_input;
mod readme;
mod runs;
mod tidy;
mod workspace;
