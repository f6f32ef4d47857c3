//! Hyperparameters of nearest neighbours and of naive Bayes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Parameters;
use super::common::{MANY, PRIORS, at_least_zero, spec};
use super::definition::Definition;
use super::specification::{Accepts, Checked, DefaultValue, HyperparameterSpec};
use super::unavailable::{self, Unavailable, entry};
use crate::models::knn::Metric;

/// How neighbours are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnnParameters {
    /// How many neighbours answer.
    pub n_neighbors: usize,
    /// How much the voice of each counts.
    pub weights: NeighbourWeights,
    /// How distances are measured.
    pub metric: Metric,
    /// How neighbours are found.
    pub search: SearchMethod,
}

/// How much the voice of a neighbour counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NeighbourWeights {
    /// All the same.
    Uniform,
    /// The inverse of the distance.
    Distance,
}

/// How neighbours are found; the result is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchMethod {
    /// By a tree for few features, else by looking at all rows.
    Auto,
    /// By a tree.
    Tree,
    /// By looking at all rows.
    BruteForce,
}

/// How naive Bayes is fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct NaiveBayesParameters {
    /// The share of the largest variance of a feature that is added to all variances.
    pub var_smoothing: f64,
    /// The probability of each class; `None` for its share of the weight.
    pub priors: Option<BTreeMap<String, f64>>,
}

const N_NEIGHBORS: HyperparameterSpec = spec(
    "n_neighbors",
    &["k"],
    "How many neighbours answer; at most the number of rows.",
    &[Accepts::Integer { min: 1, max: MANY }],
    DefaultValue::Integer(5),
);
const WEIGHTS: HyperparameterSpec = spec(
    "weights",
    &[],
    "How much each neighbour counts: uniform for the same, distance for the inverse of its distance.",
    &[Accepts::Choice(&["uniform", "distance"])],
    DefaultValue::Text("uniform"),
);
const SEARCH: HyperparameterSpec = spec(
    "algorithm",
    &[],
    "How neighbours are found, which changes no result: kd_tree (ball_tree is the same), brute, or auto by the number of features.",
    &[Accepts::Choice(&["auto", "kd_tree", "ball_tree", "brute"])],
    DefaultValue::Text("auto"),
);
const LEAF_SIZE: HyperparameterSpec = spec(
    "leaf_size",
    &[],
    "Accepted for the sake of scikit-learn; leaves of the tree have their own size, and no result depends on it.",
    &[Accepts::Integer { min: 1, max: MANY }],
    DefaultValue::Integer(30),
);
const POWER: HyperparameterSpec = spec(
    "p",
    &[],
    "The power of the metric minkowski: 2 is euclidean, 1 is manhattan.",
    &[Accepts::Integer { min: 1, max: 2 }],
    DefaultValue::Integer(2),
);
const METRIC: HyperparameterSpec = spec(
    "metric",
    &[],
    "How distances are measured: minkowski goes by p; euclidean (l2) and manhattan (l1, cityblock) do not.",
    &[Accepts::Choice(&["minkowski", "euclidean", "l2", "manhattan", "l1", "cityblock"])],
    DefaultValue::Text("minkowski"),
);
const VAR_SMOOTHING: HyperparameterSpec = spec(
    "var_smoothing",
    &[],
    "The share of the largest variance of a feature that is added to all variances.",
    &[at_least_zero()],
    DefaultValue::Number(1e-9),
);

static NEIGHBOURS: &[HyperparameterSpec] = &[N_NEIGHBORS, WEIGHTS, SEARCH, LEAF_SIZE, POWER, METRIC];
static BAYES: &[HyperparameterSpec] = &[PRIORS, VAR_SMOOTHING];
static NEIGHBOURS_UNAVAILABLE: &[Unavailable] =
    &[entry("metric_params", || vec![Value::Null], "the metrics have no further parameters"), unavailable::N_JOBS];

/// Nearest neighbours for both tasks.
pub(super) static KNN: Definition = Definition {
    classification: NEIGHBOURS,
    regression: NEIGHBOURS,
    unavailable: NEIGHBOURS_UNAVAILABLE,
    parse: |values| {
        Ok(Parameters::Knn(KnnParameters {
            n_neighbors: values.count("n_neighbors").unwrap_or(5),
            weights: match values.get("weights") {
                Checked::Text("distance") => NeighbourWeights::Distance,
                _ => NeighbourWeights::Uniform,
            },
            metric: match values.get("metric") {
                Checked::Text("manhattan" | "l1" | "cityblock") => Metric::Manhattan,
                Checked::Text("minkowski") if values.integer("p") == Some(1) => Metric::Manhattan,
                _ => Metric::Euclidean,
            },
            search: match values.get("algorithm") {
                Checked::Text("kd_tree" | "ball_tree") => SearchMethod::Tree,
                Checked::Text("brute") => SearchMethod::BruteForce,
                _ => SearchMethod::Auto,
            },
        }))
    },
};
/// Gaussian naive Bayes.
pub(super) static NAIVE_BAYES: Definition = Definition {
    classification: BAYES,
    regression: &[],
    unavailable: &[],
    parse: |values| {
        Ok(Parameters::NaiveBayes(NaiveBayesParameters {
            var_smoothing: values.number("var_smoothing").unwrap_or(1e-9),
            priors: values.priors(),
        }))
    },
};
