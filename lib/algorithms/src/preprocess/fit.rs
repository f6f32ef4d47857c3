//! Learning a preprocessor from the training rows.

use std::borrow::Cow;

use super::category::{CategoryColumn, CategoryEncoding};
use super::input::{self, by_name};
use super::number::NumberColumn;
use super::preprocessor::{DropReason, DroppedColumn, FittedColumn, Parameters, Preprocessor};
use super::{Encoder, MissingValues, PreprocessConfig, PreprocessError, Transformed, target_encoding};
use crate::parallel;
use crate::table::{Column, Table, Values};
use crate::target::Target;

impl Preprocessor {
    /// Learns from the training rows. `features` holds the feature columns alone, without the target; `target` has one
    /// value a row and is needed only by the encoder `target`.
    ///
    /// Columns without any value, constant ones, and text when it is not encoded are left out and listed in
    /// [`Preprocessor::dropped_columns`].
    ///
    /// To turn the training rows themselves into features use [`Preprocessor::fit_transform`].
    pub fn fit(features: &Table, target: Option<&Target>, config: &PreprocessConfig) -> Result<Self, PreprocessError> {
        by_name(features)?;
        check_request(features, target, config)?;
        let (kept, dropped_columns) = choose_columns(features, config);
        if kept.is_empty() {
            return Err(PreprocessError::NoFeatures { why: reasons(&dropped_columns) });
        }
        let rows = match config.handle_missing {
            MissingValues::Drop => Some(complete_rows(&kept, features.num_rows())?),
            _ => None,
        };
        let target = match (&rows, target) {
            (Some(rows), Some(target)) => Some(Cow::Owned(target.take(rows))),
            (_, target) => target.map(Cow::Borrowed),
        };
        let fit = |column: &Column| {
            let values = match &rows {
                Some(rows) => Cow::Owned(column.values.take(rows)),
                None => Cow::Borrowed(&column.values),
            };
            fit_column(&column.name, &values, target.as_deref(), config)
        };
        let columns = parallel::try_map(kept, fit)?;
        let fitted_rows = rows.map_or(features.num_rows(), |rows| rows.len());
        let fitted = Self { config: config.clone(), columns, dropped_columns, fitted_rows };
        fitted.validate()?;
        Ok(fitted)
    }

    /// Learns from the training rows and gives their features.
    ///
    /// It differs from [`Preprocessor::fit`] and [`Preprocessor::transform`] in one thing: with the encoder `target`
    /// the training rows are cut into five folds by `seed`, by class where there are classes, and each fold is encoded
    /// from the other four, so that no row's own target is in its features.
    pub fn fit_transform(
        features: &Table,
        target: Option<&Target>,
        config: &PreprocessConfig,
        seed: u64,
    ) -> Result<(Self, Transformed), PreprocessError> {
        let fitted = Self::fit(features, target, config)?;
        let mut transformed = fitted.transform(features)?;
        if let Some(target) = target.filter(|_| config.encoder == Encoder::Target) {
            fitted.encode_out_of_fold(features, &target.take(&transformed.kept_rows), &mut transformed, seed);
        }
        Ok((fitted, transformed))
    }

    /// Replaces the target means of the training rows, which are those at `transformed.kept_rows`.
    fn encode_out_of_fold(&self, features: &Table, target: &Target, transformed: &mut Transformed, seed: u64) {
        let folds = target_encoding::folds(target, seed);
        let mut first = 0;
        for column in &self.columns {
            let width = column.parameters.width();
            if let Parameters::Category(category) = &column.parameters
                && let Some(raw) = features.column(&column.name)
            {
                let values = raw.values.take(&transformed.kept_rows);
                let codes = category.codes(&values);
                let encodings = target_encoding::fit_folds(&codes, category.categories.len(), target, &folds);
                for (row, mut features) in transformed.features.rows_mut().into_iter().enumerate() {
                    if let CategoryEncoding::Target { means, .. } = &encodings[folds[row]]
                        && let Some(means) = means.get(codes[row] as usize)
                    {
                        let places = features.iter_mut().skip(first).take(width);
                        places.zip(means).for_each(|(feature, mean)| *feature = *mean);
                    }
                }
            }
            first += width;
        }
    }
}

fn check_request(features: &Table, target: Option<&Target>, config: &PreprocessConfig) -> Result<(), PreprocessError> {
    let (rows, columns) = (features.num_rows(), features.num_columns());
    if let (0, Some(target)) = (columns, target) {
        return Err(PreprocessError::OnlyTarget { rows: target.len() });
    }
    if rows == 0 || columns == 0 {
        return Err(PreprocessError::Empty { rows, columns });
    }
    if let Some(column) = config.drop_columns.iter().find(|name| features.column(name).is_none()) {
        let nearest = features.nearest_name(column).map(str::to_owned);
        return Err(PreprocessError::UnknownDropColumn { column: column.clone(), nearest });
    }
    match target.map(Target::len) {
        Some(target) if target != rows => Err(PreprocessError::TargetLength { target, rows }),
        _ => Ok(()),
    }
}

/// The columns to use, and those not to use.
fn choose_columns<'a>(features: &'a Table, config: &PreprocessConfig) -> (Vec<&'a Column>, Vec<DroppedColumn>) {
    let requested = config.drop_columns.iter().map(String::as_str).collect::<std::collections::HashSet<_>>();
    let reason = |column: &Column| {
        if requested.contains(column.name.as_str()) {
            return Some(DropReason::Requested);
        }
        let variety = match &column.values {
            Values::Number { values, .. } => {
                variety(values.iter().filter(|value| value.is_finite()).map(|value| value + 0.0))
            }
            Values::Text { codes, categories } => {
                variety(codes.iter().filter_map(|&code| categories.get(code as usize)))
            }
        };
        match (variety, &column.values) {
            (Variety::Nothing, _) => Some(DropReason::AllMissing),
            (_, Values::Text { .. }) if !config.encode_categorical => Some(DropReason::Text),
            (Variety::One, _) => Some(DropReason::Constant),
            (Variety::Several, _) => None,
        }
    };
    let reasons = parallel::map(&features.columns, reason);
    let mut kept = Vec::new();
    let mut dropped = Vec::new();
    for (column, reason) in features.columns.iter().zip(reasons) {
        match reason {
            Some(reason) => dropped.push(DroppedColumn { name: column.name.clone(), reason }),
            None => kept.push(column),
        }
    }
    (kept, dropped)
}

enum Variety {
    Nothing,
    One,
    Several,
}

fn variety<T: PartialEq>(mut values: impl Iterator<Item = T>) -> Variety {
    match values.next() {
        None => Variety::Nothing,
        Some(first) if values.all(|value| value == first) => Variety::One,
        Some(_) => Variety::Several,
    }
}

/// The rows without a missing or infinite value.
fn complete_rows(columns: &[&Column], rows: usize) -> Result<Vec<usize>, PreprocessError> {
    let mut complete = vec![true; rows];
    let mut worst = (0, "");
    for column in columns {
        let mut missing = 0;
        for (row, complete) in complete.iter_mut().enumerate() {
            if super::transform::lacks(&column.values, row) {
                *complete = false;
                missing += 1;
            }
        }
        if missing > worst.0 {
            worst = (missing, &column.name);
        }
    }
    let complete = (0..rows).filter(|&row| complete[row]).collect::<Vec<_>>();
    if complete.is_empty() {
        return Err(PreprocessError::NoRows { rows, column: worst.1.to_owned(), missing: worst.0 });
    }
    Ok(complete)
}

fn fit_column(
    name: &str,
    values: &Values,
    target: Option<&Target>,
    config: &PreprocessConfig,
) -> Result<FittedColumn, PreprocessError> {
    let kind = values.kind();
    let parameters = if let Values::Number { .. } = values {
        let (numbers, _) = input::numbers(name, values)?;
        Parameters::Number(NumberColumn::fit(&numbers, kind, config))
    } else {
        let (mut category, codes) = CategoryColumn::fit(values, config.encoder, config.handle_missing);
        if config.encoder == Encoder::Target {
            let target = target.ok_or_else(|| PreprocessError::TargetNeeded { column: name.to_owned() })?;
            category.encoding = target_encoding::fit(&codes, category.categories.len(), target, |_| true);
        }
        Parameters::Category(category)
    };
    Ok(FittedColumn { name: name.to_owned(), kind, parameters })
}

fn reasons(dropped: &[DroppedColumn]) -> String {
    let shown = dropped.iter().take(5).map(|column| format!("'{}' {}", column.name, column.reason.describe()));
    let more = if dropped.len() > 5 { ", …" } else { "" };
    shown.collect::<Vec<_>>().join(", ") + more
}
