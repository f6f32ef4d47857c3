//! Arrow IPC files and streams as record batches.

use std::collections::HashSet;
use std::io::{BufReader, Cursor, Read};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::{FileReader, StreamReader};
use bytes::Bytes;
use mlops_core::{Error, Result};

use super::ReadNotes;
use super::batches::{Batches, Inference};
use super::csv_reader::check_unique;
use super::input::Input;

/// Reads an Arrow IPC file or stream.
pub(super) struct ArrowBatches {
    reader: Reader,
    names: Vec<String>,
}

enum Reader {
    /// The random access format, which the format of Feather files is too.
    File(FileReader<Cursor<Bytes>>),
    /// The streaming format, with the columns to keep of each batch.
    Stream(StreamReader<BufReader<Box<dyn Read + Send>>>, Vec<usize>),
}

impl ArrowBatches {
    /// `columns` are those to read; nested columns among them are refused.
    pub(super) fn new(input: Input, columns: Option<&HashSet<&str>>) -> Result<Self> {
        let names_of = |schema: &SchemaRef| schema.fields().iter().map(|field| field.name().clone()).collect();
        if input.head.starts_with(b"ARROW1") {
            let bytes = input.into_bytes()?;
            let schema = FileReader::try_new(Cursor::new(bytes.clone()), None).map_err(wrong)?.schema();
            let picked = pick(&schema, columns)?;
            let reader = FileReader::try_new(Cursor::new(bytes), Some(picked)).map_err(wrong)?;
            return Ok(Self { reader: Reader::File(reader), names: names_of(&schema) });
        }
        let reader = StreamReader::try_new(input.reader, None).map_err(wrong)?;
        let schema = reader.schema();
        let picked = pick(&schema, columns)?;
        Ok(Self { reader: Reader::Stream(reader, picked), names: names_of(&schema) })
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

    fn finish(&mut self, _whole: bool) -> Result<ReadNotes> {
        Ok(ReadNotes::default())
    }
}

/// The positions of the columns to read.
fn pick(schema: &SchemaRef, columns: Option<&HashSet<&str>>) -> Result<Vec<usize>> {
    check_unique(schema.fields().iter().map(|field| field.name().as_str()))?;
    let is_picked = |name: &str| columns.is_none_or(|columns| columns.contains(name));
    let picked = schema.fields().iter().enumerate().filter(|(_, field)| is_picked(field.name()));
    let picked = picked.collect::<Vec<_>>();
    check_fields(picked.iter().map(|(_, field)| field.as_ref()))?;
    Ok(picked.into_iter().map(|(index, _)| index).collect())
}

/// Refuses columns that are neither numbers nor text, naming them.
pub(super) fn check_fields<'a>(fields: impl Iterator<Item = &'a Field>) -> Result<()> {
    let refused = fields.filter(|field| !is_flat(field.data_type()));
    let refused = refused.map(|field| format!("`{}` ({})", field.name(), field.data_type())).collect::<Vec<_>>();
    if refused.is_empty() {
        return Ok(());
    }
    let (count, named) = (refused.len(), refused.iter().take(10).cloned().collect::<Vec<_>>().join(", "));
    let message = format!("{count} columns are neither numbers nor text: {named}");
    Err(Error::invalid_input(message).hint("flatten them, or name the other columns in `columns`"))
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
