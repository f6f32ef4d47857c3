//! The tools of data preparation.

mod load_dataset;
mod preprocess_supervised;
mod preprocess_unsupervised;
mod split_dataset;
mod validate_data;

use mlops_core::Entry;

use crate::DataPreparation;

pub use crate::preprocessed::{FitScope, Preprocessed, ProcessedMetadata};
pub use crate::processed::{Quantiles, TargetDistribution};
pub use load_dataset::{ColumnSummary, LoadDataset, LoadedDataset};
pub use preprocess_supervised::{PreprocessSupervised, ProcessedFormat};
pub use preprocess_unsupervised::{
    FeatureStatistics, FeatureSummary, PreprocessUnsupervised, PreprocessedUnsupervised, UnsupervisedMetadata,
};
pub use split_dataset::{SplitDataset, SplitHashes, SplitResult};
pub use validate_data::{ValidateData, ValidationResult};

/// Every tool of data preparation.
pub static TOOLS: &[Entry<DataPreparation>] = &[
    Entry::of::<LoadDataset>(),
    Entry::of::<ValidateData>(),
    Entry::of::<SplitDataset>(),
    Entry::of::<PreprocessSupervised>(),
    Entry::of::<PreprocessUnsupervised>(),
];
