//! Where the rows of a map begin: on their first principal components, or anywhere.

use rand::RngExt;

use super::ReductionError;
use super::parameters::{Components, PcaParameters, Solver};
use super::pca;
use super::points::Points;
use crate::probe::{Probe, Silent};
use crate::seed;

/// The stream of the random places; other parts take other streams of the seed.
const PLACES: u64 = 0x0070_6C61_6365;

/// The first principal components, scaled so that the first has a standard deviation of 1. Directions that the table
/// does not have are filled with small random numbers.
pub(super) fn components(
    points: &Points<'_>,
    count: usize,
    seed: u64,
    probe: &dyn Probe,
) -> Result<Vec<f64>, ReductionError> {
    probe.check()?;
    let kept = count.min(points.features).min(points.rows);
    let parameters =
        PcaParameters { num_components: Components::Count(kept), solver: Solver::Auto, ..PcaParameters::default() };
    let (scores, model) = pca::fit(points, &parameters, seed, &Silent)?;
    let variance = model.explained_variance()[0] * (points.rows - 1) as f64 / points.rows as f64;
    let scale = if variance > 0.0 { 1.0 / variance.sqrt() } else { 0.0 };
    let mut places = random(points.rows, count, seed);
    for (place, scores) in places.chunks_exact_mut(count).zip(scores.chunks_exact(kept)) {
        place[kept..].iter_mut().for_each(|value| *value *= 0.01);
        place[..kept].iter_mut().zip(scores).for_each(|(place, score)| *place = score * scale);
    }
    Ok(places)
}

/// Standard normal numbers.
pub(super) fn random(rows: usize, count: usize, seed: u64) -> Vec<f64> {
    let mut random = seed::rng(seed, PLACES);
    (0..rows * count).map(|_| normal(random.random(), random.random())).collect()
}

/// A standard normal number from two uniform ones below 1 (Box and Muller, 1958).
pub(super) fn normal(a: f64, b: f64) -> f64 {
    (-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}
