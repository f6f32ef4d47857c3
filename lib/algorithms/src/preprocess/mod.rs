//! From raw columns to the matrix of finite numbers that models learn from: fitted on training rows, applied to others.
//!
//! The steps for a column of numbers: infinite values count as missing, outliers are clipped, missing values are
//! filled, the result is scaled. For a column of text: missing values become the most frequent category, then the
//! categories are encoded; encoded columns are not scaled. Every statistic comes from the training rows alone.

mod category;
mod config;
mod error;
mod fit;
mod input;
mod number;
mod onnx;
mod preprocessor;
mod sort;
pub(crate) mod statistics;
mod target_encoding;
mod transform;
mod validate;

pub use category::{CategoryColumn, CategoryEncoding, KEPT_CATEGORIES};
pub use config::{Encoder, MissingValues, Outliers, PreprocessConfig, Scaler};
pub use error::PreprocessError;
pub use number::NumberColumn;
pub use preprocessor::{DropReason, DroppedColumn, FittedColumn, Parameters, Preprocessor};
pub use transform::Transformed;
