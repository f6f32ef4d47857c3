//! Hyperparameters of support vector machines.

use serde_json::json;

use super::Parameters;
use super::common::{CLASS_WEIGHT, RANDOM_STATE, at_least_zero, spec};
use super::definition::Definition;
use super::specification::{Accepts, Checked, DefaultValue, HyperparameterSpec};
use super::unavailable::{Unavailable, entry, off};
use crate::models::class_weight::ClassWeight;

/// How a support vector machine is fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct SvmParameters {
    /// C: how much a row on the wrong side costs.
    pub penalty: f64,
    /// The kernel.
    pub kernel: KernelName,
    /// The power of a polynomial kernel.
    pub degree: u32,
    /// The factor of the kernels but the linear one.
    pub gamma: Gamma,
    /// The summand of polynomial and sigmoid kernels.
    pub coef0: f64,
    /// Half the width of the tube in which errors cost nothing, for regression.
    pub epsilon: f64,
    /// The optimisation ends when no pair of rows violates optimality by more.
    pub tolerance: f64,
    /// The memory for rows of the kernel matrix, in megabytes.
    pub cache_size: f64,
    /// Whether rows that no longer move are set aside.
    pub shrinking: bool,
    /// Whether probabilities are fitted by cross-validation.
    pub probability: bool,
    /// The largest number of iterations of each machine; `None` for practically no limit.
    pub max_iter: Option<usize>,
    /// The weights of the classes.
    pub class_weight: ClassWeight,
}

/// A kernel by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KernelName {
    /// The inner product.
    Linear,
    /// A power of it.
    Polynomial,
    /// A Gaussian of the distance.
    RadialBasis,
    /// The hyperbolic tangent of the inner product.
    Sigmoid,
}

/// The factor of a kernel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Gamma {
    /// One over the number of features times the variance of all values.
    Scale,
    /// One over the number of features.
    Auto,
    /// That number.
    Value(f64),
}

const PENALTY: HyperparameterSpec = spec(
    "C",
    &["c"],
    "How much a row on the wrong side costs, relative to the width of the margin.",
    &[Accepts::Number { min: 0.0, above: true, max: f64::INFINITY, below: false }],
    DefaultValue::Number(1.0),
);
const KERNEL: HyperparameterSpec = spec(
    "kernel",
    &[],
    "The kernel: rbf, linear, poly or sigmoid.",
    &[Accepts::Choice(&["rbf", "linear", "poly", "sigmoid"])],
    DefaultValue::Text("rbf"),
);
const DEGREE: HyperparameterSpec = spec(
    "degree",
    &[],
    "The power of the kernel poly.",
    &[Accepts::Integer { min: 0, max: 1000 }],
    DefaultValue::Integer(3),
);
const GAMMA: HyperparameterSpec = spec(
    "gamma",
    &[],
    "The factor of rbf, poly and sigmoid: scale for 1 / (features · variance), auto for 1 / features, or a number.",
    &[Accepts::Choice(&["scale", "auto"]), at_least_zero()],
    DefaultValue::Text("scale"),
);
const COEF0: HyperparameterSpec = spec(
    "coef0",
    &[],
    "The summand of poly and sigmoid.",
    &[Accepts::Number { min: f64::NEG_INFINITY, above: true, max: f64::INFINITY, below: false }],
    DefaultValue::Number(0.0),
);
const EPSILON: HyperparameterSpec = spec(
    "epsilon",
    &[],
    "Half the width of the tube in which errors cost nothing.",
    &[at_least_zero()],
    DefaultValue::Number(0.1),
);
const TOLERANCE: HyperparameterSpec = spec(
    "tol",
    &["tolerance"],
    "The optimisation ends when no pair of rows violates optimality by more.",
    &[Accepts::Number { min: 0.0, above: true, max: f64::INFINITY, below: false }],
    DefaultValue::Number(1e-3),
);
const CACHE_SIZE: HyperparameterSpec = spec(
    "cache_size",
    &[],
    "The memory for rows of the kernel matrix in megabytes; less of it takes longer and changes no result.",
    &[Accepts::Number { min: 0.0, above: true, max: 1e6, below: false }],
    DefaultValue::Number(200.0),
);
const SHRINKING: HyperparameterSpec = spec(
    "shrinking",
    &[],
    "Whether rows that no longer move are set aside; faster as a rule.",
    &[Accepts::Boolean],
    DefaultValue::Boolean(true),
);
const PROBABILITY: HyperparameterSpec = spec(
    "probability",
    &[],
    "Whether probabilities are fitted to the scores of a five-fold cross-validation (Platt), which takes about five times as long; otherwise they only keep the order of the scores. With it the most probable class is predicted, which may differ from the one with the most votes.",
    &[Accepts::Boolean],
    DefaultValue::Boolean(false),
);
const MAX_ITER: HyperparameterSpec = spec(
    "max_iter",
    &["max_iterations"],
    "The largest number of iterations of each machine; -1 for no limit.",
    &[Accepts::Integer { min: -1, max: -1 }, Accepts::Integer { min: 1, max: 1_000_000_000 }],
    DefaultValue::Integer(-1),
);

static CLASSIFIER: &[HyperparameterSpec] = &[
    PENALTY,
    KERNEL,
    DEGREE,
    GAMMA,
    COEF0,
    SHRINKING,
    PROBABILITY,
    TOLERANCE,
    CACHE_SIZE,
    CLASS_WEIGHT,
    MAX_ITER,
    RANDOM_STATE,
];
static REGRESSOR: &[HyperparameterSpec] =
    &[PENALTY, KERNEL, DEGREE, GAMMA, COEF0, EPSILON, SHRINKING, TOLERANCE, CACHE_SIZE, MAX_ITER, RANDOM_STATE];
static UNAVAILABLE: &[Unavailable] = &[
    entry("verbose", off, "the fit prints nothing and reports its progress to the caller"),
    entry("decision_function_shape", || vec![json!("ovr")], "pairs of classes vote"),
    entry("break_ties", off, "the summed scores decide between classes of equally many votes"),
    entry("probability", || vec![json!("deprecated")], "it is true or false"),
];

/// Support vector machines for both tasks.
pub(super) static SVM: Definition = Definition {
    classification: CLASSIFIER,
    regression: REGRESSOR,
    unavailable: UNAVAILABLE,
    parse: |values| {
        Ok(Parameters::Svm(SvmParameters {
            penalty: values.number("C").unwrap_or(1.0),
            kernel: match values.get("kernel") {
                Checked::Text("linear") => KernelName::Linear,
                Checked::Text("poly") => KernelName::Polynomial,
                Checked::Text("sigmoid") => KernelName::Sigmoid,
                _ => KernelName::RadialBasis,
            },
            degree: values.count("degree").unwrap_or(3) as u32,
            gamma: match values.get("gamma") {
                Checked::Number(gamma) => Gamma::Value(*gamma),
                Checked::Text("auto") => Gamma::Auto,
                _ => Gamma::Scale,
            },
            coef0: values.number("coef0").unwrap_or(0.0),
            epsilon: values.number("epsilon").unwrap_or(0.1),
            tolerance: values.number("tol").unwrap_or(1e-3),
            cache_size: values.number("cache_size").unwrap_or(200.0),
            shrinking: values.boolean("shrinking"),
            probability: values.boolean("probability"),
            max_iter: values.count("max_iter"),
            class_weight: values.class_weight(),
        }))
    },
};
