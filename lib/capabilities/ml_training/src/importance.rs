//! The features that a model uses most.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most features in a result; the model holds all.
const FEATURES: usize = 50;

/// How much a model uses a feature.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct FeatureImportance {
    /// The feature.
    pub feature: String,
    /// At least 0. For trees the share of the decrease in impurity; for linear models the absolute coefficient times the
    /// feature's standard deviation.
    pub importance: f64,
}

/// The features of the highest importance first, at most 50.
pub(crate) fn highest(names: &[String], importance: &[f64]) -> Vec<FeatureImportance> {
    let mut order: Vec<usize> = (0..names.len().min(importance.len())).collect();
    order.sort_by(|&a, &b| importance[b].total_cmp(&importance[a]));
    let feature = |index: usize| FeatureImportance { feature: names[index].clone(), importance: importance[index] };
    order.into_iter().take(FEATURES).map(feature).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_come_first_and_equal_ones_in_their_order() {
        let names = (0..60).map(|index| format!("f{index}")).collect::<Vec<_>>();
        let importance = (0..60).map(|index| f64::from(index / 2)).collect::<Vec<_>>();
        let highest = highest(&names, &importance);
        assert_eq!(highest.len(), 50);
        assert_eq!((highest[0].feature.as_str(), highest[1].feature.as_str()), ("f58", "f59"));
    }
}
