//! t-SNE: a map of the rows in one to three dimensions in which neighbours stay neighbours (van der Maaten, 2014).
//!
//! Every parameter, phase and default is scikit-learn's `TSNE` with `method="barnes_hut"`: exact neighbours, a Gaussian
//! kernel of the wished perplexity, and gradient descent with momentum and a gain for each coordinate, at first with
//! exaggerated affinities. The force of far points is summed over the cells of a tree.
//!
//! The kernel of the map has one degree of freedom in any number of dimensions; scikit-learn's has two in three.

mod affinities;
mod gradient;
mod tree;

use serde::{Deserialize, Serialize};

use super::parameters::{Initial, TsneParameters};
use super::points::Points;
use super::{InvalidReduction, Reducer, ReductionError, neighbours, start};
use crate::probe::Probe;
use affinities::Affinities;
use gradient::Forces;

/// Iterations with exaggerated affinities.
const EXPLORATION: usize = 250;
/// Iterations between two looks at the divergence.
const BETWEEN_CHECKS: usize = 50;
const SMALLEST_GAIN: f32 = 0.01;
/// Up to so many rows the divergence that is reported is summed over all pairs.
const EXACT: usize = 20_000;

/// What is left of a fitted t-SNE. It has no transform: the map is of the fitted rows alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tsne {
    pub(super) num_features: usize,
    pub(super) num_components: usize,
    pub(super) perplexity: f64,
    pub(super) kl_divergence: f64,
    pub(super) iterations: usize,
}

impl Tsne {
    /// The Kullback–Leibler divergence between the similarities of the rows and of their places on the map, in nats.
    pub const fn kl_divergence(&self) -> f64 {
        self.kl_divergence
    }

    /// How many iterations were done.
    pub const fn iterations(&self) -> usize {
        self.iterations
    }

    /// The perplexity of the kernels.
    pub const fn perplexity(&self) -> f64 {
        self.perplexity
    }

    pub(super) fn validate(&self) -> Result<(), InvalidReduction> {
        if self.num_features == 0 || !(1..=3).contains(&self.num_components) {
            return Err(InvalidReduction::new("a t-SNE without features, or not of one to three components"));
        }
        if !self.kl_divergence.is_finite() || !self.perplexity.is_finite() || self.perplexity <= 0.0 {
            return Err(InvalidReduction::new("the divergence or the perplexity of a t-SNE is not a finite number"));
        }
        Ok(())
    }
}

/// The places of the rows, rows × components, and what the fit has shown.
pub(super) fn fit(
    points: &Points<'_>,
    parameters: &TsneParameters,
    seed: u64,
    probe: &dyn Probe,
) -> Result<(Vec<f64>, Tsne), ReductionError> {
    if points.rows < 4 {
        return Err(ReductionError::FewRows { reducer: Reducer::Tsne, needed: 4, rows: points.rows });
    }
    if parameters.perplexity >= points.rows as f64 {
        return Err(ReductionError::Parameter {
            name: "perplexity",
            value: parameters.perplexity,
            rows: points.rows,
            features: points.features,
            allowed: format!("below the number of rows, {}", points.rows),
        });
    }
    if points.constant() {
        return Err(ReductionError::Constant { rows: points.rows });
    }
    match parameters.num_components {
        1 => embed::<1>(points, parameters, seed, probe),
        2 => embed::<2>(points, parameters, seed, probe),
        _ => embed::<3>(points, parameters, seed, probe),
    }
}

fn embed<const D: usize>(
    points: &Points<'_>,
    parameters: &TsneParameters,
    seed: u64,
    probe: &dyn Probe,
) -> Result<(Vec<f64>, Tsne), ReductionError> {
    let total = parameters.max_iter as f64;
    probe.progress(0.0, total, "finding the nearest neighbours");
    let count = (points.rows - 1).min((3.0 * parameters.perplexity + 1.0) as usize);
    let mut near = neighbours::among(points, count, probe)?;
    scale(&mut near.squared);
    let affinities = Affinities::new(&near, parameters.perplexity, probe)?;
    drop(near);
    let first = match parameters.init {
        Initial::Pca => start::components(points, D, seed, probe)?,
        Initial::Random => start::random(points.rows, D, seed),
    };
    let map = first.chunks_exact(D).map(|row| std::array::from_fn(|axis| (row[axis] * 1e-4) as f32)).collect();
    let mut descent = Descent::<D> {
        map,
        velocity: vec![[0.0; D]; points.rows],
        gains: vec![[1.0; D]; points.rows],
        forces: Forces::default(),
        affinities,
        angle: parameters.angle as f32,
        rate: parameters
            .learning_rate
            .unwrap_or_else(|| (points.rows as f64 / parameters.early_exaggeration / 4.0).max(50.0))
            as f32,
    };
    let iterations = descent.run(parameters, probe)?;
    let angle = if points.rows <= EXACT { 0.0 } else { descent.angle };
    descent.forces.compute(&descent.map, &descent.affinities, angle);
    let kl_divergence = descent.forces.divergence(&descent.map, &descent.affinities);
    let coordinates: Vec<f64> = descent.map.iter().flatten().map(|value| f64::from(*value)).collect();
    if !kl_divergence.is_finite() || coordinates.iter().any(|value| !value.is_finite()) {
        return Err(ReductionError::OutOfRange);
    }
    probe.progress(total, total, &format!("placed the rows at a divergence of {kl_divergence:.4}"));
    let model = Tsne {
        num_features: points.features,
        num_components: D,
        perplexity: parameters.perplexity,
        kl_divergence,
        iterations,
    };
    Ok((coordinates, model))
}

/// The kernels do not depend on the unit of the distances; a largest one of 1 keeps their squares within range.
fn scale(squared: &mut [f64]) {
    let largest = squared.iter().copied().fold(0.0, f64::max);
    if largest > 0.0 {
        for value in squared.iter_mut() {
            *value /= largest;
        }
    }
}

/// The state of the gradient descent.
struct Descent<const D: usize> {
    map: Vec<[f32; D]>,
    velocity: Vec<[f32; D]>,
    gains: Vec<[f32; D]>,
    forces: Forces<D>,
    affinities: Affinities,
    angle: f32,
    rate: f32,
}

impl<const D: usize> Descent<D> {
    /// How many iterations were done.
    fn run(&mut self, parameters: &TsneParameters, probe: &dyn Probe) -> Result<usize, ReductionError> {
        let total = parameters.max_iter;
        let exploration = EXPLORATION.min(total);
        for iteration in 0..exploration {
            probe.check()?;
            self.step(parameters.early_exaggeration as f32, 0.5);
            if (iteration + 1) % BETWEEN_CHECKS == 0 {
                probe.progress((iteration + 1) as f64, total as f64, "spreading the rows with exaggerated affinities");
            }
        }
        // The second phase begins at rest, as in scikit-learn.
        self.velocity.fill([0.0; D]);
        self.gains.fill([1.0; D]);
        let (mut best, mut best_at) = (f64::INFINITY, exploration);
        for iteration in exploration..total {
            probe.check()?;
            let check = (iteration + 1) % BETWEEN_CHECKS == 0;
            let before = if check { self.map.clone() } else { Vec::new() };
            let gradient = self.step(1.0, 0.8);
            if !check {
                continue;
            }
            let divergence = self.forces.divergence(&before, &self.affinities);
            let message = format!("iteration {}: divergence {divergence:.4}", iteration + 1);
            probe.progress((iteration + 1) as f64, total as f64, &message);
            if divergence < best {
                (best, best_at) = (divergence, iteration);
            } else if iteration - best_at > parameters.n_iter_without_progress {
                return Ok(iteration + 1);
            }
            if gradient <= parameters.min_grad_norm {
                return Ok(iteration + 1);
            }
        }
        Ok(total)
    }

    /// One step down the gradient; its length with the gains.
    fn step(&mut self, exaggeration: f32, momentum: f32) -> f64 {
        self.forces.compute(&self.map, &self.affinities, self.angle);
        let share = (1.0 / self.forces.total) as f32;
        let forces = self.forces.attraction.iter().zip(&self.forces.repulsion);
        let state = self.map.iter_mut().zip(&mut self.velocity).zip(&mut self.gains);
        let mut length = 0.0;
        for (((point, velocity), gains), (attraction, repulsion)) in state.zip(forces) {
            for axis in 0..D {
                let gradient = 4.0 * (exaggeration * attraction[axis] - share * repulsion[axis]);
                let gain = if velocity[axis] * gradient < 0.0 { gains[axis] + 0.2 } else { gains[axis] * 0.8 };
                gains[axis] = gain.max(SMALLEST_GAIN);
                let gradient = gradient * gains[axis];
                length += f64::from(gradient) * f64::from(gradient);
                velocity[axis] = momentum * velocity[axis] - self.rate * gradient;
                point[axis] += velocity[axis];
            }
        }
        length.sqrt()
    }
}
