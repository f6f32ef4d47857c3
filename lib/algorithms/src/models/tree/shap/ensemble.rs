//! Trees as their explanation sees them, whatever grew them.

use crate::models::tree::bins::round_down;
use crate::models::tree::{Node, Nodes};

/// Trees whose leaves are added up.
#[derive(Debug, Clone)]
pub(crate) struct Ensemble {
    pub(crate) trees: Vec<ShapTree>,
    pub(crate) num_features: usize,
    /// What is added to the trees, one an output.
    pub(crate) base: Vec<f64>,
    /// What every tree counts: one over their number where the prediction is a mean.
    pub(crate) scale: f64,
    pub(crate) link: Link,
}

/// What the sum of the trees is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// The probabilities of the classes, which sum to 1.
    Probability,
    /// The log-odds of the second class.
    Logistic,
    /// Anything else.
    Identity,
}

/// Which rows go to the left.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    /// Those with at most this value in single precision.
    AtMost(f32),
    /// Those whose category's bit is set.
    Among(Box<[u64; 4]>),
}

/// One tree, its nodes in depth-first order.
#[derive(Debug, Clone)]
pub(crate) struct ShapTree {
    pub(super) nodes: Vec<ShapNode>,
    /// The numbers of the leaves.
    pub(super) leaves: Vec<f64>,
    /// How many numbers a leaf has.
    pub(super) width: usize,
    /// The output that a leaf's first number is added to.
    pub(super) first_output: usize,
}

#[derive(Debug, Clone)]
pub(super) struct ShapNode {
    pub(super) cover: f64,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Split { feature: u32, test: Test, missing_left: bool, left: u32, right: u32 },
    Leaf(u32),
}

impl Ensemble {
    /// The mean of the leaves of trees without missing values, of a number of classes or (0) of numbers.
    pub(crate) fn of_mean(trees: &[Nodes], num_features: usize, classes: usize) -> Self {
        let link = if classes > 0 { Link::Probability } else { Link::Identity };
        let scale = 1.0 / trees.len().max(1) as f64;
        let trees = trees.iter().map(ShapTree::from).collect();
        Self { trees, num_features, base: vec![0.0; classes.max(1)], scale, link }
    }
}

impl From<&Nodes> for ShapTree {
    fn from(nodes: &Nodes) -> Self {
        let mut tree = Self::new(nodes.width(), 0);
        let mut right_of = vec![None; nodes.len()];
        for index in 0..nodes.len() {
            if let Some(parent) = right_of[index] {
                tree.join(parent);
            }
            match nodes.node(index) {
                Node::Split { feature, threshold, right, .. } => {
                    right_of[right] = Some(index);
                    tree.push_split(feature, Test::AtMost(round_down(threshold)), true, nodes.cover(index));
                }
                Node::Leaf(values) => tree.push_leaf(values, nodes.cover(index)),
            }
        }
        tree
    }
}

impl ShapTree {
    /// A tree without nodes; they are added depth first, the left child right behind its parent.
    pub(crate) fn new(width: usize, first_output: usize) -> Self {
        Self { nodes: Vec::new(), leaves: Vec::new(), width, first_output }
    }

    /// Adds a split and returns its number; `right` of it is set by [`ShapTree::join`]. `cover` is the weight of its
    /// training rows.
    pub(crate) fn push_split(&mut self, feature: usize, test: Test, missing_left: bool, cover: f64) -> usize {
        let number = self.nodes.len();
        let left = number as u32 + 1;
        let kind = Kind::Split { feature: feature as u32, test, missing_left, left, right: left };
        self.nodes.push(ShapNode { cover, kind });
        number
    }

    /// Adds a leaf.
    pub(crate) fn push_leaf(&mut self, values: &[f64], cover: f64) {
        let leaf = (self.leaves.len() / self.width.max(1)) as u32;
        self.leaves.extend_from_slice(values);
        self.nodes.push(ShapNode { cover, kind: Kind::Leaf(leaf) });
    }

    /// Makes the next node the right child of `parent`.
    pub(crate) fn join(&mut self, parent: usize) {
        let next = self.nodes.len() as u32;
        if let Kind::Split { right, .. } = &mut self.nodes[parent].kind {
            *right = next;
        }
    }

    /// The numbers of a leaf.
    pub(super) fn values(&self, leaf: u32) -> &[f64] {
        let first = leaf as usize * self.width;
        &self.leaves[first..first + self.width]
    }
}

impl Test {
    /// Whether a value goes to the left.
    pub(super) fn left(&self, value: f32, missing_left: bool) -> bool {
        if value.is_nan() {
            return missing_left;
        }
        match self {
            Self::AtMost(threshold) => value <= *threshold,
            Self::Among(bits) => {
                let category = value as usize;
                bits.get(category / 64).is_some_and(|word| word >> (category % 64) & 1 == 1)
            }
        }
    }
}
