//! Calibrated probabilities: the map is learnt from what models predict for rows that they have not seen.
//!
//! The training rows are cut into folds, each is predicted by a model of the others, and one map is learnt from all these
//! predictions for the model of all rows. So neither the model's own rows, on which it is too sure of itself, nor the
//! validation rows are learnt from, and the scores on the latter stay honest.

use mlops_algorithms::metrics::probability::log_loss;
use mlops_algorithms::models::calibration::{CalibrationMethod, Calibrator};
use mlops_algorithms::models::{BoostingInputs, Examples, Hyperparameters, fit_boosted};
use mlops_algorithms::target::Target;
use mlops_artifacts::CallProbe;
use mlops_core::{Call, Error, Result};
use ndarray::{Array2, Axis};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cross_validation::folds;
use crate::fault;
use crate::training_table::TrainingTable;

/// Into how many parts the training rows are cut.
const FOLDS: usize = 5;
/// With fewer rows a fold has none or a single one.
const FEWEST_ROWS: usize = 2 * FOLDS;
/// Added to the seed, so that other folds are drawn than those that cross-validation scores on.
const STREAM: u64 = 0x63_616C;

/// How the probabilities of a classifier are calibrated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Calibration {
    /// They are left as the algorithm gives them.
    #[default]
    None,
    /// By a logistic function of the log-odds, two numbers a class: right for some hundreds of rows.
    Platt,
    /// By a rising function of any form: right for a thousand rows and more.
    Isotonic,
    /// By one power for all classes, which never changes the predicted class.
    Temperature,
}

/// What was learnt about the probabilities.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct CalibrationResult {
    /// How the probabilities are calibrated.
    pub method: Calibration,
    /// Into how many parts the training rows were cut; each was predicted by a model of the others.
    pub folds: usize,
    /// The log loss of these predictions as they were, in nats.
    pub loss_before: f64,
    /// The log loss of the same predictions calibrated, in nats. The calibration has learnt from them: see
    /// `validation_loss` for rows that nothing has learnt from.
    pub loss_after: f64,
}

impl Calibration {
    /// Whether there is nothing to do.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    pub(crate) const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// The method; `None` when there is nothing to do.
    pub(crate) const fn method(self) -> Option<CalibrationMethod> {
        match self {
            Self::None => None,
            Self::Platt => Some(CalibrationMethod::Sigmoid),
            Self::Isotonic => Some(CalibrationMethod::Isotonic),
            Self::Temperature => Some(CalibrationMethod::Temperature),
        }
    }
}

/// The map for a model of all rows of the table, and what it changes.
///
/// `watched` are the rows by which a fit stops early, where it does.
pub(crate) fn calibrate(
    asked: (Calibration, CalibrationMethod),
    table: &TrainingTable,
    watched: Option<Examples<'_>>,
    hyperparameters: &Hyperparameters,
    random_seed: u64,
    call: &Call,
) -> Result<(Calibrator, CalibrationResult)> {
    let Target::Classes { labels, codes } = &table.target else {
        return Err(Error::invalid_input("only the probabilities of classes are calibrated").at("calibration"));
    };
    let rows = codes.len();
    if rows < FEWEST_ROWS {
        let message = format!("{rows} training rows are too few to calibrate probabilities; {FEWEST_ROWS} are needed");
        return Err(Error::invalid_input(message).at("calibration").hint("give more rows, or leave `calibration` out"));
    }
    let parts = folds(&table.target, FOLDS, random_seed ^ STREAM);
    let mut probabilities = Array2::zeros((rows, labels.len()));
    let known = BoostingInputs { feature_names: &table.feature_names, ..BoostingInputs::default() };
    for fold in 0..FOLDS {
        call.check()?;
        call.progress(fold as f64, Some(FOLDS as f64), "calibrating");
        let (held_out, learn): (Vec<usize>, Vec<usize>) = (0..rows).partition(|&row| parts[row] == fold);
        let features = table.features.select(Axis(0), &learn);
        let weights = table.weights.as_ref().map(|all| learn.iter().map(|&row| all[row]).collect::<Vec<_>>());
        let target = table.target.take(&learn);
        let training = Examples { x: features.view(), target: &target, sample_weight: weights.as_deref() };
        let watched = watched.map(|rows| Examples {
            x: rows.x.reborrow(),
            target: rows.target,
            sample_weight: rows.sample_weight,
        });
        let fitted = fit_boosted(training, watched, &known, hyperparameters, random_seed, &CallProbe(call))
            .map_err(|error| fault::of_fit(&error, &table.feature_names, call))?;
        let features = table.features.select(Axis(0), &held_out);
        let predicted = fitted.model.predict_proba(features.view()).map_err(|error| fault::of_prediction(&error))?;
        for (&row, predicted) in held_out.iter().zip(predicted.rows()) {
            // A mean of probabilities may exceed 1 by its rounding.
            probabilities.row_mut(row).assign(&predicted.mapv(|value| value.clamp(0.0, 1.0)));
        }
    }
    let refused = |error: &dyn std::fmt::Display| {
        Error::invalid_input(format!("the probabilities cannot be calibrated: {error}")).at("calibration")
    };
    let weights = table.weights.as_deref();
    let calibrator = Calibrator::fit(asked.1, probabilities.view(), codes, weights).map_err(|error| refused(&error))?;
    let calibrated = calibrator.apply(probabilities.view()).map_err(|error| refused(&error))?;
    let result = CalibrationResult {
        method: asked.0,
        folds: FOLDS,
        loss_before: log_loss(codes, probabilities.view(), weights).map_err(fault::of_metric)?,
        loss_after: log_loss(codes, calibrated.view(), weights).map_err(fault::of_metric)?,
    };
    Ok((calibrator, result))
}
