//! The validation rows while the trees are added.

use super::matrix::single;
use super::model::BoostedTrees;
use super::nodes::BoostedTree;
use super::objective::{CHUNK, Labels, Objective};
use super::predict::margins;
use crate::models::fit::Examples;
use crate::parallel;
use crate::target::Target;

/// The most training rows that a round is scored on.
const SCORED: usize = 8192;

/// At most 8,192 evenly spaced rows.
pub(super) fn spaced_rows(rows: usize) -> Vec<usize> {
    (0..rows).step_by(rows.div_ceil(SCORED).max(1)).collect()
}

/// Validation rows with their margins so far; empty without any.
#[derive(Default)]
pub(super) struct Scored {
    /// Rows × features.
    values: Vec<f32>,
    features: usize,
    groups: usize,
    targets: Vec<f32>,
    weights: Option<Vec<f32>>,
    margins: Vec<f32>,
}

impl Scored {
    /// The rows, whose features and labels are those of the model.
    pub(super) fn new(model: &BoostedTrees, validation: Option<&Examples<'_>>) -> Self {
        let Some(validation) = validation else { return Self::default() };
        let targets = match validation.target {
            Target::Classes { codes, .. } => codes.iter().map(|&code| code as f32).collect(),
            Target::Numbers(numbers) => numbers.iter().map(|&number| single(number)).collect(),
        };
        let weights = validation.sample_weight.map(|weights| weights.iter().map(|&weight| single(weight)).collect());
        let margins = margins(&model.trees, &model.starts(), validation.x);
        let values = validation.x.iter().map(|&value| single(value)).collect();
        let features = model.num_features;
        Self { values, features, groups: model.objective.groups(), targets, weights, margins }
    }

    /// Adds a tree of a group.
    pub(super) fn add(&mut self, tree: &BoostedTree, group: usize) {
        if self.targets.is_empty() {
            return;
        }
        let (features, groups) = (self.features, self.groups);
        let chunks = self.values.chunks(CHUNK * features).zip(self.margins.chunks_mut(CHUNK * groups));
        parallel::for_each(chunks, |(values, margins)| {
            for (row, margins) in values.chunks_exact(features).zip(margins.chunks_exact_mut(groups)) {
                margins[group] += tree.values[tree.leaf_of(|feature| row[feature])];
            }
        });
    }

    /// The score of the trees so far; `None` without validation rows.
    pub(super) fn score(&self, objective: Objective) -> Option<f64> {
        if self.targets.is_empty() {
            return None;
        }
        let mut predictions = self.margins.clone();
        let chunks = predictions.chunks_mut(CHUNK * self.groups);
        parallel::for_each(chunks, |predictions| objective.transform(predictions));
        Some(objective.score(&predictions, Labels { values: &self.targets, weights: self.weights.as_deref() }))
    }
}
