//! `load_dataset`: what a table holds, read without a copy.

use std::collections::{BTreeMap, HashSet};

use mlops_algorithms::table::{Column, ColumnKind, NumberKind, Table, Values};
use mlops_artifacts::{Compression, ReadNotes, ReadOptions, Sample, TableFormat};
use mlops_core::values::ArtifactUri;
use mlops_core::{ArtifactLink, Call, Effect, Lang, Report, Result, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{DataPreparation, inline};

/// Read a table and describe it: columns and their types, missing and distinct values, the first rows, the hash of its
/// bytes. CSV, TSV, JSON lines, Parquet and Arrow files are read, gzip and zstd as well. Nothing is copied or changed.
/// Start here with a data set that you do not know.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadDataset {
    /// Where the table lies: an `s3://` or `file://` URI, or a path.
    #[serde(alias = "dataset_s3_uri", alias = "dataset_uri")]
    #[schemars(extend("x-aliases" = ["dataset_s3_uri", "dataset_uri"]))]
    pub uri: ArtifactUri,
    /// The format, when neither the name's ending nor the first bytes tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<TableFormat>,
    /// The types of columns by name, where they are not to be found out from the values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<BTreeMap<String, ColumnKind>>,
    /// The columns to read; all when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// The number of rows to read from the beginning; all when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub limit: Option<usize>,
    /// Reads a random sample of the rows instead of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<Sample>,
}

/// What a table holds.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct LoadedDataset {
    /// Where the table lies, absolute. Give this to the other tools.
    pub dataset_uri: ArtifactUri,
    /// The columns in their order, as many as fit into a result.
    pub schema: Vec<ColumnSummary>,
    /// How many further columns there are that `schema` leaves out.
    pub schema_omitted: usize,
    /// The number of rows that were read.
    pub num_rows: usize,
    /// The number of columns.
    pub num_columns: usize,
    /// The size of the object in bytes, as it is stored.
    pub bytes: u64,
    /// SHA-256 of the object's bytes, in hex.
    pub sha256: String,
    /// The first five rows, with at most the first 30 columns; long text is cut.
    pub preview: Vec<Map<String, Value>>,
    /// The version that was read, where the store keeps versions.
    pub version_id: Option<String>,
    /// The format.
    pub format: TableFormat,
    /// The compression around it; null when there is none.
    pub compression: Option<Compression>,
    /// What was found and handled while reading.
    pub notes: ReadNotes,
}

/// What one column holds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct ColumnSummary {
    /// The column's name.
    pub name: String,
    /// The type of its values.
    #[serde(rename = "type")]
    pub kind: ColumnKind,
    /// Whether values are missing.
    pub nullable: bool,
    /// How many values are missing.
    pub missing: usize,
    /// How many distinct values there are, missing ones not counted.
    pub cardinality: usize,
}

impl Tool for LoadDataset {
    const NAME: &'static str = "load_dataset";
    const TITLE: &'static str = "Load a data set";
    const EFFECT: Effect = Effect::Read;
    type Capability = DataPreparation;
    type Output = LoadedDataset;

    async fn run(self, room: &DataPreparation, call: &Call) -> Result<LoadedDataset> {
        let options = ReadOptions {
            format: self.format,
            columns: self.columns,
            limit: self.limit,
            sample: self.sample,
            schema: self.schema,
            ..ReadOptions::default()
        };
        let data = room.artifacts.read_table(&self.uri, &options, call).await.map_err(|error| error.at_or("uri"))?;
        let (source, meta) = (data.source, room.artifacts.store().head(&self.uri).await?);
        let table = data.table;
        let (num_rows, num_columns) = (table.num_rows(), table.num_columns());
        let work = move |call: &Call| Ok((inline::within(summaries(&table, call)?), preview(&table)));
        let (schema, preview) = call.compute(work).await?;
        Ok(LoadedDataset {
            dataset_uri: meta.uri,
            schema_omitted: num_columns - schema.len(),
            schema,
            num_rows,
            num_columns,
            bytes: source.bytes,
            sha256: source.sha256,
            preview,
            version_id: source.version_id,
            format: source.format,
            compression: source.compression,
            notes: source.notes,
        })
    }
}

impl Report for LoadedDataset {
    fn summary(&self, lang: Lang) -> String {
        let (rows, columns, name) = (self.num_rows, self.num_columns, self.dataset_uri.file_name());
        match lang {
            Lang::En => format!("{name} has {rows} rows and {columns} columns"),
            Lang::Ja => format!("{name} は {rows} 行 {columns} 列です"),
        }
    }

    fn artifacts(&self) -> Vec<ArtifactLink> {
        vec![ArtifactLink::new(self.dataset_uri.as_str(), self.dataset_uri.file_name())]
    }
}

fn summaries(table: &Table, call: &Call) -> Result<Vec<ColumnSummary>> {
    let shown = table.columns.iter().take(inline::COLUMNS);
    let summary = |column: &Column| {
        call.check()?;
        let missing = column.values.missing();
        Ok(ColumnSummary {
            name: column.name.clone(),
            kind: column.values.kind(),
            nullable: missing > 0,
            missing,
            cardinality: cardinality(&column.values),
        })
    };
    shown.map(summary).collect()
}

fn cardinality(values: &Values) -> usize {
    match values {
        Values::Number { values, .. } => {
            // Adding zero turns -0 into 0.
            let bits = values.iter().filter(|value| !value.is_nan()).map(|value| (value + 0.0).to_bits());
            bits.collect::<HashSet<_>>().len()
        }
        Values::Text { codes, categories } => {
            let used = codes.iter().filter(|code| (**code as usize) < categories.len());
            used.collect::<HashSet<_>>().len()
        }
    }
}

fn preview(table: &Table) -> Vec<Map<String, Value>> {
    let columns = || table.columns.iter().take(inline::PREVIEW_COLUMNS);
    let rows = 0..table.num_rows().min(inline::PREVIEW_ROWS);
    rows.map(|row| columns().map(|column| (column.name.clone(), cell(&column.values, row))).collect()).collect()
}

fn cell(values: &Values, row: usize) -> Value {
    match values {
        Values::Number { values, .. } if !values[row].is_finite() => Value::Null,
        Values::Number { values, kind: NumberKind::Boolean } => Value::Bool(values[row] != 0.0),
        Values::Number { values, kind: NumberKind::Integer | NumberKind::Timestamp }
            if values[row].fract() == 0.0 && values[row].abs() < 9e15 =>
        {
            Value::from(values[row] as i64)
        }
        Values::Number { values, .. } => Value::from(values[row]),
        Values::Text { .. } => values.label(row).map_or(Value::Null, |text| Value::String(inline::cut(&text))),
    }
}
