//! Applying a fitted preprocessor to rows.

use std::collections::{BTreeMap, HashSet};

use ndarray::Array2;

use super::input::{self, UNSEEN, by_name, recode};
use super::preprocessor::{FittedColumn, Parameters, Preprocessor};
use super::{MissingValues, PreprocessError};
use crate::table::{Column, MISSING, Table, Values};

/// The features of some rows, and what was done to get them. Every feature is a finite number.
#[derive(Debug, Clone, PartialEq)]
pub struct Transformed {
    /// Kept rows × features.
    pub features: Array2<f64>,
    /// The names of the features, as [`Preprocessor::feature_names`] gives them.
    pub feature_names: Vec<String>,
    /// The rows of the table that `features` holds, counted from 0, ascending.
    pub kept_rows: Vec<usize>,
    /// How many rows were left out because of missing values.
    pub dropped_rows: usize,
    /// How many missing values of the kept rows were filled, by column; columns with none are not listed, here and
    /// below.
    pub imputed: BTreeMap<String, usize>,
    /// How many values of the kept rows are categories unseen in training, by column.
    pub unseen: BTreeMap<String, usize>,
    /// How many values of the table were infinite and so taken as missing, by column.
    pub infinite_as_missing: BTreeMap<String, usize>,
    /// How many numbers of the kept rows were moved to a limit for outliers, by column.
    pub clipped: BTreeMap<String, usize>,
    /// The columns of the table that were not in training.
    pub ignored_columns: Vec<String>,
}

impl Preprocessor {
    /// The features of the rows of `table`, which may hold more columns than are needed, in any order.
    ///
    /// A column of numbers may hold text that reads as numbers; a column of text may hold numbers. Columns that were
    /// dropped in fitting need not be there. All rows may be left out when rows with missing values are dropped.
    pub fn transform(&self, table: &Table) -> Result<Transformed, PreprocessError> {
        let columns = by_name(table)?;
        let find = |column: &FittedColumn| {
            columns.get(column.name.as_str()).copied().ok_or_else(|| PreprocessError::MissingColumn {
                column: column.name.clone(),
                nearest: table.nearest_name(&column.name).map(str::to_owned),
            })
        };
        let inputs = self.columns.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        let kept_rows = self.kept_rows(&inputs, table.num_rows());
        let mut transformed = Transformed {
            features: Array2::zeros((kept_rows.len(), self.num_features())),
            feature_names: self.feature_names(),
            dropped_rows: table.num_rows() - kept_rows.len(),
            kept_rows,
            imputed: BTreeMap::new(),
            unseen: BTreeMap::new(),
            infinite_as_missing: BTreeMap::new(),
            clipped: BTreeMap::new(),
            ignored_columns: self.unknown_columns(table),
        };
        let mut first = 0;
        for (column, input) in self.columns.iter().zip(inputs) {
            transformed.write(column, &input.values, first)?;
            first += column.parameters.width();
        }
        Ok(transformed)
    }

    fn kept_rows(&self, inputs: &[&Column], rows: usize) -> Vec<usize> {
        if self.config.handle_missing != MissingValues::Drop {
            return (0..rows).collect();
        }
        let mut complete = vec![true; rows];
        for (column, input) in self.columns.iter().zip(inputs) {
            let numbers = match &column.parameters {
                // A text that reads as infinite or as not a number is as missing as a number that is.
                Parameters::Number(_) => input.values.numbers().ok(),
                Parameters::Category(_) => None,
            };
            let lacks = |row: usize| match &numbers {
                Some(numbers) => !numbers[row].is_finite(),
                None => input.values.is_missing(row),
            };
            complete.iter_mut().enumerate().for_each(|(row, complete)| *complete &= !lacks(row));
        }
        (0..rows).filter(|&row| complete[row]).collect()
    }

    fn unknown_columns(&self, table: &Table) -> Vec<String> {
        let used = self.columns.iter().map(|column| column.name.as_str());
        let known = used.chain(self.dropped_columns.iter().map(|column| column.name.as_str())).collect::<HashSet<_>>();
        table.names().filter(|name| !known.contains(name)).map(str::to_owned).collect()
    }
}

impl Transformed {
    /// Writes the features of one column, from the feature at index `first` on.
    fn write(&mut self, column: &FittedColumn, values: &Values, first: usize) -> Result<(), PreprocessError> {
        let (mut imputed, mut unseen, mut clipped) = (0, 0, 0);
        match &column.parameters {
            Parameters::Number(number) => {
                let (numbers, infinite) = input::numbers(&column.name, values)?;
                count(&mut self.infinite_as_missing, column, infinite);
                let mut place = self.features.column_mut(first);
                for (place, &row) in place.iter_mut().zip(&self.kept_rows) {
                    let value = numbers[row];
                    imputed += usize::from(value.is_nan());
                    clipped += usize::from(number.clips(value));
                    *place = number.apply(value).unwrap_or_default();
                }
            }
            Parameters::Category(category) => {
                let text = input::text(values);
                let codes = recode(&text, &category.categories);
                let width = category.width();
                for (mut features, &row) in self.features.rows_mut().into_iter().zip(&self.kept_rows) {
                    let code = codes[row];
                    imputed += usize::from(code == MISSING);
                    unseen += usize::from(code == UNSEEN);
                    if let Some(features) = features.as_slice_mut() {
                        category.write(category.filled(code), &mut features[first..first + width]);
                    }
                }
            }
        }
        count(&mut self.imputed, column, imputed);
        count(&mut self.unseen, column, unseen);
        count(&mut self.clipped, column, clipped);
        Ok(())
    }
}

/// Whether a training value is missing or infinite.
pub(super) fn lacks(values: &Values, row: usize) -> bool {
    match values {
        Values::Number { values, .. } => !values[row].is_finite(),
        Values::Text { .. } => values.is_missing(row),
    }
}

fn count(counts: &mut BTreeMap<String, usize>, column: &FittedColumn, found: usize) {
    if found > 0 {
        counts.insert(column.name.clone(), found);
    }
}
