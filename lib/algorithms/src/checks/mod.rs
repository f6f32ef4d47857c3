//! Checks of a table before anything is learnt from it.

mod columns;
mod duplicates;
mod expectations;
mod findings;
mod leakage;
mod options;
mod schema;
mod target;

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use duplicates::row_hashes;
pub use expectations::Expectation;
pub use findings::{Check, CheckResult, Observed, Severity};
pub use options::{CheckOptions, Task, Thresholds};
pub use schema::{ColumnSchema, TableSchema};

use crate::parallel;
use crate::split::hint;
use crate::table::Table;

/// What the checks found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Validation {
    /// Whether no result is an error.
    pub passed: bool,
    /// From 0 to 1: the mean over the checks that ran of what each is worth. A check is worth 1, less 1 for an error
    /// and 0.5 for a warning, divided by the number of columns where the result is about a column; at least 0.
    pub score: f64,
    /// One result for each thing found, and one of severity `info` for each check that found nothing.
    pub results: Vec<CheckResult>,
    /// What the columns hold, to be saved and checked against later.
    pub inferred_schema: TableSchema,
}

/// Why a table cannot be checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// There is nothing to check.
    #[error("the table has {rows} rows and {columns} columns; at least one of each is needed")]
    Empty {
        /// The number of rows.
        rows: usize,
        /// The number of columns.
        columns: usize,
    },
    /// Columns differ in length.
    #[error("the column '{column}' has {found} rows where the first column has {rows}")]
    Ragged {
        /// The column.
        column: String,
        /// Its rows.
        found: usize,
        /// The rows of the first column.
        rows: usize,
    },
    /// Two columns have the same name.
    #[error("two columns are called '{column}'; rename one of them")]
    DuplicateColumn {
        /// The name.
        column: String,
    },
    /// The target is not in the table.
    #[error("the target column '{column}' is not in the table{}", hint(.nearest.as_deref()))]
    NoTarget {
        /// The name that was given.
        column: String,
        /// The name that is most like it.
        nearest: Option<String>,
    },
}

/// Runs every check that applies: the default ones on each column, those of the target when `options` names one, and
/// those of the saved schema and the expectations when there are any. The time is linear in the number of columns, and
/// in the number of rows up to sorting.
pub fn validate(table: &Table, options: &CheckOptions) -> Result<Validation, CheckError> {
    check_shape(table)?;
    let target = options.target.as_deref().map(|name| {
        table.column(name).ok_or_else(|| CheckError::NoTarget {
            column: name.to_owned(),
            nearest: table.nearest_name(name).map(str::to_owned),
        })
    });
    let target = target.transpose()?;
    let thresholds = &options.thresholds;
    let mut ran = Check::DEFAULT.to_vec();
    let is_target = |name: &str| options.target.as_deref() == Some(name);
    let features = table.columns.iter().filter(|column| !is_target(&column.name)).collect::<Vec<_>>();
    let mut results = parallel::flat_map(&features, |column| columns::check(column, thresholds));
    results.extend(columns::check_duplicates(table, thresholds));
    if let Some(target) = target {
        ran.extend(Check::TARGET);
        let view = target::View::of(target, options.task);
        results.extend(target::check(target, &view, thresholds));
        let leaks = parallel::map(&features, |column| leakage::check(column, target, &view, thresholds));
        results.extend(leaks.into_iter().flatten());
    }
    if let Some(saved) = &options.schema {
        ran.extend(Check::SCHEMA);
        results.extend(schema::compare(table, saved));
    }
    if !options.expectations.is_empty() {
        ran.extend(Check::SCHEMA);
        results.extend(expectations::check(table, &options.expectations));
    }
    ran.sort_unstable();
    ran.dedup();
    let score = score(&results, &ran, table.num_columns());
    let passed = results.iter().all(|result| result.severity != Severity::Error);
    let found = results.iter().map(|result| result.check).collect::<HashSet<_>>();
    results.extend(ran.iter().filter(|check| !found.contains(check)).map(|&check| CheckResult::clean(check)));
    results.sort_by_key(|result| (std::cmp::Reverse(result.severity), result.check));
    Ok(Validation { passed, score, results, inferred_schema: TableSchema::infer(table) })
}

fn check_shape(table: &Table) -> Result<(), CheckError> {
    let (rows, columns) = (table.num_rows(), table.num_columns());
    if rows == 0 || columns == 0 {
        return Err(CheckError::Empty { rows, columns });
    }
    let mut names = HashSet::new();
    for column in &table.columns {
        let found = column.values.len();
        if found != rows {
            return Err(CheckError::Ragged { column: column.name.clone(), found, rows });
        }
        if !names.insert(column.name.as_str()) {
            return Err(CheckError::DuplicateColumn { column: column.name.clone() });
        }
    }
    Ok(())
}

/// The formula beside [`Validation::score`].
fn score(results: &[CheckResult], ran: &[Check], columns: usize) -> f64 {
    let mut worth = vec![1.0_f64; ran.len()];
    for result in results {
        let extent =
            if result.column.is_some() && !Check::TARGET.contains(&result.check) { columns as f64 } else { 1.0 };
        if let Ok(check) = ran.binary_search(&result.check) {
            worth[check] -= result.severity.weight() / extent;
        }
    }
    worth.iter().map(|worth| worth.max(0.0)).sum::<f64>() / ran.len() as f64
}
