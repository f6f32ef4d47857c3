//! Boosted trees in ONNX.
//!
//! A split of categories compares a column of 0 and 1 that stands behind the features: whether the category goes to the
//! right. A missing category is missing there as well.

use super::model::BoostedTrees;
use super::nodes::{BoostedNode, BoostedTree};
use super::objective::Objective;
use crate::onnx::{Attribute, Element, Graph, OnnxError, OnnxReadError, Parts, TreeEnsemble, TreeNode};

/// The feature and the categories of each column of categories.
type Sets = Vec<(usize, Vec<u32>)>;

pub(super) fn write(model: &BoostedTrees, graph: &mut Graph, features: &str) -> Result<String, OnnxError> {
    let groups = model.objective.groups();
    let sets = sets(&model.trees);
    let nodes = model.trees.iter().map(BoostedTree::len).sum();
    let mut ensemble = TreeEnsemble::new(graph, nodes, nodes / 2 + model.trees.len())?;
    for (number, tree) in model.trees.iter().enumerate() {
        for index in 0..tree.len() {
            let (place, cover) = ([number, index], tree.cover(index));
            let (compared, default_left, left) = match tree.node(index) {
                BoostedNode::Leaf(value) => {
                    ensemble.leaf(place, std::iter::once((number % groups, f64::from(value))), cover);
                    continue;
                }
                BoostedNode::Split { feature, threshold, default_left, left } => {
                    ((feature, f64::from(threshold)), default_left, left)
                }
                BoostedNode::Categories { feature, right, default_left, left } => {
                    let column = sets.partition_point(|(of, set)| (*of, set.as_slice()) < (feature, right));
                    ((model.num_features + column, 0.5), default_left, left)
                }
            };
            ensemble.split(place, "BRANCH_LT", compared, [left, left + 1], default_left, cover);
        }
    }
    graph.describe("objective", serde_json::to_value(model.objective).unwrap_or_default());
    graph.describe("num_features", model.num_features);
    graph.describe("categorical", model.categorical.clone());
    graph.describe("category_sets", serde_json::to_value(&sets).unwrap_or_default());
    let columns = category_columns(&sets, graph, features)?;
    let columns = columns.iter().map(String::as_str).collect::<Vec<_>>();
    let columns = graph.side_by_side(&[&[features], columns.as_slice()].concat());
    let base = base_margins(model, graph)?;
    let margins = if model.trees.is_empty() {
        let nothing = graph.constant(&[model.num_features, groups], &vec![0.0; model.num_features * groups])?;
        graph.op("MatMul", &[features, &nothing])
    } else {
        ensemble.write(graph, &columns, groups)?
    };
    let margins = graph.op("Add", &[&margins, &base]);
    Ok(match model.objective {
        Objective::Logistic { .. } => graph.odds(&margins),
        Objective::Softmax { .. } => graph.softmax(&margins),
        Objective::Poisson { .. } | Objective::Tweedie { .. } => {
            let (low, high) = (graph.scalar(-87.0)?, graph.scalar(87.0)?);
            let margins = graph.op("Clip", &[&margins, &low, &high]);
            graph.op("Exp", &[&margins])
        }
        Objective::Squared | Objective::Absolute | Objective::Quantile { .. } => margins,
    })
}

/// The margin before the first tree, one a group.
fn base_margins(model: &BoostedTrees, graph: &mut Graph) -> Result<String, OnnxError> {
    let scores = graph.parameter_single("base_scores", &[model.base_scores.len()], &model.base_scores)?;
    let scores = graph.cast(&scores, Element::Double);
    Ok(match model.objective {
        Objective::Logistic { .. } => {
            let one = graph.scalar(1.0)?;
            let rest = graph.op("Sub", &[&one, &scores]);
            let odds = graph.op("Div", &[&scores, &rest]);
            graph.op("Log", &[&odds])
        }
        Objective::Poisson { .. } | Objective::Tweedie { .. } => graph.op("Log", &[&scores]),
        _ => scores,
    })
}

/// The sets of categories that splits ask for, each once, in order.
fn sets(trees: &[BoostedTree]) -> Sets {
    let of = |tree: &BoostedTree| {
        let sets = tree.categories.iter();
        sets.map(|(node, right)| (tree.features[*node as usize] as usize, right.clone())).collect::<Vec<_>>()
    };
    let mut sets = trees.iter().flat_map(of).collect::<Vec<_>>();
    sets.sort();
    sets.dedup();
    sets
}

/// The columns of 0 and 1, feature by feature: a table has a row for each category that any set holds, and one more for
/// all others.
fn category_columns(sets: &Sets, graph: &mut Graph, features: &str) -> Result<Vec<String>, OnnxError> {
    let mut columns = Vec::new();
    for sets in sets.chunk_by(|a, b| a.0 == b.0) {
        let mut categories = sets.iter().flat_map(|(_, set)| set.iter().copied()).collect::<Vec<_>>();
        categories.sort_unstable();
        categories.dedup();
        let rows = categories.len() + 1;
        graph.reserve(rows.saturating_mul(sets.len()).saturating_mul(8))?;
        let mut table = vec![0.0; rows * sets.len()];
        for (column, (_, set)) in sets.iter().enumerate() {
            for (row, _) in categories.iter().enumerate().filter(|(_, category)| set.binary_search(category).is_ok()) {
                table[row * sets.len() + column] = 1.0;
            }
        }
        let table = graph.constant(&[rows, sets.len()], &table)?;
        let keys = categories.iter().map(|&category| category as f32).collect::<Vec<_>>();
        let places = (0..categories.len()).map(|row| row as f32).collect::<Vec<_>>();
        let place = graph.ints(&[sets[0].0 as i64])?;
        let value = graph.op_with("Gather", &[features, &place], &[("axis", Attribute::Int(1))]);
        let single = graph.cast(&value, Element::Float);
        let attributes = [
            ("keys_floats", Attribute::Floats(&keys)),
            ("values_floats", Attribute::Floats(&places)),
            ("default_float", Attribute::Float(categories.len() as f32)),
        ];
        let row = graph.op_with("LabelEncoder", &[&single], &attributes);
        let row = graph.cast(&row, Element::Int);
        let shape = graph.ints(&[-1])?;
        let row = graph.op("Reshape", &[&row, &shape]);
        let found = graph.op("Gather", &[&table, &row]);
        let missing = graph.op("IsNaN", &[&value]);
        columns.push(graph.op("Where", &[&missing, &value, &found]));
    }
    Ok(columns)
}

impl BoostedTrees {
    /// Gains and the values of inner nodes, which no prediction needs, are 0.
    pub(in crate::models) fn from_onnx(parts: &Parts<'_>) -> Result<Self, OnnxReadError> {
        let num_features: usize = parts.described("num_features")?;
        let sets: Sets = parts.described("category_sets")?;
        let objective: Objective = parts.described("objective")?;
        let labels = parts.labels()?;
        let base_scores = parts.singles("base_scores")?;
        // Before anything is counted by groups, that number is known to be real.
        if base_scores.len() != objective.groups() {
            return Err(OnnxReadError::damaged("`base_scores` has not one number a group"));
        }
        let read = if parts.has_trees() { TreeEnsemble::read(parts)? } else { Vec::new() };
        let trees = read.into_iter().enumerate();
        let trees = trees.map(|(number, nodes)| tree(nodes, number % objective.groups().max(1), num_features, &sets));
        let trees = trees.collect::<Result<Vec<_>, _>>()?;
        Ok(Self { objective, labels, num_features, categorical: parts.described("categorical")?, base_scores, trees })
    }
}

fn tree(nodes: Vec<TreeNode>, group: usize, num_features: usize, sets: &Sets) -> Result<BoostedTree, OnnxReadError> {
    let wrong = |what: &str| OnnxReadError::damaged(format!("a boosted tree of it is no tree: {what}"));
    let (mut tree, mut added) = (BoostedTree::root(0.0, 0.0), 0);
    for node in nodes {
        let index = if added == 0 { 0 } else { tree.push(0.0, 0.0) as usize };
        added += 1;
        match node {
            TreeNode::Leaf { weights, cover } => {
                let [(target, value)] = weights[..] else { return Err(wrong("a leaf has not one number")) };
                if target != group {
                    return Err(wrong("a leaf adds to another class"));
                }
                (tree.values[index], tree.covers[index]) = (value as f32, cover as f32);
            }
            TreeNode::Split { feature, threshold, children: [left, _], missing_left, cover } => {
                tree.left[index] = u32::try_from(left).map_err(|_| wrong("a child is out of range"))?;
                (tree.default_left[index], tree.covers[index]) = (missing_left, cover as f32);
                if feature < num_features {
                    (tree.features[index], tree.values[index]) = (feature as u32, threshold as f32);
                } else {
                    let set = sets.get(feature - num_features).ok_or_else(|| wrong("its categories are not there"))?;
                    tree.features[index] = u32::try_from(set.0).map_err(|_| wrong("a feature is out of range"))?;
                    tree.categories.push((index as u32, set.1.clone()));
                }
            }
        }
    }
    if added == 0 { Err(wrong("it has no node")) } else { Ok(tree) }
}
