//! What a boosted ensemble is fitted to besides the training rows, and why it can be refused.

use ndarray::ArrayView2;

use super::model::BoostedTrees;
use super::parameters::{BoostingParameters, Monotone};
use crate::models::hyperparameters::nearest;

/// What a fit may know besides the training rows.
#[derive(Debug, Clone, Copy, Default)]
pub struct BoostingInputs<'a> {
    /// Which features hold numbers of categories (whole numbers from 0 to 254); empty when none does.
    pub categorical: &'a [bool],
    /// The names of the features, for constraints by name; empty when there are none.
    pub feature_names: &'a [String],
    /// A model of the same features and target whose trees come first.
    pub initial: Option<&'a BoostedTrees>,
}

/// Why boosted trees cannot be fitted to what was given.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BoostingError {
    /// A target that the objective cannot have.
    #[error("{objective} needs a target of at least {least}, but it is {value} in row {row} (counted from 0)")]
    Target {
        /// XGBoost's name of the objective.
        objective: &'static str,
        /// The smallest possible target.
        least: f64,
        /// The row, counted from 0.
        row: usize,
        /// The target.
        value: f64,
    },
    /// A base score that no margin gives.
    #[error("base_score is {value}, but {objective} predicts {range}")]
    BaseScore {
        /// The base score.
        value: f64,
        /// XGBoost's name of the objective.
        objective: &'static str,
        /// What it predicts.
        range: &'static str,
    },
    /// The number of classes does not fit the objective.
    #[error("binary:logistic is for 2 classes, but the target has {classes}; use multi:softprob")]
    Classes {
        /// The number of classes.
        classes: usize,
    },
    /// Early stopping without anything to score on.
    #[error("early_stopping_rounds needs validation data; give some or set it to null")]
    NoValidation,
    /// The list of categorical features is not one of the features.
    #[error("the list of categorical features has {given} entries, but there are {expected} features")]
    Categorical {
        /// The length of the list.
        given: usize,
        /// The number of features.
        expected: usize,
    },
    /// A value that is no category.
    #[error(
        "the categorical feature in column {column} is {value} in row {row} (both counted from 0); categories are whole numbers from 0 to 254: encode a feature with more of them as numbers"
    )]
    Category {
        /// The row, counted from 0.
        row: usize,
        /// The column, counted from 0.
        column: usize,
        /// The value.
        value: f64,
    },
    /// A constraint on a feature that is not there.
    #[error("monotone_constraints names '{name}', which is no feature;{hint}")]
    UnknownFeature {
        /// The name, or the number of constraints.
        name: String,
        /// What to do.
        hint: String,
    },
    /// A constraint on a categorical feature.
    #[error(
        "monotone_constraints has a direction for column {column} (counted from 0), whose categories have no order"
    )]
    CategoricalConstraint {
        /// The column, counted from 0.
        column: usize,
    },
    /// The model to go on from learnt something else.
    #[error("the fit cannot go on from that model: it has another {what}")]
    Initial {
        /// What differs.
        what: &'static str,
    },
}

/// The direction of each feature, or nothing when all are free.
pub(super) fn directions(
    params: &BoostingParameters,
    features: usize,
    inputs: &BoostingInputs<'_>,
) -> Result<Vec<i8>, BoostingError> {
    let mut directions = vec![0; features];
    match &params.monotone_constraints {
        Monotone::Free => {}
        Monotone::InOrder(given) => {
            if given.len() > features {
                let hint = format!(" there are {features} features");
                return Err(BoostingError::UnknownFeature { name: format!("column {}", given.len() - 1), hint });
            }
            directions[..given.len()].copy_from_slice(given);
        }
        Monotone::ByName(given) => {
            for (name, direction) in given {
                let Some(place) = inputs.feature_names.iter().position(|other| other == name) else {
                    let near = nearest(name, inputs.feature_names.iter().map(String::as_str));
                    let hint = match near {
                        Some(near) => format!(" did you mean '{near}'?"),
                        None if inputs.feature_names.is_empty() => " the features have no names here".to_owned(),
                        None => format!(" the features are {}", inputs.feature_names.join(", ")),
                    };
                    return Err(BoostingError::UnknownFeature { name: name.clone(), hint });
                };
                directions[place] = *direction;
            }
        }
    }
    let categorical = |column: &usize| inputs.categorical.get(*column).copied().unwrap_or(false);
    if let Some(column) = (0..features).find(|column| directions[*column] != 0 && categorical(column)) {
        return Err(BoostingError::CategoricalConstraint { column });
    }
    Ok(if directions.iter().all(|direction| *direction == 0) { Vec::new() } else { directions })
}

/// Refuses numbers that are no categories in the features that hold categories.
pub(super) fn check_categories(x: ArrayView2<'_, f64>, categorical: &[bool]) -> Result<(), BoostingError> {
    for (column, _) in categorical.iter().enumerate().filter(|(_, categorical)| **categorical) {
        let wrong = |value: f64| !(value.is_nan() || (value.fract() == 0.0 && (0.0..=254.0).contains(&value)));
        if let Some((row, &value)) = x.column(column).iter().enumerate().find(|(_, value)| wrong(**value)) {
            return Err(BoostingError::Category { row, column, value });
        }
    }
    Ok(())
}
