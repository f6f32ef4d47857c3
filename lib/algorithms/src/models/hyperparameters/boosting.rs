//! Hyperparameters of gradient-boosted trees: XGBoost's names and defaults.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::common::{CLASS_WEIGHT, N_JOBS, RANDOM_STATE, at_least_zero, fraction, spec};
use super::definition::Definition;
use super::specification::{Accepts, Checked, DefaultValue, HyperparameterSpec};
use super::unavailable::{Unavailable, entry, null, zero};
use super::values::Values;
use super::{HyperparameterError, Parameters};
use crate::models::boosting::{BoostingParameters, Growth, Monotone, ObjectiveName};

const OBJECTIVE_OF_CLASSES: HyperparameterSpec = spec(
    "objective",
    &[],
    "The loss that is minimised; null for binary:logistic with two classes and multi:softprob with more.",
    &[Accepts::Null, Accepts::Choice(&["binary:logistic", "multi:softprob"])],
    DefaultValue::Null,
);
const OBJECTIVE_OF_NUMBERS: HyperparameterSpec = spec(
    "objective",
    &["loss"],
    "The loss that is minimised.",
    &[Accepts::Choice(&["reg:squarederror", "reg:absoluteerror", "reg:quantileerror", "count:poisson", "reg:tweedie"])],
    DefaultValue::Text("reg:squarederror"),
);
const N_ESTIMATORS: HyperparameterSpec = spec(
    "n_estimators",
    &["num_boost_round", "num_round", "n_rounds", "n_trees"],
    "The number of rounds; each adds one tree, or one a class where there are more than two.",
    &[Accepts::Integer { min: 1, max: 100_000 }],
    DefaultValue::Integer(100),
);
const ETA: HyperparameterSpec = spec(
    "eta",
    &["learning_rate"],
    "The share of each tree's values that is added; smaller needs more rounds.",
    &[fraction(1.0, false)],
    DefaultValue::Number(0.3),
);
const MAX_DEPTH: HyperparameterSpec = spec(
    "max_depth",
    &[],
    "The most splits on the way to a leaf; 0 for no limit, which needs max_leaves. null for 6, or for 0 with max_leaves.",
    &[Accepts::Null, Accepts::Integer { min: 0, max: 64 }],
    DefaultValue::Null,
);
const MAX_LEAVES: HyperparameterSpec = spec(
    "max_leaves",
    &["num_leaves"],
    "The most leaves of a tree; 0 for no limit.",
    &[Accepts::Integer { min: 0, max: 65_536 }],
    DefaultValue::Integer(0),
);
const GROW_POLICY: HyperparameterSpec = spec(
    "grow_policy",
    &[],
    "Whether all splits of a level come next, or the one of the largest gain.",
    &[Accepts::Choice(&["depthwise", "lossguide"])],
    DefaultValue::Text("depthwise"),
);
const MIN_CHILD_WEIGHT: HyperparameterSpec = spec(
    "min_child_weight",
    &[],
    "The least sum of second derivatives on either side of a split; with squared error, the least weight of rows.",
    &[at_least_zero()],
    DefaultValue::Number(1.0),
);
const GAMMA: HyperparameterSpec = spec(
    "gamma",
    &["min_split_loss"],
    "The least fall of the loss that is worth a split.",
    &[at_least_zero()],
    DefaultValue::Number(0.0),
);
const LAMBDA: HyperparameterSpec = spec(
    "lambda",
    &["reg_lambda"],
    "The strength of the squared penalty on the values of leaves.",
    &[at_least_zero()],
    DefaultValue::Number(1.0),
);
const ALPHA: HyperparameterSpec = spec(
    "alpha",
    &["reg_alpha"],
    "The strength of the absolute penalty on the values of leaves.",
    &[at_least_zero()],
    DefaultValue::Number(0.0),
);
const MAX_DELTA_STEP: HyperparameterSpec = spec(
    "max_delta_step",
    &[],
    "The largest absolute value of a leaf before eta; 0 for no limit. null for 0, or for 0.7 with count:poisson.",
    &[Accepts::Null, Accepts::Number { min: 0.0, above: false, max: 80.0, below: false }],
    DefaultValue::Null,
);
const SUBSAMPLE: HyperparameterSpec = spec(
    "subsample",
    &[],
    "The share of the rows that each tree learns from.",
    &[fraction(1.0, false)],
    DefaultValue::Number(1.0),
);
const fn colsample(name: &'static str, description: &'static str) -> HyperparameterSpec {
    spec(
        name,
        &[],
        description,
        &[Accepts::Number { min: 0.0, above: true, max: 1.0, below: false }],
        DefaultValue::Number(1.0),
    )
}
const COLSAMPLE_BYTREE: HyperparameterSpec =
    colsample("colsample_bytree", "The share of the features that each tree looks at.");
const COLSAMPLE_BYLEVEL: HyperparameterSpec =
    colsample("colsample_bylevel", "The share of the tree's features that each level looks at.");
const COLSAMPLE_BYNODE: HyperparameterSpec =
    colsample("colsample_bynode", "The share of the level's features that each split looks at.");
const MAX_BIN: HyperparameterSpec = spec(
    "max_bin",
    &["max_bins"],
    "The most bins that a feature is cut into, the one for missing values included.",
    &[Accepts::Integer { min: 3, max: 256 }],
    DefaultValue::Integer(256),
);
const SCALE_POS_WEIGHT: HyperparameterSpec = spec(
    "scale_pos_weight",
    &[],
    "How much rows of the second of two classes count.",
    &[Accepts::Number { min: 0.0, above: true, max: 1e9, below: false }],
    DefaultValue::Number(1.0),
);
const BASE_SCORE: HyperparameterSpec = spec(
    "base_score",
    &[],
    "The prediction before the first tree: a probability of two classes, a margin of more, otherwise a number; null for the best constant.",
    &[Accepts::Null, Accepts::Number { min: f64::MIN, above: false, max: f64::MAX, below: false }],
    DefaultValue::Null,
);
const EARLY_STOPPING_ROUNDS: HyperparameterSpec = spec(
    "early_stopping_rounds",
    &[],
    "How many rounds without a better score on the validation data end the fit, which keeps the best round; null for never.",
    &[Accepts::Null, Accepts::Integer { min: 1, max: 100_000 }],
    DefaultValue::Null,
);
const MONOTONE_CONSTRAINTS: HyperparameterSpec = spec(
    "monotone_constraints",
    &["monotonic_cst"],
    "Whether predictions must rise (1) or fall (-1) with a feature, or are free (0): by the order of the features or by name.",
    &[Accepts::Null, Accepts::Directions, Accepts::Sizes { most: 1_000_000, min: -1, max: 1 }],
    DefaultValue::Null,
);
const MAX_CAT_TO_ONEHOT: HyperparameterSpec = spec(
    "max_cat_to_onehot",
    &[],
    "A categorical feature with fewer categories is split one category against the others.",
    &[Accepts::Integer { min: 1, max: 255 }],
    DefaultValue::Integer(4),
);
const MAX_CAT_THRESHOLD: HyperparameterSpec = spec(
    "max_cat_threshold",
    &[],
    "The most categories that a split sends to the right.",
    &[Accepts::Integer { min: 1, max: 255 }],
    DefaultValue::Integer(64),
);
const QUANTILE_ALPHA: HyperparameterSpec = spec(
    "quantile_alpha",
    &[],
    "The quantile that reg:quantileerror predicts.",
    &[fraction(1.0, true)],
    DefaultValue::Number(0.5),
);
const TWEEDIE_VARIANCE_POWER: HyperparameterSpec = spec(
    "tweedie_variance_power",
    &[],
    "The power of the mean that reg:tweedie takes the variance for.",
    &[Accepts::Number { min: 1.0, above: true, max: 2.0, below: true }],
    DefaultValue::Number(1.5),
);

static CLASSIFIER: &[HyperparameterSpec] = &[
    OBJECTIVE_OF_CLASSES,
    N_ESTIMATORS,
    ETA,
    MAX_DEPTH,
    MAX_LEAVES,
    GROW_POLICY,
    MIN_CHILD_WEIGHT,
    GAMMA,
    LAMBDA,
    ALPHA,
    MAX_DELTA_STEP,
    SUBSAMPLE,
    COLSAMPLE_BYTREE,
    COLSAMPLE_BYLEVEL,
    COLSAMPLE_BYNODE,
    MAX_BIN,
    SCALE_POS_WEIGHT,
    BASE_SCORE,
    EARLY_STOPPING_ROUNDS,
    MONOTONE_CONSTRAINTS,
    MAX_CAT_TO_ONEHOT,
    MAX_CAT_THRESHOLD,
    CLASS_WEIGHT,
    N_JOBS,
    RANDOM_STATE,
];
static REGRESSOR: &[HyperparameterSpec] = &[
    OBJECTIVE_OF_NUMBERS,
    N_ESTIMATORS,
    ETA,
    MAX_DEPTH,
    MAX_LEAVES,
    GROW_POLICY,
    MIN_CHILD_WEIGHT,
    GAMMA,
    LAMBDA,
    ALPHA,
    MAX_DELTA_STEP,
    SUBSAMPLE,
    COLSAMPLE_BYTREE,
    COLSAMPLE_BYLEVEL,
    COLSAMPLE_BYNODE,
    MAX_BIN,
    BASE_SCORE,
    EARLY_STOPPING_ROUNDS,
    MONOTONE_CONSTRAINTS,
    MAX_CAT_TO_ONEHOT,
    MAX_CAT_THRESHOLD,
    QUANTILE_ALPHA,
    TWEEDIE_VARIANCE_POWER,
    N_JOBS,
    RANDOM_STATE,
];

fn one() -> Vec<Value> {
    vec![Value::Null, json!(1)]
}

/// What XGBoost's `get_params()` holds besides.
static UNAVAILABLE: &[Unavailable] = &[
    entry("booster", || vec![Value::Null, json!("gbtree")], "boosted trees are the only booster; use a linear model"),
    entry("tree_method", || vec![Value::Null, json!("auto"), json!("hist")], "trees grow by histograms"),
    entry("device", || vec![Value::Null, json!("cpu")], "the fit runs on the processor"),
    entry("sampling_method", || vec![Value::Null, json!("uniform")], "rows are drawn with equal chances"),
    entry("num_parallel_tree", one, "a round adds one tree; use random_forest for a forest"),
    entry("interaction_constraints", null, "any features may meet in a tree"),
    entry("feature_types", null, "the kind of each feature comes with the data"),
    entry("feature_weights", null, "features are drawn with equal chances"),
    entry("multi_strategy", || vec![Value::Null, json!("one_output_per_tree")], "each class has its own trees"),
    entry("importance_type", || vec![Value::Null, json!("gain")], "the importance is the share of the gain"),
    entry("eval_metric", null, "the loss of the objective is the score"),
    entry("enable_categorical", || vec![json!(false), json!(true)], "categorical features come with the data"),
    entry("missing", null, "missing values are NaN"),
    entry("callbacks", null, "the fit reports its progress to the caller"),
    entry("validate_parameters", || vec![Value::Null, json!(true)], "parameters are always checked"),
    entry("verbosity", || vec![Value::Null, json!(0), json!(1)], "the fit prints nothing"),
    entry("verbose", zero, "the fit prints nothing and reports its progress to the caller"),
];

/// Gradient-boosted trees.
pub(super) static XGBOOST: Definition = Definition {
    classification: CLASSIFIER,
    regression: REGRESSOR,
    unavailable: UNAVAILABLE,
    parse: |values| parameters(values).map(Parameters::Xgboost),
};

fn conflict(name: &'static str, other: &'static str, fix: &'static str) -> HyperparameterError {
    HyperparameterError::Conflict { name, other, fix }
}

fn parameters(values: &Values<'_>) -> Result<BoostingParameters, HyperparameterError> {
    let defaults = BoostingParameters::default();
    let objective = match values.get("objective") {
        Checked::Text(name) => ObjectiveName::ALL.into_iter().find(|objective| objective.as_str() == *name),
        _ => None,
    };
    let number = |name: &str, default: f64| values.number(name).unwrap_or(default);
    let count = |name: &str, default: usize| values.count(name).unwrap_or(default);
    let max_leaves = count("max_leaves", 0);
    let max_depth = count("max_depth", if max_leaves > 0 { 0 } else { 6 });
    if max_leaves == 0 && max_depth == 0 {
        return Err(conflict("max_depth", "max_leaves = 0", "0 means no limit; give one of them another value"));
    }
    if max_leaves == 1 {
        return Err(conflict("max_leaves", "1 leaf", "a split makes two; give 0 for no limit, or at least 2"));
    }
    let monotone_constraints = match values.get("monotone_constraints") {
        Checked::Sizes(directions) => Monotone::InOrder(directions.iter().map(|&direction| direction as i8).collect()),
        Checked::Directions(directions) => {
            let directions = directions.iter().map(|(name, &direction)| (name.clone(), direction as i8));
            Monotone::ByName(directions.collect::<BTreeMap<_, _>>())
        }
        _ => Monotone::Free,
    };
    if monotone_constraints != Monotone::Free
        && matches!(objective, Some(ObjectiveName::Absolute | ObjectiveName::Quantile))
    {
        let fix = "its leaves are quantiles, which no direction can be held for; take another objective";
        return Err(conflict("monotone_constraints", "this objective", fix));
    }
    if objective == Some(ObjectiveName::Softmax) && number("scale_pos_weight", 1.0) != 1.0 {
        return Err(conflict("scale_pos_weight", "multi:softprob", "it is for two classes; use class_weight"));
    }
    let step = if objective == Some(ObjectiveName::Poisson) { 0.7 } else { 0.0 };
    Ok(BoostingParameters {
        objective,
        n_estimators: count("n_estimators", defaults.n_estimators),
        eta: number("eta", defaults.eta),
        growth: Growth {
            max_depth,
            max_leaves,
            lossguide: matches!(values.get("grow_policy"), Checked::Text("lossguide")),
            min_child_weight: number("min_child_weight", 1.0),
            gamma: number("gamma", 0.0),
            lambda: number("lambda", 1.0),
            alpha: number("alpha", 0.0),
            max_delta_step: number("max_delta_step", step),
            max_cat_to_onehot: count("max_cat_to_onehot", 4),
            max_cat_threshold: count("max_cat_threshold", 64),
        },
        subsample: number("subsample", 1.0),
        colsample_bytree: number("colsample_bytree", 1.0),
        colsample_bylevel: number("colsample_bylevel", 1.0),
        colsample_bynode: number("colsample_bynode", 1.0),
        scale_pos_weight: number("scale_pos_weight", 1.0),
        base_score: values.number("base_score"),
        quantile_alpha: number("quantile_alpha", 0.5),
        tweedie_variance_power: number("tweedie_variance_power", 1.5),
        max_bin: count("max_bin", 256),
        early_stopping_rounds: values.count("early_stopping_rounds"),
        class_weight: values.class_weight(),
        monotone_constraints,
        n_jobs: values.count("n_jobs"),
        random_state: values.random_state(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Algorithm, Hyperparameters, Task};
    use super::*;

    fn parse(task: Task, given: &Value) -> Result<BoostingParameters, HyperparameterError> {
        let parsed = Hyperparameters::parse(Algorithm::Xgboost, task, given.as_object().unwrap())?;
        let Parameters::Xgboost(parameters) = parsed.parameters() else { panic!("boosted trees") };
        Ok(parameters.clone())
    }

    #[test]
    fn defaults_are_those_of_xgboost() {
        let classifier = parse(Task::Classification, &json!({})).unwrap();
        assert_eq!(classifier, BoostingParameters::default());
        let poisson = parse(Task::Regression, &json!({"objective": "count:poisson"})).unwrap();
        assert_eq!(poisson.growth.max_delta_step, 0.7);
        let leaves = parse(Task::Regression, &json!({"max_leaves": 31, "grow_policy": "lossguide"})).unwrap();
        assert_eq!((leaves.growth.max_depth, leaves.growth.max_leaves, leaves.growth.lossguide), (0, 31, true));
    }

    #[test]
    fn aliases_and_directions_are_read() {
        let given = json!({
            "learning_rate": 0.1, "reg_lambda": 2, "reg_alpha": 0.5, "min_split_loss": 1, "num_boost_round": 7,
            "monotone_constraints": "(1,0,-1)", "tree_method": "hist", "verbosity": 0, "seed": 3
        });
        let parsed = parse(Task::Regression, &given).unwrap();
        assert_eq!((parsed.eta, parsed.growth.lambda, parsed.growth.alpha, parsed.growth.gamma), (0.1, 2.0, 0.5, 1.0));
        assert_eq!((parsed.n_estimators, parsed.random_state), (7, Some(3)));
        assert_eq!(parsed.monotone_constraints, Monotone::InOrder(vec![1, 0, -1]));
        let named = parse(Task::Regression, &json!({"monotone_constraints": {"age": 1}})).unwrap();
        assert_eq!(named.monotone_constraints, Monotone::ByName(BTreeMap::from([("age".to_owned(), 1)])));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let message = |given: Value| parse(Task::Regression, &given).unwrap_err().to_string();
        assert!(message(json!({"learning_rat": 0.1})).contains("did you mean 'learning_rate'?"));
        assert!(message(json!({"max_depth": 0})).contains("max_leaves = 0"));
        assert!(message(json!({"eta": 0})).contains("a number above 0 and at most 1"));
        assert!(message(json!({"monotone_constraints": {"age": 2}})).contains("to -1, 0 or 1"));
        assert!(message(json!({"booster": "gblinear"})).contains("boosted trees are the only booster"));
        let absolute = json!({"objective": "reg:absoluteerror", "monotone_constraints": [1]});
        assert!(message(absolute).contains("quantiles"));
    }
}
