//! Pure computation: tables and arrays in, values out.
//!
//! Nothing here reads a file, a clock or an environment variable, and every random choice comes from a seed that the
//! caller gives. The same input gives the same output on any number of threads.

pub mod checks;
pub mod clustering;
pub mod metrics;
pub mod models;
pub mod neural;
pub mod onnx;
mod parallel;
pub mod preprocess;
pub mod probe;
pub mod reduction;
pub mod search;
pub mod seed;
pub mod split;
pub mod table;
pub mod target;
mod vectorised;
