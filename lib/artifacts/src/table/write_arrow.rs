//! Tables as Parquet and Arrow IPC files.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::ipc::writer::FileWriter;
use mlops_algorithms::table::{NumberKind, Table, Values};
use mlops_core::{Error, Result};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::batches::rows_of;

/// The most bytes of text in one column of a batch: 1 GiB.
const MOST_TEXT: usize = 1 << 30;

/// The bytes of a Parquet file.
pub(super) fn parquet(table: &Table) -> Result<Vec<u8>> {
    let failed =
        |error: parquet::errors::ParquetError| Error::internal("a Parquet file could not be written").caused_by(error);
    let level = ZstdLevel::try_new(3).map_err(failed)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_created_by("mlops".to_owned())
        .build();
    let schema = schema_of(table);
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, Arc::clone(&schema), Some(properties)).map_err(failed)?;
    for batch in batches(table, &schema) {
        writer.write(&batch?).map_err(failed)?;
    }
    writer.close().map_err(failed)?;
    Ok(bytes)
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
    let longest = table.columns.iter().map(|column| match &column.values {
        Values::Text { categories, .. } => categories.iter().map(String::len).max().unwrap_or(0),
        Values::Number { .. } => 0,
    });
    let by_text = MOST_TEXT / longest.max().unwrap_or(0).max(1);
    let (rows, step) = (table.num_rows(), rows_of(table.num_columns()).min(by_text).max(1));
    (0..rows).step_by(step).map(move |from| {
        let to = rows.min(from + step);
        let columns = table.columns.iter().zip(schema.fields());
        let arrays = columns.map(|(column, field)| array_of(&column.values, field.data_type(), from, to));
        RecordBatch::try_new(Arc::clone(schema), arrays.collect())
            .map_err(|error| Error::internal("a batch of rows could not be built").caused_by(error))
    })
}

fn schema_of(table: &Table) -> SchemaRef {
    let field = |column: &mlops_algorithms::table::Column| Field::new(&column.name, type_of(&column.values), true);
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
    let present = |value: &f64| (!value.is_nan()).then_some(*value);
    match data_type {
        DataType::Boolean => Arc::new(values.iter().map(|v| present(v).map(|v| v != 0.0)).collect::<BooleanArray>()),
        DataType::Int64 => Arc::new(values.iter().map(|v| present(v).map(|v| v as i64)).collect::<Int64Array>()),
        DataType::Timestamp(_, zone) => {
            let ticks = values.iter().map(|value| present(value).map(microseconds));
            let array = ticks.collect::<TimestampMicrosecondArray>();
            Arc::new(array.with_timezone_opt(zone.clone()))
        }
        _ => Arc::new(values.iter().map(present).collect::<Float64Array>()),
    }
}
