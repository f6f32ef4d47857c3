//! DBSCAN (Ester and others, 1996): clusters are what dense neighbourhoods connect, and the rest is noise.

mod neighbourhoods;
mod unity;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::components::Components;
use super::points::{Points, check_weights};
use super::tree::Tree;
use super::{ClusteringError, InvalidClusterModel};
use crate::parallel;
use crate::probe::Probe;
use neighbourhoods::{Search, totals};

/// How dense a neighbourhood must be; the names are scikit-learn's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DbscanOptions {
    /// The radius of a neighbourhood.
    pub eps: f64,
    /// The fewest rows in the neighbourhood of a core row, itself among them; with weights, the least weight.
    pub min_samples: usize,
}

/// The core rows and their clusters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dbscan {
    pub(super) num_features: u32,
    pub(super) eps: f64,
    /// The number of clusters.
    pub(super) clusters: u32,
    /// Core rows × features, row by row, in the order of the rows.
    pub(super) core: Vec<f64>,
    /// The cluster of each core row.
    pub(super) labels: Vec<u32>,
}

/// What fitting gives.
#[derive(Debug, Clone, PartialEq)]
pub struct DbscanFit {
    /// The core rows and their clusters.
    pub model: Dbscan,
    /// The cluster of each row; -1 for noise.
    pub labels: Vec<i32>,
    /// The core rows, ascending.
    pub core_rows: Vec<usize>,
}

/// Finds the clusters. They are numbered by their first core row, and a row within reach of several clusters belongs
/// to the first, as in scikit-learn.
///
/// No list of neighbours is ever kept, so the memory is that of a copy of `x`. Neighbourhoods are Euclidean balls,
/// their border included.
pub fn fit(
    x: ArrayView2<'_, f64>,
    weights: Option<&[f64]>,
    options: DbscanOptions,
    probe: &dyn Probe,
) -> Result<DbscanFit, ClusteringError> {
    let points = Points::new(x)?;
    check_weights(weights, points.rows)?;
    let tree = Tree::new(&points);
    let weights = weights.map(|weights| tree.order.iter().map(|&row| weights[row as usize]).collect::<Vec<_>>());
    let search = Search {
        tree: &tree,
        squared: options.eps * options.eps,
        totals: totals(&tree, |position| weights.as_ref().map_or(1.0, |weights| weights[position])),
        weights: weights.as_deref(),
        probe,
    };
    let core = search.core(options.min_samples as f64)?;
    probe.progress(1.0, 3.0, "found the core rows");
    let components = search.join(&core)?;
    probe.progress(2.0, 3.0, "joined the core rows");
    let (mut by_position, clusters) = number(&tree, &core, &components);
    search.borders(&mut by_position)?;
    let mut labels = vec![-1; points.rows];
    for (position, &row) in tree.order.iter().enumerate() {
        labels[row as usize] = if by_position[position] == u32::MAX { -1 } else { by_position[position] as i32 };
    }
    let mut core_rows = (0..points.rows).filter(|&position| core[position]).map(|position| tree.order[position]);
    let mut core_rows = core_rows.by_ref().map(|row| row as usize).collect::<Vec<_>>();
    core_rows.sort_unstable();
    let model = Dbscan {
        num_features: points.features as u32,
        eps: options.eps,
        clusters,
        core: core_rows.iter().flat_map(|&row| points.row(row)).copied().collect(),
        labels: core_rows.iter().map(|&row| labels[row] as u32).collect(),
    };
    Ok(DbscanFit { model, labels, core_rows })
}

/// The cluster of each core position, numbered by the first core row, and how many there are.
fn number(tree: &Tree<'_>, core: &[bool], components: &Components) -> (Vec<u32>, u32) {
    let mut position_of = vec![0_u32; core.len()];
    for (position, &row) in tree.order.iter().enumerate() {
        position_of[row as usize] = position as u32;
    }
    let mut names = vec![u32::MAX; core.len()];
    let mut labels = vec![u32::MAX; core.len()];
    let mut clusters = 0;
    for &position in &position_of {
        let position = position as usize;
        if core[position] {
            let name = &mut names[components.find(position) as usize];
            if *name == u32::MAX {
                *name = clusters;
                clusters += 1;
            }
            labels[position] = *name;
        }
    }
    (labels, clusters)
}

impl Dbscan {
    /// The number of features.
    pub const fn num_features(&self) -> usize {
        self.num_features as usize
    }

    /// The number of clusters.
    pub const fn num_clusters(&self) -> usize {
        self.clusters as usize
    }

    /// Checks that shapes agree, numbers are finite and every cluster exists.
    pub(super) fn validate(&self) -> Result<(), InvalidClusterModel> {
        if self.num_features == 0 || Some(self.core.len()) != self.labels.len().checked_mul(self.num_features()) {
            return Err(InvalidClusterModel::new("the core rows of dbscan have the wrong shape"));
        }
        if !(self.eps.is_finite() && self.eps > 0.0) || self.core.iter().any(|value| !value.is_finite()) {
            return Err(InvalidClusterModel::new("a number of dbscan is not finite"));
        }
        if self.labels.iter().any(|&label| label >= self.clusters) {
            return Err(InvalidClusterModel::new("a core row of dbscan is in a cluster that does not exist"));
        }
        Ok(())
    }

    /// The cluster of the nearest core row within `eps`, of equally near ones the first; -1 where there is none.
    pub(super) fn predict(&self, points: &Points<'_>) -> Vec<i32> {
        if self.labels.is_empty() {
            return vec![-1; points.rows];
        }
        let core = super::points::matrix(&self.core, self.labels.len(), self.num_features());
        let Ok(core) = Points::new(core.view()) else { return vec![-1; points.rows] };
        let limit = self.eps * self.eps;
        let nearest = |row: usize| {
            let distances =
                (0..core.rows).map(|other| super::points::squared_distance(points.row(row), core.row(other)));
            let nearest = distances.zip(0..).filter(|(distance, _)| *distance <= limit);
            nearest.min_by(|a: &(f64, usize), b| a.0.total_cmp(&b.0)).map_or(-1, |(_, core)| self.labels[core] as i32)
        };
        parallel::map_rows(points.rows, nearest)
    }
}
