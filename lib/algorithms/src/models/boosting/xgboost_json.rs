//! XGBoost's JSON model format (version 3): written so that `Booster.load_model` takes it, and read back.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::model::BoostedTrees;
use super::nodes::{BoostedNode, BoostedTree};
use super::objective::Objective;

pub use super::xgboost_json_reader::XgboostJsonError;

/// The attribute that keeps the labels of the classes, which XGBoost does not know.
pub(super) const LABELS: &str = "labels";
/// XGBoost's parent of a root.
const NO_PARENT: i32 = i32::MAX;
/// What XGBoost writes as the condition of a split of categories.
const NO_CONDITION: f32 = 1e-45;

impl BoostedTrees {
    /// The model as XGBoost 3 writes one; it predicts the same there. `feature_names` may be empty; they are left out when
    /// XGBoost would refuse one of them.
    pub fn to_xgboost_json(&self, feature_names: &[String]) -> Value {
        let sound = |name: &String| !name.is_empty() && !name.contains(['[', ']', '<']);
        let named = feature_names.len() == self.num_features && feature_names.iter().all(sound);
        let names = if named { feature_names } else { &[] };
        let kind = |categorical: &bool| if *categorical { "c" } else { "q" };
        let kinds: Vec<&str> = self.categorical.iter().map(kind).collect();
        let groups = self.objective.groups();
        let info: Vec<usize> = (0..self.trees.len()).map(|tree| tree % groups).collect();
        let rounds: Vec<usize> = (0..=self.rounds()).map(|round| round * groups).collect();
        let trees: Vec<Value> = self.trees.iter().enumerate().map(|(id, tree)| self.tree(id, tree)).collect();
        let base = self.base_scores.iter().map(|score| format!("{score:E}")).collect::<Vec<_>>().join(",");
        let classes = if groups > 1 { groups } else { 0 };
        let mut attributes = Map::new();
        if !self.labels.is_empty() {
            attributes.insert(LABELS.to_owned(), Value::String(Value::from(self.labels.clone()).to_string()));
        }
        json!({
            "learner": {
                "attributes": attributes,
                "feature_names": names,
                "feature_types": kinds,
                "gradient_booster": {
                    "model": {
                        "cats": {"enc": [], "feature_segments": [], "sorted_idx": []},
                        "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": self.trees.len().to_string()},
                        "iteration_indptr": rounds,
                        "tree_info": info,
                        "trees": trees,
                    },
                    "name": "gbtree",
                },
                "learner_model_param": {
                    "base_score": format!("[{base}]"),
                    "boost_from_average": "1",
                    "num_class": classes.to_string(),
                    "num_feature": self.num_features.to_string(),
                    "num_target": "1",
                },
                "objective": objective(self.objective),
            },
            "version": [3, 2, 0],
        })
    }

    fn tree(&self, id: usize, tree: &BoostedTree) -> Value {
        let count = tree.len();
        let mut parents = vec![NO_PARENT; count];
        let (mut left, mut right, mut kinds) = (vec![-1_i64; count], vec![-1_i64; count], vec![0; count]);
        let (mut indices, mut conditions) = (vec![0; count], tree.values.clone());
        let (mut categories, mut starts, mut sizes, mut nodes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut weights = tree.weights.clone();
        for index in 0..count {
            let (feature, child) = match tree.node(index) {
                BoostedNode::Leaf(value) => {
                    weights[index] = value;
                    continue;
                }
                BoostedNode::Split { feature, left, .. } => (feature, left),
                BoostedNode::Categories { feature, right, left, .. } => {
                    kinds[index] = 1;
                    conditions[index] = NO_CONDITION;
                    nodes.push(index);
                    starts.push(categories.len());
                    sizes.push(right.len());
                    categories.extend_from_slice(right);
                    (feature, left)
                }
            };
            indices[index] = feature;
            (left[index], right[index]) = (child as i64, child as i64 + 1);
            (parents[child], parents[child + 1]) = (index as i32, index as i32);
        }
        json!({
            "base_weights": numbers(&weights),
            "categories": categories,
            "categories_nodes": nodes,
            "categories_segments": starts,
            "categories_sizes": sizes,
            "default_left": tree.default_left.iter().map(|&left| u8::from(left)).collect::<Vec<_>>(),
            "id": id,
            "left_children": left,
            "loss_changes": numbers(&tree.gains),
            "parents": parents,
            "right_children": right,
            "split_conditions": numbers(&conditions),
            "split_indices": indices,
            "split_type": kinds,
            "sum_hessian": numbers(&tree.covers),
            "tree_param": {
                "num_deleted": "0",
                "num_feature": self.num_features.to_string(),
                "num_nodes": count.to_string(),
                "size_leaf_vector": "1",
            },
        })
    }
}

fn objective(objective: Objective) -> Value {
    let mut value = json!({"name": objective.name()});
    let (key, parameters) = match objective {
        Objective::Logistic { scale_pos_weight } => {
            ("reg_loss_param", json!({"scale_pos_weight": scale_pos_weight.to_string()}))
        }
        Objective::Squared => ("reg_loss_param", json!({"scale_pos_weight": "1"})),
        Objective::Softmax { classes } => ("softmax_multiclass_param", json!({"num_class": classes.to_string()})),
        Objective::Absolute => return value,
        Objective::Quantile { alpha } => ("quantile_loss_param", json!({"quantile_alpha": format!("[{alpha}]")})),
        Objective::Poisson { max_delta_step } => {
            ("poisson_regression_param", json!({"max_delta_step": max_delta_step.to_string()}))
        }
        Objective::Tweedie { power } => {
            ("tweedie_regression_param", json!({"tweedie_variance_power": power.to_string()}))
        }
    };
    value[key] = parameters;
    value
}

/// The shortest decimals that read back as the same numbers in single precision.
fn numbers(values: &[f32]) -> Vec<f64> {
    let mut text = String::new();
    let shortest = |&value: &f32| {
        text.clear();
        let written = write!(text, "{value}").ok().and_then(|()| text.parse().ok());
        written.unwrap_or_else(|| f64::from(value))
    };
    values.iter().map(shortest).collect()
}
