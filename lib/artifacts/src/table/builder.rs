//! Record batches appended into a table, column by column.

use std::collections::HashMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, TimeUnit};
use mlops_algorithms::table::Table;
use mlops_core::{Error, Result};
use rayon::prelude::*;

use super::arrow_values;
use super::batches::{Inference, KINDS, Texts};
use super::column::{ColumnBuilder, Kinds, Piece};
use super::value::Cell;

/// The most values of a table: two thousand million, 16 GB as numbers.
const MOST_VALUES: usize = 2_000_000_000;

/// A table while it is read.
pub(super) struct TableBuilder {
    columns: Vec<ColumnBuilder>,
    index: HashMap<String, usize>,
    inference: Inference,
    texts: Texts,
    rows: usize,
}

impl TableBuilder {
    /// `texts` are the columns that are text whatever they begin with.
    pub(super) fn new(inference: Inference, texts: Texts) -> Self {
        Self { columns: Vec::new(), index: HashMap::new(), inference, texts, rows: 0 }
    }

    /// The number of rows so far.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Appends a batch. Columns that it lacks get missing values, and so do the earlier rows of columns that are new.
    pub(super) fn append(&mut self, batch: &RecordBatch) -> Result<()> {
        let rows = self.rows + batch.num_rows();
        for (position, field) in batch.schema_ref().fields().iter().enumerate() {
            let at = self.place(position, field.name());
            check_size(rows, self.columns.len())?;
            append(&mut self.columns[at], field, batch.column(position), self.inference)?;
        }
        for column in &mut self.columns {
            if column.len() < rows {
                column.fill(rows);
            }
        }
        self.rows = rows;
        Ok(())
    }

    /// Begins the columns of those names.
    pub(super) fn expect<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        for (position, name) in names.enumerate() {
            self.place(position, name);
        }
    }

    /// Whether each column is kept as text.
    pub(super) fn are_texts(&self) -> Vec<bool> {
        self.columns.iter().map(ColumnBuilder::is_text).collect()
    }

    /// Appends `rows` rows to all columns: for each chunk of them a piece of each column. `as_text` reads a chunk's piece
    /// of a column again, as text.
    pub(super) fn append_pieces<'a>(
        &mut self,
        chunks: Vec<Vec<Piece<'a>>>,
        rows: usize,
        as_text: impl Fn(usize, usize) -> Piece<'a> + Sync,
    ) -> Result<()> {
        check_size(self.rows + rows, self.columns.len())?;
        let mut by_column = self.columns.iter().map(|_| Vec::with_capacity(chunks.len())).collect::<Vec<_>>();
        for chunk in chunks {
            chunk.into_iter().zip(&mut by_column).for_each(|(piece, pieces)| pieces.push(piece));
        }
        let columns = self.columns.par_iter_mut().zip(by_column).enumerate();
        columns.for_each(|(at, (column, pieces))| column.append_pieces(pieces, |chunk| as_text(chunk, at)));
        self.rows += rows;
        Ok(())
    }

    /// The columns that must be read again as text.
    pub(super) fn again(&self) -> Texts {
        let again = self.columns.iter().filter(|column| column.is_again());
        again.map(|column| (column.name.clone(), column.kinds)).collect()
    }

    /// What became of each column that holds several kinds; `asked` are columns that were asked for as text.
    pub(super) fn widened(&self, asked: impl Fn(&str) -> bool) -> std::collections::BTreeMap<String, String> {
        let columns = self.columns.iter().filter(|column| !asked(&column.name));
        columns.filter_map(|column| Some((column.name.clone(), column.kinds.widened()?))).collect()
    }

    /// The table.
    pub(super) fn finish(self) -> Table {
        Table { columns: self.columns.into_iter().map(ColumnBuilder::finish).collect() }
    }

    /// Where the column of that name is; `guess` is where it was in the batch before.
    fn place(&mut self, guess: usize, name: &str) -> usize {
        if self.columns.get(guess).is_some_and(|column| column.name == name) {
            return guess;
        }
        if let Some(&at) = self.index.get(name) {
            return at;
        }
        let name = name.to_owned();
        let text = self.texts.get(&name).copied();
        self.index.insert(name.clone(), self.columns.len());
        self.columns.push(ColumnBuilder::new(name, self.rows, text));
        self.columns.len() - 1
    }
}

fn check_size(rows: usize, columns: usize) -> Result<()> {
    if rows.saturating_mul(columns) > MOST_VALUES {
        let message = format!("the table has more than {MOST_VALUES} values");
        return Err(Error::invalid_input(message).hint("name fewer `columns`, or set a `limit` of rows"));
    }
    Ok(())
}

/// Appends the values of an array.
fn append(column: &mut ColumnBuilder, field: &Field, array: &dyn Array, inference: Inference) -> Result<()> {
    let unpacked = arrow_values::unpacked(array).map_err(|error| unreadable(field, array, &error.to_string()))?;
    if let Some(unpacked) = unpacked {
        return append(column, field, &*unpacked, inference);
    }
    let held = |kinds: Kinds| if array.null_count() == array.len() { Kinds::default() } else { kinds };
    match array.data_type() {
        DataType::Null => column.fill(column.len() + array.len()),
        DataType::Boolean => {
            let numbers =
                array.as_boolean().iter().map(|value| value.map_or(f64::NAN, |value| f64::from(u8::from(value))));
            column.append_numbers(held(Kinds::BOOLEAN), &numbers.collect::<Vec<_>>());
        }
        data_type if data_type.is_integer() || is_whole_decimal(data_type) => {
            let kinds = if arrow_values::has_large(array) { Kinds::LARGE } else { held(Kinds::INTEGER) };
            if column.is_text() {
                let digits = arrow_values::digits(array).ok_or_else(|| unreadable(field, array, "is unknown"))?;
                column.append_text(kinds, &mut digits.iter().map(Option::as_deref));
            } else {
                append_floats(column, field, array, kinds)?;
            }
        }
        data_type if data_type.is_floating() || data_type.is_decimal() => {
            append_floats(column, field, array, held(kinds_of(field).unwrap_or(Kinds::FLOAT)))?;
        }
        DataType::Time32(_) | DataType::Time64(_) | DataType::Duration(_) => {
            append_ticks(column, field, array, held(Kinds::FLOAT))?;
        }
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => {
            append_ticks(column, field, array, held(Kinds::TIMESTAMP))?;
        }
        _ => match arrow_values::texts(array) {
            Some(Ok(texts)) => append_texts(column, field, &texts, held(Kinds::TEXT), inference),
            Some(Err(row)) => {
                let problem = format!("has bytes that are not UTF-8 in row {} (counted from 0)", column.len() + row);
                return Err(unreadable(field, array, &problem));
            }
            None => return Err(unreadable(field, array, "is neither numbers nor text")),
        },
    }
    Ok(())
}

fn append_texts(column: &mut ColumnBuilder, field: &Field, texts: &[Option<&str>], kinds: Kinds, inference: Inference) {
    if inference == Inference::Typed {
        return column.append_text(kinds, &mut texts.iter().copied());
    }
    let cells = texts.iter().map(|text| text.map_or(Cell::Missing, Cell::of_json_string)).collect::<Vec<_>>();
    let mut kinds = cells.iter().fold(Kinds::default(), |kinds, &cell| kinds.with(Kinds::of(cell)));
    // A mixed column of JSON values comes as text that tells in its field what else it was; only its strings are text.
    if let Some(others) = kinds_of(field) {
        kinds = kinds.with(others);
    }
    column.append_cells(&cells, kinds, texts.iter().copied());
}

/// The kinds that a reader of JSON documents found.
fn kinds_of(field: &Field) -> Option<Kinds> {
    field.metadata().get(KINDS).and_then(|bits| bits.parse().ok()).map(Kinds::from_bits)
}

fn append_floats(column: &mut ColumnBuilder, field: &Field, array: &dyn Array, kinds: Kinds) -> Result<()> {
    let numbers = arrow_values::numbers(array).ok_or_else(|| unreadable(field, array, "is no number"))?;
    column.append_numbers(kinds, &numbers);
    Ok(())
}

/// Appends times, durations and points in time as seconds.
fn append_ticks(column: &mut ColumnBuilder, field: &Field, array: &dyn Array, kinds: Kinds) -> Result<()> {
    let (ticks, unit) = arrow_values::ticks(array).ok_or_else(|| unreadable(field, array, "is no time"))?;
    let per_second = per_second(unit);
    // Whole seconds and the rest apart, so that nothing is rounded twice.
    let seconds = |ticks: i64| (ticks / per_second as i64) as f64 + (ticks % per_second as i64) as f64 / per_second;
    let numbers = ticks.into_iter().map(|value| value.map_or(f64::NAN, seconds)).collect::<Vec<_>>();
    column.append_numbers(kinds, &numbers);
    Ok(())
}

fn unreadable(field: &Field, array: &dyn Array, problem: &str) -> Error {
    let (name, kind) = (field.name(), array.data_type());
    Error::invalid_input(format!("the column `{name}` ({kind}) {problem}"))
        .hint("store it as numbers or text, or name the other columns in `columns`")
}

/// Decimals without a fraction.
fn is_whole_decimal(data_type: &DataType) -> bool {
    use DataType::{Decimal32, Decimal64, Decimal128, Decimal256};
    matches!(data_type, Decimal32(_, 0) | Decimal64(_, 0) | Decimal128(_, 0) | Decimal256(_, 0))
}

fn per_second(unit: TimeUnit) -> f64 {
    match unit {
        TimeUnit::Second => 1.0,
        TimeUnit::Millisecond => 1e3,
        TimeUnit::Microsecond => 1e6,
        TimeUnit::Nanosecond => 1e9,
    }
}
