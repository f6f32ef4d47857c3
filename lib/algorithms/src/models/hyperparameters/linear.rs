//! Hyperparameters of the linear models.

use serde_json::{Value, json};

use super::common::{CLASS_WEIGHT, FIT_INTERCEPT, RANDOM_STATE, spec};
use super::definition::Definition;
use super::specification::{Accepts, Checked, DefaultValue, HyperparameterSpec};
use super::unavailable::{self, Unavailable, entry, off};
use super::{HyperparameterError, Parameters};
use crate::models::class_weight::ClassWeight;

/// How a logistic regression is fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticParameters {
    /// The inverse of the strength of the penalty; `None` for no penalty.
    pub inverse_penalty: Option<f64>,
    /// The share of the penalty on absolute coefficients; the rest is on their squares.
    pub l1_ratio: f64,
    /// Whether there is an intercept.
    pub fit_intercept: bool,
    /// The largest number of iterations.
    pub max_iter: usize,
    /// The iteration stops when no part of the gradient of the mean loss is larger.
    pub tolerance: f64,
    /// The weights of the classes.
    pub class_weight: ClassWeight,
    /// Accepted for the sake of uniformity; nothing here is random.
    pub random_state: Option<u64>,
}

/// How a linear regression is fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearParameters {
    /// Whether there is an intercept.
    pub fit_intercept: bool,
    /// The share of the largest singular value up to which a direction is left out.
    pub tolerance: f64,
}

const PENALTY: HyperparameterSpec = spec(
    "penalty",
    &[],
    "The penalty on the coefficients: l2 (with an l1_ratio above 0 the same as elasticnet), l1, elasticnet with l1_ratio, or null (none is the same) for no penalty.",
    &[Accepts::Null, Accepts::Choice(&["l2", "l1", "elasticnet", "none"])],
    DefaultValue::Text("l2"),
);
const L1_RATIO_OF_LOGISTIC: HyperparameterSpec = spec(
    "l1_ratio",
    &[],
    "The share of the penalty on absolute coefficients, from 0 (l2) to 1 (l1).",
    &[Accepts::Number { min: 0.0, above: false, max: 1.0, below: false }],
    DefaultValue::Number(0.0),
);
const SOLVER: HyperparameterSpec = spec(
    "solver",
    &[],
    "Accepted for the sake of scikit-learn; all of these have one optimum. What is used: preconditioned L-BFGS, with l1 proximal Newton steps.",
    &[Accepts::Choice(&["lbfgs", "newton-cg", "newton-cholesky", "sag", "saga"])],
    DefaultValue::Text("lbfgs"),
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
    "The largest number of iterations.",
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

static LOGISTIC: &[HyperparameterSpec] = &[
    PENALTY,
    INVERSE_PENALTY,
    L1_RATIO_OF_LOGISTIC,
    SOLVER,
    FIT_INTERCEPT,
    MAX_ITER,
    TOLERANCE_OF_LOGISTIC,
    CLASS_WEIGHT,
    RANDOM_STATE,
];
static LINEAR: &[HyperparameterSpec] = &[FIT_INTERCEPT, TOLERANCE_OF_LINEAR];
static LOGISTIC_UNAVAILABLE: &[Unavailable] = &[
    entry("penalty", || vec![json!("deprecated")], "the penalty is l2, l1, elasticnet or none"),
    entry("l1_ratio", || vec![Value::Null], "it is a number from 0 to 1"),
    entry("dual", off, "the primal problem is solved"),
    entry("intercept_scaling", || vec![json!(1)], "the intercept is neither scaled nor penalised"),
    entry(
        "multi_class",
        || vec![json!("auto"), json!("deprecated")],
        "two classes have one logistic model, more have one multinomial model",
    ),
    unavailable::N_JOBS,
    unavailable::VERBOSE,
    unavailable::WARM_START,
];
static LINEAR_UNAVAILABLE: &[Unavailable] = &[
    entry("positive", off, "coefficients may be negative"),
    entry("copy_X", || vec![json!(true)], "the data are never changed"),
    entry("normalize", || vec![json!(false), json!("deprecated")], "scale the features in the preprocessing"),
    unavailable::N_JOBS,
];

/// Logistic regression.
pub(super) static LOGISTIC_REGRESSION: Definition = Definition {
    classification: LOGISTIC,
    regression: &[],
    unavailable: LOGISTIC_UNAVAILABLE,
    parse: |values| {
        let given = values.number("l1_ratio").unwrap_or(0.0);
        let (penalised, l1_ratio) = match values.get("penalty") {
            Checked::Text("l1") if given > 0.0 && given < 1.0 => {
                let fix = "set penalty to elasticnet for both penalties, or leave l1_ratio out";
                return Err(HyperparameterError::Conflict { name: "l1_ratio", other: "penalty = l1", fix });
            }
            Checked::Text("l1") => (true, 1.0),
            Checked::Text("l2" | "elasticnet") => (true, given),
            _ => (false, 0.0),
        };
        Ok(Parameters::LogisticRegression(LogisticParameters {
            inverse_penalty: values.number("C").filter(|_| penalised),
            l1_ratio,
            fit_intercept: values.boolean("fit_intercept"),
            max_iter: values.count("max_iter").unwrap_or(100),
            tolerance: values.number("tol").unwrap_or(1e-4),
            class_weight: values.class_weight(),
            random_state: values.random_state(),
        }))
    },
};
/// Linear regression.
pub(super) static LINEAR_REGRESSION: Definition = Definition {
    classification: &[],
    regression: LINEAR,
    unavailable: LINEAR_UNAVAILABLE,
    parse: |values| {
        Ok(Parameters::LinearRegression(LinearParameters {
            fit_intercept: values.boolean("fit_intercept"),
            tolerance: values.number("tol").unwrap_or(1e-6),
        }))
    },
};
