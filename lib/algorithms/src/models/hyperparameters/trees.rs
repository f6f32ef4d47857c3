//! Hyperparameters of decision trees and forests of them.

use serde_json::json;

use super::common::{CLASS_WEIGHT, MANY, N_JOBS, RANDOM_STATE, at_least_zero, fraction, spec};
use super::definition::Definition;
use super::specification::{Accepts, Checked, DefaultValue, HyperparameterSpec};
use super::unavailable::{self, Unavailable, entry, null, zero};
use super::values::{Amount, Values};
use super::{HyperparameterError, Parameters};
use crate::models::class_weight::ClassWeight;

/// How one tree grows.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeParameters {
    /// The impurity that splits reduce.
    pub criterion: ImpurityMeasure,
    /// The largest number of splits on the way to a leaf.
    pub max_depth: Option<usize>,
    /// The fewest rows in a node that may be split.
    pub min_samples_split: Amount,
    /// The fewest rows on either side of a split.
    pub min_samples_leaf: Amount,
    /// The smallest share of the total weight on either side of a split.
    pub min_weight_fraction_leaf: f64,
    /// How many features each split looks at.
    pub max_features: MaxFeatures,
    /// The least weighted decrease of impurity that is worth a split.
    pub min_impurity_decrease: f64,
    /// The weights of the classes.
    pub class_weight: ClassWeight,
    /// The seed of the model, in place of the call's.
    pub random_state: Option<u64>,
}

/// How a forest is made.
#[derive(Debug, Clone, PartialEq)]
pub struct ForestParameters {
    /// How each of its trees grows.
    pub tree: TreeParameters,
    /// The number of trees.
    pub n_estimators: usize,
    /// Whether each tree learns from rows drawn with replacement.
    pub bootstrap: bool,
    /// Whether to score the forest on the rows that each tree did not draw.
    pub oob_score: bool,
    /// How many rows each tree draws; `None` for as many as there are.
    pub max_samples: Option<Amount>,
    /// The number of threads; `None` for all.
    pub n_jobs: Option<usize>,
}

/// How many features a split looks at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MaxFeatures {
    /// All of them.
    All,
    /// The square root of their number.
    SquareRoot,
    /// The binary logarithm of their number.
    BinaryLogarithm,
    /// A count or a fraction.
    Amount(Amount),
}

/// The impurity of a node, which splits reduce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImpurityMeasure {
    /// The Gini index.
    Gini,
    /// The entropy in bits.
    Entropy,
    /// The variance.
    SquaredError,
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
const BOOTSTRAP_OF_EXTRA_TREES: HyperparameterSpec =
    spec(BOOTSTRAP.name, BOOTSTRAP.aliases, BOOTSTRAP.description, BOOTSTRAP.accepts, DefaultValue::Boolean(false));
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
const CLASS_WEIGHT_OF_FOREST: HyperparameterSpec = spec(
    "class_weight",
    &["class_weights"],
    "As null, balanced or an object from label to weight; balanced_subsample takes the frequencies from each tree's own rows.",
    &[Accepts::Null, Accepts::Choice(&["balanced", "balanced_subsample"]), Accepts::ClassWeights],
    DefaultValue::Null,
);
const SPLITTER: HyperparameterSpec = spec(
    "splitter",
    &[],
    "How a split is chosen: the best one.",
    &[Accepts::Choice(&["best"])],
    DefaultValue::Text("best"),
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
static EXTRA_TREES_CLASSIFIER: &[HyperparameterSpec] = &[
    N_ESTIMATORS,
    CRITERION_OF_CLASSES,
    MAX_DEPTH,
    MIN_SAMPLES_SPLIT,
    MIN_SAMPLES_LEAF,
    MIN_WEIGHT_FRACTION_LEAF,
    max_features(DefaultValue::Text("sqrt")),
    MIN_IMPURITY_DECREASE,
    BOOTSTRAP_OF_EXTRA_TREES,
    OOB_SCORE,
    MAX_SAMPLES,
    CLASS_WEIGHT_OF_FOREST,
    N_JOBS,
    RANDOM_STATE,
];
static EXTRA_TREES_REGRESSOR: &[HyperparameterSpec] = &[
    N_ESTIMATORS,
    CRITERION_OF_NUMBERS,
    MAX_DEPTH,
    MIN_SAMPLES_SPLIT,
    MIN_SAMPLES_LEAF,
    MIN_WEIGHT_FRACTION_LEAF,
    max_features(DefaultValue::Number(1.0)),
    MIN_IMPURITY_DECREASE,
    BOOTSTRAP_OF_EXTRA_TREES,
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
static UNAVAILABLE: &[Unavailable] = &[
    entry(
        "max_leaf_nodes",
        null,
        "the number of leaves is not limited; limit the trees by max_depth, min_samples_leaf or min_impurity_decrease",
    ),
    entry(
        "ccp_alpha",
        zero,
        "trees are not pruned; limit them by max_depth, min_samples_leaf or min_impurity_decrease",
    ),
    entry("monotonic_cst", null, "predictions cannot be held monotonic in a feature"),
    entry("min_impurity_split", null, "use min_impurity_decrease"),
    entry("splitter", || vec![json!("best")], "every split is the best one of the features that it looks at"),
    unavailable::N_JOBS,
    unavailable::VERBOSE,
    unavailable::WARM_START,
];

/// Decision trees.
pub(super) static DECISION_TREE: Definition = Definition {
    classification: TREE_CLASSIFIER,
    regression: TREE_REGRESSOR,
    unavailable: UNAVAILABLE,
    parse: |values| Ok(Parameters::DecisionTree(tree(values))),
};
/// Random forests.
pub(super) static RANDOM_FOREST: Definition = Definition {
    classification: FOREST_CLASSIFIER,
    regression: FOREST_REGRESSOR,
    unavailable: UNAVAILABLE,
    parse: |values| forest(values).map(Parameters::RandomForest),
};
/// Extra trees.
pub(super) static EXTRA_TREES: Definition = Definition {
    classification: EXTRA_TREES_CLASSIFIER,
    regression: EXTRA_TREES_REGRESSOR,
    unavailable: UNAVAILABLE,
    parse: |values| forest(values).map(Parameters::ExtraTrees),
};

impl MaxFeatures {
    /// The number of features out of `features`: at least 1, at most all; fractions are rounded down.
    pub fn of(self, features: usize) -> usize {
        let all = features as f64;
        let count = match self {
            Self::All => features,
            Self::SquareRoot => all.sqrt() as usize,
            Self::BinaryLogarithm => all.log2() as usize,
            Self::Amount(Amount::Count(count)) => count,
            Self::Amount(Amount::Fraction(fraction)) => (fraction * all) as usize,
        };
        count.clamp(1, features.max(1))
    }
}

fn tree(values: &Values<'_>) -> TreeParameters {
    let criterion = match values.get("criterion") {
        Checked::Text("gini") => ImpurityMeasure::Gini,
        Checked::Text("entropy" | "log_loss") => ImpurityMeasure::Entropy,
        _ => ImpurityMeasure::SquaredError,
    };
    TreeParameters {
        criterion,
        max_depth: values.count("max_depth"),
        min_samples_split: values.amount("min_samples_split").unwrap_or(Amount::Count(2)),
        min_samples_leaf: values.amount("min_samples_leaf").unwrap_or(Amount::Count(1)),
        min_weight_fraction_leaf: values.number("min_weight_fraction_leaf").unwrap_or(0.0),
        max_features: max_features_of(values),
        min_impurity_decrease: values.number("min_impurity_decrease").unwrap_or(0.0),
        class_weight: values.class_weight(),
        random_state: values.random_state(),
    }
}

fn max_features_of(values: &Values<'_>) -> MaxFeatures {
    match values.get("max_features") {
        Checked::Text("sqrt") => MaxFeatures::SquareRoot,
        Checked::Text("log2") => MaxFeatures::BinaryLogarithm,
        _ => values.amount("max_features").map_or(MaxFeatures::All, MaxFeatures::Amount),
    }
}

fn forest(values: &Values<'_>) -> Result<ForestParameters, HyperparameterError> {
    let forest = ForestParameters {
        tree: tree(values),
        n_estimators: values.count("n_estimators").unwrap_or(100),
        bootstrap: values.boolean("bootstrap"),
        oob_score: values.boolean("oob_score"),
        max_samples: values.amount("max_samples"),
        n_jobs: values.count("n_jobs"),
    };
    let other = "bootstrap = false";
    if !forest.bootstrap && forest.oob_score {
        let fix = "every tree then sees every row; set bootstrap to true or oob_score to false";
        return Err(HyperparameterError::Conflict { name: "oob_score", other, fix });
    }
    if !forest.bootstrap && forest.max_samples.is_some() {
        let fix = "every tree then learns from every row; set bootstrap to true or max_samples to null";
        return Err(HyperparameterError::Conflict { name: "max_samples", other, fix });
    }
    Ok(forest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_round_as_scikit_learn_does() {
        assert_eq!(Amount::Count(7).of(100), 7);
        assert_eq!(Amount::Fraction(0.101).of(100), 11);
        assert_eq!(MaxFeatures::SquareRoot.of(30), 5);
        assert_eq!(MaxFeatures::BinaryLogarithm.of(30), 4);
        assert_eq!(MaxFeatures::BinaryLogarithm.of(1), 1);
        assert_eq!(MaxFeatures::Amount(Amount::Fraction(0.01)).of(30), 1);
        assert_eq!(MaxFeatures::Amount(Amount::Count(99)).of(30), 30);
        assert_eq!(MaxFeatures::All.of(0), 1);
    }
}
