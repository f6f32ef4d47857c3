//! Arrow IPC files and streams as record batches.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufReader, Cursor, Read};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::{FileReader, StreamReader};
use bytes::Bytes;
use mlops_core::{Error, Result};

use super::ReadNotes;
use super::batches::{Batches, Inference};
use super::delimited::check_unique;
use super::input::Input;

/// Reads an Arrow IPC file or stream.
pub(super) struct ArrowBatches {
    reader: Reader,
    names: Vec<String>,
    skipped: BTreeMap<String, String>,
}

enum Reader {
    /// The random access format, which the format of Feather files is too.
    File(FileReader<Cursor<Bytes>>),
    /// The streaming format, with the columns to keep of each batch.
    Stream(StreamReader<BufReader<Box<dyn Read + Send>>>, Vec<usize>),
}

impl ArrowBatches {
    /// `columns` are those to read; nested columns among them are refused, and left out when no column is named.
    pub(super) fn new(input: Input, columns: Option<&HashSet<&str>>) -> Result<Self> {
        let names_of = |schema: &SchemaRef| schema.fields().iter().map(|field| field.name().clone()).collect();
        if input.head.starts_with(b"ARROW1") {
            let bytes = input.into_bytes()?;
            let schema = FileReader::try_new(Cursor::new(bytes.clone()), None).map_err(wrong)?.schema();
            let Picked { indices, skipped } = pick(&schema, columns)?;
            let reader = FileReader::try_new(Cursor::new(bytes), Some(indices)).map_err(wrong)?;
            return Ok(Self { reader: Reader::File(reader), names: names_of(&schema), skipped });
        }
        let reader = StreamReader::try_new(input.reader, None).map_err(wrong)?;
        let schema = reader.schema();
        let Picked { indices, skipped } = pick(&schema, columns)?;
        Ok(Self { reader: Reader::Stream(reader, indices), names: names_of(&schema), skipped })
    }
}

impl Batches for ArrowBatches {
    fn next(&mut self, _most: usize) -> Result<Option<RecordBatch>> {
        let next = match &mut self.reader {
            Reader::File(reader) => reader.next(),
            Reader::Stream(reader, picked) => reader.next().map(|batch| batch.and_then(|batch| batch.project(picked))),
        };
        next.transpose().map_err(wrong)
    }

    fn inference(&self) -> Inference {
        Inference::Typed
    }

    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn finish(&mut self) -> Result<ReadNotes> {
        Ok(ReadNotes { skipped_columns: std::mem::take(&mut self.skipped), ..ReadNotes::default() })
    }
}

/// Which columns of a file are read.
pub(super) struct Picked {
    /// Their positions.
    pub(super) indices: Vec<usize>,
    /// The columns that cannot be read, with their types.
    pub(super) skipped: BTreeMap<String, String>,
}

/// Picks the columns that were named, or else all that are numbers or text. A named column that is neither is refused,
/// and so is a file without any column that can be read.
pub(super) fn pick(schema: &SchemaRef, columns: Option<&HashSet<&str>>) -> Result<Picked> {
    check_unique(schema.fields().iter().map(|field| field.name().as_str()))?;
    let is_picked = |name: &str| columns.is_none_or(|columns| columns.contains(name));
    let picked = schema.fields().iter().enumerate().filter(|(_, field)| is_picked(field.name()));
    let (flat, nested) = picked.partition::<Vec<_>, _>(|(_, field)| is_flat(field.data_type()));
    if !nested.is_empty() && (columns.is_some() || flat.is_empty()) {
        let named = nested.iter().take(10).map(|(_, field)| format!("`{}` ({})", field.name(), field.data_type()));
        let (count, named) = (nested.len(), named.collect::<Vec<_>>().join(", "));
        let error = Error::invalid_input(format!("{count} columns are neither numbers nor text: {named}"));
        return Err(match columns {
            Some(_) => error.at("columns").hint("flatten them, or name the other columns in `columns`"),
            None => error.hint("no other column is there; flatten them into columns of numbers or text"),
        });
    }
    let skipped = nested.into_iter().map(|(_, field)| (field.name().clone(), field.data_type().to_string()));
    Ok(Picked { skipped: skipped.collect(), indices: flat.into_iter().map(|(index, _)| index).collect() })
}

fn is_flat(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_flat(values),
        DataType::RunEndEncoded(_, values) => is_flat(values.data_type()),
        DataType::Interval(_) => false,
        other => !other.is_nested(),
    }
}

fn wrong(error: ArrowError) -> Error {
    let message = format!("the file is not a whole Arrow IPC file: {error}");
    Error::invalid_input(message).hint("write or copy it again").caused_by(error)
}
