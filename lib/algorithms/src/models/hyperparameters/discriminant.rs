//! Hyperparameters of discriminant analysis.

use std::collections::BTreeMap;

use super::common::{PRIORS, at_least_zero, spec};
use super::definition::Definition;
use super::specification::{Accepts, Checked, DefaultValue, HyperparameterSpec};
use super::unavailable::{Unavailable, entry, null, off};
use super::{HyperparameterError, Parameters};

/// How a linear discriminant analysis is fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct DiscriminantParameters {
    /// How the covariance within the classes is estimated.
    pub covariance: ClassCovariance,
    /// The probability of each class; `None` for its share of the weight.
    pub priors: Option<BTreeMap<String, f64>>,
    /// Directions in which the rows of a class differ by no more than this are left out; each feature differs by 1.
    pub tolerance: f64,
}

/// How the covariance within the classes is estimated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ClassCovariance {
    /// That of all rows about the means of their classes.
    Pooled,
    /// The mean of the covariances of the classes, weighted by their priors, with this share of the mean variance.
    Shrunk(f64),
    /// As shrunk, with each class in units of its standard deviations and the share that Ledoit and Wolf (2004) derive.
    LedoitWolf,
}

const SOLVER: HyperparameterSpec = spec(
    "solver",
    &[],
    "How the covariance is made: svd pools all rows and leaves directions out by tol; lsqr (eigen is the same) averages the covariances of the classes by their priors and can shrink them; null for lsqr where shrinkage is given, else svd.",
    &[Accepts::Null, Accepts::Choice(&["svd", "lsqr", "eigen"])],
    DefaultValue::Null,
);
const SHRINKAGE: HyperparameterSpec = spec(
    "shrinkage",
    &[],
    "The share of the mean variance in the covariance of each class: auto by the lemma of Ledoit and Wolf, a number from 0 to 1, or null for none.",
    &[Accepts::Null, Accepts::Choice(&["auto"]), Accepts::Number { min: 0.0, above: false, max: 1.0, below: false }],
    DefaultValue::Null,
);
const TOLERANCE: HyperparameterSpec = spec(
    "tol",
    &["tolerance"],
    "With svd, directions are left out in which the rows of a class differ by at most this, where each feature differs by 1.",
    &[at_least_zero()],
    DefaultValue::Number(1e-4),
);

static TABLE: &[HyperparameterSpec] = &[SOLVER, SHRINKAGE, PRIORS, TOLERANCE];
static UNAVAILABLE: &[Unavailable] = &[
    entry("n_components", null, "it limits what scikit-learn projects to, and nothing is projected here"),
    entry("store_covariance", off, "the model holds what a prediction needs"),
    entry("covariance_estimator", null, "the covariance is estimated by solver and shrinkage"),
];

/// Linear discriminant analysis.
pub(super) static LINEAR_DISCRIMINANT_ANALYSIS: Definition = Definition {
    classification: TABLE,
    regression: &[],
    unavailable: UNAVAILABLE,
    parse: |values| {
        let covariance = match (values.get("solver"), values.get("shrinkage")) {
            (Checked::Text("svd") | Checked::Null, Checked::Null) => ClassCovariance::Pooled,
            (Checked::Text("svd"), _) => {
                let fix = "set solver to lsqr, or leave one of them out";
                return Err(HyperparameterError::Conflict { name: "shrinkage", other: "solver = svd", fix });
            }
            (_, Checked::Text(_)) => ClassCovariance::LedoitWolf,
            _ => ClassCovariance::Shrunk(values.number("shrinkage").unwrap_or(0.0)),
        };
        Ok(Parameters::LinearDiscriminantAnalysis(DiscriminantParameters {
            covariance,
            priors: values.priors(),
            tolerance: values.number("tol").unwrap_or(1e-4),
        }))
    },
};
