//! One boosted tree in flat arrays.

use serde::{Deserialize, Serialize};

use crate::models::InvalidModel;

/// Marks a leaf in [`BoostedTree::features`].
pub(super) const LEAF: u32 = u32::MAX;
/// No category has a larger number.
pub(super) const LARGEST_CATEGORY: u32 = 16_777_215;

/// A regression tree of an ensemble. The root is node 0; the children of a split stand beside each other behind it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoostedTree {
    /// The feature that a node compares, or [`LEAF`].
    pub(super) features: Vec<u32>,
    /// At a split of numbers, a value below this in single precision goes to the left; at a leaf, its value.
    pub(super) values: Vec<f32>,
    /// The left child of a split; its right child is the node behind that. 0 at a leaf.
    pub(super) left: Vec<u32>,
    /// Whether missing values go to the left.
    pub(super) default_left: Vec<bool>,
    /// Twice the fall of the loss by the split, 0 at a leaf.
    pub(super) gains: Vec<f32>,
    /// The sum of second derivatives of the training rows that reached the node.
    pub(super) covers: Vec<f32>,
    /// The value that the node would have as a leaf, before `eta`.
    pub(super) weights: Vec<f32>,
    /// The splits of categories: the node, and the categories that go to the right, both ascending.
    pub(super) categories: Vec<(u32, Vec<u32>)>,
}

/// One node as a reader sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BoostedNode<'a> {
    /// A comparison of a number.
    Split {
        /// The feature.
        feature: usize,
        /// A value in single precision below this goes to the left.
        threshold: f32,
        /// Whether a missing value goes to the left.
        default_left: bool,
        /// The index of the left child; the right child is behind it.
        left: usize,
    },
    /// A question after a category.
    Categories {
        /// The feature.
        feature: usize,
        /// The categories that go to the right, ascending; every other goes to the left.
        right: &'a [u32],
        /// Whether a missing value goes to the left.
        default_left: bool,
        /// The index of the left child; the right child is behind it.
        left: usize,
    },
    /// The end of a path, with what it adds to the margin.
    Leaf(f32),
}

impl BoostedTree {
    /// A tree of a single leaf without a value.
    pub(super) fn root(cover: f32, weight: f32) -> Self {
        let mut tree = Self {
            features: Vec::new(),
            values: Vec::new(),
            left: Vec::new(),
            default_left: Vec::new(),
            gains: Vec::new(),
            covers: Vec::new(),
            weights: Vec::new(),
            categories: Vec::new(),
        };
        tree.push(cover, weight);
        tree
    }

    /// Adds a leaf and says where.
    pub(super) fn push(&mut self, cover: f32, weight: f32) -> u32 {
        self.features.push(LEAF);
        self.values.push(0.0);
        self.left.push(0);
        self.default_left.push(false);
        self.gains.push(0.0);
        self.covers.push(cover);
        self.weights.push(weight);
        self.features.len() as u32 - 1
    }

    /// The number of nodes, leaves included.
    pub fn len(&self) -> usize {
        self.features.len()
    }

    /// Whether there is no node; never so in a fitted tree.
    pub fn is_empty(&self) -> bool {
        self.features.is_empty()
    }

    /// The number of leaves.
    pub fn num_leaves(&self) -> usize {
        self.features.iter().filter(|feature| **feature == LEAF).count()
    }

    /// The node at an index below [`BoostedTree::len`]; the root is at 0.
    pub fn node(&self, index: usize) -> BoostedNode<'_> {
        if self.features[index] == LEAF {
            return BoostedNode::Leaf(self.values[index]);
        }
        let (feature, left) = (self.features[index] as usize, self.left[index] as usize);
        let default_left = self.default_left[index];
        match self.categories.binary_search_by_key(&(index as u32), |(node, _)| *node) {
            Ok(place) => BoostedNode::Categories { feature, right: &self.categories[place].1, default_left, left },
            Err(_) => BoostedNode::Split { feature, threshold: self.values[index], default_left, left },
        }
    }

    /// The sum of second derivatives of the training rows that reached the node.
    pub fn cover(&self, index: usize) -> f64 {
        f64::from(self.covers[index])
    }

    /// Twice the fall of the loss by the split at a node; 0 at a leaf.
    pub fn gain(&self, index: usize) -> f64 {
        f64::from(self.gains[index])
    }

    /// The largest number of splits on the way to a leaf.
    pub fn depth(&self) -> usize {
        let mut depths = vec![0; self.len()];
        for index in 0..self.len() {
            if self.features[index] != LEAF {
                let left = self.left[index] as usize;
                depths[left] = depths[index] + 1;
                depths[left + 1] = depths[index] + 1;
            }
        }
        depths.into_iter().max().unwrap_or(0)
    }

    /// The leaf that a row reaches; `value` gives a feature in single precision, NaN when it is missing.
    pub(super) fn leaf_of(&self, value: impl Fn(usize) -> f32) -> usize {
        let mut index = 0;
        loop {
            let (goes_left, left) = match self.node(index) {
                BoostedNode::Leaf(_) => return index,
                BoostedNode::Split { feature, threshold, default_left, left } => {
                    let value = value(feature);
                    (value < threshold || (value.is_nan() && default_left), left)
                }
                BoostedNode::Categories { feature, right, default_left, left } => {
                    let value = value(feature);
                    (if value.is_nan() { default_left } else { !is_among(value, right) }, left)
                }
            };
            index = left + usize::from(!goes_left);
        }
    }

    /// Checks what a tree from outside says of itself: that it is one tree, every index is in range and every number
    /// is finite.
    pub(super) fn validate(&self, num_features: usize) -> Result<(), InvalidModel> {
        let count = self.features.len();
        let lengths = [self.values.len(), self.left.len(), self.default_left.len(), self.gains.len()];
        let lengths = lengths.into_iter().chain([self.covers.len(), self.weights.len()]);
        if count == 0 || lengths.into_iter().any(|length| length != count) {
            return Err(InvalidModel::new("the arrays of a boosted tree are empty or differ in length"));
        }
        let numbers = self.values.iter().chain(&self.gains).chain(&self.covers).chain(&self.weights);
        if numbers.copied().any(|number| !number.is_finite()) || self.covers.iter().any(|&cover| cover < 0.0) {
            return Err(InvalidModel::new("a number of a boosted tree is not finite or a weight is negative"));
        }
        let mut is_child = vec![false; count];
        for index in (0..count).filter(|&index| self.features[index] != LEAF) {
            let left = self.left[index] as usize;
            if self.features[index] as usize >= num_features {
                return Err(InvalidModel::new("a boosted tree compares a feature that the model does not have"));
            }
            if left <= index || left + 1 >= count || is_child[left] || is_child[left + 1] {
                return Err(InvalidModel::new("the children of a boosted tree's node are out of place"));
            }
            is_child[left] = true;
            is_child[left + 1] = true;
        }
        if is_child.iter().skip(1).any(|is_child| !is_child) {
            return Err(InvalidModel::new("a boosted tree has nodes that nothing reaches"));
        }
        let ascending = self.categories.is_sorted_by(|a, b| a.0 < b.0);
        let sound = |(node, right): &(u32, Vec<u32>)| {
            self.features.get(*node as usize).is_some_and(|feature| *feature != LEAF)
                && right.is_sorted_by(|a, b| a < b)
                && right.last().is_none_or(|last| *last <= LARGEST_CATEGORY)
        };
        if !ascending || !self.categories.iter().all(sound) {
            return Err(InvalidModel::new("the categories of a boosted tree are out of order or belong to no split"));
        }
        Ok(())
    }
}

/// Whether a value is the number of one of these categories.
pub(super) fn is_among(value: f32, categories: &[u32]) -> bool {
    // A number that is no category saturates to one that none has, or has a fraction.
    let category = value as u32;
    category as f32 == value && categories.binary_search(&category).is_ok()
}
