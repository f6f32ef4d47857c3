//! What can be wrong with the arguments of a metric.

use thiserror::Error;

/// The result of a metric whose arguments may be refused.
pub type Result<T, E = MetricError> = std::result::Result<T, E>;

/// An argument that a metric cannot use.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum MetricError {
    /// There is no row.
    #[error("{field} is empty; a metric needs at least one row")]
    Empty {
        /// The argument.
        field: &'static str,
    },
    /// Two arguments that describe the same rows differ in length.
    #[error("{field} has {found} rows and {other} has {expected}; give one value for each row")]
    Length {
        /// The argument whose length is wrong.
        field: &'static str,
        /// Its number of rows.
        found: usize,
        /// The argument that it must match.
        other: &'static str,
        /// The number of rows of that argument.
        expected: usize,
    },
    /// A class code is not below the number of classes.
    #[error("{field}[{row}] is class {code}, but there are {n_classes} classes; codes run from 0 to one below that")]
    UnknownClass {
        /// The argument.
        field: &'static str,
        /// The row, or 0 for an argument that is one class.
        row: usize,
        /// The code that was found.
        code: u32,
        /// The number of classes.
        n_classes: usize,
    },
    /// A value is missing, infinite or too large to square.
    #[error(
        "{field}[{row}] is {value}; every value must be a number of magnitude below 1e150, so drop or impute the row"
    )]
    NotFinite {
        /// The argument.
        field: &'static str,
        /// The row.
        row: usize,
        /// The value as text.
        value: String,
    },
    /// A probability is outside 0 to 1, or those of a row do not sum to 1.
    #[error("probabilities of row {row}: {problem}; give one probability for each class that sum to 1")]
    NotProbability {
        /// The row.
        row: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A sample weight is negative or not finite, or all are 0.
    #[error("weights: {problem}; weights are finite, not negative, and not all 0")]
    Weight {
        /// What is wrong.
        problem: String,
    },
    /// A parameter is outside its range.
    #[error("{field} is {value}; it must be {expected}")]
    Parameter {
        /// The parameter.
        field: &'static str,
        /// The value that was given, as text.
        value: String,
        /// What is allowed.
        expected: &'static str,
    },
}
