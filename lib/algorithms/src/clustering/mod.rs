//! Clustering: groups of rows that nobody has labelled.
//!
//! [`fit`] is the one front for every algorithm; [`search_k`] tries several numbers of clusters. Labels are clusters
//! from 0 up, and -1 for noise. How good a clustering is, [`crate::metrics::clustering`] measures.

mod clusterer;
mod components;
mod cost;
pub mod dbscan;
mod error;
mod fit;
pub mod gaussian_mixture;
pub mod hdbscan;
pub mod kmeans;
mod model;
mod parameters;
mod points;
mod search;
mod tables;
mod tree;

pub use clusterer::{Clusterer, UnknownClusterer};
pub use cost::measuring_seconds;
pub use error::ClusteringError;
pub use fit::{Clustering, fit};
pub use model::{ClusterModel, InvalidClusterModel, PredictClustersError};
pub use parameters::{ClusterParameterError, ClusterParameters, Options};
pub use search::{KSearch, KTried, SearchCriterion, search_k};
pub use tables::parameter_table;
