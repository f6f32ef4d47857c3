//! Hyperparameters of ridge, lasso and elastic net.

use serde_json::{Value, json};

use super::Parameters;
use super::common::{FIT_INTERCEPT, RANDOM_STATE, at_least_zero, spec};
use super::definition::Definition;
use super::specification::{Accepts, DefaultValue, HyperparameterSpec};
use super::unavailable::{self, Unavailable, entry, off};
use super::values::Values;

/// How a ridge regression is fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct RidgeParameters {
    /// The strength of the penalty on the sum of squares.
    pub alpha: f64,
    /// Whether there is an intercept.
    pub fit_intercept: bool,
}

/// How a lasso or an elastic net is fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct ElasticNetParameters {
    /// The strength of the penalty on the mean of squares.
    pub alpha: f64,
    /// The share of the penalty on absolute coefficients; the rest is on their squares.
    pub l1_ratio: f64,
    /// Whether there is an intercept.
    pub fit_intercept: bool,
    /// The largest number of sweeps.
    pub max_iter: usize,
    /// The share of the target's sum of squares that the duality gap may have.
    pub tolerance: f64,
}

const ALPHA: HyperparameterSpec =
    spec("alpha", &["lambda"], "The strength of the penalty.", &[at_least_zero()], DefaultValue::Number(1.0));
const L1_RATIO: HyperparameterSpec = spec(
    "l1_ratio",
    &[],
    "The share of the penalty on absolute coefficients; the rest is on their squares.",
    &[Accepts::Number { min: 0.0, above: false, max: 1.0, below: false }],
    DefaultValue::Number(0.5),
);
const MAX_ITER: HyperparameterSpec = spec(
    "max_iter",
    &["max_iterations"],
    "The largest number of sweeps over the coefficients.",
    &[Accepts::Integer { min: 1, max: 1_000_000 }],
    DefaultValue::Integer(1000),
);
const TOLERANCE: HyperparameterSpec = spec(
    "tol",
    &["tolerance"],
    "The sweeps end when the duality gap is at most this share of the target's sum of squares.",
    &[at_least_zero()],
    DefaultValue::Number(1e-4),
);
const SELECTION: HyperparameterSpec = spec(
    "selection",
    &[],
    "Accepted for the sake of scikit-learn; the order of the coefficients changes nothing but the way to the same optimum, and here it is always cyclic.",
    &[Accepts::Choice(&["cyclic", "random"])],
    DefaultValue::Text("cyclic"),
);
const SOLVER: HyperparameterSpec = spec(
    "solver",
    &[],
    "Accepted for the sake of scikit-learn; all of these have one optimum, which is computed in closed form.",
    &[Accepts::Choice(&["auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga"])],
    DefaultValue::Text("auto"),
);

static RIDGE_TABLE: &[HyperparameterSpec] = &[ALPHA, FIT_INTERCEPT, SOLVER, RANDOM_STATE];
static LASSO_TABLE: &[HyperparameterSpec] = &[ALPHA, FIT_INTERCEPT, MAX_ITER, TOLERANCE, SELECTION, RANDOM_STATE];
static ELASTIC_NET_TABLE: &[HyperparameterSpec] =
    &[ALPHA, L1_RATIO, FIT_INTERCEPT, MAX_ITER, TOLERANCE, SELECTION, RANDOM_STATE];
const POSITIVE: Unavailable = entry("positive", off, "coefficients may be negative");
const COPY: Unavailable = entry("copy_X", || vec![json!(true)], "the data are never changed");
static RIDGE_UNAVAILABLE: &[Unavailable] = &[
    POSITIVE,
    COPY,
    entry("max_iter", || vec![Value::Null], "the solution is computed in closed form"),
    entry("tol", || vec![json!(1e-4), json!(1e-3)], "the solution is computed in closed form"),
];
static LASSO_UNAVAILABLE: &[Unavailable] = &[
    POSITIVE,
    COPY,
    entry("precompute", off, "second moments are used wherever they are faster"),
    unavailable::WARM_START,
];

/// Ridge regression.
pub(super) static RIDGE: Definition = Definition {
    classification: &[],
    regression: RIDGE_TABLE,
    unavailable: RIDGE_UNAVAILABLE,
    parse: |values| {
        let alpha = values.number("alpha").unwrap_or(1.0);
        Ok(Parameters::Ridge(RidgeParameters { alpha, fit_intercept: values.boolean("fit_intercept") }))
    },
};
/// Lasso.
pub(super) static LASSO: Definition = Definition {
    classification: &[],
    regression: LASSO_TABLE,
    unavailable: LASSO_UNAVAILABLE,
    parse: |values| Ok(Parameters::Lasso(elastic_net(values, 1.0))),
};
/// Elastic net.
pub(super) static ELASTIC_NET: Definition = Definition {
    classification: &[],
    regression: ELASTIC_NET_TABLE,
    unavailable: LASSO_UNAVAILABLE,
    parse: |values| Ok(Parameters::ElasticNet(elastic_net(values, values.number("l1_ratio").unwrap_or(0.5)))),
};

fn elastic_net(values: &Values<'_>, l1_ratio: f64) -> ElasticNetParameters {
    ElasticNetParameters {
        alpha: values.number("alpha").unwrap_or(1.0),
        l1_ratio,
        fit_intercept: values.boolean("fit_intercept"),
        max_iter: values.count("max_iter").unwrap_or(1000),
        tolerance: values.number("tol").unwrap_or(1e-4),
    }
}
