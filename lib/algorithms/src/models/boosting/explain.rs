//! Boosted trees as exact Shapley values see them.

use super::model::BoostedTrees;
use super::nodes::{BoostedNode, BoostedTree};
use super::objective::Objective;
use crate::models::tree::shap::{Ensemble, Link, ShapTree, Test};

/// The trees with their margins; `None` when a category's number is too large to be told apart.
pub(super) fn explained(model: &BoostedTrees) -> Option<Ensemble> {
    let groups = model.objective.groups();
    let trees = model.trees.iter().enumerate().map(|(index, tree)| shap_tree(tree, index % groups));
    let link = if matches!(model.objective, Objective::Logistic { .. }) { Link::Logistic } else { Link::Identity };
    let base = model.base_margins();
    Some(Ensemble { trees: trees.collect::<Option<_>>()?, num_features: model.num_features, base, scale: 1.0, link })
}

fn shap_tree(tree: &BoostedTree, group: usize) -> Option<ShapTree> {
    let mut shap = ShapTree::new(1, group);
    // Each node with the parent whose right child it is.
    let mut open = vec![(0, None)];
    while let Some((index, parent)) = open.pop() {
        if let Some(parent) = parent {
            shap.join(parent);
        }
        let cover = tree.cover(index);
        match tree.node(index) {
            BoostedNode::Leaf(value) => shap.push_leaf(&[f64::from(value)], cover),
            BoostedNode::Split { feature, threshold, default_left, left } => {
                let parent = shap.push_split(feature, Test::AtMost(threshold.next_down()), default_left, cover);
                open.extend([(left + 1, Some(parent)), (left, None)]);
            }
            BoostedNode::Categories { feature, right, default_left, left } => {
                let mut among = Box::new([u64::MAX; 4]);
                for &category in right {
                    *among.get_mut(category as usize / 64)? &= !(1 << (category % 64));
                }
                let parent = shap.push_split(feature, Test::Among(among), default_left, cover);
                open.extend([(left + 1, Some(parent)), (left, None)]);
            }
        }
    }
    Some(shap)
}
