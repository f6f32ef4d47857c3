//! Training: classifiers and regressors from prepared tables.

mod capability;
mod cross_validation;
mod fault;
mod importance;
mod job;
mod request;
mod score;
mod signature;
pub mod tools;
mod training_table;

pub use capability::MlTraining;
