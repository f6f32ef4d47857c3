//! A table that was read, where it came from, and what was found on the way.

use std::collections::BTreeMap;

use mlops_algorithms::table::Table;
use mlops_core::values::ArtifactUri;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compression, TableFormat};
use crate::Manifest;

/// A table that was read.
#[derive(Debug, Clone)]
pub struct LoadedTable {
    /// The values.
    pub table: Table,
    /// Where they came from.
    pub source: Source,
    /// The manifest beside the table, when there is one.
    pub manifest: Option<Manifest>,
}

/// Where a table came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// The URI as it was asked for.
    pub uri: ArtifactUri,
    /// The SHA-256 of the object's bytes as they are stored, 64 hex digits.
    pub sha256: String,
    /// The size of the object as it is stored, in bytes.
    pub bytes: u64,
    /// The version that was read, where the store keeps versions.
    pub version_id: Option<String>,
    /// The format.
    pub format: TableFormat,
    /// What the object is compressed with as a whole.
    pub compression: Option<Compression>,
    /// The number of rows that were read and kept.
    pub rows: usize,
    /// What was found on the way.
    pub notes: ReadNotes,
}

/// What was found while a table was read, none of which made it unreadable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReadNotes {
    /// Whether the file begins with a byte order mark.
    pub byte_order_mark: bool,
    /// Whether lines end with a carriage return and a line feed.
    pub carriage_returns: bool,
    /// What separates the fields, when it is neither the comma of a CSV file nor the tab of a TSV file.
    pub delimiter: Option<String>,
    /// How many rows have fewer or more fields than the header: short ones are filled up with missing values, long ones
    /// are cut.
    pub ragged_rows: usize,
    /// The line numbers of the first of them, counted from 1, at most five.
    pub ragged_examples: Vec<u64>,
    /// The columns that hold several types, with what became of them, as `integer → text`.
    pub widened: BTreeMap<String, String>,
    /// The columns that were left out because they hold neither numbers nor text, with their types.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub skipped_columns: BTreeMap<String, String>,
    /// The columns without any value.
    pub empty_columns: Vec<String>,
    /// How many infinite values each column has.
    pub infinite: BTreeMap<String, usize>,
    /// The number of rows from which a sample was taken.
    pub sampled_from: Option<usize>,
}
