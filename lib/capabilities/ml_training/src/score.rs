//! How well a model predicts rows whose target is known.

use std::collections::BTreeMap;

use mlops_algorithms::metrics::classification::Average;
use mlops_algorithms::metrics::confusion::ConfusionMatrix;
use mlops_algorithms::metrics::probability::log_loss;
use mlops_algorithms::metrics::regression::Predictions;
use mlops_algorithms::models::Model;
use mlops_algorithms::target::Target;
use mlops_core::{Error, Result};
use ndarray::ArrayView2;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fault;

/// The most classes whose own scores go into a result.
const CLASSES: usize = 100;

/// Scores by name; one that is not defined for the rows is absent.
pub(crate) type Scores = BTreeMap<&'static str, f64>;

/// The scores of one class on the validation rows.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct ClassResult {
    /// The class.
    pub label: String,
    /// The share of the rows predicted as this class that are of it; 0 when none was predicted.
    pub precision: f64,
    /// The share of the rows of this class that were predicted as it; 0 when there is none.
    pub recall: f64,
    /// The harmonic mean of precision and recall.
    pub f1_score: f64,
    /// The number of rows of this class.
    pub support: u64,
}

/// `accuracy`, `loss` (the log loss in nats) and `f1_macro` of a classifier; `rmse`, `mae`, `r2` and `mape` of a
/// regressor; and the scores of each class.
pub(crate) fn score(model: &Model, x: ArrayView2<'_, f64>, target: &Target) -> Result<(Scores, Vec<ClassResult>)> {
    match target {
        Target::Classes { labels, codes } => {
            let probabilities = model.predict_proba(x).map_err(|error| fault::of_prediction(&error))?;
            let predicted = probabilities.rows().into_iter().map(most_probable).collect::<Vec<_>>();
            let matrix = ConfusionMatrix::new(codes, &predicted, labels.len(), None).map_err(fault::of_metric)?;
            let averaged = matrix.averaged(Average::Macro, None).map_err(fault::of_metric)?;
            let loss = log_loss(codes, probabilities.view(), None).map_err(fault::of_metric)?;
            let scores =
                Scores::from([("accuracy", matrix.accuracy()), ("loss", loss), ("f1_macro", averaged.f1_score)]);
            Ok((scores, per_class(&matrix, labels)))
        }
        Target::Numbers(truth) => {
            let predicted = model.predict_values(x).map_err(|error| fault::of_prediction(&error))?;
            let predictions = Predictions::new(truth, &predicted, None).map_err(fault::of_metric)?;
            let scores = [
                ("rmse", Some(predictions.root_mean_squared_error())),
                ("mae", Some(predictions.mean_absolute_error())),
                ("r2", predictions.r2().value),
                ("mape", predictions.mean_absolute_percentage_error().value),
            ];
            if !predictions.root_mean_squared_error().is_finite() {
                return Err(Error::invalid_input("the predictions leave the range of numbers")
                    .hint("scale the features and the target first"));
            }
            Ok((scores.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(), Vec::new()))
        }
    }
}

fn most_probable(row: ndarray::ArrayView1<'_, f64>) -> u32 {
    let best =
        row.iter().enumerate().fold(
            (0, f64::MIN),
            |best, (class, &probability)| {
                if probability > best.1 { (class, probability) } else { best }
            },
        );
    best.0 as u32
}

fn per_class(matrix: &ConfusionMatrix, labels: &[String]) -> Vec<ClassResult> {
    let mut scores = matrix.per_class();
    if scores.len() > CLASSES {
        scores.sort_by_key(|class| std::cmp::Reverse(class.support));
        scores.truncate(CLASSES);
    }
    let result = scores.into_iter().map(|class| ClassResult {
        label: labels.get(class.class as usize).cloned().unwrap_or_default(),
        precision: class.precision,
        recall: class.recall,
        f1_score: class.f1_score,
        support: class.support,
    });
    result.collect()
}
