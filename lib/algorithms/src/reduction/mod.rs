//! Fewer numbers for each row: principal components, t-SNE and UMAP, and how well they keep what the features say.

mod cost;
mod eigen;
mod error;
mod matrix;
mod measures;
mod neighbours;
mod parameters;
mod pca;
mod points;
mod start;
mod tables;
mod tridiagonal;
mod tsne;
mod umap;
mod vector;

use std::fmt;
use std::str::FromStr;

use ndarray::{Array2, ArrayView2};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use eigen::eigenvectors;
pub use error::{InvalidReduction, ReductionError};
pub use measures::{Neighbourhoods, neighbourhoods, reconstruction_error};
pub use parameters::{ParameterError, ReducerParameters};
pub use pca::Pca;
pub use tables::parameter_table;
pub use tsne::Tsne;
pub use umap::Umap;

use crate::models::nearest;
use crate::parallel;
use crate::probe::Probe;
use parameters::Typed;
use points::Points;

/// A method of dimensionality reduction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reducer {
    /// The directions of the largest variance (Pearson, 1901; Hotelling, 1933).
    Pca,
    /// A map that keeps neighbours, for looking at (van der Maaten and Hinton, 2008). It has no transform for new rows.
    Tsne,
    /// A map that keeps neighbours, with a transform for new rows (`McInnes`, Healy and Melville, 2018).
    Umap,
}

/// A name that is no method.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{given}' is not a method of dimensionality reduction; {hint}the names are pca, tsne, umap")]
pub struct UnknownReducer {
    /// The name that was given.
    pub given: String,
    /// Empty, or the nearest name as a question.
    pub hint: String,
}

/// What a fit has found.
#[derive(Debug, Clone, PartialEq)]
pub struct Reduction {
    /// Rows × components, finite.
    pub coordinates: Array2<f64>,
    /// What new rows are put into place with, where the method has a way.
    pub model: ReductionModel,
}

/// A fitted reduction.
///
/// Reading one with serde checks it with [`ReductionModel::validate`], so a model from outside is refused rather than
/// trusted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", try_from = "Unchecked")]
pub enum ReductionModel {
    /// Principal components.
    Pca(Pca),
    /// What is left of t-SNE: it has no transform.
    Tsne(Tsne),
    /// A UMAP.
    Umap(Umap),
}

/// A fitted reduction as it was read, before the check.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", rename = "ReductionModel")]
enum Unchecked {
    Pca(Pca),
    Tsne(Tsne),
    Umap(Umap),
}

impl TryFrom<Unchecked> for ReductionModel {
    type Error = InvalidReduction;

    fn try_from(model: Unchecked) -> Result<Self, InvalidReduction> {
        let model = match model {
            Unchecked::Pca(pca) => Self::Pca(pca),
            Unchecked::Tsne(tsne) => Self::Tsne(tsne),
            Unchecked::Umap(umap) => Self::Umap(umap),
        };
        model.validate()?;
        Ok(model)
    }
}

/// Fits a method to the rows of `x` (rows × features, finite).
///
/// `seed` decides every random choice unless the parameters hold a `random_state`; the result is the same on any number
/// of threads. The probe is asked all along whether to stop, and told how far it is.
pub fn fit(
    x: ArrayView2<'_, f64>,
    parameters: &ReducerParameters,
    seed: u64,
    probe: &dyn Probe,
) -> Result<Reduction, ReductionError> {
    probe.check()?;
    let seed = parameters.random_state().unwrap_or(seed);
    let (coordinates, model) = match parameters.typed() {
        Typed::Pca(pca) => {
            let points = Points::unchecked(x.reborrow())?;
            let found = parallel::inside(|| pca::fit(&points, pca, seed, probe));
            found.map(|(rows, model)| (rows, ReductionModel::Pca(model)))?
        }
        Typed::Tsne(tsne) => {
            let found = tsne::fit(&Points::new(x.reborrow())?, tsne, seed, probe);
            found.map(|(rows, model)| (rows, ReductionModel::Tsne(model)))?
        }
        Typed::Umap(umap) => {
            let found = umap::fit(&Points::new(x.reborrow())?, umap, seed, probe);
            found.map(|(rows, model)| (rows, ReductionModel::Umap(model)))?
        }
    };
    let shape = (x.nrows(), model.num_components());
    let coordinates = match &model {
        // Sums of values in range with factors of at most 1: they need no look, which for a long table takes a while.
        ReductionModel::Pca(_) => Array2::from_shape_vec(shape, coordinates).map_err(|_| ReductionError::OutOfRange)?,
        ReductionModel::Tsne(_) | ReductionModel::Umap(_) => table(coordinates, shape.0, shape.1)?,
    };
    Ok(Reduction { coordinates, model })
}

fn table(values: Vec<f64>, rows: usize, columns: usize) -> Result<Array2<f64>, ReductionError> {
    if !pca::kernels::all_below(&values, f64::INFINITY) {
        return Err(ReductionError::OutOfRange);
    }
    Array2::from_shape_vec((rows, columns), values).map_err(|_| ReductionError::OutOfRange)
}

impl ReductionModel {
    /// The method that made the model.
    pub const fn reducer(&self) -> Reducer {
        match self {
            Self::Pca(_) => Reducer::Pca,
            Self::Tsne(_) => Reducer::Tsne,
            Self::Umap(_) => Reducer::Umap,
        }
    }

    /// The number of features.
    pub fn num_features(&self) -> usize {
        match self {
            Self::Pca(pca) => pca.mean.len(),
            Self::Tsne(tsne) => tsne.num_features,
            Self::Umap(umap) => umap.mean.len(),
        }
    }

    /// The number of columns of the coordinates.
    pub fn num_components(&self) -> usize {
        match self {
            Self::Pca(pca) => pca.num_components(),
            Self::Tsne(tsne) => tsne.num_components,
            Self::Umap(umap) => umap.num_components,
        }
    }

    /// The Kullback–Leibler divergence of a t-SNE, in nats.
    pub const fn kl_divergence(&self) -> Option<f64> {
        match self {
            Self::Tsne(tsne) => Some(tsne.kl_divergence),
            Self::Pca(_) | Self::Umap(_) => None,
        }
    }

    /// The share of the variance along each principal component.
    pub fn explained_variance_ratio(&self) -> Option<&[f64]> {
        match self {
            Self::Pca(pca) => Some(pca.explained_variance_ratio()),
            Self::Tsne(_) | Self::Umap(_) => None,
        }
    }

    /// Checks that shapes agree and that numbers are finite and in range.
    pub fn validate(&self) -> Result<(), InvalidReduction> {
        match self {
            Self::Pca(pca) => pca.validate(),
            Self::Tsne(tsne) => tsne.validate(),
            Self::Umap(umap) => umap.validate(),
        }
    }

    /// The coordinates of rows, rows × components. t-SNE has none to give.
    pub fn transform(&self, x: ArrayView2<'_, f64>, probe: &dyn Probe) -> Result<Array2<f64>, ReductionError> {
        if matches!(self, Self::Tsne(_)) {
            return Err(ReductionError::NoTransform);
        }
        let points = Points::new(x)?;
        if points.features != self.num_features() {
            return Err(ReductionError::Features { expected: self.num_features(), given: points.features });
        }
        let coordinates = match self {
            Self::Pca(pca) => pca.transform(&points),
            Self::Umap(umap) => umap.transform(&points, probe)?,
            Self::Tsne(_) => return Err(ReductionError::NoTransform),
        };
        table(coordinates, points.rows, self.num_components())
    }

    /// The rows that have coordinates, rows × features, as far as the components describe them; only principal
    /// components can do this.
    pub fn inverse_transform(&self, coordinates: ArrayView2<'_, f64>) -> Result<Array2<f64>, ReductionError> {
        let Self::Pca(pca) = self else { return Err(ReductionError::NoInverse { reducer: self.reducer() }) };
        let points = Points::new(coordinates)?;
        if points.features != pca.num_components() {
            return Err(ReductionError::Components { expected: pca.num_components(), given: points.features });
        }
        table(pca.inverse_transform(&points), points.rows, pca.mean.len())
    }
}

impl Reducer {
    /// Every method.
    pub const ALL: [Self; 3] = [Self::Pca, Self::Tsne, Self::Umap];

    /// The name in files and requests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pca => "pca",
            Self::Tsne => "tsne",
            Self::Umap => "umap",
        }
    }

    /// The name for readers.
    pub const fn display_name(self) -> &'static str {
        match self {
            Self::Pca => "PCA",
            Self::Tsne => "t-SNE",
            Self::Umap => "UMAP",
        }
    }
}

impl fmt::Display for Reducer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Reducer {
    type Err = UnknownReducer;

    fn from_str(name: &str) -> Result<Self, UnknownReducer> {
        Self::ALL.into_iter().find(|reducer| reducer.as_str() == name).ok_or_else(|| {
            let hint = nearest(name, Self::ALL.into_iter().map(Self::as_str));
            let hint = hint.map(|name| format!("did you mean '{name}'? ")).unwrap_or_default();
            UnknownReducer { given: name.to_owned(), hint }
        })
    }
}
