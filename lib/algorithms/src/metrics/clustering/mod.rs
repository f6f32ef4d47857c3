//! How good a clustering is, by the rows alone and by known groups.
//!
//! Labels are clusters from 0 up, and -1 for noise. Measures by the rows leave noise out, since it is no cluster;
//! measures by known groups take it as one group more, as scikit-learn does.

mod agreement;
mod hopkins;
mod silhouette;
mod spread;

use ndarray::ArrayView2;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Measure, MetricError, Result};
use crate::probe::{Cancelled, Probe};

pub use agreement::{adjusted_rand_index, normalized_mutual_information};
pub use hopkins::hopkins;
pub use silhouette::{SILHOUETTE_ROWS, Silhouette, row_silhouettes, silhouette};
pub use spread::{calinski_harabasz, davies_bouldin};

/// Why a clustering could not be measured.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ClusterMetricError {
    /// An argument is wrong.
    #[error(transparent)]
    Argument(#[from] MetricError),
    /// The caller stopped it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// The measures of one clustering.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClusteringMeasures {
    /// The number of rows.
    pub rows: u64,
    /// The number of clusters that have rows, noise not among them.
    pub clusters: u64,
    /// The number of rows in each cluster, in the order of the labels.
    pub sizes: Vec<u64>,
    /// The number of noise rows.
    pub noise: u64,
    /// The share of noise rows.
    pub noise_ratio: f64,
    /// The mean silhouette, from -1 to 1; higher is better.
    pub silhouette: Measure,
    /// The mean silhouette of each cluster, in the order of the labels; null where no row of it was measured.
    pub silhouette_by_cluster: Vec<Option<f64>>,
    /// The number of rows that the silhouette was computed on.
    pub silhouette_rows: u64,
    /// Whether those are a sample.
    pub silhouette_sampled: bool,
    /// The index of Davies and Bouldin; lower is better, 0 is best.
    pub davies_bouldin: Measure,
    /// The index of Calinski and Harabasz; higher is better.
    pub calinski_harabasz: Measure,
    /// The sum of the squared distances of the rows that are not noise to the mean of their cluster.
    pub inertia: Measure,
}

/// How well a clustering agrees with known groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Agreement {
    /// The adjusted Rand index: 1 for the same groups, 0 for what chance gives.
    pub adjusted_rand_index: Measure,
    /// The normalised mutual information, by the arithmetic mean: from 0 to 1.
    pub normalized_mutual_information: Measure,
}

/// Measures a clustering by its rows.
///
/// `x` is rows × features, finite; `labels` holds -1 or a cluster below the number of rows, one a row. The silhouette
/// is exact up to `silhouette_rows` rows that are not noise, and otherwise that of so many rows drawn by `seed`.
pub fn measure(
    x: ArrayView2<'_, f64>,
    labels: &[i32],
    silhouette_rows: usize,
    seed: u64,
    probe: &dyn Probe,
) -> Result<ClusteringMeasures, ClusterMetricError> {
    let grouped = Grouped::new(x, labels)?;
    let silhouette = silhouette::of(&grouped, silhouette_rows, seed, probe)?;
    let noise = labels.len() - grouped.rows.len();
    Ok(ClusteringMeasures {
        rows: labels.len() as u64,
        clusters: grouped.present() as u64,
        sizes: grouped.sizes().iter().map(|&size| size as u64).collect(),
        noise: noise as u64,
        noise_ratio: noise as f64 / labels.len() as f64,
        silhouette: silhouette.mean,
        silhouette_by_cluster: silhouette.by_cluster,
        silhouette_rows: silhouette.rows,
        silhouette_sampled: silhouette.sampled,
        davies_bouldin: spread::davies_bouldin_of(&grouped),
        calinski_harabasz: spread::calinski_harabasz_of(&grouped),
        inertia: spread::inertia_of(&grouped),
    })
}

/// Compares a clustering with known groups, one code a row.
pub fn agreement(truth: &[u32], labels: &[i32]) -> Result<Agreement> {
    Ok(Agreement {
        adjusted_rand_index: adjusted_rand_index(truth, labels)?,
        normalized_mutual_information: normalized_mutual_information(truth, labels)?,
    })
}

/// The rows that are not noise, cluster by cluster, about their mean.
struct Grouped {
    /// Rows × features.
    values: Vec<f64>,
    features: usize,
    /// The number of each row in `x`, cluster by cluster.
    rows: Vec<usize>,
    /// Where each cluster begins, and the end of the last.
    starts: Vec<usize>,
}

impl Grouped {
    fn new(x: ArrayView2<'_, f64>, labels: &[i32]) -> Result<Self> {
        super::input::not_empty("labels", labels.len())?;
        super::input::same_length("labels", labels.len(), "x", x.nrows())?;
        if x.ncols() == 0 {
            return Err(MetricError::Empty { field: "x" });
        }
        for (row, values) in x.rows().into_iter().enumerate() {
            let wrong = values.iter().find(|value| value.is_nan() || value.abs() >= 1e140);
            if let Some(value) = wrong {
                return Err(MetricError::NotFinite { field: "x", row, value: value.to_string() });
            }
        }
        // A label is an index; one far above the number of rows would only ask for memory.
        let outside = |label: &i32| *label < -1 || i64::from(*label) >= labels.len() as i64;
        if let Some(row) = labels.iter().position(outside) {
            let expected = "-1 for noise, or a cluster from 0 up that is below the number of rows";
            return Err(MetricError::Parameter { field: "labels", value: labels[row].to_string(), expected });
        }
        let clusters = labels.iter().copied().max().map_or(0, |largest| (largest + 1) as usize);
        let mut rows = (0..labels.len()).filter(|&row| labels[row] >= 0).collect::<Vec<_>>();
        rows.sort_by_key(|&row| labels[row]);
        let start = |cluster: usize| rows.partition_point(|&row| (labels[row] as usize) < cluster);
        let starts = (0..=clusters).map(start).collect();
        let features = x.ncols();
        let mut means = vec![0.0; features];
        for &row in &rows {
            means.iter_mut().zip(x.row(row)).for_each(|(mean, value)| *mean += value / rows.len() as f64);
        }
        let centred = |&row: &usize| {
            x.row(row).into_iter().zip(means.clone()).map(|(value, mean)| value - mean).collect::<Vec<_>>()
        };
        let values = rows.iter().flat_map(centred).collect();
        Ok(Self { values, features, rows, starts })
    }

    fn row(&self, index: usize) -> &[f64] {
        &self.values[index * self.features..(index + 1) * self.features]
    }

    /// The rows of a cluster.
    fn cluster(&self, cluster: usize) -> std::ops::Range<usize> {
        self.starts[cluster]..self.starts[cluster + 1]
    }

    fn sizes(&self) -> Vec<usize> {
        self.starts.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    /// The number of clusters that have rows.
    fn present(&self) -> usize {
        self.sizes().iter().filter(|size| **size > 0).count()
    }

    /// Why measures that compare clusters have no value; `None` when they have one.
    fn undefined(&self) -> Option<String> {
        match (self.rows.len(), self.present()) {
            (0, _) => Some("every row is noise; there is no cluster to measure".to_owned()),
            (_, 1) => Some("there is one cluster; comparing clusters needs at least two".to_owned()),
            (rows, clusters) if rows == clusters => {
                Some(format!("every one of the {rows} rows is a cluster of its own; some cluster needs two"))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::probe::Silent;

    #[test]
    fn what_is_not_defined_says_why() {
        let x = array![[0.0], [1.0], [2.0]];
        for (labels, reason) in [
            ([-1, -1, -1], "every row is noise"),
            ([0, 0, -1], "there is one cluster"),
            ([0, 1, 2], "a cluster of its own"),
        ] {
            let measures = measure(x.view(), &labels, 10, 0, &Silent).unwrap();
            for measure in [measures.silhouette, measures.davies_bouldin, measures.calinski_harabasz] {
                assert_eq!(measure.value, None);
                assert!(measure.reason.unwrap().contains(reason), "{labels:?}");
            }
        }
    }

    #[test]
    fn bad_arguments_are_named() {
        let x = array![[0.0], [f64::NAN]];
        let error = |labels: &[i32]| measure(x.view(), labels, 10, 0, &Silent).unwrap_err().to_string();
        assert!(error(&[0]).contains("labels has 1 rows and x has 2"));
        assert!(error(&[0, 1]).contains("x[1] is NaN"));
        let x = array![[0.0], [1.0]];
        let error = |labels: &[i32]| measure(x.view(), labels, 10, 0, &Silent).unwrap_err().to_string();
        assert!(error(&[0, -2]).contains("labels is -2"));
        assert!(error(&[0, 7]).contains("labels is 7"));
    }

    #[test]
    fn names_of_clusters_may_have_gaps() {
        let x = array![[0.0], [0.1], [5.0], [5.1], [9.0]];
        let dense = measure(x.view(), &[0, 0, 1, 1, -1], 10, 0, &Silent).unwrap();
        let gaps = measure(x.view(), &[1, 1, 3, 3, -1], 10, 0, &Silent).unwrap();
        assert_eq!(dense.silhouette, gaps.silhouette);
        assert_eq!(dense.davies_bouldin, gaps.davies_bouldin);
        assert_eq!((gaps.sizes, gaps.clusters, gaps.noise_ratio), (vec![0, 2, 0, 2], 2, 0.2));
    }

    #[test]
    fn the_silhouettes_of_rows_have_the_mean_of_all_and_noise_has_none() {
        let x = array![[0.0], [0.1], [9.0], [5.0], [5.1]];
        let labels = [1, 1, -1, 0, 0];
        let rows = row_silhouettes(x.view(), &labels, &Silent).unwrap().unwrap();
        let mean = silhouette(x.view(), &labels, 10, 0, &Silent).unwrap().mean.value.unwrap();
        assert_eq!(rows[2], 0.0);
        assert!((rows.iter().sum::<f64>() / 4.0 - mean).abs() < 1e-12);
        assert_eq!(row_silhouettes(x.view(), &[0; 5], &Silent).unwrap(), None);
    }

    #[test]
    fn a_sample_says_so() {
        let x =
            ndarray::Array2::from_shape_fn((200, 2), |(row, _)| f64::from((row % 2) as u32) * 9.0 + row as f64 / 200.0);
        let labels = (0..200).map(|row| row % 2).collect::<Vec<_>>();
        let all = measure(x.view(), &labels, 200, 0, &Silent).unwrap();
        let some = measure(x.view(), &labels, 50, 0, &Silent).unwrap();
        assert_eq!((all.silhouette_rows, all.silhouette_sampled), (200, false));
        assert_eq!((some.silhouette_rows, some.silhouette_sampled), (50, true));
        assert!((all.silhouette.value.unwrap() - some.silhouette.value.unwrap()).abs() < 0.05);
    }
}
