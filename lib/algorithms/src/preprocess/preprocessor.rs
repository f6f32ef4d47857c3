//! The fitted preprocessor, as it is stored beside a model.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::category::CategoryColumn;
use super::number::NumberColumn;
use super::{PreprocessConfig, PreprocessError};
use crate::table::ColumnKind;

/// Everything that was learnt from the training rows. It can only be had by fitting, or by reading a stored one that
/// passes [`Preprocessor::validate`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct Preprocessor {
    pub(super) config: PreprocessConfig,
    pub(super) columns: Vec<FittedColumn>,
    pub(super) dropped_columns: Vec<DroppedColumn>,
    pub(super) fitted_rows: usize,
}

/// The stored form, before it is validated.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    config: PreprocessConfig,
    columns: Vec<FittedColumn>,
    dropped_columns: Vec<DroppedColumn>,
    fitted_rows: usize,
}

impl TryFrom<Stored> for Preprocessor {
    type Error = PreprocessError;

    fn try_from(stored: Stored) -> Result<Self, PreprocessError> {
        let Stored { config, columns, dropped_columns, fitted_rows } = stored;
        let preprocessor = Self { config, columns, dropped_columns, fitted_rows };
        preprocessor.validate()?;
        Ok(preprocessor)
    }
}

/// One input column and what was learnt about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedColumn {
    /// The column's name.
    pub name: String,
    /// What the column held in training.
    pub kind: ColumnKind,
    /// What was learnt.
    pub parameters: Parameters,
}

/// What was learnt about a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parameters {
    /// A column of numbers.
    Number(NumberColumn),
    /// A column of text.
    Category(CategoryColumn),
}

/// A column of the training table that is not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DroppedColumn {
    /// The column's name.
    pub name: String,
    /// Why it is not used.
    pub reason: DropReason,
}

/// Why a column is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// `drop_columns` names it.
    Requested,
    /// No training row has a value, or all of them are infinite.
    AllMissing,
    /// All training rows with a value have the same one, so nothing can be learnt from it.
    Constant,
    /// It holds text, and `encode_categorical` is off.
    Text,
}

impl DropReason {
    /// The reason in words.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Requested => "dropped on request",
            Self::AllMissing => "has no values",
            Self::Constant => "is constant",
            Self::Text => "is text and encode_categorical is off",
        }
    }
}

impl Preprocessor {
    /// The settings that it was fitted with.
    pub fn config(&self) -> &PreprocessConfig {
        &self.config
    }

    /// The input columns that [`Preprocessor::transform`] needs, in the order of the training table.
    pub fn columns(&self) -> &[FittedColumn] {
        &self.columns
    }

    /// The columns of the training table that are not used.
    pub fn dropped_columns(&self) -> &[DroppedColumn] {
        &self.dropped_columns
    }

    /// The number of training rows that it was fitted on.
    pub fn fitted_rows(&self) -> usize {
        self.fitted_rows
    }

    /// The number of features that come out.
    pub fn num_features(&self) -> usize {
        self.columns.iter().map(|column| column.parameters.width()).sum()
    }

    /// The names of the features that come out, all different: the column's name for a number, an ordinal code or a
    /// single target mean; `column=category` and `column=<other>` for one-hot columns; `column[class]` for the target
    /// means of several classes. A name that is already taken gets `#2`, `#3` and so on.
    pub fn feature_names(&self) -> Vec<String> {
        let mut taken = HashSet::new();
        let mut names = Vec::with_capacity(self.num_features());
        for column in &self.columns {
            for name in column.parameters.feature_names(&column.name) {
                let numbered = (2..).map(|number: usize| format!("{name}#{number}"));
                let free = std::iter::once(name.clone()).chain(numbered).find(|name| !taken.contains(name));
                let free = free.unwrap_or(name);
                taken.insert(free.clone());
                names.push(free);
            }
        }
        names
    }

    /// The categories of each one-hot column that were too rare for a feature of their own, as a count by column.
    pub fn rare_categories(&self) -> std::collections::BTreeMap<String, usize> {
        let rare = |column: &FittedColumn| match &column.parameters {
            Parameters::Category(category) if category.rare() > 0 => Some((column.name.clone(), category.rare())),
            _ => None,
        };
        self.columns.iter().filter_map(rare).collect()
    }
}

impl Parameters {
    /// How many features come out.
    pub(super) fn width(&self) -> usize {
        match self {
            Self::Number(_) => 1,
            Self::Category(category) => category.width(),
        }
    }

    fn feature_names(&self, name: &str) -> Vec<String> {
        match self {
            Self::Number(_) => vec![name.to_owned()],
            Self::Category(category) => category.feature_names(name),
        }
    }
}
