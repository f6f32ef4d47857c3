//! Tables as lines of text: CSV, TSV and JSON lines, many rows at a time on all threads.

use std::io::Write as _;

use mlops_algorithms::table::{Column, NumberKind, Table, Values};
use mlops_core::{Error, Result};
use rayon::prelude::*;

use super::timestamp;

/// How many rows a thread writes at a time.
const ROWS: usize = 4096;
/// How many of those are in memory beside the file.
const TOGETHER: usize = 32;

/// A column whose texts are as the file has them.
struct Shown<'a> {
    values: &'a Values,
    /// What each category is in the file.
    texts: Vec<Vec<u8>>,
    /// What stands in front of each value.
    before: Vec<u8>,
    missing: &'static [u8],
    /// What is around a point in time.
    quote: &'static [u8],
}

/// The bytes of a CSV or TSV file.
pub(super) fn fields(table: &Table, delimiter: u8) -> Vec<u8> {
    let is_only = table.columns.len() == 1;
    let missing: &[u8] = if is_only { b"\"\"" } else { b"" };
    let field = |text: &str| if text.is_empty() { missing.to_vec() } else { quoted(text, delimiter) };
    let columns = table.columns.iter().enumerate().map(|(index, column)| {
        let before = if index == 0 { Vec::new() } else { vec![delimiter] };
        let texts = categories(column).iter().map(|text| field(text)).collect();
        Shown { values: &column.values, texts, before, missing, quote: b"" }
    });
    let columns = columns.collect::<Vec<_>>();
    let mut header = table.names().map(field).collect::<Vec<_>>().join(&delimiter);
    header.push(b'\n');
    lines(header, table.num_rows(), &columns, b"\n")
}

/// The bytes of a file of one JSON object a line; `InvalidInput` for infinite values.
pub(super) fn objects(table: &Table) -> Result<Vec<u8>> {
    let json = |text: &str| {
        serde_json::to_vec(text)
            .map_err(|error| Error::internal("a text could not be written as JSON").caused_by(error))
    };
    let columns = table.columns.iter().enumerate().map(|(index, column)| {
        if let Values::Number { values, .. } = &column.values
            && values.iter().any(|value| value.is_infinite())
        {
            let message = format!("the column `{}` holds infinite values, which JSON does not have", column.name);
            return Err(Error::invalid_input(message).hint("write csv or parquet"));
        }
        let begin: &[u8] = if index == 0 { b"{" } else { b"," };
        let texts = categories(column).iter().map(|text| json(text)).collect::<Result<_>>()?;
        let before = [begin, &json(&column.name)?, b":"].concat();
        Ok(Shown { values: &column.values, texts, before, missing: b"null", quote: b"\"" })
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    Ok(lines(Vec::new(), table.num_rows(), &columns, b"}\n"))
}

fn lines(mut bytes: Vec<u8>, rows: usize, columns: &[Shown<'_>], end: &[u8]) -> Vec<u8> {
    let starts = (0..rows).step_by(ROWS).collect::<Vec<_>>();
    for some in starts.chunks(TOGETHER) {
        let parts = some.par_iter().map(|&from| {
            let mut part = Vec::new();
            for row in from..rows.min(from + ROWS) {
                for column in columns {
                    column.write(&mut part, row);
                }
                part.extend_from_slice(end);
            }
            part
        });
        for part in parts.collect::<Vec<_>>() {
            bytes.extend_from_slice(&part);
        }
    }
    bytes
}

fn categories(column: &Column) -> &[String] {
    match &column.values {
        Values::Text { categories, .. } => categories,
        Values::Number { .. } => &[],
    }
}

/// A field of text, in quotes when it would otherwise end early.
fn quoted(text: &str, delimiter: u8) -> Vec<u8> {
    if text.bytes().any(|byte| byte == delimiter || matches!(byte, b'"' | b'\n' | b'\r')) {
        return format!("\"{}\"", text.replace('"', "\"\"")).into_bytes();
    }
    text.as_bytes().to_vec()
}

impl Shown<'_> {
    fn write(&self, bytes: &mut Vec<u8>, row: usize) {
        bytes.extend_from_slice(&self.before);
        match self.values {
            Values::Text { codes, .. } => {
                bytes.extend_from_slice(self.texts.get(codes[row] as usize).map_or(self.missing, Vec::as_slice));
            }
            Values::Number { values, .. } if values[row].is_nan() => bytes.extend_from_slice(self.missing),
            Values::Number { values, kind } => self.show(bytes, values[row], *kind),
        }
    }

    /// Appends a number as a file shows it.
    fn show(&self, bytes: &mut Vec<u8>, value: f64, kind: NumberKind) {
        // Writing to memory does not fail.
        let _ = match kind {
            NumberKind::Integer if value.fract() == 0.0 && value.abs() < 9e18 => write!(bytes, "{}", value as i64),
            NumberKind::Boolean => write!(bytes, "{}", value != 0.0),
            NumberKind::Timestamp => match timestamp::show(value) {
                Some(instant) => {
                    bytes.extend_from_slice(self.quote);
                    bytes.extend_from_slice(instant.as_bytes());
                    bytes.extend_from_slice(self.quote);
                    Ok(())
                }
                None => write!(bytes, "{value:?}"),
            },
            // The shortest text that reads back as the same bits, with a fraction or an exponent.
            _ => write!(bytes, "{value:?}"),
        };
    }
}
