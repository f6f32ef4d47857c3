//! How a boosted ensemble is fitted: XGBoost's hyperparameters as plain values.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::models::class_weight::ClassWeight;

/// The hyperparameters of `xgboost`, under XGBoost's names and with its defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct BoostingParameters {
    /// What is minimised; `None` for the log loss of as many classes as there are, or for the squared error.
    pub objective: Option<ObjectiveName>,
    /// The number of rounds; each round adds one tree, or one a class.
    pub n_estimators: usize,
    /// The share of each tree's values that is added.
    pub eta: f64,
    /// How each tree grows.
    pub growth: Growth,
    /// The share of the rows that each tree learns from, drawn without replacement.
    pub subsample: f64,
    /// The share of the features that each tree looks at.
    pub colsample_bytree: f64,
    /// The share of those that each level of a tree looks at.
    pub colsample_bylevel: f64,
    /// The share of those that each split looks at.
    pub colsample_bynode: f64,
    /// How much rows of the second class count, for two classes.
    pub scale_pos_weight: f64,
    /// The prediction before the first tree, in units of the target; `None` for the best constant.
    pub base_score: Option<f64>,
    /// The quantile that `reg:quantileerror` predicts.
    pub quantile_alpha: f64,
    /// The power of the variance that `reg:tweedie` assumes.
    pub tweedie_variance_power: f64,
    /// The most bins of a feature, the one for missing values included.
    pub max_bin: usize,
    /// How many rounds without a better validation score end the fit.
    pub early_stopping_rounds: Option<usize>,
    /// The weights of the classes.
    pub class_weight: ClassWeight,
    /// The directions in which predictions must move with a feature.
    pub monotone_constraints: Monotone,
    /// The number of threads; `None` for all.
    pub n_jobs: Option<usize>,
    /// The seed of the model, in place of the call's.
    pub random_state: Option<u64>,
}

/// How one tree grows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth {
    /// The most splits on the way to a leaf; 0 for no limit.
    pub max_depth: usize,
    /// The most leaves; 0 for no limit.
    pub max_leaves: usize,
    /// Whether the split of the largest gain comes next, rather than all splits of a level.
    pub lossguide: bool,
    /// The least sum of second derivatives on either side of a split.
    pub min_child_weight: f64,
    /// The least gain that is worth a split.
    pub gamma: f64,
    /// The squared penalty on the values of leaves.
    pub lambda: f64,
    /// The absolute penalty on the values of leaves.
    pub alpha: f64,
    /// The largest absolute value of a leaf before `eta`; 0 for no limit.
    pub max_delta_step: f64,
    /// A categorical feature with fewer categories is split one category against the others.
    pub max_cat_to_onehot: usize,
    /// The most categories on the smaller side of a split between groups of categories.
    pub max_cat_threshold: usize,
}

/// XGBoost's name of what is minimised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ObjectiveName {
    /// Log loss of two classes.
    #[serde(rename = "binary:logistic")]
    Logistic,
    /// Log loss of several classes.
    #[serde(rename = "multi:softprob")]
    Softmax,
    /// Squared error.
    #[serde(rename = "reg:squarederror")]
    Squared,
    /// Absolute error.
    #[serde(rename = "reg:absoluteerror")]
    Absolute,
    /// Pinball loss.
    #[serde(rename = "reg:quantileerror")]
    Quantile,
    /// Negative log-likelihood of Poisson counts.
    #[serde(rename = "count:poisson")]
    Poisson,
    /// Negative log-likelihood of the Tweedie distribution.
    #[serde(rename = "reg:tweedie")]
    Tweedie,
}

/// Directions in which predictions must move: 1 up, -1 down, 0 free.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Monotone {
    /// No constraint.
    #[default]
    Free,
    /// One a feature, in their order; features behind the last are free.
    InOrder(Vec<i8>),
    /// By the name of the feature; the others are free.
    ByName(BTreeMap<String, i8>),
}

impl Default for Growth {
    fn default() -> Self {
        Self {
            max_depth: 6,
            max_leaves: 0,
            lossguide: false,
            min_child_weight: 1.0,
            gamma: 0.0,
            lambda: 1.0,
            alpha: 0.0,
            max_delta_step: 0.0,
            max_cat_to_onehot: 4,
            max_cat_threshold: 64,
        }
    }
}

impl Default for BoostingParameters {
    fn default() -> Self {
        Self {
            objective: None,
            n_estimators: 100,
            eta: 0.3,
            growth: Growth::default(),
            subsample: 1.0,
            colsample_bytree: 1.0,
            colsample_bylevel: 1.0,
            colsample_bynode: 1.0,
            scale_pos_weight: 1.0,
            base_score: None,
            quantile_alpha: 0.5,
            tweedie_variance_power: 1.5,
            max_bin: 256,
            early_stopping_rounds: None,
            class_weight: ClassWeight::Even,
            monotone_constraints: Monotone::Free,
            n_jobs: None,
            random_state: None,
        }
    }
}

impl ObjectiveName {
    /// Every objective.
    pub const ALL: [Self; 7] =
        [Self::Logistic, Self::Softmax, Self::Squared, Self::Absolute, Self::Quantile, Self::Poisson, Self::Tweedie];

    /// XGBoost's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Logistic => "binary:logistic",
            Self::Softmax => "multi:softprob",
            Self::Squared => "reg:squarederror",
            Self::Absolute => "reg:absoluteerror",
            Self::Quantile => "reg:quantileerror",
            Self::Poisson => "count:poisson",
            Self::Tweedie => "reg:tweedie",
        }
    }

    /// Whether classes are predicted rather than numbers.
    pub const fn classifies(self) -> bool {
        matches!(self, Self::Logistic | Self::Softmax)
    }
}
