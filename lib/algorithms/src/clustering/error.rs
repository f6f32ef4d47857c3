//! What can be wrong with what is to be clustered.

use super::Clusterer;
use crate::probe::Cancelled;

/// Why rows could not be clustered.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ClusteringError {
    /// There is no row or no feature.
    #[error("there is nothing to cluster: {rows} rows and {features} features")]
    Empty {
        /// The number of rows.
        rows: usize,
        /// The number of features.
        features: usize,
    },
    /// More rows than an index holds.
    #[error("{rows} rows are too many; at most {most} are possible")]
    TooManyRows {
        /// The number of rows.
        rows: usize,
        /// How many are possible.
        most: usize,
    },
    /// Fewer rows than the parameter needs.
    #[error("{name} is {needed}, but there are only {rows} rows; give at most {rows}")]
    TooFewRows {
        /// The number of rows.
        rows: usize,
        /// How many are needed.
        needed: usize,
        /// The parameter that needs them.
        name: &'static str,
    },
    /// A feature is missing, infinite or too large to square.
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
    /// The sample weights have another number of rows than the features.
    #[error("the features have {rows} rows but the sample weight has {given}")]
    WeightRows {
        /// The rows of the features.
        rows: usize,
        /// The rows of the weights.
        given: usize,
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
    /// The algorithm does not know sample weights.
    #[error("{clusterer} takes no sample weights; leave them out")]
    NoWeights {
        /// The algorithm.
        clusterer: Clusterer,
    },
    /// The given centers or responsibilities have the wrong shape.
    #[error("the start has {given} values, but {clusters} clusters of {features} values are needed")]
    Start {
        /// How many values were given.
        given: usize,
        /// The number of clusters, or of rows.
        clusters: usize,
        /// The number of values of each.
        features: usize,
    },
    /// A component of a mixture lies in fewer dimensions than there are features.
    #[error(
        "the covariance of component {component} cannot be inverted; raise reg_covar, take fewer components or \
         another covariance_type, or drop features that others determine"
    )]
    Singular {
        /// The component, counted from 0.
        component: usize,
    },
    /// The algorithm cannot do what was asked of it.
    #[error("{what}")]
    Unsupported {
        /// What it cannot do, and what to do instead.
        what: &'static str,
    },
    /// The numbers are too large to compute with.
    #[error("the distances left the range of numbers; scale the features first")]
    OutOfRange,
    /// The caller stopped it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}
