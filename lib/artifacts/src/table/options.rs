//! What a reader of a table asks for.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TableFormat;
use crate::ColumnType;

/// What a reader of a table asks for; by default everything, as it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadOptions {
    /// The format; by default it is found out from the first bytes and the name.
    pub format: Option<TableFormat>,
    /// The columns to read, in the order to give them; by default all.
    pub columns: Option<Vec<String>>,
    /// The most rows to read, from the first on.
    pub limit: Option<usize>,
    /// A sample to take of the rows that were read.
    pub sample: Option<Sample>,
    /// What columns hold, by name; by default the manifest's columns hold, and the values decide for the others.
    pub schema: Option<BTreeMap<String, ColumnType>>,
    /// Whether columns without any value are kept. They are reported in any case.
    pub keep_empty_columns: bool,
}

/// A sample of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// How many rows, drawn without replacement and kept in their order; a smaller table is given whole.
    #[schemars(range(min = 1))]
    pub rows: usize,
    /// The seed of the draw.
    #[serde(default = "mlops_core::values::default_seed")]
    pub seed: u64,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self { format: None, columns: None, limit: None, sample: None, schema: None, keep_empty_columns: true }
    }
}
