//! The tools of training, from tables to models.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod hyperparameter_optimization;
mod learning_curves;
mod memory;
mod place;
mod schemas;
mod train_supervised_classifier;
mod train_supervised_regressor;
mod train_unsupervised_clustering;
mod train_unsupervised_dimensionality_reduction;
mod unhappy;
