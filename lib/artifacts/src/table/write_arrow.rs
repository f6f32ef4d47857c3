//! Tables as Parquet and Arrow IPC files.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use arrow::ipc::writer::FileWriter;
use mlops_algorithms::table::{Column, NumberKind, Table, Values};
use mlops_core::{Error, Result};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, compute_leaves};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;
use rayon::prelude::*;

use super::batches::rows_of;

/// The most bytes of text in one column of a batch: 1 GiB.
const MOST_TEXT: usize = 1 << 30;

/// The most rows of a row group, whose columns are encoded side by side.
const ROW_GROUP: usize = 1 << 20;
/// How many values of a column are looked at to tell whether they repeat.
const LOOKED_AT: usize = 1024;

/// The bytes of a Parquet file. Columns of numbers that hardly repeat are stored as they are, the others by a dictionary.
pub(super) fn parquet(table: &Table) -> Result<Vec<u8>> {
    let failed =
        |error: parquet::errors::ParquetError| Error::internal("a Parquet file could not be written").caused_by(error);
    let level = ZstdLevel::try_new(1).map_err(failed)?;
    let mut properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(level)).set_created_by("mlops".to_owned());
    for column in table.columns.iter().filter(|column| !repeats(&column.values)) {
        let path = ColumnPath::new(vec![column.name.clone()]);
        properties = properties.set_column_dictionary_enabled(path, false);
    }
    let schema = schema_of(table);
    let mut bytes = Vec::new();
    let writer = ArrowWriter::try_new(&mut bytes, Arc::clone(&schema), Some(properties.build())).map_err(failed)?;
    let (mut writer, factory) = writer.into_serialized_writer().map_err(failed)?;
    let (rows, step) = (table.num_rows(), step_of(table));
    for (index, first) in (0..rows).step_by(ROW_GROUP).enumerate() {
        let last = rows.min(first + ROW_GROUP);
        let writers = factory.create_column_writers(index).map_err(failed)?;
        let columns = writers.into_par_iter().zip(&table.columns).zip(schema.fields().as_ref());
        let encode = |((mut writer, column), field): ((ArrowColumnWriter, &Column), &FieldRef)| {
            for from in (first..last).step_by(step) {
                let array = array_of(&column.values, field.data_type(), from, last.min(from + step));
                for leaf in compute_leaves(field, &array)? {
                    writer.write(&leaf)?;
                }
            }
            writer.close()
        };
        let chunks = columns.map(encode).collect::<Result<Vec<_>, _>>().map_err(failed)?;
        let mut group = writer.next_row_group().map_err(failed)?;
        for chunk in chunks {
            chunk.append_to_row_group(&mut group).map_err(failed)?;
        }
        group.close().map_err(failed)?;
    }
    writer.close().map_err(failed)?;
    Ok(bytes)
}

/// Whether values seem to repeat: of some that lie evenly over the column, at most half are different.
fn repeats(values: &Values) -> bool {
    let Values::Number { values, .. } = values else { return true };
    let apart = values.len().div_ceil(LOOKED_AT).max(1);
    let seen = values.iter().step_by(apart).map(|value| value.to_bits()).collect::<HashSet<_>>();
    seen.len() * 2 <= values.len().div_ceil(apart)
}

/// The bytes of an Arrow IPC file.
pub(super) fn ipc(table: &Table) -> Result<Vec<u8>> {
    let failed =
        |error: arrow::error::ArrowError| Error::internal("an Arrow file could not be written").caused_by(error);
    let schema = schema_of(table);
    let mut writer = FileWriter::try_new(Vec::new(), &schema).map_err(failed)?;
    for batch in batches(table, &schema) {
        writer.write(&batch?).map_err(failed)?;
    }
    writer.finish().map_err(failed)?;
    writer.into_inner().map_err(failed)
}

fn batches<'a>(table: &'a Table, schema: &'a SchemaRef) -> impl Iterator<Item = Result<RecordBatch>> + 'a {
    let (rows, step) = (table.num_rows(), step_of(table));
    (0..rows).step_by(step).map(move |from| {
        let to = rows.min(from + step);
        let columns = table.columns.iter().zip(schema.fields());
        let arrays = columns.map(|(column, field)| array_of(&column.values, field.data_type(), from, to));
        RecordBatch::try_new(Arc::clone(schema), arrays.collect())
            .map_err(|error| Error::internal("a batch of rows could not be built").caused_by(error))
    })
}

/// The number of rows of a batch, such that no column of it has too much text.
fn step_of(table: &Table) -> usize {
    let longest = table.columns.iter().map(|column| match &column.values {
        Values::Text { categories, .. } => categories.iter().map(String::len).max().unwrap_or(0),
        Values::Number { .. } => 0,
    });
    let by_text = MOST_TEXT / longest.max().unwrap_or(0).max(1);
    rows_of(table.num_columns()).min(by_text).max(1)
}

fn schema_of(table: &Table) -> SchemaRef {
    let field = |column: &Column| Field::new(&column.name, type_of(&column.values), true);
    Arc::new(Schema::new(table.columns.iter().map(field).collect::<Vec<_>>()))
}

/// The type that keeps every value exactly, and points in time to the microsecond.
fn type_of(values: &Values) -> DataType {
    let (values, kind) = match values {
        Values::Text { .. } => return DataType::Utf8,
        Values::Number { values, kind } => (values, kind),
    };
    let every = |fits: &dyn Fn(f64) -> bool| values.iter().all(|&value| value.is_nan() || fits(value));
    match kind {
        NumberKind::Boolean => DataType::Boolean,
        NumberKind::Integer if every(&|value| value.fract() == 0.0 && value.abs() < 9e18) => DataType::Int64,
        NumberKind::Timestamp if every(&|value| value.abs() < 9e12) => {
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
        }
        _ => DataType::Float64,
    }
}

/// The nearest microsecond.
fn microseconds(seconds: f64) -> i64 {
    let whole = seconds.trunc();
    whole as i64 * 1_000_000 + ((seconds - whole) * 1e6).round() as i64
}

fn array_of(values: &Values, data_type: &DataType, from: usize, to: usize) -> ArrayRef {
    let values = match values {
        Values::Text { codes, categories } => {
            let texts = codes[from..to].iter().map(|&code| categories.get(code as usize));
            return Arc::new(texts.collect::<StringArray>());
        }
        Values::Number { values, .. } => &values[from..to],
    };
    let present = || values.iter().map(|value| !value.is_nan()).collect::<NullBuffer>();
    let nulls = values.iter().any(|value| value.is_nan()).then(present);
    match data_type {
        DataType::Boolean => {
            let truths = values.iter().map(|&value| value != 0.0 && !value.is_nan()).collect();
            Arc::new(BooleanArray::new(truths, nulls))
        }
        DataType::Int64 => Arc::new(Int64Array::new(values.iter().map(|&value| value as i64).collect(), nulls)),
        DataType::Timestamp(_, zone) => {
            let ticks = values.iter().map(|&value| microseconds(value)).collect();
            Arc::new(TimestampMicrosecondArray::new(ticks, nulls).with_timezone_opt(zone.clone()))
        }
        _ => {
            // What lies under a null is the same in every file.
            let numbers = values.iter().map(|&value| if value.is_nan() { 0.0 } else { value }).collect();
            Arc::new(Float64Array::new(numbers, nulls))
        }
    }
}
