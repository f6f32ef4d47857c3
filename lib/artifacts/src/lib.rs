//! Tables, models, manifests and reports as objects: batch readers and writers, hashes, claim checks.
//!
//! Everything goes through an [`Artifacts`]: it reads a table from any supported file, writes one, keeps the manifest
//! beside it, and packs a model with its card into one archive that is checked, never trusted, when it is read.

mod archive;
mod artifacts;
mod card;
mod export;
mod folder;
mod manifest;
mod model;
mod onnx;
mod placement;
mod prediction;
mod probe;
mod table;
mod written;

pub use artifacts::Artifacts;
pub use card::{CARD_FORMAT, ModelCard, Signature, SignatureColumn};
pub use export::{EncodedModel, ExportFormat, LARGEST_EXPORT, ModelExport};
pub use folder::Kind;
pub use manifest::{MANIFEST_FORMAT, Manifest, ManifestColumn, SplitRole};
pub use mlops_algorithms::table::ColumnKind as ColumnType;
pub use model::LoadedModel;
pub use placement::run_id;
pub use prediction::ModelInput;
pub use probe::CallProbe;
pub use table::{
    Compression, LoadedTable, MISSING_MARKERS, ReadNotes, ReadOptions, Sample, Source, TableFormat, encode,
    missing_hint,
};
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
