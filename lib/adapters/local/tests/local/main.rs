//! The local platform against the contracts of its ports, and against what only files can do wrong.

#![expect(clippy::unwrap_used, reason = "what a test needs and does not get is a failed test")]

mod answers;
mod branches;
mod crashes;
mod definitions;
mod delivery;
mod fan_definitions;
mod file_store;
mod items;
mod machines;
mod repositories;
mod stops;
mod walks;
