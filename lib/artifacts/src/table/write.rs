//! Tables as bytes that read back as the same tables.

use std::collections::HashSet;
use std::io::Write as _;

use bytes::Bytes;
use flate2::write::GzEncoder;
use mlops_algorithms::table::Table;
use mlops_core::ports::Condition;
use mlops_core::values::ArtifactUri;
use mlops_core::{Error, Result};

use super::{Compression, TableFormat, write_arrow, write_text};
use crate::{Artifacts, Written};

impl Artifacts {
    /// Writes a table, replacing what is there; see [`encode`]. It is compressed when its name ends with `.gz` or `.zst`. The bytes are made on the calling thread: for a large
    /// table call [`encode`] inside `call.compute` and write its bytes.
    pub async fn write_table(&self, uri: &ArtifactUri, table: &Table, format: TableFormat) -> Result<Written> {
        let bytes = compress(encode(table, format)?, Compression::of_name(uri.file_name()))?;
        self.write_bytes(uri, bytes, Condition::None).await
    }
}

/// The bytes in one gzip member or Zstandard frame, without a time or a name in it.
fn compress(bytes: Bytes, compression: Option<Compression>) -> Result<Bytes> {
    let failed = |error: std::io::Error| Error::internal("a table could not be compressed").caused_by(error);
    match compression {
        None => Ok(bytes),
        Some(Compression::Gzip) => {
            let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(&bytes).map_err(failed)?;
            encoder.finish().map(Bytes::from).map_err(failed)
        }
        Some(Compression::Zstd) => zstd::encode_all(&*bytes, 0).map(Bytes::from).map_err(failed),
    }
}

/// A table as the bytes of a file; the same table gives the same bytes.
///
/// Numbers keep their kind and every bit, points in time their microseconds: whole numbers have no fraction, floats have one (`1.0`), truth values are
/// `true` and `false`, points in time are ISO 8601 in UTC. Parquet (Zstandard) and Arrow keep text exactly. In CSV and
/// TSV a missing value is an empty field, so that text which looks like a number or like a missing value reads back as
/// such unless a manifest or a schema says that the column is text.
///
/// `InvalidInput` when columns differ in length or share a name, and for infinite values in JSON, which has none.
pub fn encode(table: &Table, format: TableFormat) -> Result<Bytes> {
    check(table)?;
    match format {
        TableFormat::Csv => Ok(write_text::fields(table, b',')),
        TableFormat::Tsv => Ok(write_text::fields(table, b'\t')),
        TableFormat::Jsonl => write_text::objects(table),
        TableFormat::Parquet => write_arrow::parquet(table),
        TableFormat::Arrow => write_arrow::ipc(table),
    }
    .map(Bytes::from)
}

fn check(table: &Table) -> Result<()> {
    let (rows, mut seen) = (table.num_rows(), HashSet::new());
    if table.columns.is_empty() {
        return Err(Error::invalid_input("a table without columns cannot be written"));
    }
    for column in &table.columns {
        let (name, length) = (&column.name, column.values.len());
        if length != rows {
            return Err(Error::invalid_input(format!(
                "the column `{name}` has {length} rows where the first has {rows}"
            )));
        }
        if !seen.insert(name.as_str()) {
            return Err(Error::invalid_input(format!("two columns are called `{name}`")).hint("rename one of them"));
        }
    }
    Ok(())
}
