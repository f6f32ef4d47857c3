//! The checked values of one algorithm's table, to be read by name.

use std::collections::BTreeMap;

use super::specification::Checked;
use crate::models::class_weight::ClassWeight;

/// A number of rows, or a fraction of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Amount {
    /// That many.
    Count(usize),
    /// That share of all.
    Fraction(f64),
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

/// The checked values of one table, to be read by name.
pub(super) struct Values<'a>(pub(super) &'a [(&'static str, Checked)]);

impl Values<'_> {
    pub(super) fn get(&self, name: &str) -> &Checked {
        self.0.iter().find(|(other, _)| *other == name).map_or(&Checked::Null, |(_, value)| value)
    }

    pub(super) fn boolean(&self, name: &str) -> bool {
        matches!(self.get(name), Checked::Boolean(true))
    }

    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        if let Checked::Integer(value) = self.get(name) { Some(*value) } else { None }
    }

    pub(super) fn count(&self, name: &str) -> Option<usize> {
        self.integer(name).and_then(|value| usize::try_from(value).ok())
    }

    pub(super) fn number(&self, name: &str) -> Option<f64> {
        if let Checked::Number(value) = self.get(name) { Some(*value) } else { None }
    }

    pub(super) fn amount(&self, name: &str) -> Option<Amount> {
        self.count(name).map(Amount::Count).or_else(|| self.number(name).map(Amount::Fraction))
    }

    pub(super) fn class_weight(&self) -> ClassWeight {
        match self.get("class_weight") {
            Checked::Text("balanced_subsample") => ClassWeight::BalancedSubsample,
            Checked::Text(_) => ClassWeight::Balanced,
            Checked::Weights(weights) => ClassWeight::Given(weights.clone()),
            _ => ClassWeight::Even,
        }
    }

    /// The probability of each class; `None` for its share of the weight.
    pub(super) fn priors(&self) -> Option<BTreeMap<String, f64>> {
        if let Checked::Weights(priors) = self.get("priors") { Some(priors.clone()) } else { None }
    }

    pub(super) fn random_state(&self) -> Option<u64> {
        self.integer("random_state").and_then(|value| u64::try_from(value).ok())
    }
}
