//! Which features a tree, a level and a node may look at.

use rand::RngExt;

use crate::seed;

/// Draws features without replacement, first for the tree, of these for each level, and of these for each node.
pub(super) struct ColumnSampler {
    seed: u64,
    features: usize,
    tree: Option<Vec<u32>>,
    by_level: f64,
    by_node: f64,
}

/// The features that a node may look at.
pub(super) struct Allowed(Option<Vec<bool>>);

impl Allowed {
    pub(super) fn has(&self, feature: usize) -> bool {
        self.0.as_ref().is_none_or(|allowed| allowed[feature])
    }
}

impl ColumnSampler {
    /// The shares are above 0 and at most 1; at least one feature is drawn each time.
    pub(super) fn new(features: usize, by_tree: f64, by_level: f64, by_node: f64, seed: u64) -> Self {
        let all: Vec<u32> = (0..features as u32).collect();
        let tree = (by_tree < 1.0).then(|| draw(&all, by_tree, seed::derive(seed, 0)));
        Self { seed, features, tree, by_level, by_node }
    }

    /// Those of a node.
    pub(super) fn of_node(&self, depth: usize, node: u32) -> Allowed {
        if self.tree.is_none() && self.by_level >= 1.0 && self.by_node >= 1.0 {
            return Allowed(None);
        }
        let mut chosen = self.tree.clone().unwrap_or_else(|| (0..self.features as u32).collect());
        if self.by_level < 1.0 {
            chosen = draw(&chosen, self.by_level, seed::derive(self.seed, 1 + depth as u64));
        }
        if self.by_node < 1.0 {
            chosen = draw(&chosen, self.by_node, seed::derive(self.seed, (1 << 32) + u64::from(node)));
        }
        let mut allowed = vec![false; self.features];
        for feature in chosen {
            allowed[feature as usize] = true;
        }
        Allowed(Some(allowed))
    }
}

/// A share of the numbers.
fn draw(from: &[u32], share: f64, seed: u64) -> Vec<u32> {
    let count = ((share * from.len() as f64) as usize).clamp(1, from.len());
    let mut numbers = from.to_vec();
    let mut rng = seed::rng(seed, 0);
    for place in 0..count {
        let other = rng.random_range(place..numbers.len());
        numbers.swap(place, other);
    }
    numbers.truncate(count);
    numbers
}
