//! The tables of hyperparameters: names and defaults of scikit-learn, with the ranges that are accepted here.

use super::specification::{Accepts, DefaultValue, HyperparameterSpec};
use crate::models::algorithm::{Algorithm, Task};

/// Any integer that a JavaScript number holds exactly.
const LARGEST_SEED: i64 = 9_007_199_254_740_991;
/// No table has more rows than this.
const MANY: i64 = 1_000_000_000;

const fn spec(
    name: &'static str,
    aliases: &'static [&'static str],
    description: &'static str,
    accepts: &'static [Accepts],
    default: DefaultValue,
) -> HyperparameterSpec {
    HyperparameterSpec { name, aliases, description, accepts, default }
}

const fn at_least_zero() -> Accepts {
    Accepts::Number { min: 0.0, above: false, max: f64::INFINITY, below: false }
}

const fn fraction(max: f64, below: bool) -> Accepts {
    Accepts::Number { min: 0.0, above: true, max, below }
}

const N_ESTIMATORS: HyperparameterSpec = spec(
    "n_estimators",
    &["n_trees", "num_trees"],
    "The number of trees.",
    &[Accepts::Integer { min: 1, max: 100_000 }],
    DefaultValue::Integer(100),
);
const CRITERION_OF_CLASSES: HyperparameterSpec = spec(
    "criterion",
    &[],
    "The impurity that splits reduce: the Gini index, or the entropy (log_loss is the same).",
    &[Accepts::Choice(&["gini", "entropy", "log_loss"])],
    DefaultValue::Text("gini"),
);
const CRITERION_OF_NUMBERS: HyperparameterSpec = spec(
    "criterion",
    &[],
    "The impurity that splits reduce: the variance.",
    &[Accepts::Choice(&["squared_error"])],
    DefaultValue::Text("squared_error"),
);
const MAX_DEPTH: HyperparameterSpec = spec(
    "max_depth",
    &[],
    "The largest number of splits on the way to a leaf; null for no limit.",
    &[Accepts::Null, Accepts::Integer { min: 1, max: 1_000_000 }],
    DefaultValue::Null,
);
const MIN_SAMPLES_SPLIT: HyperparameterSpec = spec(
    "min_samples_split",
    &[],
    "The fewest rows in a node that may be split: a count, or a fraction of the rows.",
    &[Accepts::Integer { min: 2, max: MANY }, fraction(1.0, false)],
    DefaultValue::Integer(2),
);
const MIN_SAMPLES_LEAF: HyperparameterSpec = spec(
    "min_samples_leaf",
    &["min_leaf_size"],
    "The fewest rows on either side of a split: a count, or a fraction of the rows.",
    &[Accepts::Integer { min: 1, max: MANY }, fraction(1.0, true)],
    DefaultValue::Integer(1),
);
const MIN_WEIGHT_FRACTION_LEAF: HyperparameterSpec = spec(
    "min_weight_fraction_leaf",
    &[],
    "The smallest share of the total weight on either side of a split.",
    &[Accepts::Number { min: 0.0, above: false, max: 0.5, below: false }],
    DefaultValue::Number(0.0),
);
const MAX_FEATURES: &[Accepts] =
    &[Accepts::Null, Accepts::Integer { min: 1, max: MANY }, fraction(1.0, false), Accepts::Choice(&["sqrt", "log2"])];
const MAX_FEATURES_TEXT: &str = "How many features each split looks at: a count, a fraction, the square root or the binary logarithm of their number; null for all.";
const fn max_features(default: DefaultValue) -> HyperparameterSpec {
    spec("max_features", &[], MAX_FEATURES_TEXT, MAX_FEATURES, default)
}
const MIN_IMPURITY_DECREASE: HyperparameterSpec = spec(
    "min_impurity_decrease",
    &[],
    "A node is split only when that lowers the impurity by at least this much, weighted by the node's share of the rows.",
    &[at_least_zero()],
    DefaultValue::Number(0.0),
);
const BOOTSTRAP: HyperparameterSpec = spec(
    "bootstrap",
    &[],
    "Whether each tree learns from rows drawn with replacement rather than from all of them.",
    &[Accepts::Boolean],
    DefaultValue::Boolean(true),
);
const OOB_SCORE: HyperparameterSpec = spec(
    "oob_score",
    &[],
    "Whether to score the forest on the rows that each tree did not draw: accuracy, or R² for regression.",
    &[Accepts::Boolean],
    DefaultValue::Boolean(false),
);
const MAX_SAMPLES: HyperparameterSpec = spec(
    "max_samples",
    &["subsample"],
    "How many rows each tree draws: a count, or a fraction of the rows; null for as many as there are.",
    &[Accepts::Null, Accepts::Integer { min: 1, max: MANY }, fraction(10.0, false)],
    DefaultValue::Null,
);
const CLASS_WEIGHT: HyperparameterSpec = spec(
    "class_weight",
    &["class_weights"],
    "The weight of each class: null for 1, balanced for the inverse of its frequency, or an object from label to weight.",
    &[Accepts::Null, Accepts::Choice(&["balanced"]), Accepts::ClassWeights],
    DefaultValue::Null,
);
const CLASS_WEIGHT_OF_FOREST: HyperparameterSpec = spec(
    "class_weight",
    &["class_weights"],
    "As null, balanced or an object from label to weight; balanced_subsample takes the frequencies from each tree's own rows.",
    &[Accepts::Null, Accepts::Choice(&["balanced", "balanced_subsample"]), Accepts::ClassWeights],
    DefaultValue::Null,
);
const N_JOBS: HyperparameterSpec = spec(
    "n_jobs",
    &["num_threads", "nthread"],
    "The number of threads; null or -1 for all. The result does not depend on it.",
    &[Accepts::Null, Accepts::Integer { min: -1, max: -1 }, Accepts::Integer { min: 1, max: 1024 }],
    DefaultValue::Null,
);
const RANDOM_STATE: HyperparameterSpec = spec(
    "random_state",
    &["seed"],
    "The seed of this model; null for the seed of the call. Without random choices it changes nothing.",
    &[Accepts::Null, Accepts::Integer { min: 0, max: LARGEST_SEED }],
    DefaultValue::Null,
);
const SPLITTER: HyperparameterSpec = spec(
    "splitter",
    &[],
    "How a split is chosen: the best one.",
    &[Accepts::Choice(&["best"])],
    DefaultValue::Text("best"),
);
const FIT_INTERCEPT: HyperparameterSpec = spec(
    "fit_intercept",
    &[],
    "Whether the model has an intercept; it is never penalised.",
    &[Accepts::Boolean],
    DefaultValue::Boolean(true),
);
const PENALTY: HyperparameterSpec = spec(
    "penalty",
    &[],
    "The penalty on the coefficients: l2, or null (none is the same) for no penalty.",
    &[Accepts::Null, Accepts::Choice(&["l2", "none"])],
    DefaultValue::Text("l2"),
);
const INVERSE_PENALTY: HyperparameterSpec = spec(
    "C",
    &["c"],
    "The inverse of the strength of the penalty.",
    &[Accepts::Number { min: 0.0, above: true, max: f64::INFINITY, below: false }],
    DefaultValue::Number(1.0),
);
const MAX_ITER: HyperparameterSpec = spec(
    "max_iter",
    &["max_iterations"],
    "The largest number of iterations of L-BFGS.",
    &[Accepts::Integer { min: 1, max: 1_000_000 }],
    DefaultValue::Integer(100),
);
const TOLERANCE_OF_LOGISTIC: HyperparameterSpec = spec(
    "tol",
    &["tolerance"],
    "The iteration stops when no part of the gradient of the mean loss is larger.",
    &[Accepts::Number { min: 0.0, above: true, max: f64::INFINITY, below: false }],
    DefaultValue::Number(1e-4),
);
const TOLERANCE_OF_LINEAR: HyperparameterSpec = spec(
    "tol",
    &["tolerance"],
    "Directions of the features whose singular value is at most this share of the largest one are left out.",
    &[Accepts::Number { min: 0.0, above: false, max: 1.0, below: true }],
    DefaultValue::Number(1e-6),
);

static FOREST_CLASSIFIER: &[HyperparameterSpec] = &[
    N_ESTIMATORS,
    CRITERION_OF_CLASSES,
    MAX_DEPTH,
    MIN_SAMPLES_SPLIT,
    MIN_SAMPLES_LEAF,
    MIN_WEIGHT_FRACTION_LEAF,
    max_features(DefaultValue::Text("sqrt")),
    MIN_IMPURITY_DECREASE,
    BOOTSTRAP,
    OOB_SCORE,
    MAX_SAMPLES,
    CLASS_WEIGHT_OF_FOREST,
    N_JOBS,
    RANDOM_STATE,
];
static FOREST_REGRESSOR: &[HyperparameterSpec] = &[
    N_ESTIMATORS,
    CRITERION_OF_NUMBERS,
    MAX_DEPTH,
    MIN_SAMPLES_SPLIT,
    MIN_SAMPLES_LEAF,
    MIN_WEIGHT_FRACTION_LEAF,
    max_features(DefaultValue::Number(1.0)),
    MIN_IMPURITY_DECREASE,
    BOOTSTRAP,
    OOB_SCORE,
    MAX_SAMPLES,
    N_JOBS,
    RANDOM_STATE,
];
static TREE_CLASSIFIER: &[HyperparameterSpec] = &[
    CRITERION_OF_CLASSES,
    SPLITTER,
    MAX_DEPTH,
    MIN_SAMPLES_SPLIT,
    MIN_SAMPLES_LEAF,
    MIN_WEIGHT_FRACTION_LEAF,
    max_features(DefaultValue::Null),
    MIN_IMPURITY_DECREASE,
    CLASS_WEIGHT,
    RANDOM_STATE,
];
static TREE_REGRESSOR: &[HyperparameterSpec] = &[
    CRITERION_OF_NUMBERS,
    SPLITTER,
    MAX_DEPTH,
    MIN_SAMPLES_SPLIT,
    MIN_SAMPLES_LEAF,
    MIN_WEIGHT_FRACTION_LEAF,
    max_features(DefaultValue::Null),
    MIN_IMPURITY_DECREASE,
    RANDOM_STATE,
];
static LOGISTIC: &[HyperparameterSpec] =
    &[PENALTY, INVERSE_PENALTY, FIT_INTERCEPT, MAX_ITER, TOLERANCE_OF_LOGISTIC, CLASS_WEIGHT, RANDOM_STATE];
static LINEAR: &[HyperparameterSpec] = &[FIT_INTERCEPT, TOLERANCE_OF_LINEAR];

/// The hyperparameters of an algorithm for a task: for documentation, forms and search spaces.
///
/// Empty when the algorithm does not serve the task.
pub fn hyperparameter_table(algorithm: Algorithm, task: Task) -> &'static [HyperparameterSpec] {
    match (algorithm, task) {
        (Algorithm::RandomForest, Task::Classification) => FOREST_CLASSIFIER,
        (Algorithm::RandomForest, Task::Regression) => FOREST_REGRESSOR,
        (Algorithm::DecisionTree, Task::Classification) => TREE_CLASSIFIER,
        (Algorithm::DecisionTree, Task::Regression) => TREE_REGRESSOR,
        (Algorithm::LogisticRegression, Task::Classification) => LOGISTIC,
        (Algorithm::LinearRegression, Task::Regression) => LINEAR,
        (Algorithm::LogisticRegression, Task::Regression) | (Algorithm::LinearRegression, Task::Classification) => &[],
    }
}
