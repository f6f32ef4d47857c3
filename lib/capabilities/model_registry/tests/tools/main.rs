//! The tools of the registry, on real models in a store of their own.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod golden_rows;
mod list_model_versions;
mod place;
mod register_model;
mod rollback_model;
mod schemas;
mod update_model_status;
