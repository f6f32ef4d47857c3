//! Where to look next: the point of a space with the highest expected improvement.

use rand::RngExt;
use serde_json::{Map, Value};

use super::expected_improvement::log_expected_improvement;
use super::gaussian_process::GaussianProcess;
use super::parameter::Domain;
use super::sobol::Sobol;
use super::space::{Column, SearchSpace, features};
use crate::models::lbfgs::minimize;
use crate::parallel;
use crate::probe::{Cancelled, Probe};
use crate::seed;

/// Points that fill the space.
const SPREAD: u32 = 1024;
/// Points near each of the best trials.
const NEAR: usize = 24;
/// The best trials that are looked around.
const CENTRES: usize = 6;
/// The best points, from each of which the search goes uphill.
const CLIMBS: usize = 8;
const ROUNDS: usize = 4;
const ITERATIONS: usize = 40;
/// Integers with more values are moved like numbers first.
const FEW: u64 = 24;

/// What the search for the next point knows.
pub(super) struct Acquisition<'a> {
    pub(super) space: &'a SearchSpace,
    pub(super) process: &'a GaussianProcess,
    /// The least value so far.
    pub(super) best: f64,
}

/// A point with its score.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// The parameters at the point.
    pub(super) params: Map<String, Value>,
    /// The point as the process sees it.
    pub(super) features: Vec<f64>,
    /// A place for every parameter, also for those that have no value here.
    units: Vec<f64>,
    score: f64,
}

impl Acquisition<'_> {
    /// Points of high expected improvement, the best first. `centres` are good points, in the unit cube.
    pub(super) fn candidates(
        &self,
        centres: &[Vec<f64>],
        random_seed: u64,
        probe: &dyn Probe,
    ) -> Result<Vec<Candidate>, Cancelled> {
        let sobol = Sobol::new(self.space.len(), seed::derive(random_seed, 1));
        let mut starts = (0..SPREAD).map(|index| sobol.point(index)).collect::<Vec<_>>();
        let mut rng = seed::rng(random_seed, 2);
        for centre in centres.iter().take(CENTRES) {
            starts.push(centre.clone());
            for near in 0..NEAR {
                // From a tenth of a length scale to all of it.
                let reach = 0.1_f64.powf(near as f64 / NEAR as f64);
                starts.push(self.moved(centre, reach, &mut rng));
            }
        }
        probe.check()?;
        let scored = parallel::map(starts, |units| self.candidate(units));
        let mut scored = scored.into_iter().flatten().collect::<Vec<_>>();
        scored.sort_by(|a, b| b.score.total_cmp(&a.score));
        let climbing = self.climbing(&scored);
        let mut all = parallel::try_map(climbing, |candidate| self.climb(candidate, probe))?;
        all.extend(scored);
        all.sort_by(|a, b| b.score.total_cmp(&a.score));
        Ok(all)
    }

    /// The best points, no two of them next to each other.
    fn climbing(&self, scored: &[Candidate]) -> Vec<Candidate> {
        let mut chosen: Vec<Candidate> = Vec::with_capacity(CLIMBS);
        for candidate in scored {
            let is_near = |other: &Candidate| {
                let apart = candidate.features.iter().zip(&other.features).zip(self.process.weights());
                apart.map(|((a, b), weight)| weight * (a - b) * (a - b)).sum::<f64>() < 0.01
            };
            if chosen.iter().all(|other| !is_near(other)) {
                chosen.push(candidate.clone());
            }
            if chosen.len() == CLIMBS {
                break;
            }
        }
        chosen
    }

    /// A point near another: numbers move within `reach` length scales, and a choice is drawn anew now and then.
    fn moved(&self, centre: &[f64], reach: f64, rng: &mut impl rand::Rng) -> Vec<f64> {
        let columns = self.space.parameters().iter().zip(self.process.weights()).zip(centre);
        let moved = columns.map(|((parameter, weight), place)| {
            let draw: f64 = rng.random();
            if parameter.domain.is_categorical() {
                return if rng.random::<f64>() < 0.2 { draw } else { *place };
            }
            // The sum of three uniform numbers is normal enough here.
            let step = draw + rng.random::<f64>() + rng.random::<f64>() - 1.5;
            let scale = (1.0 / weight.sqrt()).clamp(0.05, 1.0);
            (place + step * reach * scale).clamp(0.0, 1.0)
        });
        moved.collect()
    }

    /// The point of the space at some places, with its score; `None` when rounding leaves none.
    fn candidate(&self, mut units: Vec<f64>) -> Option<Candidate> {
        let params = self.space.at(&units);
        let places = self.space.places(&params).ok()?;
        for (unit, place) in units.iter_mut().zip(&places) {
            *unit = place.unwrap_or(*unit);
        }
        let features = features(self.space, &places);
        let (mean, deviation) = self.process.predict(&features);
        let (score, _, _) = log_expected_improvement(mean, deviation, self.best);
        Some(Candidate { params, features, units, score })
    }

    /// Goes uphill from a point: numbers along the gradient, then whole numbers and choices one by one.
    fn climb(&self, start: Candidate, probe: &dyn Probe) -> Result<Candidate, Cancelled> {
        let mut best = start;
        for _ in 0..ROUNDS {
            probe.check()?;
            let before = best.score;
            best = self.slide(best, probe)?;
            best = self.step(best);
            if best.score <= before + 1e-6 {
                break;
            }
        }
        Ok(best)
    }

    /// Moves the numbers along the gradient.
    fn slide(&self, start: Candidate, probe: &dyn Probe) -> Result<Candidate, Cancelled> {
        let active = self.space.active(&start.units);
        let is_free = |index: &usize| {
            active[*index]
                && self.space.parameters()[*index].domain.cardinality().is_none_or(|count| count > FEW)
                && self.column(*index) == Column::Ordered
        };
        let free = (0..self.space.len()).filter(is_free).collect::<Vec<_>>();
        if free.is_empty() {
            return Ok(start);
        }
        // A place is sin² of an angle, so that the angle is not bounded. Off the ends, where the slope is 0.
        let angles = free.iter().map(|index| start.units[*index].clamp(1e-3, 1.0 - 1e-3).sqrt().asin()).collect();
        let mut point = start.features.clone();
        let cost = |angles: &[f64], gradient: &mut [f64]| {
            for (index, angle) in free.iter().zip(angles) {
                point[*index] = angle.sin().powi(2);
            }
            let expected = self.process.predict_with_gradient(&point);
            let (score, by_mean, by_deviation) = log_expected_improvement(expected.mean, expected.deviation, self.best);
            for ((part, index), angle) in gradient.iter_mut().zip(&free).zip(angles) {
                let slope =
                    by_mean * expected.mean_gradient[*index] + by_deviation * expected.deviation_gradient[*index];
                *part = -slope * (2.0 * angle).sin();
            }
            -score
        };
        let end = minimize(cost, angles, 1e-5, ITERATIONS, |_, _| probe.check())?;
        let mut units = start.units.clone();
        for (index, angle) in free.iter().zip(&end.point) {
            let place = angle.sin().powi(2);
            if place.is_finite() {
                units[*index] = place;
            }
        }
        Ok(self.candidate(units).into_iter().fold(start, better))
    }

    /// Tries the other choices and the neighbouring whole numbers of each parameter in turn.
    fn step(&self, start: Candidate) -> Candidate {
        let mut best = start;
        for (index, parameter) in self.space.parameters().iter().enumerate() {
            let Some(count) = parameter.domain.cardinality() else { continue };
            if !self.space.active(&best.units)[index] {
                continue;
            }
            let places: Vec<f64> = if count <= FEW || parameter.domain.is_categorical() {
                (0..count).map(|at| (at as f64 + 0.5) / count as f64).collect()
            } else {
                neighbours(&parameter.domain, best.units[index])
            };
            for place in places {
                let mut units = best.units.clone();
                units[index] = place;
                best = self.candidate(units).into_iter().fold(best, better);
            }
        }
        best
    }

    fn column(&self, index: usize) -> Column {
        if self.space.parameters()[index].domain.is_categorical() { Column::Categorical } else { Column::Ordered }
    }
}

fn better(best: Candidate, other: Candidate) -> Candidate {
    if other.score > best.score { other } else { best }
}

/// The places of the whole numbers around the one at a place.
fn neighbours(domain: &Domain, unit: f64) -> Vec<f64> {
    let (Domain::Integer { step, .. }, Some(value)) = (domain, domain.at(unit).as_i64()) else { return Vec::new() };
    let steps = [-3, -2, -1, 1, 2, 3_i64].into_iter();
    steps.filter_map(|by| domain.place(&Value::from(value.saturating_add(by.saturating_mul(*step))))).collect()
}
