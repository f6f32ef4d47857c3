//! Trees whose leaves are averaged, in ONNX.

use super::nodes::{Node, Nodes};
use crate::onnx::{Graph, OnnxError, OnnxReadError, Parts, TreeEnsemble, TreeNode};

/// The mean of the leaves that each row reaches, rows × [`Nodes::width`].
pub(in crate::models) fn write(
    trees: &[Nodes],
    num_features: u32,
    graph: &mut Graph,
    features: &str,
) -> Result<String, OnnxError> {
    let width = trees.first().map_or(1, Nodes::width);
    let nodes = trees.iter().map(Nodes::len).sum();
    let numbers = trees.iter().map(|tree| tree.num_leaves() * width).sum();
    let mut ensemble = TreeEnsemble::new(graph, nodes, numbers)?;
    for (tree, nodes) in trees.iter().enumerate() {
        for index in 0..nodes.len() {
            let (place, cover) = ([tree, index], nodes.cover(index));
            match nodes.node(index) {
                Node::Split { feature, threshold, left, right } => {
                    ensemble.split(place, "BRANCH_LEQ", (feature, threshold), [left, right], false, cover);
                }
                Node::Leaf(values) => ensemble.leaf(place, values.iter().copied().enumerate(), cover),
            }
        }
    }
    graph.describe("num_features", num_features);
    let sums = ensemble.write(graph, features, width)?;
    let count = graph.scalar(trees.len() as f64)?;
    Ok(graph.op("Div", &[&sums, &count]))
}

/// The classes, the number of features and the trees.
pub(in crate::models) fn read(parts: &Parts<'_>) -> Result<(Vec<String>, u32, Vec<Nodes>), OnnxReadError> {
    let wrong = |what: &str| OnnxReadError::damaged(format!("a tree of it is no tree: {what}"));
    let labels = parts.labels()?;
    let width = labels.len().max(1);
    let mut trees = Vec::new();
    for read in TreeEnsemble::read(parts)? {
        let mut nodes = Nodes::new(width);
        for node in &read {
            match node {
                TreeNode::Split { feature, threshold, children: [_, right], cover, .. } => {
                    nodes.push_split(*feature, *threshold, *cover);
                    nodes.set_right(*right);
                }
                TreeNode::Leaf { weights, cover } => {
                    if weights.iter().enumerate().any(|(place, (target, _))| place != *target) || weights.len() != width
                    {
                        return Err(wrong("a leaf has not one number a class"));
                    }
                    nodes.push_leaf(*cover, |leaves| leaves.extend(weights.iter().map(|(_, weight)| weight)));
                }
            }
        }
        trees.push(nodes);
    }
    Ok((labels, parts.described("num_features")?, trees))
}
