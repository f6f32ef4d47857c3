//! HDBSCAN: clusters of any density, taken from the hierarchy of all of them.

mod condensed;
mod selection;
mod spanning_tree;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::points::Points;
use super::{ClusteringError, InvalidClusterModel};
use crate::probe::Probe;

/// How the clusters are chosen; the names are scikit-learn's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HdbscanOptions {
    /// The fewest rows of a cluster.
    pub min_cluster_size: usize,
    /// The number of rows of a neighbourhood, its own row among them; `None` for `min_cluster_size`.
    pub min_samples: Option<usize>,
    /// Clusters that split at a distance below this are taken together.
    pub cluster_selection_epsilon: f64,
    /// The most rows of a cluster that excess of mass selects.
    pub max_cluster_size: Option<usize>,
    /// By how much distances are divided before they are compared with core distances.
    pub alpha: f64,
    /// Whether the leaves of the hierarchy are taken, rather than the clusters that last longest.
    pub leaf: bool,
    /// Whether all rows may be one cluster.
    pub allow_single_cluster: bool,
}

/// What is known of a fitted HDBSCAN: its clusters are of these rows alone, so it places no others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hdbscan {
    pub(super) num_features: u32,
    /// The number of clusters.
    pub(super) clusters: u32,
}

/// What fitting gives.
#[derive(Debug, Clone, PartialEq)]
pub struct HdbscanFit {
    /// The number of clusters.
    pub model: Hdbscan,
    /// The cluster of each row; -1 for noise.
    pub labels: Vec<i32>,
    /// How firmly each row belongs to its cluster, from 0 (noise) to 1.
    pub probabilities: Vec<f64>,
}

/// Finds the clusters (Campello, Moulavi and Sander, 2013), as `sklearn.cluster.HDBSCAN` does.
///
/// Time is quadratic in the number of rows, memory is linear. Fails when there are fewer rows than a cluster or a
/// neighbourhood needs.
pub fn fit(x: ArrayView2<'_, f64>, options: &HdbscanOptions, probe: &dyn Probe) -> Result<HdbscanFit, ClusteringError> {
    let points = Points::new(x)?;
    let min_samples = options.min_samples.unwrap_or(options.min_cluster_size).max(1);
    for (name, needed) in [("min_cluster_size", options.min_cluster_size), ("min_samples", min_samples)] {
        if needed > points.rows {
            return Err(ClusteringError::TooFewRows { rows: points.rows, needed, name });
        }
    }
    let num_features = points.features as u32;
    let core = spanning_tree::core_distances(&points, min_samples, probe)?;
    let edges = spanning_tree::prim(&points, &core, options.alpha, probe)?;
    if edges.is_empty() {
        let model = Hdbscan { num_features, clusters: 0 };
        return Ok(HdbscanFit { model, labels: vec![-1], probabilities: vec![0.0] });
    }
    let tree = condensed::condense(edges, options.min_cluster_size);
    let (labels, probabilities, clusters) = selection::select(&tree, points.rows, options);
    Ok(HdbscanFit { model: Hdbscan { num_features, clusters: clusters as u32 }, labels, probabilities })
}

impl Hdbscan {
    /// The number of features.
    pub const fn num_features(&self) -> usize {
        self.num_features as usize
    }

    /// The number of clusters.
    pub const fn num_clusters(&self) -> usize {
        self.clusters as usize
    }

    /// Checks that there is a feature.
    pub(super) fn validate(&self) -> Result<(), InvalidClusterModel> {
        if self.num_features == 0 { Err(InvalidClusterModel::new("an hdbscan model has no features")) } else { Ok(()) }
    }
}
