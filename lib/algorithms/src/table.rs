//! A table in memory: named columns of numbers or of dictionary-coded text.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::parallel;

/// The code of a missing text value.
pub const MISSING: u32 = u32::MAX;

/// Columns of equal length with unique names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// The columns, in the order of the source.
    pub columns: Vec<Column>,
}

/// One named column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// The column's name as the source has it.
    pub name: String,
    /// The column's values.
    pub values: Values,
}

/// What a number column held before it became `f64`, so that labels and files can show it as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberKind {
    /// Whole numbers.
    Integer,
    /// Floating point numbers.
    Float,
    /// `false` is 0 and `true` is 1.
    Boolean,
    /// Seconds since 1970-01-01T00:00:00Z.
    Timestamp,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// Whole numbers.
    Integer,
    /// Floating point numbers.
    Float,
    /// `false` or `true`.
    Boolean,
    /// Points in time, as seconds since 1970-01-01T00:00:00Z.
    Timestamp,
    /// Text.
    Text,
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Values {
    /// Numbers; `NaN` is missing.
    Number {
        /// One value a row.
        values: Vec<f64>,
        /// What the source held.
        kind: NumberKind,
    },
    /// Text, coded by a dictionary.
    Text {
        /// One index into `categories` a row, or [`MISSING`].
        codes: Vec<u32>,
        /// The distinct values, in order of first appearance.
        categories: Vec<String>,
    },
}

impl Table {
    /// The number of rows; 0 for a table without columns.
    pub fn num_rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }

    /// The number of columns.
    pub fn num_columns(&self) -> usize {
        self.columns.len()
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The names of the columns in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// The column name that is most like `name`, for a hint beside an error; `None` when none is like it.
    pub fn nearest_name(&self, name: &str) -> Option<&str> {
        let wanted = name.to_lowercase();
        let likeness = |other: &'_ str| strsim::jaro_winkler(&wanted, &other.to_lowercase());
        let best = self.names().map(|other| (likeness(other), other)).max_by(|a, b| a.0.total_cmp(&b.0))?;
        (best.0 >= 0.7).then_some(best.1)
    }

    /// The rows at `rows`, in that order.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        let take = |column: &Column| Column { name: column.name.clone(), values: column.values.take(rows) };
        Self { columns: parallel::map(&self.columns, take) }
    }

    /// The table without the named columns.
    #[must_use]
    pub fn without(&self, names: &[&str]) -> Self {
        let kept = self.columns.iter().filter(|column| !names.contains(&column.name.as_str()));
        Self { columns: kept.cloned().collect() }
    }
}

impl Values {
    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Number { values, .. } => values.len(),
            Self::Text { codes, .. } => codes.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the column holds.
    pub fn kind(&self) -> ColumnKind {
        match self {
            Self::Number { kind: NumberKind::Integer, .. } => ColumnKind::Integer,
            Self::Number { kind: NumberKind::Float, .. } => ColumnKind::Float,
            Self::Number { kind: NumberKind::Boolean, .. } => ColumnKind::Boolean,
            Self::Number { kind: NumberKind::Timestamp, .. } => ColumnKind::Timestamp,
            Self::Text { .. } => ColumnKind::Text,
        }
    }

    /// Whether the value of that row is missing.
    pub fn is_missing(&self, row: usize) -> bool {
        match self {
            Self::Number { values, .. } => values[row].is_nan(),
            Self::Text { codes, categories } => codes[row] as usize >= categories.len(),
        }
    }

    /// How many values are missing.
    pub fn missing(&self) -> usize {
        (0..self.len()).filter(|&row| self.is_missing(row)).count()
    }

    /// The value as a file or a label shows it; `None` when it is missing.
    pub fn label(&self, row: usize) -> Option<String> {
        match self {
            Self::Text { codes, categories } => categories.get(codes[row] as usize).cloned(),
            Self::Number { values, .. } if values[row].is_nan() => None,
            Self::Number { values, kind } => Some(kind.show(values[row])),
        }
    }

    /// The values as numbers, `NaN` where missing. Text is read as numbers when all of it can be; otherwise the error
    /// is the first value that is not a number.
    pub fn numbers(&self) -> Result<Cow<'_, [f64]>, String> {
        let (codes, categories) = match self {
            Self::Number { values, .. } => return Ok(Cow::Borrowed(values)),
            Self::Text { codes, categories } => (codes, categories),
        };
        let parsed = categories.iter().map(|text| text.trim().parse::<f64>().ok()).collect::<Vec<_>>();
        let number = |&code: &u32| match parsed.get(code as usize) {
            None => Ok(f64::NAN),
            Some(Some(number)) => Ok(*number),
            Some(None) => Err(categories[code as usize].clone()),
        };
        codes.iter().map(number).collect::<Result<Vec<_>, _>>().map(Cow::Owned)
    }

    /// The values at `rows`, in that order.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        match self {
            Self::Number { values, kind } => {
                Self::Number { values: rows.iter().map(|&row| values[row]).collect(), kind: *kind }
            }
            Self::Text { codes, categories } => {
                Self::Text { codes: rows.iter().map(|&row| codes[row]).collect(), categories: categories.clone() }
            }
        }
    }

    /// A text column from its values.
    pub fn from_text<'a>(values: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut categories: Vec<String> = Vec::new();
        let mut index = std::collections::HashMap::<&'a str, u32>::new();
        let mut code = |value: &'a str| {
            *index.entry(value).or_insert_with(|| {
                categories.push(value.to_owned());
                categories.len() as u32 - 1
            })
        };
        let codes = values.into_iter().map(|value| value.map_or(MISSING, &mut code)).collect();
        Self::Text { codes, categories }
    }
}

impl std::fmt::Display for ColumnKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Boolean => "boolean",
            Self::Timestamp => "timestamp",
            Self::Text => "text",
        })
    }
}

impl NumberKind {
    /// A number of this kind as text: `3` rather than `3.0` for an integer, `true` rather than `1` for a boolean.
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Boolean => (value != 0.0).to_string(),
            Self::Integer | Self::Timestamp if value.fract() == 0.0 && value.abs() < 9.1e15 => {
                format!("{}", value as i64)
            }
            _ => value.to_string(),
        }
    }
}
