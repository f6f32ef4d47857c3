//! Why a model could not be fitted.

use super::algorithm::{Algorithm, Task};
use super::boosting::BoostingError;
use crate::probe::Cancelled;

/// Why a model could not be fitted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FitError {
    /// There is no row or no feature.
    #[error("there is nothing to learn from: {rows} rows and {features} features")]
    Empty {
        /// The number of rows.
        rows: usize,
        /// The number of features.
        features: usize,
    },
    /// More rows or features than an index holds.
    #[error("{count} {what} are too many; at most {most} are possible")]
    TooMany {
        /// `rows` or `features`.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many are possible.
        most: usize,
    },
    /// Something has another number of rows than the features.
    #[error("the features have {rows} rows but the {what} has {given}")]
    Rows {
        /// `target` or `sample weight`.
        what: &'static str,
        /// The rows of the features.
        rows: usize,
        /// The rows of the other.
        given: usize,
    },
    /// A feature is missing or infinite.
    #[error(
        "the feature in column {column} is {value} in row {row} (both counted from 0); fill or drop such values first"
    )]
    NotFinite {
        /// The row, counted from 0.
        row: usize,
        /// The column, counted from 0.
        column: usize,
        /// The value.
        value: f64,
    },
    /// A target is missing or infinite.
    #[error("the target is {value} in row {row} (counted from 0); drop such rows first")]
    TargetNotFinite {
        /// The row, counted from 0.
        row: usize,
        /// The value.
        value: f64,
    },
    /// A class code has no label.
    #[error("the class code in row {row} (counted from 0) is {code}, but there are {labels} labels")]
    Code {
        /// The row, counted from 0.
        row: usize,
        /// The code.
        code: u32,
        /// The number of labels.
        labels: usize,
    },
    /// The rows that count are of one class.
    #[error("every row is of the class '{label}'; a classifier needs rows of at least two classes")]
    OneClass {
        /// The class.
        label: String,
    },
    /// No class has a row more than what its mean is made of.
    #[error(
        "{rows} rows (with a weight above 0) of {classes} classes are too few; there must be more rows than classes"
    )]
    FewRows {
        /// The number of rows.
        rows: usize,
        /// The number of classes.
        classes: usize,
    },
    /// The target is of the other kind.
    #[error("{task} needs a target of {needed}")]
    Target {
        /// The task.
        task: Task,
        /// `classes` or `numbers`.
        needed: &'static str,
    },
    /// A sample weight is negative or not finite.
    #[error("the sample weight in row {row} (counted from 0) is {value}; it must be a finite number of at least 0")]
    Weight {
        /// The row, counted from 0.
        row: usize,
        /// The weight.
        value: f64,
    },
    /// All weights are 0.
    #[error("every row has the weight 0; give some rows a weight above 0")]
    NoWeight,
    /// A class weight names a class that is not there.
    #[error("class_weight names the class '{label}', which the target does not have;{hint}")]
    UnknownClass {
        /// The class.
        label: String,
        /// Empty, or the nearest class as a question.
        hint: String,
    },
    /// The priors do not fit the classes.
    #[error("priors must give every class a probability, with the sum 1: {problem}")]
    Priors {
        /// What is wrong with them.
        problem: String,
    },
    /// More neighbours are asked for than there are rows.
    #[error("n_neighbors is {asked}, but only {rows} rows (with a weight above 0) are there; ask for at most {rows}")]
    Neighbours {
        /// The number of neighbours.
        asked: usize,
        /// The number of rows.
        rows: usize,
    },
    /// The hyperparameters were checked for another algorithm.
    #[error("the hyperparameters are those of {given}, not of {algorithm}")]
    Algorithm {
        /// The algorithm to be fitted.
        algorithm: Algorithm,
        /// The algorithm of the hyperparameters.
        given: Algorithm,
    },
    /// The validation rows cannot be used.
    #[error("in the validation data, {0}")]
    Validation(Box<FitError>),
    /// The validation rows have other columns.
    #[error("there are {given} features where the training data have {expected}")]
    Features {
        /// The features of the training rows.
        expected: usize,
        /// The features of the validation rows.
        given: usize,
    },
    /// The validation rows have other labels.
    #[error("the classes are not those of the training data, or not in the same order")]
    Labels,
    /// Early stopping has too few rows to hold some out.
    #[error(
        "early stopping would hold out {held_out} of the {rows} rows; it needs at least 2 to watch and 2 to learn from: change validation_fraction, give validation data, or turn early_stopping off"
    )]
    HoldOut {
        /// The rows with weight.
        rows: usize,
        /// How many would be held out.
        held_out: usize,
    },
    /// The iterations ran away.
    #[error("the loss stopped being a finite number in iteration {iteration}; {advice}")]
    Diverged {
        /// The iteration, counted from 1.
        iteration: usize,
        /// What to change.
        advice: &'static str,
    },
    /// The numbers are too large to compute with.
    #[error("the fit left the range of numbers; scale the features and the target first")]
    OutOfRange,
    /// Something that only boosted trees know of.
    #[error(transparent)]
    Boosting(#[from] BoostingError),
    /// The caller stopped it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}
