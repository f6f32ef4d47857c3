//! What holds for the fleet as a whole.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod approvals;
mod bad_input;
mod commands;
mod conformance;
mod crashes;
mod deployed;
mod fleet;
mod lambda;
mod machine;
mod mcp;
mod odd_input;
mod parity;
mod readme;
mod runs;
mod searches;
mod serve;
mod structure;
mod tidy;
mod workspace;
