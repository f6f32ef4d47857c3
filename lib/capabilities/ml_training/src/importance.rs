//! The features that a model uses most.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most features in a result; the model holds all.
const FEATURES: usize = 50;
/// The most characters of a feature's name in a result; a name may hold a category, which is any text.
const NAME: usize = 200;
/// The most bytes of all features in a result, as JSON.
const BYTES: usize = 20_000;

/// How much a model uses a feature.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct FeatureImportance {
    /// The feature; a name of more than 200 characters is cut and ends with `…`, and with a number where two would be
    /// the same.
    pub feature: String,
    /// At least 0. For trees the share of the decrease in impurity; for linear models the absolute coefficient times the
    /// feature's standard deviation.
    pub importance: f64,
}

/// The features of the highest importance first: at most 50, and fewer when their names take more than 20 kB.
pub(crate) fn highest(names: &[String], importance: &[f64]) -> Vec<FeatureImportance> {
    let mut order: Vec<usize> = (0..names.len().min(importance.len())).collect();
    order.sort_by(|&a, &b| importance[b].total_cmp(&importance[a]));
    let mut taken = HashSet::new();
    let mut features = Vec::new();
    let mut bytes = 0;
    for index in order.into_iter().take(FEATURES) {
        let feature = FeatureImportance { feature: short(&names[index], &taken), importance: importance[index] };
        bytes += serde_json::to_string(&feature).map_or(BYTES, |text| text.len() + 1);
        if bytes > BYTES {
            break;
        }
        taken.insert(feature.feature.clone());
        features.push(feature);
    }
    features
}

/// The name in at most [`NAME`] characters, and another one than those that are taken.
fn short(name: &str, taken: &HashSet<String>) -> String {
    let is_short = name.chars().nth(NAME).is_none();
    if is_short && !taken.contains(name) {
        return name.to_owned();
    }
    let cut = |ending: &str| name.chars().take(NAME - ending.chars().count()).collect::<String>() + ending;
    let first = std::iter::once(cut("…"));
    // One of the first names that are more than those taken is free, whatever they are.
    let numbered = (2..=taken.len() + 2).map(|number| cut(&format!("… {number}")));
    first.chain(numbered).find(|short| !taken.contains(short)).unwrap_or_default()
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

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let long = "x".repeat(2_000_000);
        let names = [format!("{long}a"), format!("{long}b"), format!("{}…", "x".repeat(199)), "x".repeat(200)];
        let highest = highest(&names, &[4.0, 3.0, 2.0, 1.0]);
        let shown = highest.iter().map(|feature| feature.feature.as_str()).collect::<Vec<_>>();
        assert_eq!(shown[0], format!("{}…", "x".repeat(199)));
        assert!(shown[1].ends_with("x… 2") && shown[2].ends_with("x… 3"), "{shown:?}");
        assert_eq!(shown[3], "x".repeat(200));
        assert!(shown.iter().all(|name| name.chars().count() == 200));
    }

    #[test]
    fn a_result_stays_small() {
        let names = (0..50).map(|index| format!("{index}{}", "\u{1}語".repeat(500))).collect::<Vec<_>>();
        let highest = highest(&names, &[1.0; 50]);
        let bytes = serde_json::to_string(&highest).unwrap().len();
        assert!((10..50).contains(&highest.len()) && bytes <= 20_000, "{} in {bytes}", highest.len());
    }
}
