//! The clustering algorithms by name.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::models::nearest;

/// A clustering algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Clusterer {
    /// k-means: the centers that the rows are nearest to in the mean square.
    #[serde(rename = "kmeans")]
    KMeans,
    /// k-means by small random batches, for very many rows.
    #[serde(rename = "minibatch_kmeans")]
    MiniBatchKMeans,
    /// What dense neighbourhoods of one radius connect; the rest is noise.
    Dbscan,
    /// Clusters of any density, from the hierarchy of all of them; the rest is noise.
    Hdbscan,
    /// Normal distributions, mixed.
    GaussianMixture,
}

/// A name that is no clustering algorithm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{given}' is not a clustering algorithm; {hint}the names are {known}")]
pub struct UnknownClusterer {
    /// The name that was given.
    pub given: String,
    /// Empty, or the nearest name as a question.
    pub hint: String,
    /// All the names, joined by commas.
    pub known: String,
}

impl Clusterer {
    /// Every algorithm, the one to try first in front.
    pub const ALL: [Self; 5] =
        [Self::KMeans, Self::MiniBatchKMeans, Self::Dbscan, Self::Hdbscan, Self::GaussianMixture];

    /// The name in files and requests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KMeans => "kmeans",
            Self::MiniBatchKMeans => "minibatch_kmeans",
            Self::Dbscan => "dbscan",
            Self::Hdbscan => "hdbscan",
            Self::GaussianMixture => "gaussian_mixture",
        }
    }

    /// The name for readers.
    pub const fn display_name(self) -> &'static str {
        match self {
            Self::KMeans => "k-means",
            Self::MiniBatchKMeans => "Mini-batch k-means",
            Self::Dbscan => "DBSCAN",
            Self::Hdbscan => "HDBSCAN",
            Self::GaussianMixture => "Gaussian mixture",
        }
    }

    /// The parameter that holds the number of clusters; `None` for algorithms that find it.
    pub const fn count_parameter(self) -> Option<&'static str> {
        match self {
            Self::KMeans | Self::MiniBatchKMeans => Some("n_clusters"),
            Self::GaussianMixture => Some("n_components"),
            Self::Dbscan | Self::Hdbscan => None,
        }
    }

    /// Whether a fitted model can give rows that it has not seen a cluster.
    pub const fn predicts(self) -> bool {
        !matches!(self, Self::Hdbscan)
    }
}

impl fmt::Display for Clusterer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Clusterer {
    type Err = UnknownClusterer;

    fn from_str(name: &str) -> Result<Self, UnknownClusterer> {
        Self::ALL.into_iter().find(|clusterer| clusterer.as_str() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str);
            let hint = nearest(name, names.into_iter()).map(|near| format!("did you mean '{near}'? "));
            UnknownClusterer { given: name.to_owned(), hint: hint.unwrap_or_default(), known: names.join(", ") }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for clusterer in Clusterer::ALL {
            assert_eq!(clusterer.as_str().parse(), Ok(clusterer));
            assert_eq!(serde_json::to_value(clusterer).unwrap(), clusterer.to_string());
        }
        let error = "k_means".parse::<Clusterer>().unwrap_err();
        assert!(error.to_string().starts_with("'k_means' is not a clustering algorithm; did you mean 'kmeans'?"));
    }
}
