//! Neural networks: gradients against differences, the first steps and the quality against scikit-learn's, and what every
//! training must keep.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod golden;
mod gradients;
mod models;
mod tables;
mod training;
