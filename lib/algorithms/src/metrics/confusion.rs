//! The confusion matrix: how often each class was taken for each other one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Result, input};

/// Counts of rows by true class (rows of the matrix) and predicted class (columns).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfusionMatrix {
    /// `counts[i][j]` rows of true class `i` were predicted as class `j`.
    pub counts: Vec<Vec<u64>>,
    /// The sums of the sample weights in the same layout; null when every row weighs 1.
    pub weighted: Option<Vec<Vec<f64>>>,
}

/// What the cells of a confusion matrix are divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Normalisation {
    /// The number of rows of the true class: each line sums to 1, the diagonal is recall.
    True,
    /// The number of rows of the predicted class: each column sums to 1, the diagonal is precision.
    Pred,
    /// The number of rows: the whole matrix sums to 1.
    All,
}

/// Two classes that were taken for each other, in one direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Confusion {
    /// The true class.
    pub truth: u32,
    /// The class that was predicted instead.
    pub predicted: u32,
    /// How many rows.
    pub count: u64,
    /// `count` divided by the number of rows of the true class.
    pub share_of_true: f64,
}

impl ConfusionMatrix {
    /// Counts the rows of `truth` and `predicted`, class codes below `n_classes` of equal length.
    ///
    /// Fails for no rows, different lengths, a code that is not below `n_classes`, or unusable weights.
    pub fn new(truth: &[u32], predicted: &[u32], n_classes: usize, weights: Option<&[f64]>) -> Result<Self> {
        input::not_empty("truth", truth.len())?;
        input::same_length("predicted", predicted.len(), "truth", truth.len())?;
        input::class_count(n_classes)?;
        input::codes("truth", truth, n_classes)?;
        input::codes("predicted", predicted, n_classes)?;
        input::weights(weights, truth.len())?;
        Ok(Self::of_rows(truth, predicted, n_classes, weights, 0..truth.len()))
    }

    /// Counts only `rows`, which may repeat, of arguments that were checked.
    pub(super) fn of_rows(
        truth: &[u32],
        predicted: &[u32],
        n_classes: usize,
        weights: Option<&[f64]>,
        rows: impl Iterator<Item = usize>,
    ) -> Self {
        let mut counts = vec![vec![0_u64; n_classes]; n_classes];
        let mut weighted = weights.map(|_| vec![vec![0.0; n_classes]; n_classes]);
        for row in rows {
            let (i, j) = (truth[row] as usize, predicted[row] as usize);
            counts[i][j] += 1;
            if let (Some(weighted), Some(weights)) = (&mut weighted, weights) {
                weighted[i][j] += weights[row];
            }
        }
        Self { counts, weighted }
    }

    /// The number of classes.
    pub fn n_classes(&self) -> usize {
        self.counts.len()
    }

    /// The number of rows.
    pub fn n(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    /// The matrix divided by its line, column or total sums, as `sklearn.metrics.confusion_matrix(normalize=…)`: a
    /// line or column without rows is all 0. Weights count where there are any.
    pub fn normalised(&self, by: Normalisation) -> Vec<Vec<f64>> {
        let (lines, columns, total) = (self.line_sums(), self.column_sums(), self.total());
        let divided = |i: usize, j: usize| {
            let by = match by {
                Normalisation::True => lines[i],
                Normalisation::Pred => columns[j],
                Normalisation::All => total,
            };
            if by == 0.0 { 0.0 } else { self.cell(i, j) / by }
        };
        (0..self.n_classes()).map(|i| (0..self.n_classes()).map(|j| divided(i, j)).collect()).collect()
    }

    /// The `limit` most frequent confusions, the most frequent first, then by class codes.
    pub fn top_confusions(&self, limit: usize) -> Vec<Confusion> {
        let mut found = Vec::new();
        for (i, line) in self.counts.iter().enumerate() {
            let rows: u64 = line.iter().sum();
            for (j, &count) in line.iter().enumerate().filter(|&(j, &count)| i != j && count > 0) {
                let share_of_true = count as f64 / rows as f64;
                found.push(Confusion { truth: i as u32, predicted: j as u32, count, share_of_true });
            }
        }
        found.sort_by(|a, b| b.count.cmp(&a.count).then((a.truth, a.predicted).cmp(&(b.truth, b.predicted))));
        found.truncate(limit);
        found
    }

    /// The weight of a cell.
    pub(super) fn cell(&self, i: usize, j: usize) -> f64 {
        self.weighted.as_ref().map_or(self.counts[i][j] as f64, |weighted| weighted[i][j])
    }

    /// The weight of each true class.
    pub(super) fn line_sums(&self) -> Vec<f64> {
        let classes = 0..self.n_classes();
        classes.clone().map(|i| classes.clone().map(|j| self.cell(i, j)).sum()).collect()
    }

    /// The weight of each predicted class.
    pub(super) fn column_sums(&self) -> Vec<f64> {
        let classes = 0..self.n_classes();
        classes.clone().map(|j| classes.clone().map(|i| self.cell(i, j)).sum()).collect()
    }

    /// The weight of all rows.
    pub(super) fn total(&self) -> f64 {
        self.line_sums().iter().sum()
    }

    /// The weight of the rows that were predicted right.
    pub(super) fn correct(&self) -> f64 {
        (0..self.n_classes()).map(|class| self.cell(class, class)).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metrics::MetricError;

    #[test]
    fn arguments_that_do_not_fit_are_refused() {
        assert_eq!(ConfusionMatrix::new(&[], &[], 2, None), Err(MetricError::Empty { field: "truth" }));
        let error = ConfusionMatrix::new(&[0, 1], &[0], 2, None).unwrap_err();
        assert_eq!(error.to_string(), "predicted has 1 rows and truth has 2; give one value for each row");
        assert!(
            ConfusionMatrix::new(&[0, 2], &[0, 1], 2, None).unwrap_err().to_string().contains("truth[1] is class 2")
        );
        assert!(ConfusionMatrix::new(&[0, 1], &[u32::MAX, 1], 2, None).is_err());
        assert!(ConfusionMatrix::new(&[0, 1], &[0, 1], 0, None).is_err());
        assert!(ConfusionMatrix::new(&[0, 1], &[0, 1], 2, Some(&[1.0])).is_err());
    }

    #[test]
    fn the_most_frequent_confusion_comes_first() {
        let matrix = ConfusionMatrix::new(&[0, 0, 0, 1, 1, 2], &[1, 1, 0, 0, 2, 2], 3, None).unwrap();
        let top = matrix.top_confusions(2);
        assert_eq!((top[0].truth, top[0].predicted, top[0].count), (0, 1, 2));
        assert_eq!((top[1].truth, top[1].predicted, top[1].count), (1, 0, 1));
        assert_eq!(top[0].share_of_true, 2.0 / 3.0);
        assert_eq!(matrix.top_confusions(9).len(), 3);
    }

    proptest! {
        #[test]
        fn sums_hold(rows in prop::collection::vec((0_u32..4, 0_u32..4, 0.1_f64..3.0), 1..60)) {
            let truth: Vec<u32> = rows.iter().map(|row| row.0).collect();
            let predicted: Vec<u32> = rows.iter().map(|row| row.1).collect();
            let weights: Vec<f64> = rows.iter().map(|row| row.2).collect();
            let plain = ConfusionMatrix::new(&truth, &predicted, 4, None).unwrap();
            prop_assert_eq!(plain.n() as usize, rows.len());
            for class in 0..4_u32 {
                let of_class = truth.iter().filter(|&&code| code == class).count() as f64;
                prop_assert_eq!(plain.line_sums()[class as usize], of_class);
            }
            let weighted = ConfusionMatrix::new(&truth, &predicted, 4, Some(&weights)).unwrap();
            prop_assert!((weighted.total() - weights.iter().sum::<f64>()).abs() < 1e-9);
            let all: f64 = weighted.normalised(Normalisation::All).iter().flatten().sum();
            prop_assert!((all - 1.0).abs() < 1e-9);
            for line in plain.normalised(Normalisation::True) {
                let sum: f64 = line.iter().sum();
                prop_assert!(sum == 0.0 || (sum - 1.0).abs() < 1e-9);
            }
        }
    }
}
