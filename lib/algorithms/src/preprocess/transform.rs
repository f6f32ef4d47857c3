//! Applying a fitted preprocessor to rows.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use ndarray::Array2;

use super::category::CategoryColumn;
use super::input::{self, UNSEEN, by_name, recode};
use super::number::NumberColumn;
use super::preprocessor::{FittedColumn, Parameters, Preprocessor};
use super::{MissingValues, PreprocessError};
use crate::parallel;
use crate::table::{Column, MISSING, Table, Values};

/// How many rows are written at a time.
const ROWS: usize = 256;
/// How many features of a row are read together: those of one line of the processor's cache.
const TOGETHER: usize = 8;

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
        let pairs = self.columns.iter().zip(&inputs);
        let sources = parallel::try_map(pairs, |(column, input)| transformed.read(column, &input.values))?;
        for (column, source) in self.columns.iter().zip(&sources) {
            count(&mut transformed.imputed, column, source.imputed);
            count(&mut transformed.unseen, column, source.unseen);
            count(&mut transformed.clipped, column, source.clipped);
            count(&mut transformed.infinite_as_missing, column, source.infinite);
        }
        // Some rows at a time, so that their features stay near the processor while all columns write theirs.
        let width = self.num_features();
        if let Some(features) = transformed.features.as_slice_mut().filter(|features| !features.is_empty()) {
            let some = features.chunks_mut(ROWS * width).zip(transformed.kept_rows.chunks(ROWS));
            parallel::for_each(some, |(features, rows)| {
                let mut first = 0;
                for source in &sources {
                    source.write(features, width, first, rows);
                    first += source.width;
                }
            });
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

/// A column of the table as the preprocessor reads it.
struct Source<'a> {
    values: Readable<'a>,
    /// How many features it gives.
    width: usize,
    imputed: usize,
    unseen: usize,
    clipped: usize,
    infinite: usize,
}

enum Readable<'a> {
    Numbers(Cow<'a, [f64]>, &'a NumberColumn),
    Codes(Vec<u32>, &'a CategoryColumn),
}

impl Transformed {
    /// The values of each feature, one for each kept row.
    pub fn columns(&self) -> Vec<Vec<f64>> {
        parallel::flat_map(parallel::ranges(self.features.ncols(), TOGETHER), |some| {
            let mut columns = vec![Vec::with_capacity(self.features.nrows()); some.len()];
            for row in self.features.rows() {
                columns.iter_mut().zip(row.iter().skip(some.start)).for_each(|(column, &value)| column.push(value));
            }
            columns
        })
    }

    /// Reads a column and counts what its kept rows need.
    fn read<'a>(&self, column: &'a FittedColumn, values: &'a Values) -> Result<Source<'a>, PreprocessError> {
        let (mut imputed, mut unseen, mut clipped, mut infinite) = (0, 0, 0, 0);
        let values = match &column.parameters {
            Parameters::Number(number) => {
                let (numbers, found) = input::numbers(&column.name, values)?;
                infinite = found;
                for &row in &self.kept_rows {
                    imputed += usize::from(numbers[row].is_nan());
                    clipped += usize::from(number.clips(numbers[row]));
                }
                Readable::Numbers(numbers, number)
            }
            Parameters::Category(category) => {
                let codes = recode(&input::text(values), &category.categories);
                for &row in &self.kept_rows {
                    imputed += usize::from(codes[row] == MISSING);
                    unseen += usize::from(codes[row] == UNSEEN);
                }
                Readable::Codes(codes, category)
            }
        };
        Ok(Source { values, width: column.parameters.width(), imputed, unseen, clipped, infinite })
    }
}

impl Source<'_> {
    /// Writes the features of those rows, from the feature at index `first` on; a row has `width` of them.
    fn write(&self, features: &mut [f64], width: usize, first: usize, rows: &[usize]) {
        let features = features.chunks_exact_mut(width).zip(rows);
        match &self.values {
            Readable::Numbers(numbers, number) => {
                features.for_each(|(features, &row)| features[first] = number.apply(numbers[row]).unwrap_or_default());
            }
            Readable::Codes(codes, category) => features.for_each(|(features, &row)| {
                category.write(category.filled(codes[row]), &mut features[first..first + self.width]);
            }),
        }
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
