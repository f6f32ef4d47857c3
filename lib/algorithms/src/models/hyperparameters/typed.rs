//! Checked hyperparameters as plain structs, one for each algorithm.

use super::specification::Checked;
use super::{Algorithm, HyperparameterError};
use crate::models::class_weight::ClassWeight;

/// The hyperparameters of one algorithm.
#[derive(Debug, Clone, PartialEq)]
pub enum Parameters {
    /// Those of a random forest.
    RandomForest(ForestParameters),
    /// Those of a decision tree.
    DecisionTree(TreeParameters),
    /// Those of logistic regression.
    LogisticRegression(LogisticParameters),
    /// Those of linear regression.
    LinearRegression(LinearParameters),
}

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

/// How a logistic regression is fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticParameters {
    /// The inverse of the strength of the squared penalty; `None` for no penalty.
    pub inverse_penalty: Option<f64>,
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

/// A number of rows, or a fraction of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Amount {
    /// That many.
    Count(usize),
    /// That share of all.
    Fraction(f64),
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

impl Amount {
    /// The amount as a count of `rows`, a fraction rounded up.
    pub fn of(self, rows: usize) -> usize {
        match self {
            Self::Count(count) => count,
            Self::Fraction(fraction) => (fraction * rows as f64).ceil() as usize,
        }
    }
}

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

/// The checked values of one table, to be read by name.
struct Values<'a>(&'a [(&'static str, Checked)]);

impl Values<'_> {
    fn get(&self, name: &str) -> &Checked {
        self.0.iter().find(|(other, _)| *other == name).map_or(&Checked::Null, |(_, value)| value)
    }

    fn boolean(&self, name: &str) -> bool {
        matches!(self.get(name), Checked::Boolean(true))
    }

    fn integer(&self, name: &str) -> Option<i64> {
        if let Checked::Integer(value) = self.get(name) { Some(*value) } else { None }
    }

    fn count(&self, name: &str) -> Option<usize> {
        self.integer(name).and_then(|value| usize::try_from(value).ok())
    }

    fn number(&self, name: &str) -> Option<f64> {
        if let Checked::Number(value) = self.get(name) { Some(*value) } else { None }
    }

    fn amount(&self, name: &str) -> Option<Amount> {
        self.count(name).map(Amount::Count).or_else(|| self.number(name).map(Amount::Fraction))
    }

    fn max_features(&self) -> MaxFeatures {
        match self.get("max_features") {
            Checked::Text("sqrt") => MaxFeatures::SquareRoot,
            Checked::Text("log2") => MaxFeatures::BinaryLogarithm,
            _ => self.amount("max_features").map_or(MaxFeatures::All, MaxFeatures::Amount),
        }
    }

    fn class_weight(&self) -> ClassWeight {
        match self.get("class_weight") {
            Checked::Text("balanced_subsample") => ClassWeight::BalancedSubsample,
            Checked::Text(_) => ClassWeight::Balanced,
            Checked::Weights(weights) => ClassWeight::Given(weights.clone()),
            _ => ClassWeight::Even,
        }
    }

    fn random_state(&self) -> Option<u64> {
        self.integer("random_state").and_then(|value| u64::try_from(value).ok())
    }

    fn tree(&self) -> TreeParameters {
        let criterion = match self.get("criterion") {
            Checked::Text("gini") => ImpurityMeasure::Gini,
            Checked::Text("entropy" | "log_loss") => ImpurityMeasure::Entropy,
            _ => ImpurityMeasure::SquaredError,
        };
        TreeParameters {
            criterion,
            max_depth: self.count("max_depth"),
            min_samples_split: self.amount("min_samples_split").unwrap_or(Amount::Count(2)),
            min_samples_leaf: self.amount("min_samples_leaf").unwrap_or(Amount::Count(1)),
            min_weight_fraction_leaf: self.number("min_weight_fraction_leaf").unwrap_or(0.0),
            max_features: self.max_features(),
            min_impurity_decrease: self.number("min_impurity_decrease").unwrap_or(0.0),
            class_weight: self.class_weight(),
            random_state: self.random_state(),
        }
    }
}

impl Parameters {
    /// The typed values, once they do not contradict each other.
    pub(super) fn new(algorithm: Algorithm, values: &[(&'static str, Checked)]) -> Result<Self, HyperparameterError> {
        let values = Values(values);
        match algorithm {
            Algorithm::DecisionTree => Ok(Self::DecisionTree(values.tree())),
            Algorithm::RandomForest => forest(&values).map(Self::RandomForest),
            Algorithm::LogisticRegression => {
                let penalised = matches!(values.get("penalty"), Checked::Text("l2"));
                Ok(Self::LogisticRegression(LogisticParameters {
                    inverse_penalty: values.number("C").filter(|_| penalised),
                    fit_intercept: values.boolean("fit_intercept"),
                    max_iter: values.count("max_iter").unwrap_or(100),
                    tolerance: values.number("tol").unwrap_or(1e-4),
                    class_weight: values.class_weight(),
                    random_state: values.random_state(),
                }))
            }
            Algorithm::LinearRegression => Ok(Self::LinearRegression(LinearParameters {
                fit_intercept: values.boolean("fit_intercept"),
                tolerance: values.number("tol").unwrap_or(1e-6),
            })),
        }
    }
}

fn forest(values: &Values<'_>) -> Result<ForestParameters, HyperparameterError> {
    let forest = ForestParameters {
        tree: values.tree(),
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
