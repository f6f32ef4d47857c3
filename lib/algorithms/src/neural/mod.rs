//! Small dense neural networks in single precision: the network, its gradient, losses, optimisers, learning-rate
//! schedules, and a loop that trains one on a table.
//!
//! Nothing here knows about tables, labels or hyperparameters, so that other learners can use it: a caller that has a
//! loss of its own calls [`Network::forward`], writes the gradient of its loss into [`Workspace::output_gradient`], calls
//! [`Network::backward`], and hands the gradient to an [`Optimizer`].
//!
//! Matrices are row-major slices, one row a sample. A batch is cut into chunks of rows whose number depends on the batch
//! and the network alone; the chunks run in parallel and their gradients are added in order, so that the result is the
//! same on any number of threads.

mod activation;
mod loss;
mod matrix;
mod network;
mod normalization;
mod optimizer;
mod schedule;
mod train;
mod workspace;

pub use activation::{Activation, exponential, logistic};
pub use loss::Loss;
pub use network::{InvalidNetwork, Network};
pub use normalization::Normalization;
pub use optimizer::{Optimizer, Rule};
pub use schedule::Schedule;
pub use train::{Data, EpochLoss, TrainError, Trained, Training, evaluate, train};
pub use workspace::{Mode, Workspace};
