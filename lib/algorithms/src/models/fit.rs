//! Fitting: the check of what goes in, and what comes out.

use ndarray::{ArrayView2, Axis};

use super::algorithm::{Algorithm, Task};
use super::boosting::{self, BoostingInputs, BoostingParameters};
pub use super::fit_error::FitError;
use super::hyperparameters::{Hyperparameters, Parameters};
use super::random_forest::Thresholds;
use super::{
    Model, decision_tree, elastic_net, knn, linear_discriminant_analysis, linear_regression, logistic_regression,
    naive_bayes, neural_network, random_forest, ridge, svm,
};
use crate::parallel;
use crate::probe::Probe;
use crate::target::Target;
use crate::vectorised::{all_inlined, vectorised};

/// A fitted model and what fitting it has shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The model.
    pub model: Model,
    /// One value of at least 0 a feature. For trees and forests the share of the decrease in impurity, summing to 1
    /// (all 0 when nothing was split); for linear models the absolute coefficient times the feature's standard
    /// deviation, averaged over the classes; for neural networks the same of the derivatives in place of coefficients.
    pub feature_importance: Vec<f64>,
    /// How many iterations were done, where the algorithm iterates.
    pub iterations: Option<usize>,
    /// The accuracy, or R² for regression, on the rows that each tree did not draw; where it was asked for and some
    /// row was left out by a tree.
    pub out_of_bag_score: Option<f64>,
    /// Whether the iterations reached the tolerance, where the algorithm iterates.
    pub converged: Option<bool>,
    /// The iteration, counted from 1, whose state is the model, where early stopping chose one.
    pub best_iteration: Option<usize>,
    /// The loss after each iteration, where the algorithm keeps one; for learning curves.
    pub curve: Vec<CurvePoint>,
}

/// One point of a learning curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    /// The iteration, counted from 1.
    pub iteration: usize,
    /// The loss on the training rows.
    pub train: f64,
    /// The loss on the validation rows, where there are any.
    pub validation: Option<f64>,
}

/// Rows to learn from, or to watch the learning by.
#[derive(Debug, Clone, Copy)]
pub struct Examples<'a> {
    /// Rows × features.
    pub x: ArrayView2<'a, f64>,
    /// One value a row.
    pub target: &'a Target,
    /// One weight of at least 0 a row; `None` when all count 1.
    pub sample_weight: Option<&'a [f64]>,
}

impl Fitted {
    /// A model with the importance of its features, and nothing known of the way there.
    pub(super) fn new(model: Model, feature_importance: Vec<f64>) -> Self {
        Self {
            model,
            feature_importance,
            iterations: None,
            out_of_bag_score: None,
            converged: None,
            best_iteration: None,
            curve: Vec::new(),
        }
    }
}

/// What a model is fitted to, checked.
pub(super) struct TrainingData<'a> {
    pub(super) x: ArrayView2<'a, f64>,
    pub(super) target: &'a Target,
    /// Finite, at least 0, with a sum above 0.
    pub(super) weights: Option<&'a [f64]>,
    /// Rows to watch the learning by, checked, with the same features and labels.
    pub(super) validation: Option<Examples<'a>>,
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
    fit_watched(Examples { x: x.reborrow(), target, sample_weight }, None, params, seed, probe)
}

/// Fits a model as [`fit`] does, and lets an algorithm that learns in iterations watch its loss on `validation`: for
/// [`Fitted::curve`], and for early stopping where the hyperparameters ask for it. Others leave these rows alone.
pub fn fit_watched<'a>(
    training: Examples<'a>,
    validation: Option<Examples<'a>>,
    params: &Hyperparameters,
    seed: u64,
    probe: &dyn Probe,
) -> Result<Fitted, FitError> {
    fit_boosted(training, validation, &BoostingInputs::default(), params, seed, probe)
}

/// Fits a model as [`fit_watched`] does, with what only boosted trees take: which features are categories, names of the
/// features for constraints by name, and a model to go on from. Other algorithms do not look at `inputs`.
pub fn fit_boosted<'a>(
    training: Examples<'a>,
    validation: Option<Examples<'a>>,
    inputs: &BoostingInputs<'_>,
    params: &Hyperparameters,
    seed: u64,
    probe: &dyn Probe,
) -> Result<Fitted, FitError> {
    let missing = params.algorithm() == Algorithm::Xgboost;
    let mut data = TrainingData::new(training.x, training.target, training.sample_weight, missing)?;
    if let Some(validation) = validation {
        data.watch(validation, missing).map_err(|error| FitError::Validation(Box::new(error)))?;
    }
    match params.task() {
        Task::Classification => data.present_classes().map(drop)?,
        Task::Regression => data.numbers().map(drop)?,
    }
    probe.check()?;
    let seed = params.random_state().unwrap_or(seed);
    match params.parameters() {
        Parameters::DecisionTree(tree) => decision_tree::fit(&data, tree, seed, probe),
        Parameters::RandomForest(forest) => random_forest::fit(&data, forest, Thresholds::Best, seed, probe),
        Parameters::ExtraTrees(forest) => random_forest::fit(&data, forest, Thresholds::Drawn, seed, probe),
        Parameters::LogisticRegression(logistic) => logistic_regression::fit(&data, logistic, probe),
        Parameters::LinearRegression(linear) => linear_regression::fit(&data, linear, probe),
        Parameters::Ridge(ridge) => ridge::fit(&data, ridge, Model::Ridge, probe),
        Parameters::Lasso(lasso) => elastic_net::fit(&data, lasso, Model::Lasso, probe),
        Parameters::ElasticNet(net) => elastic_net::fit(&data, net, Model::ElasticNet, probe),
        Parameters::Svm(machine) => svm::fit(&data, machine, seed, probe),
        Parameters::NaiveBayes(bayes) => naive_bayes::fit(&data, bayes, probe),
        Parameters::Knn(neighbours) => knn::fit(&data, neighbours, probe),
        Parameters::LinearDiscriminantAnalysis(discriminant) => {
            linear_discriminant_analysis::fit(&data, discriminant, probe)
        }
        Parameters::NeuralNetwork(network) => neural_network::fit(&data, network, seed, probe),
        Parameters::Xgboost(parameters) => boosted(&data, parameters, inputs, seed, probe),
    }
}

fn boosted(
    data: &TrainingData<'_>,
    parameters: &BoostingParameters,
    inputs: &BoostingInputs<'_>,
    seed: u64,
    probe: &dyn Probe,
) -> Result<Fitted, FitError> {
    let boosted = boosting::fit(data, parameters, inputs, seed, probe)?;
    let feature_importance = boosted.model.feature_importance();
    Ok(Fitted {
        iterations: Some(boosted.curve.len()),
        best_iteration: boosted.best_iteration,
        curve: boosted.curve,
        ..Fitted::new(Model::Xgboost(boosted.model), feature_importance)
    })
}

impl<'a> TrainingData<'a> {
    /// Checks what is given; with `missing`, NaN is a feature that is not there.
    pub(super) fn new(
        x: ArrayView2<'a, f64>,
        target: &'a Target,
        weights: Option<&'a [f64]>,
        missing: bool,
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
        // Looking for the place takes longer than looking whether there is one.
        let parts = parallel::map(x.axis_chunks_iter(Axis(0), 4096), |rows| all_accepted(rows, missing));
        if parts.contains(&false)
            && let Some(((row, column), &value)) = x.indexed_iter().find(|(_, value)| !accepted(**value, missing))
        {
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
        Ok(Self { x, target, weights, validation: None })
    }

    /// Adds rows to watch the learning by.
    fn watch(&mut self, validation: Examples<'a>, missing: bool) -> Result<(), FitError> {
        let checked = Self::new(validation.x, validation.target, validation.sample_weight, missing)?;
        if checked.x.ncols() != self.x.ncols() {
            return Err(FitError::Features { expected: self.x.ncols(), given: checked.x.ncols() });
        }
        match (self.target, checked.target) {
            (Target::Classes { labels, .. }, Target::Classes { labels: others, .. }) if labels != others => {
                return Err(FitError::Labels);
            }
            (Target::Classes { .. }, Target::Numbers(_)) => checked.classes().map(drop)?,
            (Target::Numbers(_), Target::Classes { .. }) => checked.numbers().map(drop)?,
            _ => {}
        }
        self.validation = Some(validation);
        Ok(())
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
        let means = self.means_of(&vec![0.0; self.x.ncols()], |value, _| value);
        let variances = self.means_of(&means, |value, mean| (value - mean) * (value - mean));
        variances.into_iter().map(f64::sqrt).collect()
    }

    /// The mean over the rows of `of(value, given)`, a feature each.
    fn means_of(&self, given: &[f64], of: impl Fn(f64, f64) -> f64 + Sync) -> Vec<f64> {
        let (rows, features) = self.x.dim();
        // Fixed parts, row by row: fast in memory, and the same on any number of threads.
        let size = rows.div_ceil(16).max(1024);
        let parts = parallel::map(self.x.axis_chunks_iter(Axis(0), size), |part| {
            let part = part.as_standard_layout();
            let values = part.as_slice().unwrap_or(&[]);
            let mut sums = vec![0.0; features];
            vectorised(
                #[inline(always)]
                || {
                    for row in values.chunks_exact(features) {
                        let places = sums.iter_mut().zip(row).zip(given);
                        places.for_each(|((sum, &value), &given)| *sum += of(value, given));
                    }
                },
            );
            sums
        });
        parts.into_iter().fold(vec![0.0; features], |mut all, part| {
            all.iter_mut().zip(part).for_each(|(all, part)| *all += part / rows as f64);
            all
        })
    }
}

/// Whether a feature may have this value; with `missing`, NaN is one that is not there.
fn accepted(value: f64, missing: bool) -> bool {
    value.is_finite() || missing && value.is_nan()
}

/// Whether every value of these rows is [`accepted`].
fn all_accepted(rows: ArrayView2<'_, f64>, missing: bool) -> bool {
    let Some(values) = rows.as_slice() else { return rows.iter().all(|&value| accepted(value, missing)) };
    vectorised(
        #[inline(always)]
        || {
            let fine = |value: f64| (value.abs() < f64::INFINITY) | (missing & value.is_nan());
            values.chunks(4096).all(|part| all_inlined(part, fine))
        },
    )
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
