//! Why a table cannot be preprocessed.

use crate::split::hint;

/// Why a table cannot be preprocessed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PreprocessError {
    /// There is nothing to fit on.
    #[error("the table has {rows} rows and {columns} feature columns; at least one of each is needed")]
    Empty {
        /// The number of rows.
        rows: usize,
        /// The number of columns.
        columns: usize,
    },
    /// There is a target and nothing that it could be predicted from.
    #[error("the table has no column besides the target ({rows} rows); add feature columns")]
    OnlyTarget {
        /// The number of rows.
        rows: usize,
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
    /// `drop_columns` names a column that is not there.
    #[error("'drop_columns' names '{column}', which is not a feature column{}", hint(.nearest.as_deref()))]
    UnknownDropColumn {
        /// The name that was given.
        column: String,
        /// The name that is most like it.
        nearest: Option<String>,
    },
    /// The target has another number of rows than the features.
    #[error("the target has {target} rows and the features have {rows}")]
    TargetLength {
        /// The rows of the target.
        target: usize,
        /// The rows of the features.
        rows: usize,
    },
    /// Target encoding without a target.
    #[error(
        "the encoder 'target' needs a target to encode the column '{column}'; give one or choose 'onehot' or 'ordinal'"
    )]
    TargetNeeded {
        /// The first text column.
        column: String,
    },
    /// No column is left.
    #[error("no feature column can be used: {why}")]
    NoFeatures {
        /// The first columns with the reason for each.
        why: String,
    },
    /// No row is left.
    #[error(
        "every one of the {rows} rows has a missing value, most of them in '{column}' ({missing}); set 'handle_missing' to median, or drop that column"
    )]
    NoRows {
        /// The number of rows.
        rows: usize,
        /// The column with most missing values.
        column: String,
        /// How many it has.
        missing: usize,
    },
    /// A column that was there in training is not in this table.
    #[error("the column '{column}' is missing; the model was trained with it{}", hint(.nearest.as_deref()))]
    MissingColumn {
        /// The column.
        column: String,
        /// The name in this table that is most like it.
        nearest: Option<String>,
    },
    /// A column of numbers now holds text.
    #[error("the column '{column}' held numbers in training and now holds text such as '{value}'")]
    NotNumbers {
        /// The column.
        column: String,
        /// The first value that is not a number.
        value: String,
    },
    /// A stored preprocessor contradicts itself, or numbers are too large to compute with.
    #[error("the preprocessor is not valid: {reason}")]
    Invalid {
        /// What is wrong, and in which column.
        reason: String,
    },
}
