//! The promises of the ports, as plain async functions that the tests of every adapter call.
//!
//! A function panics with what was broken. None needs a particular runtime: what has to happen at once is joined.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a broken promise is a failed test, and a failed test is a panic"
)]

mod delivery;
mod executions;
mod issues;
mod objects;
mod races;
mod repositories;

pub use delivery::{Repeats, mailer, secrets, topics};
pub use executions::{Memory, answers, workflows};
pub use issues::{KnownHost, code_host};
pub use objects::object_store;
pub use repositories::{KnownRepository, repositories};
