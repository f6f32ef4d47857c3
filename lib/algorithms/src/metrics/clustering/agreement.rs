//! Measures of two groupings of the same rows against each other.

use std::collections::BTreeMap;

use crate::metrics::{Measure, Result, input};

/// The adjusted Rand index (Hubert and Arabie, 1985), as `sklearn.metrics.adjusted_rand_score`.
///
/// Noise (-1) counts as one more group. Fails for no rows or different lengths.
pub fn adjusted_rand_index(truth: &[u32], labels: &[i32]) -> Result<Measure> {
    let table = Table::new(truth, labels)?;
    let pairs = |count: u64| u128::from(count) * u128::from(count);
    let rows = u128::from(table.rows);
    let both: u128 = table.cells.values().map(|&count| pairs(count)).sum();
    let by_truth: u128 = table.truth.values().map(|&count| pairs(count)).sum();
    let by_label: u128 = table.labels.values().map(|&count| pairs(count)).sum();
    // Ordered pairs of different rows: together in both, in one alone, in none.
    let together = (both - rows) as f64;
    let (only_truth, only_label) = (by_truth - both, by_label - both);
    if only_truth == 0 && only_label == 0 {
        return Ok(Measure::of(1.0));
    }
    let apart = (rows * rows + both - by_truth - by_label) as f64;
    let (only_truth, only_label) = (only_truth as f64, only_label as f64);
    let chance = (together + only_truth) * (only_truth + apart) + (together + only_label) * (only_label + apart);
    Ok(Measure::of(2.0 * (together * apart - only_truth * only_label) / chance))
}

/// The mutual information over the arithmetic mean of the entropies, as
/// `sklearn.metrics.normalized_mutual_info_score`.
///
/// Noise (-1) counts as one more group. Fails for no rows or different lengths.
pub fn normalized_mutual_information(truth: &[u32], labels: &[i32]) -> Result<Measure> {
    let table = Table::new(truth, labels)?;
    if table.truth.len() == 1 && table.labels.len() == 1 {
        return Ok(Measure::of(1.0));
    }
    let rows = table.rows as f64;
    let information: f64 = table
        .cells
        .iter()
        .map(|((truth, label), &count)| {
            let (count, expected) = (count as f64, table.truth[truth] as f64 * table.labels[label] as f64);
            count / rows * (count.ln() + rows.ln() - expected.ln())
        })
        .sum();
    let mean = f64::midpoint(entropy(table.truth.values(), rows), entropy(table.labels.values(), rows));
    let information = information.max(0.0);
    Ok(Measure::of(if information <= f64::EPSILON { 0.0 } else { (information / mean).min(1.0) }))
}

fn entropy<'a>(counts: impl Iterator<Item = &'a u64>, rows: f64) -> f64 {
    counts.map(|&count| -(count as f64 / rows) * (count as f64 / rows).ln()).sum()
}

/// How many rows there are of each pair of groups.
struct Table {
    rows: u64,
    cells: BTreeMap<(u32, i32), u64>,
    truth: BTreeMap<u32, u64>,
    labels: BTreeMap<i32, u64>,
}

impl Table {
    fn new(truth: &[u32], labels: &[i32]) -> Result<Self> {
        input::not_empty("truth", truth.len())?;
        input::same_length("labels", labels.len(), "truth", truth.len())?;
        let mut table =
            Self { rows: truth.len() as u64, cells: BTreeMap::new(), truth: BTreeMap::new(), labels: BTreeMap::new() };
        for (&truth, &label) in truth.iter().zip(labels) {
            *table.cells.entry((truth, label)).or_default() += 1;
            *table.truth.entry(truth).or_default() += 1;
            *table.labels.entry(label).or_default() += 1;
        }
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_matter_and_noise_is_a_group() {
        let value = |measure: Measure| measure.value.unwrap();
        assert_eq!(value(adjusted_rand_index(&[0, 0, 1, 1], &[5, 5, -1, -1]).unwrap()), 1.0);
        let same = value(normalized_mutual_information(&[0, 0, 1, 1], &[5, 5, -1, -1]).unwrap());
        assert!((same - 1.0).abs() < 1e-12);
        assert_eq!(value(adjusted_rand_index(&[0, 0, 1, 1], &[0, 1, 0, 1]).unwrap()), -0.5);
        assert_eq!(value(normalized_mutual_information(&[0, 0, 1, 1], &[0, 0, 0, 0]).unwrap()), 0.0);
        assert_eq!(value(normalized_mutual_information(&[0, 0], &[0, 0]).unwrap()), 1.0);
        assert!(adjusted_rand_index(&[], &[]).is_err());
        assert!(adjusted_rand_index(&[0], &[0, 1]).is_err());
    }
}
