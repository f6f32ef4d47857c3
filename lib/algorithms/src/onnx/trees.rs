//! An ensemble of trees as ONNX's `TreeEnsembleRegressor`.

use super::graph::{Attribute, Graph};
use super::parts::Parts;
use super::{OnnxError, OnnxReadError};

/// About so many bytes stand in the file for each node, and for each number of a leaf.
const NODE_BYTES: usize = 45;
const WEIGHT_BYTES: usize = 32;
/// The operator adds in double precision and gives single precision. Each number of a leaf, after a division by a power
/// of two that brings all sums below 1, therefore goes in as two: a multiple of this, whose sums single precision holds
/// exactly, and the small rest. Together the two sums have about fourteen digits.
const STEP: f64 = 1.0 / 8_388_608.0;

/// The nodes of all trees, one after the other.
#[derive(Debug, Default)]
pub(crate) struct TreeEnsemble {
    trees: Vec<i64>,
    nodes: Vec<i64>,
    features: Vec<i64>,
    modes: Vec<&'static str>,
    left: Vec<i64>,
    right: Vec<i64>,
    missing_left: Vec<i64>,
    thresholds: Vec<f64>,
    covers: Vec<f64>,
    leaf_trees: Vec<i64>,
    leaf_nodes: Vec<i64>,
    targets: Vec<i64>,
    weights: Vec<f64>,
}

/// A node of a tree of the file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TreeNode {
    /// A comparison.
    Split {
        /// The column.
        feature: usize,
        /// The number to compare with.
        threshold: f64,
        /// The left and the right child in the same tree.
        children: [usize; 2],
        /// Whether a missing value goes to the left.
        missing_left: bool,
        /// The weight of the rows that reached the node.
        cover: f64,
    },
    /// The numbers that a leaf adds, by target.
    Leaf {
        /// Target and number.
        weights: Vec<(usize, f64)>,
        /// The weight of the rows that reached the node.
        cover: f64,
    },
}

impl TreeEnsemble {
    /// Room for that many nodes and numbers of leaves, where the file has it.
    pub(crate) fn new(graph: &mut Graph, nodes: usize, weights: usize) -> Result<Self, OnnxError> {
        graph.reserve(nodes.saturating_mul(NODE_BYTES).saturating_add(weights.saturating_mul(WEIGHT_BYTES)))?;
        Ok(Self::default())
    }

    /// Adds a split; `mode` is ONNX's name of the comparison that leads to the left.
    pub(crate) fn split(
        &mut self,
        place: [usize; 2],
        mode: &'static str,
        (feature, threshold): (usize, f64),
        children: [usize; 2],
        missing_left: bool,
        cover: f64,
    ) {
        self.node(place, mode, feature, children, missing_left);
        self.thresholds.push(threshold);
        self.covers.push(cover);
    }

    /// Adds a leaf with a number for each of some targets.
    pub(crate) fn leaf(&mut self, place: [usize; 2], weights: impl Iterator<Item = (usize, f64)>, cover: f64) {
        self.node(place, "LEAF", 0, [0, 0], false);
        self.thresholds.push(0.0);
        self.covers.push(cover);
        for (target, weight) in weights {
            self.leaf_trees.push(place[0] as i64);
            self.leaf_nodes.push(place[1] as i64);
            self.targets.push(target as i64);
            self.weights.push(weight);
        }
    }

    fn node(
        &mut self,
        [tree, node]: [usize; 2],
        mode: &'static str,
        feature: usize,
        [left, right]: [usize; 2],
        missing_left: bool,
    ) {
        self.trees.push(tree as i64);
        self.nodes.push(node as i64);
        self.features.push(feature as i64);
        self.modes.push(mode);
        self.left.push(left as i64);
        self.right.push(right as i64);
        self.missing_left.push(i64::from(missing_left));
    }

    /// The sums of the leaves that each row of `columns` reaches, rows × `width`, in double precision. Values are compared
    /// in single precision.
    pub(crate) fn write(self, graph: &mut Graph, columns: &str, width: usize) -> Result<String, OnnxError> {
        let exponent = self.exponent();
        let unit = f64::from(exponent).exp2();
        let parts = self.weights.iter().map(|weight| {
            // Adding zero turns -0 into 0, which is all that a sum of two parts can be.
            let scaled = weight / unit + 0.0;
            let high = (scaled / STEP).round() * STEP;
            [high, scaled - high]
        });
        let weights = parts.flatten().collect::<Vec<_>>();
        let twice = |values: &[i64]| values.iter().flat_map(|value| [*value; 2]).collect::<Vec<_>>();
        let (trees, nodes) = (twice(&self.leaf_trees), twice(&self.leaf_nodes));
        let targets = self.targets.iter().flat_map(|target| [*target, *target + width as i64]).collect::<Vec<_>>();
        let single = graph.cast(columns, super::Element::Float);
        let rows = graph.cast(&single, super::Element::Double);
        let attributes = [
            ("n_targets", Attribute::Int(2 * width as i64)),
            ("nodes_treeids", Attribute::Ints(&self.trees)),
            ("nodes_nodeids", Attribute::Ints(&self.nodes)),
            ("nodes_featureids", Attribute::Ints(&self.features)),
            ("nodes_modes", Attribute::Texts(&self.modes)),
            ("nodes_truenodeids", Attribute::Ints(&self.left)),
            ("nodes_falsenodeids", Attribute::Ints(&self.right)),
            ("nodes_missing_value_tracks_true", Attribute::Ints(&self.missing_left)),
            ("nodes_values_as_tensor", Attribute::Doubles(&self.thresholds)),
            ("nodes_hitrates_as_tensor", Attribute::Doubles(&self.covers)),
            ("target_treeids", Attribute::Ints(&trees)),
            ("target_nodeids", Attribute::Ints(&nodes)),
            ("target_ids", Attribute::Ints(&targets)),
            ("target_weights_as_tensor", Attribute::Doubles(&weights)),
        ];
        let both = graph.op_with("TreeEnsembleRegressor", &[&rows], &attributes);
        graph.describe("tree_exponent", exponent);
        let both = graph.cast(&both, super::Element::Double);
        let mut sums = Vec::with_capacity(2);
        for columns in [0..width, width..2 * width] {
            let columns = graph.ints(&columns.map(|column| column as i64).collect::<Vec<_>>())?;
            sums.push(graph.op_with("Gather", &[&both, &columns], &[("axis", Attribute::Int(1))]));
        }
        let sum = graph.op("Add", &[&sums[0], &sums[1]]);
        let unit = graph.scalar(unit)?;
        Ok(graph.op("Mul", &[&sum, &unit]))
    }

    /// The power of two that no sum of leaves is above.
    fn exponent(&self) -> i32 {
        let (mut sum, mut largest, mut tree) = (0.0, 0.0_f64, -1);
        for (weight, of) in self.weights.iter().zip(&self.leaf_trees) {
            if *of != tree {
                (sum, largest, tree) = (sum + largest, 0.0, *of);
            }
            largest = largest.max(weight.abs());
        }
        let most: f64 = sum + largest;
        if most > 0.0 { most.log2().ceil().clamp(-1000.0, 1000.0) as i32 } else { 0 }
    }

    /// The trees of a file, with the number of columns that they look at and the number of targets.
    pub(crate) fn read(parts: &Parts<'_>) -> Result<Vec<Vec<TreeNode>>, OnnxReadError> {
        const LARGEST: usize = u32::MAX as usize;
        let wrong = |what: &str| OnnxReadError::damaged(format!("its trees are no trees: {what}"));
        let indices = |name: &str| parts.property(name)?.indices(name, LARGEST);
        let [trees, nodes] = [indices("nodes_treeids")?, indices("nodes_nodeids")?];
        let [features, left, right] =
            [indices("nodes_featureids")?, indices("nodes_truenodeids")?, indices("nodes_falsenodeids")?];
        let missing_left = indices("nodes_missing_value_tracks_true")?;
        let doubles = |name: &str| parts.property(name)?.tensor.doubles(name);
        let [thresholds, covers] = [doubles("nodes_values_as_tensor")?, doubles("nodes_hitrates_as_tensor")?];
        let modes = &parts.property("nodes_modes")?.texts;
        let count = trees.len();
        let lengths = [nodes.len(), features.len(), left.len(), right.len(), missing_left.len(), modes.len()];
        if lengths.into_iter().chain([thresholds.len(), covers.len()]).any(|length| length != count) {
            return Err(wrong("the properties of their nodes differ in length"));
        }
        let mut read: Vec<Vec<TreeNode>> = Vec::new();
        for place in 0..count {
            if trees[place] == read.len() {
                read.push(Vec::new());
            }
            let number = read.len();
            let Some(tree) = read.last_mut().filter(|tree| trees[place] + 1 == number && nodes[place] == tree.len())
            else {
                return Err(wrong("their nodes are out of order"));
            };
            let cover = covers[place];
            tree.push(if modes[place] == b"LEAF" {
                TreeNode::Leaf { weights: Vec::new(), cover }
            } else {
                TreeNode::Split {
                    feature: features[place],
                    threshold: thresholds[place],
                    children: [left[place], right[place]],
                    missing_left: missing_left[place] != 0,
                    cover,
                }
            });
        }
        Self::read_leaves(parts, &mut read)?;
        Ok(read)
    }

    fn read_leaves(parts: &Parts<'_>, read: &mut [Vec<TreeNode>]) -> Result<(), OnnxReadError> {
        let wrong = || OnnxReadError::damaged("the numbers of its leaves do not belong to leaves");
        let exponent: i32 = parts.described("tree_exponent")?;
        let unit = f64::from(exponent.clamp(-1000, 1000)).exp2();
        let indices = |name: &str| parts.property(name)?.indices(name, u32::MAX as usize);
        let [trees, nodes, targets] = [indices("target_treeids")?, indices("target_nodeids")?, indices("target_ids")?];
        let weights = parts.property("target_weights_as_tensor")?.tensor.doubles("target_weights_as_tensor")?;
        let (pairs, rest) = weights.as_chunks::<2>();
        if !rest.is_empty() || [trees.len(), nodes.len(), targets.len()].iter().any(|&length| length != weights.len()) {
            return Err(wrong());
        }
        for (place, [high, low]) in pairs.iter().enumerate() {
            let at = 2 * place;
            let node = read.get_mut(trees[at]).and_then(|tree| tree.get_mut(nodes[at]));
            let Some(TreeNode::Leaf { weights, .. }) = node else { return Err(wrong()) };
            weights.push((targets[at], (high + low) * unit));
        }
        Ok(())
    }
}
