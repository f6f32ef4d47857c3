//! Fitted clusterings as they are stored and asked for the clusters of other rows.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::dbscan::Dbscan;
use super::gaussian_mixture::GaussianMixture;
use super::hdbscan::Hdbscan;
use super::kmeans::KMeans;
use super::points::Points;
use super::{Clusterer, ClusteringError};

/// A fitted clustering.
///
/// Reading one with serde checks it with [`ClusterModel::validate`], so a model from outside is refused rather than
/// trusted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", try_from = "UncheckedModel")]
pub enum ClusterModel {
    /// The centers of k-means.
    #[serde(rename = "kmeans")]
    KMeans(KMeans),
    /// The centers of mini-batch k-means.
    #[serde(rename = "minibatch_kmeans")]
    MiniBatchKMeans(KMeans),
    /// The core rows of DBSCAN.
    Dbscan(Dbscan),
    /// What is known of an HDBSCAN.
    Hdbscan(Hdbscan),
    /// A Gaussian mixture.
    GaussianMixture(GaussianMixture),
}

/// A model as it was read, before the check.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", rename = "ClusterModel")]
enum UncheckedModel {
    #[serde(rename = "kmeans")]
    KMeans(KMeans),
    #[serde(rename = "minibatch_kmeans")]
    MiniBatchKMeans(KMeans),
    Dbscan(Dbscan),
    Hdbscan(Hdbscan),
    GaussianMixture(GaussianMixture),
}

/// A model that contradicts itself: it was damaged or made by something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the clustering model is not valid: {reason}")]
pub struct InvalidClusterModel {
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Why a model cannot give rows their clusters.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PredictClustersError {
    /// The number of features differs.
    #[error("the model was fitted to {expected} features, but {given} were given")]
    Features {
        /// The number of features that the model knows.
        expected: usize,
        /// The number of columns given.
        given: usize,
    },
    /// The algorithm has no clusters for other rows.
    #[error(
        "{clusterer} gives clusters only to the rows that it was fitted to; fit it to all rows, or use kmeans, dbscan or \
         gaussian_mixture"
    )]
    Unsupported {
        /// The algorithm.
        clusterer: Clusterer,
    },
    /// The rows are wrong.
    #[error(transparent)]
    Rows(#[from] ClusteringError),
}

impl InvalidClusterModel {
    pub(super) const fn new(reason: &'static str) -> Self {
        Self { reason }
    }
}

impl TryFrom<UncheckedModel> for ClusterModel {
    type Error = InvalidClusterModel;

    fn try_from(model: UncheckedModel) -> Result<Self, InvalidClusterModel> {
        let model = match model {
            UncheckedModel::KMeans(model) => Self::KMeans(model),
            UncheckedModel::MiniBatchKMeans(model) => Self::MiniBatchKMeans(model),
            UncheckedModel::Dbscan(model) => Self::Dbscan(model),
            UncheckedModel::Hdbscan(model) => Self::Hdbscan(model),
            UncheckedModel::GaussianMixture(model) => Self::GaussianMixture(model),
        };
        model.validate()?;
        Ok(model)
    }
}

impl ClusterModel {
    /// The algorithm that made the model.
    pub const fn clusterer(&self) -> Clusterer {
        match self {
            Self::KMeans(_) => Clusterer::KMeans,
            Self::MiniBatchKMeans(_) => Clusterer::MiniBatchKMeans,
            Self::Dbscan(_) => Clusterer::Dbscan,
            Self::Hdbscan(_) => Clusterer::Hdbscan,
            Self::GaussianMixture(_) => Clusterer::GaussianMixture,
        }
    }

    /// The number of features.
    pub const fn num_features(&self) -> usize {
        match self {
            Self::KMeans(model) | Self::MiniBatchKMeans(model) => model.num_features(),
            Self::Dbscan(model) => model.num_features(),
            Self::Hdbscan(model) => model.num_features(),
            Self::GaussianMixture(model) => model.num_features(),
        }
    }

    /// The number of clusters.
    pub fn num_clusters(&self) -> usize {
        match self {
            Self::KMeans(model) | Self::MiniBatchKMeans(model) => model.num_clusters(),
            Self::Dbscan(model) => model.num_clusters(),
            Self::Hdbscan(model) => model.num_clusters(),
            Self::GaussianMixture(model) => model.num_clusters(),
        }
    }

    /// The middle of each cluster (clusters × features, row by row), for the algorithms whose clusters have one.
    pub fn centers(&self) -> Option<&[f64]> {
        match self {
            Self::KMeans(model) | Self::MiniBatchKMeans(model) => Some(model.centers()),
            Self::GaussianMixture(model) => Some(model.means()),
            Self::Dbscan(_) | Self::Hdbscan(_) => None,
        }
    }

    /// Checks that shapes agree, that numbers are finite and that covariances can be inverted.
    pub fn validate(&self) -> Result<(), InvalidClusterModel> {
        match self {
            Self::KMeans(model) | Self::MiniBatchKMeans(model) => model.validate(),
            Self::Dbscan(model) => model.validate(),
            Self::Hdbscan(model) => model.validate(),
            Self::GaussianMixture(model) => model.validate(),
        }
    }

    /// The cluster of each row of `x` (rows × features): the nearest center, the likeliest component, or that of the
    /// nearest core row within `eps` (-1 where there is none). HDBSCAN has no clusters for other rows.
    pub fn predict(&self, x: ArrayView2<'_, f64>) -> Result<Vec<i32>, PredictClustersError> {
        if x.ncols() != self.num_features() {
            return Err(PredictClustersError::Features { expected: self.num_features(), given: x.ncols() });
        }
        let points = Points::new(x)?;
        match self {
            Self::KMeans(model) | Self::MiniBatchKMeans(model) => Ok(model.predict(&points)),
            Self::Dbscan(model) => Ok(model.predict(&points)),
            Self::Hdbscan(_) => Err(PredictClustersError::Unsupported { clusterer: Clusterer::Hdbscan }),
            Self::GaussianMixture(model) => Ok(model.predict(&points)?),
        }
    }
}
