//! Parquet files as record batches.

use std::collections::{BTreeMap, HashSet};

use arrow::array::RecordBatch;
use bytes::Bytes;
use mlops_core::{Error, Result};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::ReadNotes;
use super::arrow_ipc::{Picked, pick};
use super::batches::{Batches, Inference, rows_of};

/// Reads a Parquet file.
pub(super) struct ParquetBatches {
    reader: ParquetRecordBatchReader,
    names: Vec<String>,
    skipped: BTreeMap<String, String>,
}

impl ParquetBatches {
    /// `columns` are those to read; nested columns among them are refused, and left out when no column is named.
    pub(super) fn new(bytes: Bytes, columns: Option<&HashSet<&str>>) -> Result<Self> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(wrong)?;
        let schema = builder.schema();
        let names = schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
        let Picked { indices, skipped } = pick(schema, columns)?;
        let rows = rows_of(indices.len());
        let mask = ProjectionMask::roots(builder.parquet_schema(), indices);
        let reader = builder.with_projection(mask).with_batch_size(rows).build().map_err(wrong)?;
        Ok(Self { reader, names, skipped })
    }
}

impl Batches for ParquetBatches {
    fn next(&mut self, _most: usize) -> Result<Option<RecordBatch>> {
        self.reader.next().transpose().map_err(|error| {
            Error::invalid_input(format!("the Parquet file is damaged: {error}")).hint("write or copy it again")
        })
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

fn wrong(error: parquet::errors::ParquetError) -> Error {
    let message = format!("the file is not a whole Parquet file: {error}");
    Error::invalid_input(message).hint("write or copy it again").caused_by(error)
}
