//! Isotonic regression by pooling adjacent violators.

use serde::{Deserialize, Serialize};

/// Scores that are nearer than this are one: sums of equal parts differ by their rounding, and no step may depend on it.
const RESOLUTION: f64 = 1e-7;

/// A rising function: straight lines between its points, level beyond both ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Isotonic {
    /// Rising.
    scores: Vec<f64>,
    /// Not falling, from 0 to 1; one a score.
    values: Vec<f64>,
}

/// Neighbouring scores with one common value.
struct Block {
    first: f64,
    last: f64,
    sum: f64,
    weight: f64,
}

impl Isotonic {
    /// The rising function with the least squared error (Barlow and others, 1972). Rows of the same score count as one of
    /// their mean. The weights are above 0.
    pub(super) fn fit(scores: &[f64], hits: &[bool], weights: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        let mut blocks: Vec<Block> = Vec::new();
        let mut rest = order.as_slice();
        while let Some(&lowest) = rest.first() {
            let score = scores[lowest];
            let (group, others) = rest.split_at(rest.partition_point(|&row| scores[row] - score < RESOLUTION));
            rest = others;
            let weight: f64 = group.iter().map(|&row| weights[row]).sum();
            let sum = group.iter().map(|&row| if hits[row] { weights[row] } else { 0.0 }).sum();
            blocks.push(Block { first: score, last: score, sum, weight });
            while let [.., before, last] = blocks.as_mut_slice() {
                // Compared as products, so that equal means are pooled whatever their rounding.
                if before.sum * last.weight < last.sum * before.weight {
                    break;
                }
                before.last = last.last;
                before.sum += last.sum;
                before.weight += last.weight;
                blocks.pop();
            }
        }
        let (mut scores, mut values) = (Vec::new(), Vec::new());
        for block in blocks {
            let value = (block.sum / block.weight).clamp(0.0, 1.0);
            scores.push(block.first);
            values.push(value);
            if block.last > block.first {
                scores.push(block.last);
                values.push(value);
            }
        }
        Self { scores, values }
    }

    /// The scores of the points.
    pub fn scores(&self) -> &[f64] {
        &self.scores
    }

    /// The values at the points.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The probability of a score.
    pub fn apply(&self, score: f64) -> f64 {
        let after = self.scores.partition_point(|&point| point < score);
        let last = self.scores.len() - 1;
        if after == 0 {
            return self.values[0];
        }
        if after > last {
            return self.values[last];
        }
        let (from, to) = (self.scores[after - 1], self.scores[after]);
        let (low, high) = (self.values[after - 1], self.values[after]);
        // Rounding must not lift a score above the point after it.
        (low + (high - low) * ((score - from) / (to - from))).min(high)
    }

    pub(super) fn is_valid(&self) -> bool {
        !self.scores.is_empty()
            && self.scores.len() == self.values.len()
            && self.scores.iter().all(|score| score.is_finite())
            && self.scores.windows(2).all(|pair| pair[0] < pair[1])
            && self.values.iter().all(|value| (0.0..=1.0).contains(value))
            && self.values.windows(2).all(|pair| pair[0] <= pair[1])
    }
}
