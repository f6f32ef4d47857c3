//! The core that decision trees and forests share: exact CART (Breiman and others, 1984), grown depth first.
//!
//! Features are compared in single precision, as scikit-learn compares them: two values that differ only beyond it are
//! one value, and a threshold is the middle between two neighbours in it. Larger values count as the largest number of
//! single precision. Values closer than 1e-7 are not told apart.
//!
//! Where several splits lower the impurity by the same amount, the first one looked at wins: features in ascending
//! order (or the order drawn from the seed, in a forest and where `max_features` leaves some out), then thresholds in
//! ascending order.

mod binned;
pub(super) mod bins;
mod columns;
mod counts;
mod criterion;
mod few;
mod grow;
mod nodes;
pub(in crate::models) mod onnx;
mod order;
mod packed;
mod plant;
pub(super) mod prediction;
mod ranks;
pub(in crate::models) mod shap;
mod split;
mod statistics;

pub(super) use columns::Columns;
pub(super) use counts::Counts;
pub(super) use criterion::{Classes, Numbers};
pub(super) use grow::{Grown, Limits, grow};
pub use nodes::{Node, Nodes};
pub(super) use plant::{Table, plant};
pub(super) use ranks::Ranks;
pub(super) use statistics::{ManyClasses, Pairs};
