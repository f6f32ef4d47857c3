//! The input of a supervised model: features, and the target where the table has it.

use std::collections::{BTreeMap, HashSet};

use mlops_algorithms::table::{Column, Table};
use mlops_algorithms::target::{Target, TargetError};
use mlops_core::values::SupervisedTask;
use mlops_core::{Error, Result};
use ndarray::Array2;

use crate::features::{Features, InputRule, missing};
use crate::{LoadedModel, LoadedTable};

/// What a model takes, made of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelInput {
    /// Kept rows × features, all finite, in the order of the card's feature names.
    pub features: Array2<f64>,
    /// The target of the kept rows; `None` when the table has no target column.
    pub target: Option<Target>,
    /// The rows of the table that were kept, counted from 0, ascending.
    pub kept_rows: Vec<usize>,
    /// How many rows were left out because a feature that is not filled in, or the target, is missing, or because their
    /// class is not one of the model's.
    pub dropped_rows: usize,
    /// How many rows were left out for each class that is not one of the model's.
    pub unknown_classes: BTreeMap<String, usize>,
    /// How many values are categories unseen in training, by column.
    pub unseen: BTreeMap<String, usize>,
}

impl LoadedModel {
    fn rule(&self) -> InputRule<'_> {
        InputRule {
            feature_names: &self.card.feature_names,
            preprocessor: self.card.preprocessor.as_ref(),
            preprocessor_sha256: self.card.preprocessor_sha256.as_deref(),
        }
    }

    /// The model's input made of a table.
    ///
    /// A table whose manifest says that the model's own preprocessor was applied is taken by feature names; any other
    /// goes through the model's preprocessor. A model without one takes number columns by feature names, and rows in
    /// which one is missing or infinite are left out. The target is `target_column`, or else the card's where the
    /// table has it; rows without a target, and rows of a class that the model has not seen, are left out.
    ///
    /// `InvalidInput` names the column that is missing, is no number, a table of which no row is of a class that
    /// the model knows, a table that was prepared
    /// by another preprocessor, and a table of which no row can be used.
    pub fn input(&self, data: &LoadedTable, target_column: Option<&str>) -> Result<ModelInput> {
        let table = &data.table;
        let target = self.target_column(table, target_column)?;
        let mut features = self.rule().features(data)?;
        if let Some(column) = target {
            features.keep_where(|row| !column.values.is_missing(row));
        }
        if features.rows.is_empty() {
            let message = format!("none of the {} rows of `{}` can be used", table.num_rows(), data.source.uri);
            let hint = "every row lacks the target or a value that the model needs";
            return Err(Error::invalid_input(message).hint(hint));
        }
        let mut unknown_classes = BTreeMap::new();
        if let Some(column) = target.filter(|_| self.card.task == SupervisedTask::Classification) {
            unknown_classes = self.drop_unknown_classes(column, &mut features);
        }
        if features.rows.is_empty() {
            return Err(self.no_known_class(data, &unknown_classes));
        }
        let target = target.map(|column| self.target(column, &features.rows)).transpose()?;
        let dropped_rows = table.num_rows() - features.rows.len();
        let Features { values, rows, unseen } = features;
        Ok(ModelInput { features: values, target, kept_rows: rows, dropped_rows, unknown_classes, unseen })
    }

    fn target_column<'a>(&self, table: &'a Table, asked: Option<&str>) -> Result<Option<&'a Column>> {
        let name = asked.unwrap_or(&self.card.target_column);
        match table.column(name) {
            None if asked.is_some() => Err(missing(table, name, "the target column").at("target_column")),
            found => Ok(found),
        }
    }

    /// Leaves out the rows whose class the model does not know, and counts them by class.
    fn drop_unknown_classes(&self, column: &Column, features: &mut Features) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        let mut unknown = HashSet::new();
        for (at, label) in Target::unknown_classes(&column.values.take(&features.rows), self.model.labels()) {
            unknown.insert(features.rows[at]);
            *counts.entry(label).or_insert(0) += 1;
        }
        features.keep_where(|row| !unknown.contains(&row));
        counts
    }

    fn no_known_class(&self, data: &LoadedTable, unknown: &BTreeMap<String, usize>) -> Error {
        let first = |names: &mut dyn Iterator<Item = &String>| names.take(10).cloned().collect::<Vec<_>>().join(", ");
        let (found, known) = (first(&mut unknown.keys()), first(&mut self.model.labels().iter()));
        let message = format!(
            "no row of `{}` is of a class that the model knows: it holds {found}, and the model knows {known}",
            data.source.uri
        );
        Error::invalid_input(message).at("target_column").hint("give rows of the classes that the model was trained on")
    }

    fn target(&self, column: &Column, rows: &[usize]) -> Result<Target> {
        let values = column.values.take(rows);
        let target = match self.card.task {
            SupervisedTask::Classification => Target::classes(&values, Some(self.model.labels())),
            SupervisedTask::Regression => Target::numbers(&values),
        };
        target.map_err(|mut error| {
            // The rows of the message are those of the table.
            if let TargetError::UnseenLabel { row, .. }
            | TargetError::Missing { first: row, .. }
            | TargetError::Infinite { first: row, .. } = &mut error
            {
                *row = rows.get(*row).copied().unwrap_or(*row);
            }
            Error::invalid_input(format!("the target column `{}`: {error}", column.name)).at("target_column")
        })
    }
}
