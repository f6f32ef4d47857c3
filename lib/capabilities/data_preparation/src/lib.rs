//! Data preparation: tables are loaded, checked, split and made numeric for models.

mod capability;
mod columns;
mod fault;
mod inline;
mod preprocessed;
mod processed;
mod target_column;
pub mod tools;
mod writing;

pub use capability::DataPreparation;
