//! A column of text: fill, encode.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::input::{UNSEEN, recode};
use super::{Encoder, MissingValues};
use crate::table::{MISSING, Values};

/// The most categories of a column that get a one-hot feature of their own.
pub const KEPT_CATEGORIES: usize = 100;

/// What was learnt about a column of text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryColumn {
    /// The categories of the training rows, sorted by their bytes.
    pub categories: Vec<String>,
    /// The index of the category that a missing value becomes, the most frequent; `None` when rows with missing values
    /// are dropped.
    pub fill: Option<u32>,
    /// How a category becomes numbers.
    pub encoding: CategoryEncoding,
}

/// How a category becomes numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CategoryEncoding {
    /// A feature for each kept category and one for all others.
    #[serde(rename = "onehot")]
    OneHot {
        /// The indexes of the kept categories, ascending.
        kept: Vec<u32>,
    },
    /// The index of the category; -1 for one unseen in training.
    Ordinal,
    /// The smoothed mean of the target.
    Target {
        /// The classes, one feature each; empty for a target of numbers or of two classes, which give one feature.
        classes: Vec<String>,
        /// For each category one mean a feature.
        means: Vec<Vec<f64>>,
        /// For each feature the mean of all training rows, which a category unseen in training gets.
        overall: Vec<f64>,
    },
}

impl CategoryColumn {
    /// Learns the categories of a text column; the means of a target encoding come later. Gives the index of each row's
    /// category too, as [`CategoryColumn::codes`].
    pub(super) fn fit(values: &Values, encoder: Encoder, missing: MissingValues) -> (Self, Vec<u32>) {
        let Values::Text { codes, categories } = values else {
            let encoding = CategoryEncoding::Ordinal;
            return (Self { categories: Vec::new(), fill: None, encoding }, Vec::new());
        };
        let mut by_code = vec![0_usize; categories.len()];
        for &code in codes {
            if let Some(count) = by_code.get_mut(code as usize) {
                *count += 1;
            }
        }
        let mut counts = BTreeMap::<&str, usize>::new();
        for (category, count) in categories.iter().zip(by_code).filter(|(_, count)| *count > 0) {
            *counts.entry(category).or_default() += count;
        }
        let sorted = counts.keys().map(|category| (*category).to_owned()).collect::<Vec<_>>();
        let counts = counts.into_values().collect::<Vec<_>>();
        let top = counts.iter().max();
        let fill = counts.iter().position(|count| Some(count) == top).map(|index| index as u32);
        let fill = fill.filter(|_| missing != MissingValues::Drop);
        let encoding = match encoder {
            Encoder::OneHot => CategoryEncoding::OneHot { kept: kept(&counts) },
            Encoder::Ordinal => CategoryEncoding::Ordinal,
            Encoder::Target => CategoryEncoding::Target { classes: Vec::new(), means: Vec::new(), overall: Vec::new() },
        };
        let fitted = Self { categories: sorted, fill, encoding };
        let codes = fitted.codes(values);
        (fitted, codes)
    }

    /// The index of each row's category, missing values filled; [`UNSEEN`] for one that was not in training.
    pub(super) fn codes(&self, values: &Values) -> Vec<u32> {
        let codes = recode(values, &self.categories);
        codes.into_iter().map(|code| self.filled(code)).collect()
    }

    pub(super) fn filled(&self, code: u32) -> u32 {
        if code == MISSING { self.fill.unwrap_or(UNSEEN) } else { code }
    }

    pub(super) fn width(&self) -> usize {
        match &self.encoding {
            CategoryEncoding::OneHot { kept } => kept.len() + 1,
            CategoryEncoding::Ordinal => 1,
            CategoryEncoding::Target { overall, .. } => overall.len(),
        }
    }

    pub(super) fn feature_names(&self, name: &str) -> Vec<String> {
        match &self.encoding {
            CategoryEncoding::OneHot { kept } => {
                let categories = kept.iter().filter_map(|&index| self.categories.get(index as usize));
                let named = categories.map(|category| format!("{name}={category}"));
                named.chain([format!("{name}=<other>")]).collect()
            }
            CategoryEncoding::Target { classes, .. } if !classes.is_empty() => {
                classes.iter().map(|class| format!("{name}[{class}]")).collect()
            }
            _ => vec![name.to_owned()],
        }
    }

    /// How many categories have no one-hot feature of their own.
    pub(super) fn rare(&self) -> usize {
        match &self.encoding {
            CategoryEncoding::OneHot { kept } => self.categories.len() - kept.len(),
            _ => 0,
        }
    }

    /// Writes the features of one row. `code` is an index into the categories or [`UNSEEN`]; `features` is all zeros
    /// and has [`CategoryColumn::width`] places.
    pub(super) fn write(&self, code: u32, features: &mut [f64]) {
        match &self.encoding {
            CategoryEncoding::OneHot { kept } => {
                features[kept.binary_search(&code).unwrap_or(kept.len())] = 1.0;
            }
            CategoryEncoding::Ordinal => features[0] = if code == UNSEEN { -1.0 } else { f64::from(code) },
            CategoryEncoding::Target { means, overall, .. } => {
                let means = means.get(code as usize).unwrap_or(overall);
                features.iter_mut().zip(means).for_each(|(feature, mean)| *feature = *mean);
            }
        }
    }

    /// What is wrong with the parameters, if anything.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let count = self.categories.len();
        if count == 0 || !self.categories.is_sorted_by(|a, b| a < b) {
            return Some("the categories are empty, repeated or not sorted");
        }
        if self.fill.is_some_and(|fill| fill as usize >= count) {
            return Some("the category for missing values does not exist");
        }
        match &self.encoding {
            CategoryEncoding::OneHot { kept } => {
                let sound = kept.is_sorted_by(|a, b| a < b) && kept.iter().all(|&index| (index as usize) < count);
                (!sound).then_some("the kept categories are repeated, not sorted or do not exist")
            }
            CategoryEncoding::Ordinal => None,
            CategoryEncoding::Target { classes, means, overall } => {
                let width = classes.len().max(1);
                let sound = |means: &Vec<f64>| means.len() == width && means.iter().all(|mean| mean.is_finite());
                let sound = means.len() == count && sound(overall) && means.iter().all(sound);
                (!sound).then_some("the target means have the wrong shape or are not finite")
            }
        }
    }
}

/// The indexes of the most frequent categories; among equally frequent ones the later stay, as in scikit-learn's
/// `OneHotEncoder` with `max_categories`.
fn kept(counts: &[usize]) -> Vec<u32> {
    let mut order = (0..counts.len()).collect::<Vec<_>>();
    order.sort_by_key(|&index| counts[index]);
    let mut kept = order.iter().rev().take(KEPT_CATEGORIES).map(|&index| index as u32).collect::<Vec<_>>();
    kept.sort_unstable();
    kept
}
