//! CSV and TSV files as batches of text columns.

use std::collections::HashSet;
use std::io::{BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};
use mlops_core::{Error, Result};

use super::batches::{Batches, Inference, rows_of};
use super::input::{Input, from_io};
use super::{ReadNotes, TableFormat, delimiter};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The most bytes of one row: 256 MiB.
const LONGEST_ROW: usize = 256 << 20;
/// About how many bytes of text a batch has at most: 64 MiB.
const LARGEST_BATCH: usize = 64 << 20;

/// Reads a CSV or TSV file.
pub(super) struct CsvBatches {
    reader: Reader<CountQuotes>,
    quotes: Arc<AtomicU64>,
    schema: SchemaRef,
    /// For each column of the batches its field in the file.
    picked: Vec<usize>,
    names: Vec<String>,
    batch_rows: usize,
    record: StringRecord,
    rows: u64,
    /// Rows with one and the same surplus of fields, and that surplus.
    longer: Option<(u64, usize)>,
    open_quote: Option<u64>,
    notes: ReadNotes,
}

impl CsvBatches {
    /// Reads the header. `columns` are those to read; a name that is not in the header is left to the caller.
    pub(super) fn new(mut input: Input, format: TableFormat, columns: Option<&HashSet<&str>>) -> Result<Self> {
        let mut notes = ReadNotes { byte_order_mark: input.head.starts_with(BYTE_ORDER_MARK), ..Default::default() };
        if notes.byte_order_mark {
            input.reader.read_exact(&mut [0; BYTE_ORDER_MARK.len()]).map_err(|error| from_io(&error))?;
            input.head.drain(..BYTE_ORDER_MARK.len());
        }
        notes.carriage_returns = input.head.windows(2).any(|pair| pair == b"\r\n");
        let delimiter = if format == TableFormat::Tsv { b'\t' } else { delimiter::sniff(&input.head) };
        if format == TableFormat::Csv && delimiter != b',' {
            notes.delimiter = Some(char::from(delimiter).to_string());
        }
        let quotes = Arc::new(AtomicU64::new(0));
        let counted = CountQuotes { inner: input.reader, quotes: Arc::clone(&quotes) };
        let mut reader =
            ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(counted);
        let mut header = StringRecord::new();
        if !reader.read_record(&mut header).map_err(|error| wrong(&error))? {
            return Err(Error::invalid_input("the file is empty").hint("write a header line and at least one row"));
        }
        let names = names_of(&header)?;
        let is_picked = |name: &str| columns.is_none_or(|columns| columns.contains(name));
        let picked = (0..names.len()).filter(|&index| is_picked(&names[index])).collect::<Vec<_>>();
        let fields = picked.iter().map(|&index| Field::new(&names[index], DataType::Utf8, true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let batch_rows = rows_of(picked.len());
        let (longer, open_quote) = (None, None);
        let record = StringRecord::new();
        Ok(Self { reader, quotes, schema, picked, names, batch_rows, record, rows: 0, longer, open_quote, notes })
    }

    /// Notes a row that has another number of fields than the header.
    fn note_ragged(&mut self) {
        let fields = self.record.len();
        self.notes.ragged_rows += 1;
        if self.notes.ragged_examples.len() < 5 {
            let line = self.record.position().map_or(0, csv::Position::line);
            self.notes.ragged_examples.push(line);
        }
        if fields > self.names.len() {
            let surplus = fields - self.names.len();
            self.longer = match self.longer {
                None => Some((1, surplus)),
                Some((rows, before)) if before == surplus => Some((rows + 1, surplus)),
                Some((_, before)) => Some((0, before)),
            };
        }
    }
}

impl Batches for CsvBatches {
    fn next(&mut self, most: usize) -> Result<Option<RecordBatch>> {
        let mut builders = self.picked.iter().map(|_| StringBuilder::with_capacity(0, 0)).collect::<Vec<_>>();
        let (mut rows, mut bytes) = (0, 0);
        while rows < self.batch_rows.min(most) && bytes < LARGEST_BATCH {
            if !self.reader.read_record(&mut self.record).map_err(|error| wrong(&error))? {
                break;
            }
            let line = self.record.position().map_or(0, csv::Position::line);
            let size = self.record.as_slice().len();
            if size > LONGEST_ROW {
                let message = format!("the row in line {line} is longer than 256 MiB");
                return Err(Error::invalid_input(message).hint("look for a quote that is opened and never closed"));
            }
            let last = self.record.get(self.record.len().saturating_sub(1));
            self.open_quote = last.is_some_and(|last| last.contains('\n')).then_some(line);
            if self.record.len() != self.names.len() {
                self.note_ragged();
            }
            for (builder, &index) in builders.iter_mut().zip(&self.picked) {
                match self.record.get(index) {
                    Some(field) => builder.append_value(field),
                    None => builder.append_null(),
                }
            }
            rows += 1;
            bytes += size;
        }
        self.rows += rows as u64;
        if rows == 0 {
            return Ok(None);
        }
        let arrays = builders.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef).collect();
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options);
        batch.map(Some).map_err(|error| Error::internal("a batch of rows could not be built").caused_by(error))
    }

    fn inference(&self) -> Inference {
        Inference::Fields
    }

    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn finish(&mut self, whole: bool) -> Result<ReadNotes> {
        if let Some((rows, surplus)) = self.longer
            && rows == self.rows
        {
            let (width, fields) = (self.names.len(), self.names.len() + surplus);
            let message = format!("the header has {width} names, but every row has {fields} fields");
            return Err(Error::invalid_input(message).hint("name every column in the header"));
        }
        if let Some(line) = self.open_quote
            && whole
            && self.quotes.load(Ordering::Relaxed) % 2 == 1
        {
            let message = format!("a quote that is opened in the row of line {line} is never closed");
            return Err(Error::invalid_input(message).hint("close it, or write \"\" for a quote inside a quoted field"));
        }
        Ok(std::mem::take(&mut self.notes))
    }
}

/// The names in a header. An empty name becomes `Unnamed: 0`, counted by position, as `pandas` has it.
fn names_of(header: &StringRecord) -> Result<Vec<String>> {
    let name = |(index, name): (usize, &str)| {
        if name.trim().is_empty() { format!("Unnamed: {index}") } else { name.to_owned() }
    };
    let names = header.iter().enumerate().map(name).collect::<Vec<_>>();
    check_unique(names.iter().map(String::as_str))?;
    Ok(names)
}

/// Refuses names that occur twice, naming them.
pub(super) fn check_unique<'a>(names: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut seen = HashSet::new();
    let mut twice = Vec::new();
    for name in names {
        if !seen.insert(name) && !twice.contains(&name) && twice.len() < 10 {
            twice.push(name);
        }
    }
    if twice.is_empty() {
        return Ok(());
    }
    let named = twice.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let message = format!("column names occur more than once: {named}");
    Err(Error::invalid_input(message).hint("give every column a name of its own"))
}

/// The error of a reader in words.
fn wrong(error: &csv::Error) -> Error {
    match error.kind() {
        ErrorKind::Io(error) => from_io(error),
        ErrorKind::Utf8 { pos, err } => {
            let (line, byte) = pos.as_ref().map_or((0, 0), |at| (at.line(), at.byte()));
            let field = err.field() + 1;
            Error::invalid_input(format!(
                "the row in line {line} is not UTF-8: its field {field} has a wrong byte (the row begins at byte {byte})"
            ))
            .hint("save the file as UTF-8")
        }
        _ => Error::invalid_input(format!("the rows cannot be read: {error}")),
    }
}

/// Counts the quotes that pass, so that one that is never closed is noticed.
struct CountQuotes {
    inner: BufReader<Box<dyn Read + Send>>,
    quotes: Arc<AtomicU64>,
}

impl Read for CountQuotes {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let quotes = buffer[..count].iter().map(|&byte| u64::from(byte == b'"')).sum::<u64>();
        self.quotes.fetch_add(quotes, Ordering::Relaxed);
        Ok(count)
    }
}
