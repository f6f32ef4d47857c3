//! Gradient-boosted trees under XGBoost's names: trees on histograms of first and second derivatives (Chen and Guestrin,
//! 2016), grown as XGBoost's `hist` method grows them.
//!
//! Derivatives are rounded to integers (16 to 21 bits beside the sign, chosen by the data), so that every sum is exact:
//! neither the number of threads nor the order of the rows changes a tree.

mod columns;
mod cuts;
mod explain;
mod exponential;
mod fit;
mod gradients;
mod grow;
mod histogram;
mod inputs;
mod matrix;
mod model;
mod nodes;
mod objective;
mod onnx;
mod parameters;
mod partition;
mod predict;
mod quantile;
mod scoring;
mod split;
mod xgboost_json;
mod xgboost_json_reader;

pub(super) use fit::fit;
pub use inputs::{BoostingError, BoostingInputs};
pub use model::BoostedTrees;
pub use nodes::{BoostedNode, BoostedTree};
pub use objective::Objective;
pub use parameters::{BoostingParameters, Growth, Monotone, ObjectiveName};
pub use xgboost_json::XgboostJsonError;
