//! Training: classifiers, regressors, clusterings and reductions from prepared tables.

mod calibration;
mod capability;
mod clustering_job;
mod cross_validation;
mod estimate;
mod fault;
mod importance;
mod job;
mod learning_curve;
mod reduction_job;
mod request;
mod rows;
mod score;
mod search;
mod search_objective;
mod search_records;
mod search_result;
mod signature;
pub mod tools;
mod training_table;

pub use capability::MlTraining;
