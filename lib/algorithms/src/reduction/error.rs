//! Why a table could not be reduced, or new rows not be put where the others lie.

use super::Reducer;
use crate::probe::Cancelled;

/// Why a reduction could not be fitted or applied.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ReductionError {
    /// There is no row or no feature.
    #[error("there is nothing to reduce: {rows} rows and {features} features")]
    Empty {
        /// The number of rows.
        rows: usize,
        /// The number of features.
        features: usize,
    },
    /// Too few rows for the method.
    #[error("{reducer} needs at least {needed} rows, but there are {rows}")]
    FewRows {
        /// The method.
        reducer: Reducer,
        /// The fewest rows that it works with.
        needed: usize,
        /// The number of rows.
        rows: usize,
    },
    /// More rows than an index holds.
    #[error("{rows} rows are too many; at most {most} are possible")]
    TooManyRows {
        /// The number of rows.
        rows: usize,
        /// How many are possible.
        most: usize,
    },
    /// A value is missing, infinite or too large to square.
    #[error(
        "the feature in column {column} is {value} in row {row} (both counted from 0); it must be a finite number below 1e140: fill, drop or scale such values first"
    )]
    NotFinite {
        /// The row, counted from 0.
        row: usize,
        /// The column, counted from 0.
        column: usize,
        /// The value.
        value: f64,
    },
    /// Every row is the same.
    #[error("every feature is constant: all {rows} rows are the same, so no direction tells them apart")]
    Constant {
        /// The number of rows.
        rows: usize,
    },
    /// A parameter does not fit the table.
    #[error("{name} is {value}, but with {rows} rows and {features} features it must be {allowed}")]
    Parameter {
        /// The name of the parameter.
        name: &'static str,
        /// Its value.
        value: f64,
        /// The number of rows.
        rows: usize,
        /// The number of features.
        features: usize,
        /// What is allowed.
        allowed: String,
    },
    /// The model was fitted to another number of features.
    #[error("the model was fitted to {expected} features, but {given} were given")]
    Features {
        /// The number of features that the model knows.
        expected: usize,
        /// The number of columns given.
        given: usize,
    },
    /// The coordinates have another number of columns than the model.
    #[error("the model has {expected} components, but coordinates with {given} columns were given")]
    Components {
        /// The number of components of the model.
        expected: usize,
        /// The number of columns given.
        given: usize,
    },
    /// The method places only the rows that it was fitted to.
    #[error(
        "t-SNE has no transform: it places only the rows that it was fitted to; fit it to all rows at once, or use umap or pca"
    )]
    NoTransform,
    /// The method has no way back to the features.
    #[error("{reducer} has no inverse transform; only pca has one")]
    NoInverse {
        /// The method.
        reducer: Reducer,
    },
    /// Two tables that must describe the same rows do not.
    #[error("the table has {rows} rows but its coordinates have {given}")]
    Rows {
        /// The rows of the table.
        rows: usize,
        /// The rows of the coordinates.
        given: usize,
    },
    /// A measure looks at more neighbours than it can.
    #[error("n_neighbors is {given}, but with {rows} rows it must be an integer of at least 1 and below {below}")]
    Neighbours {
        /// The number of neighbours asked for.
        given: usize,
        /// The number of rows.
        rows: usize,
        /// The first number that is too large.
        below: String,
    },
    /// The numbers left the range that can be computed with.
    #[error("the reduction left the range of numbers; scale the features first")]
    OutOfRange,
    /// The caller stopped it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// A fitted reduction that contradicts itself: it was damaged or made by something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the reduction is not valid: {reason}")]
pub struct InvalidReduction {
    /// What is wrong with it.
    pub reason: &'static str,
}

impl InvalidReduction {
    pub(super) const fn new(reason: &'static str) -> Self {
        Self { reason }
    }
}
