//! Hyperparameter search: a space, the next trial, when to stop one early, and which parameter matters.
//!
//! A [`Study`] is asked for a trial and told what came of it. It holds nothing but its settings and its trials, so the same
//! settings and trials give the same next trial, in this process or after it was written down and read back.

mod acquisition;
mod bayesian;
mod cholesky;
mod config;
mod convergence;
mod default_space;
mod error;
mod expected_improvement;
mod form;
mod gaussian_process;
mod importance;
mod metric;
mod parameter;
mod pruner;
mod sobol;
mod space;
mod study;
mod trial;

pub use config::SearchConfig;
pub use convergence::{ConvergencePoint, convergence};
pub use default_space::{DefaultSpace, check_space, default_space};
pub use error::{SearchError, SpaceProblem, SpaceProblems};
pub use form::{ParameterForm, RangeForm};
pub use importance::importance;
pub use metric::SearchMetric;
pub use parameter::{Condition, Domain, Parameter};
pub use pruner::Pruner;
pub use sobol::{DIMENSIONS, Sobol};
pub use space::SearchSpace;
pub use study::{Strategy, Study, StudySettings};
pub use trial::{Direction, IntermediateValue, Origin, Outcome, Trial, TrialStatus};
