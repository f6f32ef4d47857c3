//! The one rule by which the columns of a table become the features of a model.

use std::collections::{BTreeMap, HashMap};

use mlops_algorithms::preprocess::Preprocessor;
use mlops_algorithms::table::Table;
use mlops_core::{Error, Result};
use ndarray::Array2;

use crate::LoadedTable;

/// What a card says of a model's input.
pub(crate) struct InputRule<'a> {
    /// The names of the features in the order of the model's columns.
    pub(crate) feature_names: &'a [String],
    /// What makes features of raw columns.
    pub(crate) preprocessor: Option<&'a Preprocessor>,
    /// The SHA-256 of the preprocessor's file.
    pub(crate) preprocessor_sha256: Option<&'a str>,
}

/// The features of some rows.
pub(crate) struct Features {
    /// Rows × features, finite.
    pub(crate) values: Array2<f64>,
    /// The rows of the table, counted from 0, ascending.
    pub(crate) rows: Vec<usize>,
    /// How many values are categories unseen in training, by column.
    pub(crate) unseen: BTreeMap<String, usize>,
}

impl InputRule<'_> {
    /// A table whose manifest says that the model's own preprocessor was applied is taken by feature names; any other
    /// goes through the model's preprocessor, and by feature names where the model has none.
    pub(crate) fn features(&self, data: &LoadedTable) -> Result<Features> {
        let applied = data.manifest.as_ref().and_then(|manifest| manifest.preprocessor_sha256.as_deref());
        if applied.is_some() && applied == self.preprocessor_sha256 {
            return self.by_name(&data.table);
        }
        if applied.is_some() {
            let message = format!(
                "`{}` was prepared by another preprocessor than the one that the model was trained with",
                data.source.uri
            );
            return Err(Error::invalid_input(message).hint("give the raw table, or prepare it with the model's own"));
        }
        let Some(preprocessor) = self.preprocessor else { return self.by_name(&data.table) };
        let transformed =
            preprocessor.transform(&data.table).map_err(|error| Error::invalid_input(error.to_string()))?;
        Ok(Features { values: transformed.features, rows: transformed.kept_rows, unseen: transformed.unseen })
    }

    /// The number columns of the feature names. Rows in which one is not finite are left out.
    fn by_name(&self, table: &Table) -> Result<Features> {
        let index = table.columns.iter().map(|column| (column.name.as_str(), column)).collect::<HashMap<_, _>>();
        let (rows, width) = (table.num_rows(), self.feature_names.len());
        let mut values = Array2::zeros((rows, width));
        for (name, mut to) in self.feature_names.iter().zip(values.columns_mut()) {
            let column = index.get(name.as_str()).ok_or_else(|| missing(table, name, "the feature"))?;
            let numbers = column.values.numbers().map_err(|value| {
                let value = value.chars().take(100).collect::<String>();
                let message = format!("the feature `{name}` is a number, but the table holds text such as `{value}`");
                Error::invalid_input(message).hint("give numbers, or train with a preprocessor")
            })?;
            to.iter_mut().zip(numbers.iter()).for_each(|(to, from)| *to = *from);
        }
        let complete = values.rows().into_iter().map(|row| row.iter().all(|value| value.is_finite()));
        let complete = complete.collect::<Vec<_>>();
        let mut features = Features { values, rows: (0..rows).collect(), unseen: BTreeMap::new() };
        features.keep_where(|row| complete[row]);
        Ok(features)
    }
}

impl Features {
    /// Keeps the rows of the table for which `keep` holds.
    pub(crate) fn keep_where(&mut self, keep: impl Fn(usize) -> bool) {
        let kept = (0..self.rows.len()).filter(|&index| keep(self.rows[index])).collect::<Vec<_>>();
        if kept.len() < self.rows.len() {
            self.values = self.values.select(ndarray::Axis(0), &kept);
            self.rows = kept.iter().map(|&index| self.rows[index]).collect();
        }
    }
}

/// The error of a column that is not there, with the nearest name.
pub(crate) fn missing(table: &Table, name: &str, what: &str) -> Error {
    let error = Error::invalid_input(format!("{what} `{name}` is not in the table"));
    match table.nearest_name(name) {
        Some(nearest) => error.hint(format!("did you mean `{nearest}`?")),
        None => error.hint("give a table that has it"),
    }
}
