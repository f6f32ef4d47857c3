//! Cross-validation: the model is fitted again without each fold, and scored on it.

use std::collections::BTreeMap;

use mlops_algorithms::models::{Hyperparameters, fit};
use mlops_algorithms::seed;
use mlops_algorithms::target::Target;
use mlops_artifacts::CallProbe;
use mlops_core::{Call, Error, Result};
use ndarray::Axis;
use rand::seq::SliceRandom;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fault;
use crate::score::{Scores, score};
use crate::training_table::TrainingTable;

/// The stream of random numbers that folds are drawn from; fitting uses others.
const STREAM: u64 = 0x666F_6C64;

/// What cross-validation has shown.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct CrossValidationResult {
    /// The number of folds.
    pub folds: usize,
    /// Each score over the folds. The names are those of the validation metrics without `validation_`.
    pub scores: BTreeMap<String, FoldScore>,
}

/// One score over the folds.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct FoldScore {
    /// The mean over the folds in which the score is defined.
    pub mean: f64,
    /// The standard deviation over these folds (divided by their number less one); 0 for a single fold.
    pub std: f64,
    /// The number of folds in which the score is defined.
    pub folds: usize,
}

/// Fits and scores once for each fold.
pub(crate) fn cross_validate(
    table: &TrainingTable,
    hyperparameters: &Hyperparameters,
    count: usize,
    random_seed: u64,
    call: &Call,
) -> Result<CrossValidationResult> {
    check_rows(table, count)?;
    let folds = folds(&table.target, count, random_seed);
    let mut all: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for fold in 0..count {
        call.check()?;
        call.progress(fold as f64, Some(count as f64), "cross-validation");
        for (name, value) in score_fold(table, hyperparameters, (&folds, fold), random_seed, call)? {
            all.entry(name.to_owned()).or_default().push(value);
        }
    }
    let scores = all.into_iter().map(|(name, values)| (name, FoldScore::of(&values))).collect();
    Ok(CrossValidationResult { folds: count, scores })
}

/// Refuses more folds than the rows are enough for.
pub(crate) fn check_rows(table: &TrainingTable, count: usize) -> Result<()> {
    let rows = table.target.len();
    if rows < count * 2 {
        return Err(Error::invalid_input(format!("{rows} training rows are too few for {count} folds"))
            .at("cross_validation.folds")
            .hint(format!("ask for at most {} folds", (rows / 2).max(2))));
    }
    Ok(())
}

/// Fits to the rows outside a fold, and scores on those inside.
pub(crate) fn score_fold(
    table: &TrainingTable,
    hyperparameters: &Hyperparameters,
    (folds, fold): (&[usize], usize),
    random_seed: u64,
    call: &Call,
) -> Result<Scores> {
    let rows = table.target.len();
    let (held_out, learn): (Vec<usize>, Vec<usize>) = (0..rows).partition(|&row| folds[row] == fold);
    let features = table.features.select(Axis(0), &learn);
    let weights = table.weights.as_ref().map(|all| learn.iter().map(|&row| all[row]).collect::<Vec<_>>());
    let fitted = fit(
        hyperparameters.algorithm(),
        features.view(),
        &table.target.take(&learn),
        weights.as_deref(),
        hyperparameters,
        random_seed,
        &CallProbe(call),
    );
    let fitted = fitted.map_err(|error| fault::of_fit(&error, &table.feature_names, call))?;
    let features = table.features.select(Axis(0), &held_out);
    let (scores, _) = score(&fitted.model, features.view(), &table.target.take(&held_out))?;
    Ok(scores)
}

impl FoldScore {
    fn of(values: &[f64]) -> Self {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let std = if values.len() > 1 { (squares / (count - 1.0)).sqrt() } else { 0.0 };
        Self { mean, std, folds: values.len() }
    }
}

/// The fold of each row: by chance, and within each class by turns, so that every fold has its share of each class.
pub(crate) fn folds(target: &Target, count: usize, random_seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..target.len()).collect();
    order.shuffle(&mut seed::rng(random_seed, STREAM));
    if let Target::Classes { codes, .. } = target {
        order.sort_by_key(|&row| codes[row]);
    }
    let mut folds = vec![0; order.len()];
    for (turn, row) in order.into_iter().enumerate() {
        folds[row] = turn % count;
    }
    folds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fold_has_its_share_of_every_class() {
        let codes = (0..100).map(|row| u32::from(row % 10 == 0)).collect::<Vec<_>>();
        let target = Target::Classes { labels: vec!["a".to_owned(), "b".to_owned()], codes: codes.clone() };
        let folds = folds(&target, 5, 7);
        for fold in 0..5 {
            let of = |class: u32| (0..100).filter(|&row| folds[row] == fold && codes[row] == class).count();
            assert_eq!((of(0), of(1)), (18, 2));
        }
        assert_eq!(folds, super::folds(&target, 5, 7));
        assert_ne!(folds, super::folds(&target, 5, 8));
    }

    #[test]
    fn the_deviation_is_that_of_a_sample() {
        let score = FoldScore::of(&[1.0, 2.0, 3.0]);
        assert_eq!((score.mean, score.std, score.folds), (2.0, 1.0, 3));
        assert_eq!(FoldScore::of(&[4.0]).std, 0.0);
    }
}
