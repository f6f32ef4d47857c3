//! Target encoding: a category's mean of the target, smoothed by an empirical Bayes estimate.
//!
//! Micci-Barreca, "A preprocessing scheme for high-cardinality categorical attributes" (2001), equations 5 and 6, as
//! scikit-learn's `TargetEncoder` with `smooth="auto"`: with `n` rows of the category, their mean `m` and variance
//! `s²`, and the mean `M` and variance `V` of all rows, the encoding is `w·m + (1 - w)·M` with `w = V·n / (V·n + s²)`.

use rand::seq::SliceRandom;

use super::category::CategoryEncoding;
use crate::seed;
use crate::target::Target;

/// Into how many parts the training rows are cut; each is encoded from the others.
const FOLDS: usize = 5;

/// The features that a target gives: one for numbers and for two classes, else one a class.
pub(super) fn classes(target: &Target) -> Vec<String> {
    match target {
        Target::Classes { labels, .. } if labels.len() != 2 => labels.clone(),
        _ => Vec::new(),
    }
}

/// The encoding learnt from the rows for which `used` is true.
pub(super) fn fit(codes: &[u32], categories: usize, target: &Target, used: impl Fn(usize) -> bool) -> CategoryEncoding {
    let classes = classes(target);
    let outputs = classes.len().max(1);
    let mut means = vec![Vec::with_capacity(outputs); categories];
    let mut overall = Vec::with_capacity(outputs);
    let rows = (0..codes.len()).filter(|&row| used(row)).collect::<Vec<_>>();
    for output in 0..outputs {
        let values = rows.iter().map(|&row| value(target, output, !classes.is_empty(), row)).collect::<Vec<_>>();
        let (smoothed, mean) = smooth(&rows, &values, codes, categories);
        overall.push(mean);
        means.iter_mut().zip(smoothed).for_each(|(means, mean)| means.push(mean));
    }
    CategoryEncoding::Target { classes, means, overall }
}

/// For each row the fold in which it is encoded, from 0: shuffled, and for classes dealt class by class so that every
/// fold has the same share of each.
pub(super) fn folds(target: &Target, seed: u64) -> Vec<usize> {
    let mut order = (0..target.len()).collect::<Vec<_>>();
    order.shuffle(&mut seed::rng(seed, 0));
    if let Target::Classes { codes, .. } = target {
        order.sort_by_key(|&row| codes[row]);
    }
    let mut folds = vec![0; order.len()];
    for (place, row) in order.into_iter().enumerate() {
        folds[row] = place % FOLDS;
    }
    folds
}

/// The encodings learnt without each fold in turn; rows of fold `k` are encoded by the one at `k`.
pub(super) fn fit_folds(codes: &[u32], categories: usize, target: &Target, folds: &[usize]) -> Vec<CategoryEncoding> {
    (0..FOLDS)
        .map(|fold| {
            let others = folds.iter().any(|&other| other != fold);
            // A single row has no others to learn from.
            fit(codes, categories, target, |row| !others || folds[row] != fold)
        })
        .collect()
}

fn value(target: &Target, output: usize, one_per_class: bool, row: usize) -> f64 {
    match target {
        Target::Numbers(values) => values[row],
        Target::Classes { codes, .. } => {
            let positive = if one_per_class { output } else { 1 };
            f64::from(u8::from(codes[row] as usize == positive))
        }
    }
}

/// The smoothed mean of each category, and the mean of all rows; `values` has one value for each of `rows`.
fn smooth(rows: &[usize], values: &[f64], codes: &[u32], categories: usize) -> (Vec<f64>, f64) {
    let total = values.len() as f64;
    let mean = values.iter().sum::<f64>() / total;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / total;
    let mut counts = vec![0.0; categories];
    let mut means = vec![0.0; categories];
    let mut squares = vec![0.0; categories];
    let pairs = || rows.iter().map(|&row| codes[row] as usize).zip(values).filter(|(code, _)| *code < categories);
    for (code, value) in pairs() {
        counts[code] += 1.0;
        means[code] += value;
    }
    for (mean, count) in means.iter_mut().zip(&counts) {
        *mean /= *count;
    }
    for (code, value) in pairs() {
        squares[code] += (value - means[code]).powi(2);
    }
    let smoothed = (0..categories).map(|category| {
        let (own, count) = (means[category], counts[category]);
        let weight = variance * count / (variance * count + squares[category] / count);
        // A category without rows, or a target without any spread.
        if weight.is_nan() { mean } else { weight * own + (1.0 - weight) * mean }
    });
    (smoothed.collect(), mean)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn every_class_is_dealt_evenly_to_the_folds() {
        let codes = (0..50).map(|row| u32::from(row % 5 == 0)).collect::<Vec<_>>();
        let target = Target::Classes { labels: vec!["a".to_owned(), "b".to_owned()], codes: codes.clone() };
        let folds = folds(&target, 3);
        for fold in 0..FOLDS {
            let of_class = |class| (0..50).filter(|&row| folds[row] == fold && codes[row] == class).count();
            assert_eq!((of_class(0), of_class(1)), (8, 2));
        }
    }

    #[test]
    fn a_single_row_is_encoded_by_itself() {
        let target = Target::Numbers(vec![2.0]);
        for encoding in fit_folds(&[0], 1, &target, &folds(&target, 0)) {
            let expected = CategoryEncoding::Target { classes: Vec::new(), means: vec![vec![2.0]], overall: vec![2.0] };
            assert_eq!(encoding, expected);
        }
    }

    /// The rows of a fold are encoded as scikit-learn's `TargetEncoder` fitted on the other folds encodes them.
    #[test]
    fn out_of_fold_means_agree_with_scikit_learn() {
        let golden: Value =
            serde_json::from_str(include_str!("../../tests/golden/preprocessing_out_of_fold.json")).unwrap();
        for case in golden["cases"].as_array().unwrap() {
            let codes = serde_json::from_value::<Vec<u32>>(case["codes"].clone()).unwrap();
            let folds = serde_json::from_value::<Vec<usize>>(case["folds"].clone()).unwrap();
            let target = serde_json::from_value::<Target>(case["target"].clone()).unwrap();
            let expected = serde_json::from_value::<Vec<Vec<f64>>>(case["expected"].clone()).unwrap();
            let categories = *codes.iter().max().unwrap() as usize + 1;
            let encodings = fit_folds(&codes, categories, &target, &folds);
            for (row, expected) in expected.iter().enumerate() {
                let CategoryEncoding::Target { means, .. } = &encodings[folds[row]] else { panic!("not means") };
                for (found, expected) in means[codes[row] as usize].iter().zip(expected) {
                    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{found} {expected}");
                }
            }
        }
    }
}
