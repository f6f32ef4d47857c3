//! Tables, models, manifests and reports as objects: batch readers and writers, hashes, claim checks, drawings.
//!
//! Everything goes through an [`Artifacts`]: it reads a table from any supported file, writes one, keeps the manifest
//! beside it, and packs a model with its card into one archive that is checked, never trusted, when it is read.

mod archive;
mod artifacts;
mod card;
pub mod drawing;
mod export;
mod features;
mod folder;
mod manifest;
mod model;
mod onnx;
mod placement;
mod prediction;
mod probe;
mod reduction_record;
mod table;
mod unsupervised_card;
mod unsupervised_model;
mod written;

pub use artifacts::Artifacts;
pub use card::{CARD_FORMAT, ModelCard, Signature, SignatureColumn};
pub use export::{EncodedModel, ExportFormat, LARGEST_EXPORT, ModelExport};
pub use folder::Kind;
pub use manifest::{MANIFEST_FORMAT, Manifest, ManifestColumn, SplitRole};
pub use mlops_algorithms::table::ColumnKind as ColumnType;
pub use model::{CardFacts, LoadedModel, StoredModel};
pub use placement::run_id;
pub use prediction::ModelInput;
pub use probe::CallProbe;
pub use reduction_record::{REDUCTION_FORMAT, ReductionRecord};
pub use table::{
    Compression, LoadedTable, MISSING_MARKERS, ReadNotes, ReadOptions, Sample, Source, TableFormat, encode,
    missing_hint,
};
pub use unsupervised_card::{UnsupervisedCard, UnsupervisedModel};
pub use unsupervised_model::{LoadedUnsupervised, Placed, UnsupervisedInput};
pub use written::Written;

#[cfg(test)]
mod export_tests;
#[cfg(test)]
mod memory_store;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod prediction_tests;
#[cfg(test)]
mod sample_model;
#[cfg(test)]
mod unsupervised_tests;
