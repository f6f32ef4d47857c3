//! The nodes of one tree in flat arrays.

use serde::{Deserialize, Serialize};

use crate::models::InvalidModel;

/// Marks a leaf in [`Nodes::features`].
const LEAF: u32 = u32::MAX;

/// A binary tree in depth-first order: the left child of a node comes right behind it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Nodes {
    /// The feature that a node compares, or [`LEAF`].
    features: Vec<u32>,
    /// A row with a value of at most this goes to the left; 0 at a leaf.
    thresholds: Vec<f64>,
    /// The right child of a split; the number of a leaf among the leaves.
    next: Vec<u32>,
    /// The weight of the training rows that reached the node.
    covers: Vec<f64>,
    /// How many numbers each leaf holds.
    width: u32,
    /// The numbers of the leaves, one leaf after the other.
    leaves: Vec<f64>,
}

/// One node as a reader sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Node<'a> {
    /// A comparison.
    Split {
        /// The feature that is compared.
        feature: usize,
        /// A row whose value in single precision is at most this goes to the left.
        threshold: f64,
        /// The index of the left child.
        left: usize,
        /// The index of the right child.
        right: usize,
    },
    /// The end of a path: the probabilities of the classes, or one number.
    Leaf(&'a [f64]),
}

impl Nodes {
    pub(super) fn new(width: usize) -> Self {
        let (features, thresholds, next, covers) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { features, thresholds, next, covers, width: width as u32, leaves: Vec::new() }
    }

    /// Adds a split; its left child is the next node, its right child is set by [`Nodes::join`].
    pub(super) fn push_split(&mut self, feature: usize, threshold: f64, cover: f64) {
        self.features.push(feature as u32);
        self.thresholds.push(threshold);
        self.next.push(0);
        self.covers.push(cover);
    }

    /// Adds a leaf with the numbers that `fill` writes.
    pub(super) fn push_leaf(&mut self, cover: f64, fill: impl FnOnce(&mut Vec<f64>)) {
        self.features.push(LEAF);
        self.thresholds.push(0.0);
        self.next.push(self.num_leaves() as u32);
        self.covers.push(cover);
        fill(&mut self.leaves);
    }

    /// Makes the next node the right child of `parent`.
    pub(super) fn join(&mut self, parent: usize) {
        self.next[parent] = self.features.len() as u32;
    }

    /// Makes the node with that index the right child of the last node.
    pub(super) fn set_right(&mut self, right: usize) {
        if let Some(next) = self.next.last_mut() {
            *next = u32::try_from(right).unwrap_or(u32::MAX);
        }
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
        self.leaves.len() / self.width.max(1) as usize
    }

    /// How many numbers each leaf holds: one a class, or one.
    pub const fn width(&self) -> usize {
        self.width as usize
    }

    /// The node at an index below [`Nodes::len`]; the root is at 0.
    pub fn node(&self, index: usize) -> Node<'_> {
        let next = self.next[index] as usize;
        if self.features[index] == LEAF {
            return Node::Leaf(self.values(next));
        }
        let (feature, threshold) = (self.features[index] as usize, self.thresholds[index]);
        Node::Split { feature, threshold, left: index + 1, right: next }
    }

    /// The weight of the training rows that reached the node.
    pub fn cover(&self, index: usize) -> f64 {
        self.covers[index]
    }

    /// The largest number of splits on the way to a leaf.
    pub fn depth(&self) -> usize {
        let mut depths = vec![0; self.len()];
        for index in 0..self.len() {
            if let Node::Split { left, right, .. } = self.node(index) {
                depths[left] = depths[index] + 1;
                depths[right] = depths[index] + 1;
            }
        }
        depths.into_iter().max().unwrap_or(0)
    }

    /// Whether every leaf holds probabilities that sum to 1.
    pub(crate) fn holds_probabilities(&self) -> bool {
        self.leaves.chunks_exact(self.width().max(1)).all(|leaf| {
            leaf.iter().all(|share| (0.0..=1.0).contains(share)) && (leaf.iter().sum::<f64>() - 1.0).abs() < 1e-9
        })
    }

    /// The numbers of the leaf that a row of features in single precision reaches.
    pub(crate) fn reach(&self, row: &[f32]) -> &[f64] {
        let mut index = 0;
        loop {
            let feature = self.features[index];
            if feature == LEAF {
                return self.values(self.next[index] as usize);
            }
            let left = f64::from(row[feature as usize]) <= self.thresholds[index];
            index = if left { index + 1 } else { self.next[index] as usize };
        }
    }

    /// The numbers of one leaf.
    pub(super) fn values(&self, leaf: usize) -> &[f64] {
        let width = self.width();
        &self.leaves[leaf * width..(leaf + 1) * width]
    }

    /// Checks what a tree from outside says of itself: that it is one tree, every index is in range and every number
    /// is finite.
    pub(crate) fn validate(&self, num_features: usize, width: usize) -> Result<(), InvalidModel> {
        let count = self.features.len();
        if count == 0 || self.thresholds.len() != count || self.next.len() != count || self.covers.len() != count {
            return Err(InvalidModel::new("the arrays of a tree are empty or differ in length"));
        }
        if self.width() != width || width == 0 || !self.leaves.len().is_multiple_of(width) {
            return Err(InvalidModel::new("the leaves of a tree have the wrong width"));
        }
        let numbers = self.thresholds.iter().chain(&self.covers).chain(&self.leaves);
        if numbers.copied().any(|number| !number.is_finite()) || self.covers.iter().any(|&cover| cover <= 0.0) {
            return Err(InvalidModel::new("a threshold, weight or leaf of a tree is not a finite number in its range"));
        }
        // Walking depth first must meet the nodes and the leaves in their order, each once: then there is no cycle.
        let mut right_children = Vec::new();
        let mut leaves = 0;
        for index in 0..count {
            if self.features[index] == LEAF {
                if self.next[index] as usize != leaves {
                    return Err(InvalidModel::new("the leaves of a tree are out of order"));
                }
                leaves += 1;
                let next = right_children.pop().unwrap_or(count);
                if next != index + 1 {
                    return Err(InvalidModel::new("the children of a tree's node are out of place"));
                }
            } else {
                if self.features[index] as usize >= num_features {
                    return Err(InvalidModel::new("a tree compares a feature that the model does not have"));
                }
                right_children.push(self.next[index] as usize);
            }
        }
        if !right_children.is_empty() || leaves != self.num_leaves() {
            return Err(InvalidModel::new("a tree lacks nodes or has leaves that nothing reaches"));
        }
        Ok(())
    }
}
