//! Fitting: the check of what goes in, and what comes out.

use ndarray::{ArrayView2, Axis};

use super::algorithm::{Algorithm, Task};
use super::hyperparameters::{Hyperparameters, Parameters};
use super::{Model, decision_tree, linear_regression, logistic_regression, random_forest};
use crate::probe::{Cancelled, Probe};
use crate::target::Target;

/// A fitted model and what fitting it has shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The model.
    pub model: Model,
    /// One value of at least 0 a feature. For trees and forests the share of the decrease in impurity, summing to 1
    /// (all 0 when nothing was split); for linear models the absolute coefficient times the feature's standard
    /// deviation, averaged over the classes.
    pub feature_importance: Vec<f64>,
    /// How many iterations were done, where the algorithm iterates.
    pub iterations: Option<usize>,
    /// The accuracy, or R² for regression, on the rows that each tree did not draw; where it was asked for and some
    /// row was left out by a tree.
    pub out_of_bag_score: Option<f64>,
    /// Whether the iterations reached the tolerance, where the algorithm iterates.
    pub converged: Option<bool>,
}

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
    /// The hyperparameters were checked for another algorithm.
    #[error("the hyperparameters are those of {given}, not of {algorithm}")]
    Algorithm {
        /// The algorithm to be fitted.
        algorithm: Algorithm,
        /// The algorithm of the hyperparameters.
        given: Algorithm,
    },
    /// The numbers are too large to compute with.
    #[error("the fit left the range of numbers; scale the features and the target first")]
    OutOfRange,
    /// The caller stopped it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// What a model is fitted to, checked.
pub(super) struct TrainingData<'a> {
    pub(super) x: ArrayView2<'a, f64>,
    pub(super) target: &'a Target,
    /// Finite, at least 0, with a sum above 0.
    pub(super) weights: Option<&'a [f64]>,
}

/// Fits a model.
///
/// `x` is rows × features, finite; `sample_weight`, where given, holds one weight of at least 0 a row. `seed` decides
/// every random choice unless the hyperparameters hold a `random_state`; the result is the same on any number of
/// threads. The probe is asked before every tree and every iteration whether to stop, and told how far it is.
pub fn fit(
    algorithm: Algorithm,
    x: ArrayView2<'_, f64>,
    target: &Target,
    sample_weight: Option<&[f64]>,
    params: &Hyperparameters,
    seed: u64,
    probe: &dyn Probe,
) -> Result<Fitted, FitError> {
    if params.algorithm() != algorithm {
        return Err(FitError::Algorithm { algorithm, given: params.algorithm() });
    }
    let data = TrainingData::new(x.reborrow(), target, sample_weight)?;
    match params.task() {
        Task::Classification => data.present_classes().map(drop)?,
        Task::Regression => data.numbers().map(drop)?,
    }
    probe.check()?;
    let seed = params.random_state().unwrap_or(seed);
    match params.parameters() {
        Parameters::DecisionTree(tree) => decision_tree::fit(&data, tree, seed, probe),
        Parameters::RandomForest(forest) => random_forest::fit(&data, forest, seed, probe),
        Parameters::LogisticRegression(logistic) => logistic_regression::fit(&data, logistic, probe),
        Parameters::LinearRegression(linear) => linear_regression::fit(&data, linear, probe),
    }
}

impl<'a> TrainingData<'a> {
    pub(super) fn new(
        x: ArrayView2<'a, f64>,
        target: &'a Target,
        weights: Option<&'a [f64]>,
    ) -> Result<Self, FitError> {
        let (rows, features) = x.dim();
        if rows == 0 || features == 0 {
            return Err(FitError::Empty { rows, features });
        }
        let most = (u32::MAX / 2) as usize;
        for (what, count) in [("rows", rows), ("features", features)] {
            if count > most {
                return Err(FitError::TooMany { what, count, most });
            }
        }
        if target.len() != rows {
            return Err(FitError::Rows { what: "target", rows, given: target.len() });
        }
        if let Some(((row, column), &value)) = x.indexed_iter().find(|(_, value)| !value.is_finite()) {
            return Err(FitError::NotFinite { row, column, value });
        }
        if let Some(weights) = weights {
            check_weights(weights, rows)?;
        }
        match target {
            Target::Numbers(values) => {
                if let Some((row, &value)) = values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
                    return Err(FitError::TargetNotFinite { row, value });
                }
            }
            Target::Classes { labels, codes } => {
                if let Some((row, &code)) = codes.iter().enumerate().find(|(_, code)| **code as usize >= labels.len()) {
                    return Err(FitError::Code { row, code, labels: labels.len() });
                }
            }
        }
        Ok(Self { x, target, weights })
    }

    /// The labels and codes of a classification target.
    pub(super) fn classes(&self) -> Result<(&'a [String], &'a [u32]), FitError> {
        match self.target {
            Target::Classes { labels, codes } => Ok((labels, codes)),
            Target::Numbers(_) => Err(FitError::Target { task: Task::Classification, needed: "classes" }),
        }
    }

    /// The numbers of a regression target.
    pub(super) fn numbers(&self) -> Result<&'a [f64], FitError> {
        match self.target {
            Target::Numbers(values) => Ok(values),
            Target::Classes { .. } => Err(FitError::Target { task: Task::Regression, needed: "numbers" }),
        }
    }

    /// The codes of the classes that have a row with weight, ascending; at least two.
    pub(super) fn present_classes(&self) -> Result<Vec<u32>, FitError> {
        let (labels, codes) = self.classes()?;
        let mut present = vec![false; labels.len()];
        for (row, &code) in codes.iter().enumerate() {
            present[code as usize] |= self.weights.is_none_or(|weights| weights[row] > 0.0);
        }
        let present: Vec<u32> = (0..labels.len() as u32).filter(|&code| present[code as usize]).collect();
        match present.as_slice() {
            [only] => Err(FitError::OneClass { label: labels[*only as usize].clone() }),
            _ => Ok(present),
        }
    }

    /// The standard deviation of each feature over the rows, unweighted, divided by the number of rows.
    pub(super) fn standard_deviations(&self) -> Vec<f64> {
        self.x.axis_iter(Axis(1)).map(|column| column.std(0.0)).collect()
    }
}

fn check_weights(weights: &[f64], rows: usize) -> Result<(), FitError> {
    if weights.len() != rows {
        return Err(FitError::Rows { what: "sample weight", rows, given: weights.len() });
    }
    if let Some((row, &value)) = weights.iter().enumerate().find(|(_, value)| !(value.is_finite() && **value >= 0.0)) {
        return Err(FitError::Weight { row, value });
    }
    match weights.iter().sum::<f64>() {
        total if total <= 0.0 => Err(FitError::NoWeight),
        total if total.is_finite() => Ok(()),
        _ => Err(FitError::OutOfRange),
    }
}
