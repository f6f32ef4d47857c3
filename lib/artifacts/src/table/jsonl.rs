//! Files of one JSON object a line as batches of typed columns.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema};
use mlops_core::{Error, Result};
use serde_json::{Map, Number, Value};

use super::ReadNotes;
use super::batches::{Batches, Inference, KINDS, Texts, rows_of};
use super::column::Kinds;
use super::input::{Input, from_io};
use super::value::LARGEST_EXACT;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The most bytes of one line: 256 MiB.
const LONGEST_LINE: u64 = 256 << 20;
/// About how many bytes of lines a batch has at most: 64 MiB.
const LARGEST_BATCH: usize = 64 << 20;

/// Reads a file of one JSON object a line. Nested values become their JSON text.
pub(super) struct JsonBatches {
    reader: BufReader<Box<dyn Read + Send>>,
    columns: Option<HashSet<String>>,
    texts: HashSet<String>,
    line: u64,
    offset: u64,
    names: BTreeSet<String>,
    notes: ReadNotes,
}

impl JsonBatches {
    /// `columns` are those to read; `texts` are those to give as text whatever they hold.
    pub(super) fn new(mut input: Input, columns: Option<&HashSet<&str>>, texts: &Texts) -> Result<Self> {
        let mut notes = ReadNotes { byte_order_mark: input.head.starts_with(BYTE_ORDER_MARK), ..Default::default() };
        if notes.byte_order_mark {
            input.reader.read_exact(&mut [0; BYTE_ORDER_MARK.len()]).map_err(|error| from_io(&error))?;
        }
        notes.carriage_returns = input.head.windows(2).any(|pair| pair == b"\r\n");
        let columns = columns.map(|columns| columns.iter().map(ToString::to_string).collect());
        let offset = if notes.byte_order_mark { BYTE_ORDER_MARK.len() as u64 } else { 0 };
        Ok(Self {
            reader: input.reader,
            columns,
            texts: texts.keys().cloned().collect(),
            line: 0,
            offset,
            names: BTreeSet::new(),
            notes,
        })
    }

    /// The next object; `None` at the end. `bytes` is the length of its line.
    fn object(&mut self, buffer: &mut Vec<u8>) -> Result<Option<Map<String, Value>>> {
        loop {
            buffer.clear();
            let read = (&mut self.reader).take(LONGEST_LINE).read_until(b'\n', buffer);
            let count = read.map_err(|error| from_io(&error))?;
            if count == 0 {
                return Ok(None);
            }
            self.line += 1;
            let line = self.line;
            if count as u64 == LONGEST_LINE {
                return Err(Error::invalid_input(format!("line {line} is longer than 256 MiB")));
            }
            let text = std::str::from_utf8(buffer).map_err(|error| {
                let byte = self.offset + error.valid_up_to() as u64;
                Error::invalid_input(format!("line {line} is not UTF-8: byte {byte} of the file is wrong"))
                    .hint("save the file as UTF-8")
            })?;
            self.offset += count as u64;
            let text = text.trim();
            if text.is_empty() {
                continue;
            }
            let hint = "write one JSON object a line, such as {\"a\": 1, \"b\": \"x\"}";
            return match serde_json::from_str(text) {
                Ok(Value::Object(object)) => Ok(Some(object)),
                Ok(Value::Array(_)) => {
                    Err(Error::invalid_input(format!("line {line} is a JSON array and not an object")).hint(hint))
                }
                Ok(other) => {
                    Err(Error::invalid_input(format!("line {line} is `{other}` and not an object")).hint(hint))
                }
                Err(error) => {
                    let what = format!("line {line} is not a JSON object: {error}");
                    Err(Error::invalid_input(what).hint(hint))
                }
            };
        }
    }
}

impl Batches for JsonBatches {
    fn next(&mut self, most: usize) -> Result<Option<RecordBatch>> {
        let mut names: Vec<String> = Vec::new();
        let mut columns: Vec<Vec<Value>> = Vec::new();
        let mut index: HashMap<String, usize> = HashMap::new();
        let (mut rows, mut bytes, mut buffer) = (0, 0, Vec::new());
        while rows < rows_of(names.len()).min(most) && bytes < LARGEST_BATCH {
            let Some(object) = self.object(&mut buffer)? else { break };
            for (name, value) in object {
                if self.columns.as_ref().is_some_and(|columns| !columns.contains(&name)) {
                    self.names.insert(name);
                    continue;
                }
                let at = *index.entry(name).or_insert_with_key(|name| {
                    names.push(name.clone());
                    columns.push(Vec::new());
                    columns.len() - 1
                });
                columns[at].resize(rows, Value::Null);
                columns[at].push(value);
            }
            rows += 1;
            bytes += buffer.len();
        }
        if rows == 0 {
            return Ok(None);
        }
        let mut fields = Vec::with_capacity(names.len());
        let mut arrays = Vec::with_capacity(names.len());
        self.names.extend(names.iter().cloned());
        for (name, mut values) in names.into_iter().zip(columns) {
            values.resize(rows, Value::Null);
            let (array, kinds) = array_of(&values, self.texts.contains(&name));
            let metadata = HashMap::from([(KINDS.to_owned(), kinds.bits().to_string())]);
            fields.push(Field::new(name, array.data_type().clone(), true).with_metadata(metadata));
            arrays.push(array);
        }
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options);
        batch.map(Some).map_err(|error| Error::internal("a batch of rows could not be built").caused_by(error))
    }

    fn inference(&self) -> Inference {
        Inference::Strings
    }

    fn names(&self) -> Vec<String> {
        self.names.iter().cloned().collect()
    }

    fn finish(&mut self) -> Result<ReadNotes> {
        Ok(std::mem::take(&mut self.notes))
    }
}

/// Whether a number is whole and at most 2^53 in size.
fn is_exact(number: &Number) -> bool {
    number.as_i64().is_some_and(|value| value.unsigned_abs() <= LARGEST_EXACT)
}

/// The values as an array of the narrowest type that holds all of them, and what kinds they are besides strings.
fn array_of(values: &[Value], as_text: bool) -> (ArrayRef, Kinds) {
    let kinds = values.iter().fold(Kinds::default(), |kinds, value| {
        kinds.with(match value {
            Value::Null | Value::String(_) => Kinds::default(),
            Value::Bool(_) => Kinds::BOOLEAN,
            Value::Number(number) if is_exact(number) => Kinds::INTEGER,
            Value::Number(number) if number.is_i64() || number.is_u64() => Kinds::LARGE,
            Value::Number(_) => Kinds::FLOAT,
            Value::Array(_) | Value::Object(_) => Kinds::TEXT,
        })
    });
    let strings = values.iter().any(Value::is_string);
    // Large numbers are read again as text when the whole file is known; until then they are numbers.
    let is_mixed = kinds != Kinds::LARGE && kinds.is_text();
    let array: ArrayRef = if as_text || strings || is_mixed {
        let texts = values.iter().map(|value| match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        });
        Arc::new(texts.collect::<StringArray>())
    } else if kinds == Kinds::BOOLEAN {
        Arc::new(values.iter().map(Value::as_bool).collect::<BooleanArray>())
    } else if kinds == Kinds::INTEGER {
        Arc::new(values.iter().map(Value::as_i64).collect::<Int64Array>())
    } else {
        Arc::new(values.iter().map(Value::as_f64).collect::<Float64Array>())
    };
    (array, kinds)
}
