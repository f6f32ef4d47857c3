//! Principal component analysis: the orthogonal directions of the largest variance.
//!
//! What is found is what scikit-learn's `PCA` finds, with its rule of signs: the loading of the largest size is
//! positive. Tall tables go through the scatter of the features, wide ones through that of the rows, and where few
//! components of a large table are wanted, they are found by a randomised block Krylov method.

mod covariance;
pub(super) mod kernels;
mod randomised;

use serde::{Deserialize, Serialize};

use super::eigen;
use super::matrix::{Matrix, product, product_with_itself};
use super::parameters::{Components, PcaParameters, Solver};
use super::points::Points;
use super::vector::{dot, length, subtract_scaled};
use super::{InvalidReduction, Reducer, ReductionError};
use crate::probe::Probe;

/// Tables with a longer side than this are large.
const LARGE: usize = 500;

/// Fitted principal components.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pca {
    pub(super) mean: Vec<f64>,
    /// One component after the other, a value a feature.
    pub(super) components: Vec<f64>,
    pub(super) explained_variance: Vec<f64>,
    pub(super) explained_variance_ratio: Vec<f64>,
    pub(super) singular_values: Vec<f64>,
    pub(super) noise_variance: f64,
    pub(super) whiten: bool,
}

/// What a solver has found: scatter, and directions as rows.
struct Found {
    mean: Vec<f64>,
    /// The scatter along each direction and, where they are known, along the others; descending, at least 0.
    scatter: Vec<f64>,
    /// The sum of the scatter of all features.
    total: f64,
    directions: Matrix,
}

impl Pca {
    /// The mean of each feature, which is taken from it first.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The unit vector of a component, one loading a feature; `None` for a component that is not there.
    pub fn component(&self, index: usize) -> Option<&[f64]> {
        self.components.chunks_exact(self.mean.len().max(1)).nth(index)
    }

    /// The number of components.
    pub fn num_components(&self) -> usize {
        self.explained_variance.len()
    }

    /// The variance along each component, divided by the number of rows minus 1.
    pub fn explained_variance(&self) -> &[f64] {
        &self.explained_variance
    }

    /// The share of the variance of all features along each component.
    pub fn explained_variance_ratio(&self) -> &[f64] {
        &self.explained_variance_ratio
    }

    /// The singular value of the centred table along each component.
    pub fn singular_values(&self) -> &[f64] {
        &self.singular_values
    }

    /// The mean variance along the directions that were left out.
    pub const fn noise_variance(&self) -> f64 {
        self.noise_variance
    }

    /// Whether the coordinates are scaled to a variance of 1.
    pub const fn whiten(&self) -> bool {
        self.whiten
    }

    /// The coordinates of rows: rows × components.
    pub(super) fn transform(&self, points: &Points<'_>) -> Vec<f64> {
        let count = self.num_components();
        let components = Matrix { rows: count, columns: self.mean.len(), values: self.components.clone() };
        let mut coordinates = covariance::project(points, &self.mean, &components.transposed().values, count);
        self.scale(&mut coordinates, |value, deviation| if deviation > 0.0 { value / deviation } else { 0.0 });
        coordinates
    }

    /// The rows at coordinates: rows × features.
    pub(super) fn inverse_transform(&self, coordinates: &Points<'_>) -> Vec<f64> {
        let mut scaled = coordinates.values.to_vec();
        self.scale(&mut scaled, |value, deviation| value * deviation);
        let mut rows = product(&scaled, &self.components, self.num_components(), self.mean.len());
        for row in rows.chunks_exact_mut(self.mean.len()) {
            row.iter_mut().zip(&self.mean).for_each(|(value, mean)| *value += mean);
        }
        rows
    }

    /// A component without variance, but for rounding, has the deviation 0.
    fn scale(&self, coordinates: &mut [f64], apply: impl Fn(f64, f64) -> f64) {
        if !self.whiten {
            return;
        }
        let least = self.explained_variance.first().map_or(0.0, |largest| largest * 1e-14);
        let deviation = |variance: &f64| if *variance > least { variance.sqrt() } else { 0.0 };
        let deviations: Vec<f64> = self.explained_variance.iter().map(deviation).collect();
        for row in coordinates.chunks_exact_mut(deviations.len()) {
            row.iter_mut().zip(&deviations).for_each(|(value, deviation)| *value = apply(*value, *deviation));
        }
    }

    pub(super) fn validate(&self) -> Result<(), InvalidReduction> {
        let (features, count) = (self.mean.len(), self.explained_variance.len());
        if features == 0 || count == 0 || count > features {
            return Err(InvalidReduction::new("principal components without features, or more of them than features"));
        }
        let fits = self.components.len() == features * count
            && self.explained_variance_ratio.len() == count
            && self.singular_values.len() == count;
        if !fits {
            return Err(InvalidReduction::new("the parts of the principal components have different sizes"));
        }
        let numbers = [&self.mean, &self.components, &self.singular_values];
        if numbers.into_iter().flatten().any(|value| !value.is_finite()) {
            return Err(InvalidReduction::new("a mean, a loading or a singular value is not a finite number"));
        }
        let variances = self.explained_variance.iter().chain(&self.explained_variance_ratio);
        if variances.chain([&self.noise_variance]).any(|value| !(value.is_finite() && *value >= 0.0)) {
            return Err(InvalidReduction::new("a variance is not a finite number of at least 0"));
        }
        Ok(())
    }
}

/// The coordinates of the rows, rows × components, and the model; the values need not have been checked.
pub(super) fn fit(
    points: &Points<'_>,
    parameters: &PcaParameters,
    seed: u64,
    probe: &dyn Probe,
) -> Result<(Vec<f64>, Pca), ReductionError> {
    let (rows, features) = (points.rows, points.features);
    if rows < 2 {
        return Err(ReductionError::FewRows { reducer: Reducer::Pca, needed: 2, rows });
    }
    let most = rows.min(features);
    if let Components::Count(count) = parameters.num_components
        && count > most
    {
        let allowed = format!("at most {most}, the smaller of the two");
        return Err(ReductionError::Parameter { name: "n_components", value: count as f64, rows, features, allowed });
    }
    if points.constant() {
        points.check()?;
        return Err(ReductionError::Constant { rows });
    }
    probe.progress(0.0, 1.0, "finding the principal components");
    let few = few(parameters, rows, features);
    if few.is_some() || features > rows {
        points.check()?;
    }
    let found = match few {
        Some(count) => randomised::components(points, count, parameters, seed, probe)?,
        None if features <= rows => by_features(points, parameters.num_components, probe)?,
        None => by_rows(points, parameters.num_components, probe)?,
    };
    let model = found.model(rows, most, parameters.whiten);
    model.validate().map_err(|_| ReductionError::OutOfRange)?;
    let coordinates = model.transform(points);
    probe.progress(1.0, 1.0, "found the principal components");
    Ok((coordinates, model))
}

/// The number of components where only those are looked for, by random directions; `None` where all are found first.
pub(super) fn few(parameters: &PcaParameters, rows: usize, features: usize) -> Option<usize> {
    let Components::Count(count) = parameters.num_components else { return None };
    let saves = rows.max(features) > LARGE
        && count * 5 < rows.min(features) * 4
        && !(features <= 1000 && rows >= 10 * features);
    match parameters.solver {
        Solver::Auto => saves,
        Solver::Full => false,
        Solver::Randomised => true,
    }
    .then_some(count)
}

/// How many components hold what was asked for, given the scatter of all.
fn wanted(asked: Components, scatter: &[f64], most: usize) -> usize {
    match asked {
        Components::All => most,
        Components::Count(count) => count,
        Components::Share(share) => {
            let total: f64 = scatter.iter().map(|value| value.max(0.0)).sum();
            let mut sum = 0.0;
            let enough = scatter.iter().position(|value| {
                sum += value.max(0.0) / total;
                sum > share
            });
            enough.map_or(most, |place| (place + 1).min(most))
        }
    }
}

/// By the scatter of the features: features × features. Refuses values as [`Points::check`] does.
fn by_features(points: &Points<'_>, asked: Components, probe: &dyn Probe) -> Result<Found, ReductionError> {
    let features = points.features;
    let (mean, scatter) = covariance::scatter(points, probe)?;
    let total = (0..features).map(|feature| scatter[feature * features + feature]).sum();
    let (values, directions) = eigen::symmetric(scatter, features, |values| wanted(asked, values, features), probe)?;
    Ok(Found { mean, scatter: values, total, directions })
}

/// By the scatter of the rows: rows × rows, for tables with more features than rows.
fn by_rows(points: &Points<'_>, asked: Components, probe: &dyn Probe) -> Result<Found, ReductionError> {
    let (rows, features) = (points.rows, points.features);
    let mean = points.means();
    let centred = covariance::centred(points, &mean);
    let scatter = product_with_itself(&centred, features);
    let total = (0..rows).map(|row| scatter[row * rows + row]).sum();
    let (values, vectors) = eigen::symmetric(scatter, rows, |values| wanted(asked, values, rows), probe)?;
    let mut directions =
        Matrix { rows: vectors.rows, columns: features, values: product(&vectors.values, &centred, rows, features) };
    orthonormalise(&mut directions);
    Ok(Found { mean, scatter: values, total, directions })
}

/// Makes the rows orthogonal unit vectors, from the first to the last; one that depends on those before it becomes a
/// unit vector orthogonal to them.
fn orthonormalise(vectors: &mut Matrix) {
    let width = vectors.columns;
    let largest = vectors.values.chunks_exact(width).map(length).fold(0.0, f64::max);
    let mut axis = 0;
    for row in 0..vectors.rows {
        let (before, rest) = vectors.values.split_at_mut(row * width);
        let vector = &mut rest[..width];
        let mut least = largest * 1e-9;
        loop {
            let mut before_length = length(vector);
            for _ in 0..3 {
                for other in before.chunks_exact(width) {
                    subtract_scaled(vector, dot(vector, other), other);
                }
                let left = length(vector);
                if left > 0.5 * before_length {
                    break;
                }
                before_length = left;
            }
            let left = length(vector);
            if left > least || axis >= width {
                let scale = if left > 0.0 { 1.0 / left } else { 0.0 };
                for value in vector.iter_mut() {
                    *value *= scale;
                }
                break;
            }
            vector.fill(0.0);
            vector[axis] = 1.0;
            axis += 1;
            least = 0.5 / (width as f64).sqrt();
        }
    }
}

impl Found {
    fn model(mut self, rows: usize, most: usize, whiten: bool) -> Pca {
        for direction in self.directions.values.chunks_exact_mut(self.directions.columns) {
            let largest =
                direction.iter().fold(0.0_f64, |most, value| if value.abs() > most.abs() { *value } else { most });
            if largest < 0.0 {
                for value in direction.iter_mut() {
                    *value = -*value;
                }
            }
        }
        let count = self.directions.rows;
        let freedom = (rows - 1) as f64;
        let scatter: Vec<f64> = self.scatter.iter().take(count).map(|value| value.max(0.0)).collect();
        let total = self.total.max(f64::MIN_POSITIVE);
        let explained: f64 = scatter.iter().sum();
        let left_out = (most - count).max(1) as f64;
        Pca {
            mean: self.mean,
            components: self.directions.values,
            explained_variance: scatter.iter().map(|value| value / freedom).collect(),
            explained_variance_ratio: scatter.iter().map(|value| value / total).collect(),
            singular_values: scatter.iter().map(|value| value.sqrt()).collect(),
            noise_variance: if count < most { (total - explained).max(0.0) / freedom / left_out } else { 0.0 },
            whiten,
        }
    }
}
