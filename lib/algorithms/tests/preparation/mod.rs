//! Splitting, preprocessing and checking of tables, through the public interface.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod checks;
mod preprocessing;
mod preprocessing_golden;
mod split;
mod tables;
