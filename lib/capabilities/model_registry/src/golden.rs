//! Golden rows: a few rows with what a model predicted when it was registered, to be predicted again before it is used.

use mlops_algorithms::preprocess::Preprocessor;
use mlops_algorithms::table::{Column, NumberKind, Table, Values};
use mlops_algorithms::target::Target;
use mlops_artifacts::{
    CallProbe, ColumnType, LoadedTable, ModelInput, Placed, ReadNotes, Source, StoredModel, TableFormat,
};
use mlops_core::values::{ArtifactUri, TaskType};
use mlops_core::{Call, Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The number of the document's format.
const FORMAT: u32 = 1;
/// The most rows that are kept.
const ROWS: usize = 20;
/// The rows of a table among which they are looked for.
pub(crate) const LOOKED_AT: usize = 1000;
/// How far a number may lie from the one that was kept, for its size and at least for 1: processors of other kinds round
/// otherwise in the last digits.
const TOLERANCE: f64 = 1e-9;

/// The document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Golden {
    format: u32,
    /// SHA-256 of the model that predicted.
    pub(crate) model_sha256: String,
    columns: Vec<GoldenColumn>,
    /// The raw values, a list a row; numbers as numbers, whatever their kind, and null where one is missing.
    rows: Vec<Vec<Value>>,
    /// The class, the number, the cluster or the coordinates of each row.
    predictions: Vec<Value>,
    /// The classes in the order of the probabilities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    classes: Vec<String>,
    /// The probabilities of each row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    probabilities: Vec<Vec<f64>>,
}

/// A column of the rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct GoldenColumn {
    name: String,
    kind: ColumnType,
}

/// How a model's predictions differ from the golden ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Difference {
    /// The rows that were predicted.
    pub(crate) rows: usize,
    /// The largest difference of a predicted number, or of a probability.
    pub(crate) max_abs: f64,
    /// The rows whose class or cluster is another one.
    pub(crate) label_flips: usize,
    /// Whether that is more than rounding.
    pub(crate) differs: bool,
}

/// What a model predicts.
struct Predicted {
    labels: Vec<Value>,
    probabilities: Vec<Vec<f64>>,
}

impl Golden {
    /// The first rows of the table that the model can predict, with its predictions. `InvalidInput` when it can predict
    /// none of them, or when the table's columns were prepared already.
    pub(crate) fn of(model: &StoredModel, data: &LoadedTable, call: &Call) -> Result<Self> {
        let prepared = data.manifest.as_ref().is_some_and(|manifest| manifest.preprocessor_sha256.is_some());
        let (preprocessor, feature_names) = input_of(model);
        if prepared && preprocessor.is_some() {
            let message = format!("`{}` holds prepared columns; golden rows are raw ones", data.source.uri);
            return Err(Error::invalid_input(message).hint("give the table that was split, such as the raw test rows"));
        }
        let names: Vec<&str> = match preprocessor {
            Some(preprocessor) => preprocessor.columns().iter().map(|column| column.name.as_str()).collect(),
            None => feature_names.iter().map(String::as_str).collect(),
        };
        let missing = names.iter().any(|name| data.table.column(name).is_none());
        let kept = data.table.columns.iter().filter(|column| missing || names.contains(&column.name.as_str()));
        // A table that lacks a column is given whole, so that the error can name the nearest one.
        let raw = LoadedTable { table: Table { columns: kept.cloned().collect() }, ..data.clone() };
        let usable = match model {
            StoredModel::Supervised(model) => model.input(&raw, None)?.kept_rows,
            StoredModel::Unsupervised(model) => model.input(&raw)?.kept_rows,
        };
        let table = raw.table.take(&usable[..usable.len().min(ROWS)]);
        let rows = (0..table.num_rows()).map(|row| table.columns.iter().map(|column| value(column, row)).collect());
        let columns = table.columns.iter();
        let columns = columns.map(|column| GoldenColumn { name: column.name.clone(), kind: column.values.kind() });
        let mut golden = Self {
            format: FORMAT,
            model_sha256: model.sha256().to_owned(),
            columns: columns.collect(),
            rows: rows.collect(),
            predictions: Vec::new(),
            classes: classes_of(model).to_vec(),
            probabilities: Vec::new(),
        };
        // What is kept is what the model predicts for the rows as they are written here.
        let predicted = golden.predict(model, call)?;
        golden.predictions = predicted.labels;
        golden.probabilities = predicted.probabilities;
        Ok(golden)
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The document as it was written by [`Golden::of`]; the error says what is wrong with it.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let golden: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let width = golden.columns.len();
        if golden.format != FORMAT {
            return Err(format!("their format is {}; this version reads format {FORMAT}", golden.format));
        }
        if golden.rows.is_empty() || golden.rows.iter().any(|row| row.len() != width) {
            return Err("they have no rows, or rows of another length than the columns".to_owned());
        }
        let probabilities = golden.probabilities.iter();
        let expected = if golden.classes.is_empty() { 0 } else { golden.rows.len() };
        if golden.predictions.len() != golden.rows.len()
            || golden.probabilities.len() != expected
            || probabilities.into_iter().any(|row| row.len() != golden.classes.len())
        {
            return Err("they do not have a prediction for each row".to_owned());
        }
        Ok(golden)
    }

    /// Predicts the rows anew and compares.
    pub(crate) fn compare(&self, model: &StoredModel, call: &Call) -> Result<Difference> {
        if self.classes != classes_of(model) {
            return Err(Error::invalid_input("the golden rows are of other classes than those of the model"));
        }
        let predicted = self.predict(model, call)?;
        let mut difference = Difference { rows: self.rows.len(), max_abs: 0.0, label_flips: 0, differs: false };
        let pairs = self.predictions.iter().zip(&predicted.labels);
        let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
        if self.classes.is_empty() && model.facts().task != TaskType::Clustering {
            for (kept, found) in pairs {
                match (kept, found) {
                    (Value::Array(kept), Value::Array(found)) if kept.len() == found.len() => {
                        kept.iter().zip(found).for_each(|(kept, found)| difference.add(number(kept), number(found)));
                    }
                    (kept, found) => difference.add(number(kept), number(found)),
                }
            }
            return Ok(difference);
        }
        difference.label_flips = pairs.filter(|(kept, found)| kept != found).count();
        difference.differs = difference.label_flips > 0;
        for (kept, found) in self.probabilities.iter().flatten().zip(predicted.probabilities.iter().flatten()) {
            difference.add(*kept, *found);
        }
        Ok(difference)
    }

    fn predict(&self, model: &StoredModel, call: &Call) -> Result<Predicted> {
        let whole = |kept_rows: &[usize]| match self.rows.len() - kept_rows.len() {
            0 => Ok(()),
            lost => Err(Error::invalid_input(format!("{lost} of the golden rows cannot be predicted"))),
        };
        let model = match model {
            StoredModel::Supervised(model) => model,
            StoredModel::Unsupervised(model) => {
                let input = model.input(&self.table()?)?;
                whole(&input.kept_rows)?;
                let labels = match model.place(&input.features, &CallProbe(call), call)? {
                    Placed::Clusters(clusters) => clusters.into_iter().map(Value::from).collect(),
                    Placed::Coordinates(places) => places.rows().into_iter().map(|row| row.to_vec().into()).collect(),
                };
                return Ok(Predicted { labels, probabilities: Vec::new() });
            }
        };
        let ModelInput { features, kept_rows, .. } = model.input(&self.table()?, None)?;
        whole(&kept_rows)?;
        let failed = |error: mlops_algorithms::models::PredictError| Error::invalid_input(error.to_string());
        let labels = match model.model.predict(features.view()).map_err(failed)? {
            Target::Classes { labels, codes } => {
                codes.iter().map(|code| labels.get(*code as usize).cloned().into()).collect()
            }
            Target::Numbers(values) => {
                return Ok(Predicted {
                    labels: values.into_iter().map(Value::from).collect(),
                    probabilities: Vec::new(),
                });
            }
        };
        let probabilities = model.model.predict_proba(features.view()).map_err(failed)?;
        Ok(Predicted { labels, probabilities: probabilities.rows().into_iter().map(|row| row.to_vec()).collect() })
    }

    /// The rows as a table.
    fn table(&self) -> Result<LoadedTable> {
        let columns = self.columns.iter().enumerate();
        let columns = columns.map(|(at, column)| {
            let values = self.rows.iter().map(|row| &row[at]);
            Column { name: column.name.clone(), values: column.values(values) }
        });
        let source = Source {
            uri: ArtifactUri::new("golden.json")?,
            sha256: String::new(),
            bytes: 0,
            version_id: None,
            format: TableFormat::Jsonl,
            compression: None,
            rows: self.rows.len(),
            notes: ReadNotes::default(),
        };
        Ok(LoadedTable { table: Table { columns: columns.collect() }, source, manifest: None })
    }
}

/// What makes features of raw columns, and their names.
fn input_of(model: &StoredModel) -> (Option<&Preprocessor>, &[String]) {
    match model {
        StoredModel::Supervised(model) => (model.card.preprocessor.as_ref(), &model.card.feature_names),
        StoredModel::Unsupervised(model) => (model.card.preprocessor.as_ref(), &model.card.feature_names),
    }
}

/// The classes in the order of the probabilities; none but for a classifier.
fn classes_of(model: &StoredModel) -> &[String] {
    match model {
        StoredModel::Supervised(model) => model.model.labels(),
        StoredModel::Unsupervised(_) => &[],
    }
}

impl GoldenColumn {
    fn values<'a>(&self, values: impl Iterator<Item = &'a Value>) -> Values {
        let kind = match self.kind {
            ColumnType::Text => return Values::from_text(values.map(Value::as_str)),
            ColumnType::Integer => NumberKind::Integer,
            ColumnType::Float => NumberKind::Float,
            ColumnType::Boolean => NumberKind::Boolean,
            ColumnType::Timestamp => NumberKind::Timestamp,
        };
        Values::Number { values: values.map(|value| value.as_f64().unwrap_or(f64::NAN)).collect(), kind }
    }
}

impl Difference {
    fn add(&mut self, kept: f64, found: f64) {
        let distance = (kept - found).abs();
        self.max_abs = self.max_abs.max(distance);
        self.differs |= distance.is_nan() || distance > TOLERANCE * kept.abs().max(1.0);
    }
}

/// The raw value of a row. An infinite number is missing to a model, and is written so.
fn value(column: &Column, row: usize) -> Value {
    match &column.values {
        Values::Number { values, .. } => Value::from(values[row]),
        Values::Text { .. } => Value::from(column.values.label(row)),
    }
}
