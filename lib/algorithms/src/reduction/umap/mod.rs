//! UMAP: a map in which rows that are tied to each other lie near each other (`McInnes`, Healy and Melville, 2018).
//!
//! Parameters and defaults are umap-learn's, but for the start of the layout: the first principal components
//! (umap-learn's `init="pca"`), or random places; there is no spectral start. The metric is Euclidean and neighbours
//! are exact.

mod curve;
mod graph;
mod layout;

use serde::{Deserialize, Serialize};

use super::parameters::{Initial, UmapParameters};
use super::points::Points;
use super::{InvalidReduction, Reducer, ReductionError, neighbours, start};
use crate::parallel;
use crate::probe::Probe;
use layout::Forces;

/// Above so many rows fewer epochs are enough.
const MANY: usize = 10_000;
/// The sides of the box in which the layout begins.
const SIDE: f64 = 10.0;

/// A fitted UMAP: the rows that it was fitted to, and where they lie.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Umap {
    pub(super) mean: Vec<f64>,
    /// By what the rows are divided, so that none is larger than 1.
    pub(super) scale: f64,
    /// The rows beyond the mean, scaled, in the accuracy that neighbours need.
    pub(super) rows: Vec<f32>,
    pub(super) coordinates: Vec<f32>,
    pub(super) num_components: usize,
    pub(super) n_neighbors: usize,
    pub(super) a: f64,
    pub(super) b: f64,
    pub(super) repulsion_strength: f64,
    pub(super) negative_sample_rate: usize,
    pub(super) learning_rate: f64,
    pub(super) epochs: usize,
    pub(super) seed: u64,
}

impl Umap {
    /// The `a` and `b` of the curve `1/(1 + a·d^2b)` that says how near two points of the map are.
    pub const fn curve(&self) -> (f64, f64) {
        (self.a, self.b)
    }

    /// How many epochs the layout took.
    pub const fn epochs(&self) -> usize {
        self.epochs
    }

    /// The number of rows that it was fitted to.
    pub fn num_rows(&self) -> usize {
        self.coordinates.len() / self.num_components.max(1)
    }

    /// The places of new rows: the mean of their neighbours among the fitted rows, moved as in the fit while those
    /// stay.
    pub(super) fn transform(&self, points: &Points<'_>, probe: &dyn Probe) -> Result<Vec<f64>, ReductionError> {
        let features = self.mean.len();
        let beyond = points.values.chunks_exact(features).flat_map(|row| {
            row.iter().zip(&self.mean).map(|(value, mean)| f64::from(((value - mean) / self.scale) as f32))
        });
        let asked = Points { values: beyond.collect::<Vec<_>>().into(), rows: points.rows, features };
        let fitted: Vec<f64> = self.rows.iter().map(|value| f64::from(*value)).collect();
        let fitted = Points { values: fitted.into(), rows: self.num_rows(), features };
        probe.progress(0.0, 2.0, "finding the nearest neighbours");
        let near = neighbours::between(&asked, &fitted, self.n_neighbors, probe)?;
        let strengths = graph::strengths(&near, false);
        let forces = Forces {
            epochs: (self.epochs / 3).max(30),
            learning_rate: (self.learning_rate / 4.0) as f32,
            pull: 1.0,
            ..self.forces()
        };
        let width = self.num_components;
        let rows = near.indices.chunks(near.count).zip(strengths.chunks(near.count));
        let placed = parallel::try_map(rows, |(indices, strengths)| {
            probe.check()?;
            let total: f64 = strengths.iter().sum();
            let mut start = vec![0.0; width];
            for (index, strength) in indices.iter().zip(strengths) {
                let place = &self.coordinates[*index as usize * width..][..width];
                start.iter_mut().zip(place).for_each(|(sum, value)| *sum += f64::from(*value) * strength / total);
            }
            let start: Vec<f32> = start.iter().map(|value| *value as f32).collect();
            let ties: Vec<(u32, f32)> =
                indices.iter().copied().zip(strengths.iter().map(|value| *value as f32)).collect();
            Ok::<_, ReductionError>(layout::place(&start, &ties, &self.coordinates, forces, self.seed))
        })?;
        Ok(placed.into_iter().flatten().map(f64::from).collect())
    }

    fn forces(&self) -> Forces {
        Forces {
            a: self.a as f32,
            b: self.b as f32,
            repulsion: self.repulsion_strength as f32,
            negative_samples: self.negative_sample_rate,
            learning_rate: self.learning_rate as f32,
            epochs: self.epochs,
            pull: 2.0,
        }
    }

    pub(super) fn validate(&self) -> Result<(), InvalidReduction> {
        let (features, width) = (self.mean.len(), self.num_components);
        if features == 0 || !(1..=64).contains(&width) {
            return Err(InvalidReduction::new("a UMAP without features, or not of 1 to 64 components"));
        }
        let rows = self.coordinates.len() / width;
        if rows * width != self.coordinates.len() || rows * features != self.rows.len() {
            return Err(InvalidReduction::new("the rows and the coordinates of a UMAP have different sizes"));
        }
        if self.n_neighbors == 0 || self.n_neighbors > rows {
            return Err(InvalidReduction::new("a UMAP has more neighbours than rows, or none"));
        }
        if self.rows.iter().chain(&self.coordinates).any(|value| !value.is_finite()) {
            return Err(InvalidReduction::new("a row or a coordinate of a UMAP is not a finite number"));
        }
        let positive = [self.a, self.b, self.learning_rate, self.scale];
        let fine = positive.iter().all(|value| value.is_finite() && *value > 0.0)
            && (0.0..1e6).contains(&self.repulsion_strength)
            && self.mean.iter().all(|value| value.is_finite());
        if !fine || self.negative_sample_rate > 1000 || !(1..=1_000_000).contains(&self.epochs) {
            return Err(InvalidReduction::new("a parameter of a UMAP is out of its range"));
        }
        Ok(())
    }
}

/// The places of the rows, rows × components, and the model.
pub(super) fn fit(
    points: &Points<'_>,
    parameters: &UmapParameters,
    seed: u64,
    probe: &dyn Probe,
) -> Result<(Vec<f64>, Umap), ReductionError> {
    let (rows, features) = (points.rows, points.features);
    if rows < 4 {
        return Err(ReductionError::FewRows { reducer: Reducer::Umap, needed: 4, rows });
    }
    if parameters.n_neighbors > rows {
        let allowed = format!("at most the number of rows, {rows}");
        let value = parameters.n_neighbors as f64;
        return Err(ReductionError::Parameter { name: "n_neighbors", value, rows, features, allowed });
    }
    if parameters.num_components >= rows {
        let allowed = format!("below the number of rows, {rows}");
        let value = parameters.num_components as f64;
        return Err(ReductionError::Parameter { name: "n_components", value, rows, features, allowed });
    }
    if points.constant() {
        return Err(ReductionError::Constant { rows });
    }
    let epochs = parameters.n_epochs.unwrap_or(if rows <= MANY { 500 } else { 200 });
    probe.progress(0.0, epochs as f64, "finding the nearest neighbours");
    let near = neighbours::among(points, parameters.n_neighbors - 1, probe)?;
    let strengths = graph::strengths(&near, true);
    let ties = graph::symmetric(&near, &strengths, parameters.set_op_mix_ratio);
    let width = parameters.num_components;
    let first = match parameters.init {
        Initial::Pca => start::components(points, width, seed, probe)?,
        Initial::Random => start::random(rows, width, seed),
    };
    let (a, b) = curve::fit(parameters.min_dist, parameters.spread);
    let mean = points.means();
    let beyond = |row: &[f64]| row.iter().zip(&mean).map(|(value, mean)| value - mean).collect::<Vec<_>>();
    let beyond: Vec<f64> = points.values.chunks_exact(features).flat_map(beyond).collect();
    let scale = beyond.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    let mut model = Umap {
        rows: beyond.iter().map(|value| (value / scale) as f32).collect(),
        mean,
        scale,
        coordinates: boxed(&first, width),
        num_components: width,
        n_neighbors: parameters.n_neighbors,
        a,
        b,
        repulsion_strength: parameters.repulsion_strength,
        negative_sample_rate: parameters.negative_sample_rate,
        learning_rate: parameters.learning_rate,
        epochs,
        seed,
    };
    let forces = model.forces();
    layout::run(&mut model.coordinates, width, &ties, forces, seed, probe)?;
    model.validate().map_err(|_| ReductionError::OutOfRange)?;
    probe.progress(epochs as f64, epochs as f64, "laid out the map");
    Ok((model.coordinates.iter().map(|value| f64::from(*value)).collect(), model))
}

/// Stretches every axis to the box in which the layout begins.
fn boxed(places: &[f64], width: usize) -> Vec<f32> {
    let (mut low, mut high) = (vec![f64::INFINITY; width], vec![f64::NEG_INFINITY; width]);
    for place in places.chunks_exact(width) {
        for (axis, value) in place.iter().enumerate() {
            low[axis] = low[axis].min(*value);
            high[axis] = high[axis].max(*value);
        }
    }
    let side = |axis: usize| (high[axis] - low[axis]).max(f64::MIN_POSITIVE);
    let scaled =
        places.iter().enumerate().map(|(at, value)| (SIDE * (value - low[at % width]) / side(at % width)) as f32);
    scaled.collect()
}
