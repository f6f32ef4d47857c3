//! The tools of data preparation, from files to files.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod full_disk;
mod languages;
mod load_dataset;
mod place;
mod preprocess_supervised;
mod preprocess_unsupervised;
mod schemas;
mod split_dataset;
mod validate_data;
