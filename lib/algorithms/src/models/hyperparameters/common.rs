//! What the tables of several algorithms share: ranges and rows.

use super::specification::{Accepts, DefaultValue, HyperparameterSpec};

/// Any integer that a JavaScript number holds exactly.
pub(super) const LARGEST_SEED: i64 = 9_007_199_254_740_991;
/// No table has more rows than this.
pub(super) const MANY: i64 = 1_000_000_000;

pub(super) const fn spec(
    name: &'static str,
    aliases: &'static [&'static str],
    description: &'static str,
    accepts: &'static [Accepts],
    default: DefaultValue,
) -> HyperparameterSpec {
    HyperparameterSpec { name, aliases, description, accepts, default }
}

pub(super) const fn at_least_zero() -> Accepts {
    Accepts::Number { min: 0.0, above: false, max: f64::INFINITY, below: false }
}

pub(super) const fn fraction(max: f64, below: bool) -> Accepts {
    Accepts::Number { min: 0.0, above: true, max, below }
}

pub(super) const CLASS_WEIGHT: HyperparameterSpec = spec(
    "class_weight",
    &["class_weights"],
    "The weight of each class: null for 1, balanced for the inverse of its frequency, or an object from label to weight.",
    &[Accepts::Null, Accepts::Choice(&["balanced"]), Accepts::ClassWeights],
    DefaultValue::Null,
);
pub(super) const PRIORS: HyperparameterSpec = spec(
    "priors",
    &[],
    "The probability of each class as an object from label to probability, with the sum 1; null for its share of the rows' weight.",
    &[Accepts::Null, Accepts::ClassWeights],
    DefaultValue::Null,
);
pub(super) const N_JOBS: HyperparameterSpec = spec(
    "n_jobs",
    &["num_threads", "nthread"],
    "The number of threads; null or -1 for all. The result does not depend on it.",
    &[Accepts::Null, Accepts::Integer { min: -1, max: -1 }, Accepts::Integer { min: 1, max: 1024 }],
    DefaultValue::Null,
);
pub(super) const RANDOM_STATE: HyperparameterSpec = spec(
    "random_state",
    &["seed"],
    "The seed of this model; null for the seed of the call. Without random choices it changes nothing.",
    &[Accepts::Null, Accepts::Integer { min: 0, max: LARGEST_SEED }],
    DefaultValue::Null,
);
pub(super) const FIT_INTERCEPT: HyperparameterSpec = spec(
    "fit_intercept",
    &[],
    "Whether the model has an intercept; it is never penalised.",
    &[Accepts::Boolean],
    DefaultValue::Boolean(true),
);
