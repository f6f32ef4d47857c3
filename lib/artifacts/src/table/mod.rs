//! Tables as files: what is read, how it is told apart, and what was found on the way.

mod arrow_ipc;
mod arrow_values;
mod batches;
mod builder;
mod column;
mod convert;
mod delimited;
mod delimiter;
mod format;
mod input;
mod jsonl;
mod notes;
mod options;
mod parquet_file;
mod pieces;
mod read;
mod refine;
mod timestamp;
mod value;
mod write;
mod write_arrow;
mod write_text;

pub use format::{Compression, TableFormat};
pub use notes::{LoadedTable, ReadNotes, Source};
pub use options::{ReadOptions, Sample};
pub use value::{MISSING_MARKERS, missing_hint};
pub use write::encode;

#[cfg(test)]
mod bad_input_tests;
#[cfg(test)]
mod read_tests;
#[cfg(test)]
mod round_trip_tests;
