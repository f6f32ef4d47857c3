//! Reading XGBoost's JSON model format; nothing in such a file is trusted.

use std::str::FromStr;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::model::BoostedTrees;
use super::nodes::BoostedTree;
use super::objective::Objective;
use super::xgboost_json::LABELS;
use crate::models::InvalidModel;
use crate::models::predictor::Predictor;

/// Why a file is no XGBoost model that can be read here.
#[derive(Debug, thiserror::Error)]
pub enum XgboostJsonError {
    /// It is not the JSON of such a model.
    #[error("this is not an XGBoost model in JSON: {0}; save it with Booster.save_model('model.json')")]
    Format(#[from] serde_json::Error),
    /// It is a kind of model that is not built here.
    #[error("the XGBoost model has {what} = {given}, but only {possible} can be read")]
    Unsupported {
        /// What it has.
        what: &'static str,
        /// What of it.
        given: String,
        /// What can be read.
        possible: &'static str,
    },
    /// A number is no number, or two parts contradict each other.
    #[error("the XGBoost model is damaged: {what}")]
    Damaged {
        /// The place and what is wrong there.
        what: String,
    },
    /// The model that it describes contradicts itself.
    #[error(transparent)]
    Invalid(#[from] InvalidModel),
}

#[derive(Deserialize)]
struct File {
    learner: Learner,
}

#[derive(Deserialize)]
struct Learner {
    #[serde(default)]
    attributes: Map<String, Value>,
    #[serde(default)]
    feature_types: Vec<String>,
    gradient_booster: Booster,
    #[serde(rename = "learner_model_param")]
    parameters: Map<String, Value>,
    objective: Map<String, Value>,
}

#[derive(Deserialize)]
struct Booster {
    name: String,
    #[serde(default)]
    model: Option<Ensemble>,
}

#[derive(Deserialize)]
struct Ensemble {
    #[serde(default)]
    cats: Option<Categories>,
    tree_info: Vec<usize>,
    trees: Vec<Tree>,
}

#[derive(Deserialize)]
struct Categories {
    #[serde(default)]
    enc: Vec<Value>,
}

#[derive(Deserialize)]
struct Tree {
    base_weights: Vec<f32>,
    #[serde(default)]
    categories: Vec<u32>,
    #[serde(default)]
    categories_nodes: Vec<usize>,
    #[serde(default)]
    categories_segments: Vec<usize>,
    #[serde(default)]
    categories_sizes: Vec<usize>,
    default_left: Vec<Flag>,
    left_children: Vec<i64>,
    loss_changes: Vec<f32>,
    right_children: Vec<i64>,
    split_conditions: Vec<f32>,
    split_indices: Vec<u32>,
    #[serde(default)]
    split_type: Vec<u8>,
    sum_hessian: Vec<f32>,
    #[serde(rename = "tree_param")]
    parameters: Map<String, Value>,
}

/// 0 and 1, or false and true as older versions wrote them.
#[derive(Deserialize, Clone, Copy)]
#[serde(untagged)]
enum Flag {
    Number(u8),
    Boolean(bool),
}

fn damaged(what: impl Into<String>) -> XgboostJsonError {
    XgboostJsonError::Damaged { what: what.into() }
}

/// A number that stands in text, as XGBoost keeps its parameters.
fn number<T: FromStr>(parameters: &Map<String, Value>, name: &str) -> Result<T, XgboostJsonError> {
    let value = parameters.get(name).and_then(Value::as_str).ok_or_else(|| damaged(format!("it has no {name}")))?;
    value.parse().map_err(|_| damaged(format!("{name} is '{value}', which is no number in its range")))
}

/// One number in text, or several in brackets.
fn list<T: FromStr>(parameters: &Map<String, Value>, name: &str) -> Result<Vec<T>, XgboostJsonError> {
    let value = parameters.get(name).and_then(Value::as_str).ok_or_else(|| damaged(format!("it has no {name}")))?;
    let items = value.trim().trim_start_matches('[').trim_end_matches(']').split(',');
    let items = items.map(|item| item.trim().parse().map_err(|_| damaged(format!("{name} is '{value}'"))));
    items.collect()
}

fn object<'a>(parameters: &'a Map<String, Value>, name: &str) -> Result<&'a Map<String, Value>, XgboostJsonError> {
    parameters.get(name).and_then(Value::as_object).ok_or_else(|| damaged(format!("the objective has no {name}")))
}

impl BoostedTrees {
    /// Reads a model that XGBoost (1.7 and later) or [`BoostedTrees::to_xgboost_json`] wrote.
    ///
    /// Classes without labels are called by their numbers.
    pub fn from_xgboost_json(text: &str) -> Result<Self, XgboostJsonError> {
        let File { learner } = parse(text)?;
        let num_features: usize = number(&learner.parameters, "num_feature")?;
        let has_targets = learner.parameters.contains_key("num_target");
        let targets: usize = if has_targets { number(&learner.parameters, "num_target")? } else { 1 };
        only("num_target", targets.to_string(), targets <= 1, "one target")?;
        let objective = objective(&learner)?;
        let booster = learner.gradient_booster;
        only("booster", booster.name.clone(), booster.name == "gbtree", "gbtree")?;
        let ensemble = booster.model.ok_or_else(|| damaged("the booster has no model"))?;
        let encoded = ensemble.cats.is_some_and(|cats| !cats.enc.is_empty());
        let possible = "features of numbers, or of categories that are numbers themselves";
        only("cats", "named categories".to_owned(), !encoded, possible)?;
        let groups = objective.groups();
        let mut base_scores: Vec<f32> = list(&learner.parameters, "base_score")?;
        if base_scores.len() == 1 {
            base_scores = vec![base_scores[0]; groups];
        }
        let in_turn = ensemble.tree_info.iter().enumerate().all(|(tree, group)| *group == tree % groups);
        if ensemble.tree_info.len() != ensemble.trees.len() || !in_turn {
            return Err(damaged("tree_info does not give every class one tree in turn"));
        }
        let trees = ensemble.trees.into_iter().enumerate();
        let trees = trees.map(|(place, tree)| tree.read().map_err(|what| damaged(format!("tree {place}: {what}"))));
        let trees = trees.collect::<Result<Vec<_>, _>>()?;
        let categorical: Vec<bool> = learner.feature_types.iter().map(|kind| kind == "c").collect();
        let categorical = if categorical.contains(&true) { categorical } else { Vec::new() };
        let labels = labels(&learner.attributes, objective)?;
        let model = Self { objective, labels, num_features, categorical, base_scores, trees };
        model.validate()?;
        Ok(model)
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, XgboostJsonError> {
    Ok(serde_json::from_str(text)?)
}

fn only(what: &'static str, given: String, fits: bool, possible: &'static str) -> Result<(), XgboostJsonError> {
    if fits { Ok(()) } else { Err(XgboostJsonError::Unsupported { what, given, possible }) }
}

fn objective(learner: &Learner) -> Result<Objective, XgboostJsonError> {
    let parameters = &learner.objective;
    let name = parameters.get("name").and_then(Value::as_str).ok_or_else(|| damaged("the objective has no name"))?;
    Ok(match name {
        "binary:logistic" => {
            Objective::Logistic { scale_pos_weight: number(object(parameters, "reg_loss_param")?, "scale_pos_weight")? }
        }
        "multi:softprob" | "multi:softmax" => {
            Objective::Softmax { classes: number(object(parameters, "softmax_multiclass_param")?, "num_class")? }
        }
        "reg:squarederror" => Objective::Squared,
        "reg:absoluteerror" => Objective::Absolute,
        "reg:quantileerror" => {
            let alphas: Vec<f64> = list(object(parameters, "quantile_loss_param")?, "quantile_alpha")?;
            only("quantile_alpha", format!("{alphas:?}"), alphas.len() == 1, "one quantile")?;
            Objective::Quantile { alpha: alphas[0] }
        }
        "count:poisson" => Objective::Poisson {
            max_delta_step: number(object(parameters, "poisson_regression_param")?, "max_delta_step")?,
        },
        "reg:tweedie" => Objective::Tweedie {
            power: number(object(parameters, "tweedie_regression_param")?, "tweedie_variance_power")?,
        },
        other => {
            let possible = "binary:logistic, multi:softprob, multi:softmax, reg:squarederror, reg:absoluteerror, \
                            reg:quantileerror, count:poisson and reg:tweedie";
            return Err(XgboostJsonError::Unsupported { what: "objective", given: other.to_owned(), possible });
        }
    })
}

fn labels(attributes: &Map<String, Value>, objective: Objective) -> Result<Vec<String>, XgboostJsonError> {
    let classes = match objective {
        Objective::Logistic { .. } => 2,
        // A tree a class is needed, so that a file cannot ask for more labels than it has room for.
        Objective::Softmax { classes } => classes.min(1 << 16),
        _ => return Ok(Vec::new()),
    };
    match attributes.get(LABELS).and_then(Value::as_str) {
        Some(labels) => parse(labels),
        None => Ok((0..classes).map(|class| class.to_string()).collect()),
    }
}

impl Tree {
    /// The tree with its nodes in the order that [`BoostedTree`] wants, level by level.
    fn read(self) -> Result<BoostedTree, &'static str> {
        let count = self.left_children.len();
        let lengths = [self.base_weights.len(), self.default_left.len(), self.loss_changes.len()];
        let lengths = lengths.into_iter().chain([self.right_children.len(), self.split_conditions.len()]);
        if count == 0 || lengths.chain([self.split_indices.len(), self.sum_hessian.len()]).any(|length| length != count)
        {
            return Err("its arrays are empty or differ in length");
        }
        let size = self.parameters.get("size_leaf_vector").and_then(Value::as_str).unwrap_or("1");
        if !matches!(size, "0" | "1") {
            return Err("its leaves hold vectors, which cannot be read");
        }
        let categories = self.categories()?;
        let mut tree = BoostedTree::root(0.0, 0.0);
        let mut order = vec![0_usize];
        let mut place = 0;
        while let Some(&node) = order.get(place) {
            tree.covers[place] = self.sum_hessian[node];
            tree.weights[place] = self.base_weights[node];
            tree.default_left[place] = match self.default_left[node] {
                Flag::Number(number) => number != 0,
                Flag::Boolean(boolean) => boolean,
            };
            tree.values[place] = self.split_conditions[node];
            let children = [self.left_children[node], self.right_children[node]];
            if children != [-1, -1] {
                if order.len() + 2 > count {
                    return Err("it is no tree: a node has several parents");
                }
                for child in children {
                    let child = usize::try_from(child).ok().filter(|child| *child < count);
                    order.push(child.ok_or("a child is out of range")?);
                }
                tree.features[place] = self.split_indices[node];
                tree.gains[place] = self.loss_changes[node];
                tree.left[place] = tree.push(0.0, 0.0);
                tree.push(0.0, 0.0);
                if self.split_type.get(node) == Some(&1) {
                    let right = categories.iter().find(|(other, _)| *other == node);
                    let (_, right) = right.ok_or("a split of categories has none")?;
                    tree.categories.push((place as u32, right.clone()));
                    tree.values[place] = 0.0;
                }
            }
            place += 1;
        }
        Ok(tree)
    }

    /// The categories that go to the right at each split of categories.
    fn categories(&self) -> Result<Vec<(usize, Vec<u32>)>, &'static str> {
        let (nodes, starts, sizes) = (&self.categories_nodes, &self.categories_segments, &self.categories_sizes);
        if nodes.len() != starts.len() || nodes.len() != sizes.len() {
            return Err("the arrays of its categories differ in length");
        }
        let parts = nodes.iter().zip(starts.iter().zip(sizes));
        let parts = parts.map(|(&node, (&start, &size))| {
            let end = start.checked_add(size).ok_or("its categories are out of range")?;
            let right = self.categories.get(start..end).ok_or("its categories are out of range")?;
            Ok((node, right.to_vec()))
        });
        parts.collect()
    }
}
