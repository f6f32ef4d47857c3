//! Tables as bytes that read back as the same tables.

use std::collections::HashSet;
use std::fmt::Write as _;

use bytes::Bytes;
use mlops_algorithms::table::{NumberKind, Table, Values};
use mlops_core::ports::Condition;
use mlops_core::values::ArtifactUri;
use mlops_core::{Error, Result};

use super::{TableFormat, timestamp, write_arrow};
use crate::{Artifacts, Written};

impl Artifacts {
    /// Writes a table, replacing what is there; see [`encode`]. The bytes are made on the calling thread: for a large
    /// table call [`encode`] inside `call.compute` and write its bytes.
    pub async fn write_table(&self, uri: &ArtifactUri, table: &Table, format: TableFormat) -> Result<Written> {
        self.write_bytes(uri, encode(table, format)?, Condition::None).await
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
        TableFormat::Csv => fields(table, b','),
        TableFormat::Tsv => fields(table, b'\t'),
        TableFormat::Jsonl => objects(table),
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

fn fields(table: &Table, delimiter: u8) -> Result<Vec<u8>> {
    let failed = |error: csv::Error| Error::internal("a row could not be written").caused_by(error);
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    writer.write_record(table.names()).map_err(failed)?;
    let mut shown = String::new();
    for row in 0..table.num_rows() {
        for column in &table.columns {
            shown.clear();
            let field = match &column.values {
                Values::Text { codes, categories } => categories.get(codes[row] as usize).map_or("", String::as_str),
                Values::Number { values, kind } => {
                    show(&mut shown, values[row], *kind);
                    &shown
                }
            };
            writer.write_field(field).map_err(failed)?;
        }
        writer.write_record(None::<&[u8]>).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| Error::internal("a row could not be written").caused_by(error.to_string()))
}

/// Appends the number as a file shows it; nothing for a missing one.
fn show(text: &mut String, value: f64, kind: NumberKind) {
    // Writing to a string does not fail.
    let _ = match kind {
        _ if value.is_nan() => Ok(()),
        NumberKind::Integer if value.fract() == 0.0 && value.abs() < 9e18 => write!(text, "{}", value as i64),
        NumberKind::Boolean => write!(text, "{}", value != 0.0),
        NumberKind::Timestamp => match timestamp::show(value) {
            Some(instant) => write!(text, "{instant}"),
            None => write!(text, "{value:?}"),
        },
        // The shortest text that reads back as the same bits, with a fraction or an exponent.
        _ => write!(text, "{value:?}"),
    };
}

fn objects(table: &Table) -> Result<Vec<u8>> {
    let failed = |error: serde_json::Error| Error::internal("a row could not be written").caused_by(error);
    let keys = table.names().map(serde_json::to_string).collect::<Result<Vec<_>, _>>().map_err(failed)?;
    let mut shown = String::new();
    let mut bytes = Vec::new();
    for row in 0..table.num_rows() {
        for (index, (column, key)) in table.columns.iter().zip(&keys).enumerate() {
            bytes.push(if index == 0 { b'{' } else { b',' });
            bytes.extend_from_slice(key.as_bytes());
            bytes.push(b':');
            shown.clear();
            match &column.values {
                _ if column.values.is_missing(row) => bytes.extend_from_slice(b"null"),
                Values::Text { codes, categories } => {
                    serde_json::to_writer(&mut bytes, &categories[codes[row] as usize]).map_err(failed)?;
                }
                Values::Number { values, .. } if values[row].is_infinite() => {
                    let message =
                        format!("the column `{}` holds infinite values, which JSON does not have", column.name);
                    return Err(Error::invalid_input(message).hint("write csv or parquet"));
                }
                Values::Number { values, kind } => {
                    show(&mut shown, values[row], *kind);
                    let quoted = *kind == NumberKind::Timestamp && timestamp::show(values[row]).is_some();
                    let quote: &[u8] = if quoted { b"\"" } else { b"" };
                    bytes.extend([quote, shown.as_bytes(), quote].concat());
                }
            }
        }
        bytes.extend_from_slice(b"}\n");
    }
    Ok(bytes)
}
