//! What guessing would predict: the most frequent class, or the mean. A model that is no better is of no use.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::target::Target;

/// A prediction that looks at no feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Baseline {
    /// Always the most frequent class; of equally frequent ones the first.
    MajorityClass {
        /// The classes in the order of the shares.
        labels: Vec<String>,
        /// The share of each class in the training rows.
        shares: Vec<f64>,
    },
    /// Always the mean.
    Mean {
        /// The mean of the training rows.
        value: f64,
    },
}

impl Baseline {
    /// The baseline of a training target, `None` when it has no rows or its mean is not finite.
    pub fn fit(target: &Target) -> Option<Self> {
        if target.is_empty() {
            return None;
        }
        let count = target.len() as f64;
        match target {
            Target::Classes { labels, codes } => {
                let mut shares = vec![0.0; labels.len()];
                for &code in codes {
                    *shares.get_mut(code as usize)? += 1.0;
                }
                for share in &mut shares {
                    *share /= count;
                }
                Some(Self::MajorityClass { labels: labels.clone(), shares })
            }
            Target::Numbers(values) => {
                let value = values.iter().map(|value| value / count).sum::<f64>();
                value.is_finite().then_some(Self::Mean { value })
            }
        }
    }

    /// The prediction for `rows` rows.
    pub fn predict(&self, rows: usize) -> Target {
        match self {
            Self::MajorityClass { labels, shares } => {
                Target::Classes { labels: labels.clone(), codes: vec![super::largest_index(shares); rows] }
            }
            Self::Mean { value } => Target::Numbers(vec![*value; rows]),
        }
    }

    /// The shares of the classes as probabilities, rows × classes; `None` for regression.
    pub fn predict_proba(&self, rows: usize) -> Option<Array2<f64>> {
        match self {
            Self::MajorityClass { shares, .. } => {
                Some(Array2::from_shape_fn((rows, shares.len()), |(_, class)| shares[class]))
            }
            Self::Mean { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_class() {
        let labels = vec!["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let target = Target::Classes { labels: labels.clone(), codes: vec![1, 2, 2, 1, 0] };
        let baseline = Baseline::fit(&target).unwrap();
        assert_eq!(baseline.predict(2), Target::Classes { labels: labels.clone(), codes: vec![1, 1] });
        assert_eq!(baseline.predict_proba(1).unwrap().row(0).to_vec(), [0.2, 0.4, 0.4]);
        assert_eq!(Baseline::fit(&Target::Classes { labels, codes: vec![7] }), None);
    }

    #[test]
    fn the_mean() {
        let baseline = Baseline::fit(&Target::Numbers(vec![1.0, 2.0, 6.0])).unwrap();
        assert_eq!(baseline.predict(2), Target::Numbers(vec![3.0, 3.0]));
        assert_eq!(baseline.predict_proba(2), None);
        assert_eq!(Baseline::fit(&Target::Numbers(vec![])), None);
        assert_eq!(Baseline::fit(&Target::Numbers(vec![f64::NAN])), None);
    }
}
