//! What only the evaluations of clusterings and of reductions have.

use mlops_algorithms::clustering::KSearch;
use serde::{Deserialize, Serialize};

/// What only clusterings have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusteringDetail {
    /// The clusters in the order of their labels; those without a row are left out.
    pub clusters: Vec<ClusterFacts>,
    /// The number of rows that belong to no cluster.
    pub noise: u64,
    /// The number of rows that the silhouette was computed on.
    pub silhouette_rows: u64,
    /// Whether those are a sample.
    pub silhouette_sampled: bool,
    /// The numbers of clusters that training compared.
    pub k_search: Option<KSearch>,
    /// Known groups that the clusters were held against.
    pub truth: Option<KnownGroups>,
    /// Whether the clusters are those of the rows that the model was fitted to, as training gave them.
    pub as_fitted: bool,
    /// Rows spread evenly over the data: where they lie on the first two principal components, at most 2,000.
    pub points: Vec<[f64; 2]>,
    /// The cluster of each of these rows.
    pub point_clusters: Vec<i32>,
    /// The share of the variance that the two components explain; null where there are none.
    pub explained_by_points: Option<f64>,
}

/// One cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusterFacts {
    /// Its label.
    pub cluster: u32,
    /// How many rows it has.
    pub rows: u64,
    /// The mean silhouette of its rows; null where none was measured.
    pub silhouette: Option<f64>,
    /// The features that set it apart most, at most three: by how many standard deviations of all rows its mean lies above
    /// (or below 0, below) that of all rows.
    pub set_apart: Vec<(String, f64)>,
}

/// Known groups of the rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KnownGroups {
    /// The column that names them.
    pub column: String,
    /// The groups, the most frequent first, at most 30.
    pub groups: Vec<String>,
    /// How many rows of each of these groups (lines) are in each cluster (columns, those of `clusters`), with noise last.
    pub counts: Vec<Vec<u64>>,
    /// How many rows have no group and were left out.
    pub missing: u64,
}

/// What only reductions have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReductionDetail {
    /// How many numbers describe a row.
    pub num_components: usize,
    /// The share of the variance along each component; null but for pca.
    pub explained_variance_ratio: Option<Vec<f64>>,
    /// The number of neighbours by which neighbourhoods were compared.
    pub n_neighbors: usize,
    /// The number of rows whose neighbourhoods were compared.
    pub measured_rows: usize,
    /// Whether the model has a place for rows that it was not fitted to.
    pub has_transform: bool,
    /// The first two coordinates of rows spread evenly over the data.
    pub points: Vec<[f64; 2]>,
}
