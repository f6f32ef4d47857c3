//! What every reader of a format gives: Arrow record batches of bounded size.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use mlops_core::Result;

use super::ReadNotes;
use super::column::Kinds;

/// The most rows of a batch.
const MOST_ROWS: usize = 65_536;
/// About how many cells a batch has at most; wide tables get fewer rows.
const MOST_CELLS: usize = 4 << 20;

/// The key of a field's metadata that lists what kinds of JSON values its text was.
pub(super) const KINDS: &str = "kinds";

/// How much the text of a batch tells of a column's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inference {
    /// Only points in time; numbers come as numbers.
    Strings,
    /// Nothing: the columns have types.
    Typed,
}

/// A reader of record batches.
pub(super) trait Batches {
    /// The next batch; `None` at the end. JSON lines give at most `most` rows, which is at least 1. Batches may differ
    /// in their columns, which are known by name.
    fn next(&mut self, most: usize) -> Result<Option<RecordBatch>>;

    /// How much the text of a batch tells.
    fn inference(&self) -> Inference;

    /// The names of all columns that the file is known to have, read or not.
    fn names(&self) -> Vec<String>;

    /// What was found.
    fn finish(&mut self) -> Result<ReadNotes>;
}

/// The columns that an earlier pass found to be text although they began as something else, with all they hold.
pub(super) type Texts = BTreeMap<String, Kinds>;

/// The number of rows of a batch of so many columns.
pub(super) fn rows_of(columns: usize) -> usize {
    (MOST_CELLS / columns.max(1)).clamp(64, MOST_ROWS)
}
