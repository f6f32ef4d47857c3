//! Scores of probabilities on resamples of the rows, from one sort of each class.

use ndarray::ArrayView2;

use super::classifier::Classified;
use super::multiclass_roc::AucAveraging;
use super::{Result, input, probability};

/// What resamples of probabilities need, computed once.
pub(super) struct ResampledScores<'a> {
    truth: &'a [u32],
    weights: Option<&'a [f64]>,
    averaging: AucAveraging,
    /// Each class against the rest, or the positive class alone.
    classes: Vec<ScoreOrder>,
    /// Each class against each other one, for the one-vs-one average.
    pairs: Vec<ScoreOrder>,
    log_losses: Vec<f64>,
    brier_scores: Vec<f64>,
}

impl<'a> ResampledScores<'a> {
    /// Ranks the rows for `averaging`; `binary` is the positive class of the binary average.
    pub(super) fn new(
        data: &Classified<'a>,
        probabilities: ArrayView2<'_, f64>,
        averaging: AucAveraging,
        binary: Option<u32>,
    ) -> Result<Self> {
        let n_classes = data.n_classes as u32;
        let order = |class: u32, keep: &dyn Fn(u32) -> bool| {
            let rows = (0..data.truth.len()).filter(|&row| keep(data.truth[row])).collect();
            let scores = probabilities.column(class as usize).to_vec();
            ScoreOrder::new(rows, data.truth, class, &scores, data.weights)
        };
        let mut pairs = Vec::new();
        if averaging == AucAveraging::OneVsOneMacro {
            for class in 0..n_classes {
                let others = (0..n_classes).filter(|&other| other != class);
                pairs.extend(others.map(|other| order(class, &|truth| truth == class || truth == other)));
            }
        }
        let classes = binary.map_or_else(|| (0..n_classes).collect(), |positive| vec![positive]);
        Ok(Self {
            truth: data.truth,
            weights: data.weights,
            averaging,
            classes: classes.into_iter().map(|class| order(class, &|_| true)).collect(),
            pairs,
            log_losses: probability::log_losses(data.truth, probabilities)?,
            brier_scores: probability::brier_scores(data.truth, probabilities)?,
        })
    }

    /// The area under the ROC curve, average precision, log loss and Brier score of a resample.
    pub(super) fn of(&self, rows: &[usize]) -> [Option<f64>; 4] {
        let mut counts = vec![0; self.truth.len()];
        for &row in rows {
            counts[row] += 1;
        }
        let weights = self.weights.map(|weights| rows.iter().map(|&row| weights[row]).collect::<Vec<f64>>());
        let mean = |values: &[f64]| Some(input::mean(rows.iter().map(|&row| values[row]), weights.as_deref()));
        let areas: Vec<Areas> = self.classes.iter().map(|order| order.areas(&counts)).collect();
        let one = |area: Option<f64>| area.map(|area| (area, 1.0));
        let auc = match self.averaging {
            AucAveraging::OneVsOneMacro => weighted_mean(self.pairs.iter().map(|pair| one(pair.areas(&counts).roc))),
            AucAveraging::OneVsRestWeighted => weighted_mean(areas.iter().map(|area| Some((area.roc?, area.support)))),
            _ => weighted_mean(areas.iter().map(|area| one(area.roc))),
        };
        let precision = weighted_mean(areas.iter().map(|area| one(area.precision)));
        [auc, precision, mean(&self.log_losses), mean(&self.brier_scores)]
    }
}

/// The mean of those values that are defined.
fn weighted_mean(values: impl Iterator<Item = Option<(f64, f64)>>) -> Option<f64> {
    let add = |(sum, total), (value, weight): (f64, f64)| (sum + weight * value, total + weight);
    let (sum, total) = values.flatten().fold((0.0, 0.0), add);
    (total > 0.0).then(|| sum / total)
}

/// Rows in descending order of a score, so that each resample costs one pass.
struct ScoreOrder {
    /// The rows; those with equal scores are one group.
    groups: Vec<Vec<Ranked>>,
}

struct Ranked {
    row: usize,
    positive: bool,
    weight: f64,
}

/// What one class comes to on a resample; `None` where a class is missing.
struct Areas {
    roc: Option<f64>,
    precision: Option<f64>,
    support: f64,
}

impl ScoreOrder {
    /// Ranks those `rows` of arguments that were checked.
    fn new(mut rows: Vec<usize>, truth: &[u32], positive: u32, scores: &[f64], weights: Option<&[f64]>) -> Self {
        rows.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        let ranked = |&row: &usize| Ranked {
            row,
            positive: truth[row] == positive,
            weight: weights.map_or(1.0, |weights| weights[row]),
        };
        let ties = rows.chunk_by(|&a, &b| scores[a] == scores[b]);
        Self { groups: ties.map(|ties| ties.iter().map(ranked).collect()).collect() }
    }

    /// The areas when row `i` occurs `counts[i]` times.
    fn areas(&self, counts: &[u32]) -> Areas {
        let (mut hits, mut alarms, mut area, mut steps) = (0.0, 0.0, 0.0, 0.0);
        for group in &self.groups {
            let (mut more_hits, mut more_alarms) = (0.0, 0.0);
            for ranked in group {
                let weight = ranked.weight * f64::from(counts[ranked.row]);
                if ranked.positive {
                    more_hits += weight;
                } else {
                    more_alarms += weight;
                }
            }
            area += more_alarms * (hits + more_hits / 2.0);
            hits += more_hits;
            alarms += more_alarms;
            if more_hits > 0.0 {
                steps += more_hits * (hits / (hits + alarms));
            }
        }
        Areas {
            roc: (hits > 0.0 && alarms > 0.0).then(|| area / (hits * alarms)),
            precision: (hits > 0.0).then(|| steps / hits),
            support: hits,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metrics::roc::RankedScores;

    proptest! {
        #[test]
        fn a_resample_has_the_areas_of_its_rows(
            rows in prop::collection::vec((any::<bool>(), 0_u8..6, 0.5_f64..2.0, 0_u32..3), 2..30),
        ) {
            let truth: Vec<u32> = rows.iter().map(|row| u32::from(row.0)).collect();
            let scores: Vec<f64> = rows.iter().map(|row| f64::from(row.1)).collect();
            let weights: Vec<f64> = rows.iter().map(|row| row.2).collect();
            let counts: Vec<u32> = rows.iter().map(|row| row.3).collect();
            let order = ScoreOrder::new((0..rows.len()).collect(), &truth, 1, &scores, Some(&weights));
            let Areas { roc, precision, .. } = order.areas(&counts);
            let drawn: Vec<usize> = (0..rows.len()).flat_map(|row| vec![row; counts[row] as usize]).collect();
            if drawn.is_empty() {
                prop_assert_eq!((roc, precision), (None, None));
                return Ok(());
            }
            let take = |values: &[f64]| drawn.iter().map(|&row| values[row]).collect::<Vec<f64>>();
            let of: Vec<u32> = drawn.iter().map(|&row| truth[row]).collect();
            let ranked = RankedScores::new(&of, 1, &take(&scores), Some(&take(&weights))).unwrap();
            for (found, expected) in [(roc, ranked.auc().value), (precision, ranked.average_precision().value)] {
                prop_assert_eq!(found.is_some(), expected.is_some());
                prop_assert!((found.unwrap_or(0.0) - expected.unwrap_or(0.0)).abs() < 1e-12);
            }
        }
    }
}
