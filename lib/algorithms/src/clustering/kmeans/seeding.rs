//! Where k-means begins: greedy k-means++, or rows drawn at random.

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::super::points::CHUNK;
use super::single::Single;
use super::tiles::{TILE, distances};
use crate::parallel;
use crate::probe::{Cancelled, Probe};
use crate::vectorised::vectorised;

/// The rows at which k-means begins, chosen by greedy k-means++ (Arthur and Vassilvitskii, 2007).
///
/// Each next row is the best of 2 + ⌊ln k⌋ rows that are drawn with probability proportional to weight times squared
/// distance to the nearest one so far, as in scikit-learn.
pub(super) fn plus_plus(
    rows: &Single,
    weights: Option<&[f64]>,
    clusters: usize,
    random: &mut Xoshiro256PlusPlus,
    probe: &dyn Probe,
) -> Result<Vec<usize>, Cancelled> {
    let trials = 2 + (clusters as f64).ln() as usize;
    let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
    let all = (0..rows.rows).collect::<Vec<_>>();
    let first = match weights {
        Some(_) => draw(&all.iter().map(|&row| weight(row)).collect::<Vec<_>>(), random.random::<f64>()),
        None => random.random_range(0..rows.rows),
    };
    let mut chosen = vec![first];
    let mut search = Search::new(rows, weights, trials);
    search.update(&[first]);
    search.accept(0);
    while chosen.len() < clusters {
        probe.check()?;
        let candidates = (0..trials).map(|_| search.draw(random)).collect::<Vec<_>>();
        let potentials = search.update(&candidates);
        let best = (1..trials).fold(0, |best, trial| if potentials[trial] < potentials[best] { trial } else { best });
        search.accept(best);
        chosen.push(candidates[best]);
    }
    Ok(chosen)
}

/// Different rows, drawn without replacement.
pub(crate) fn random_rows(rows: usize, clusters: usize, random: &mut Xoshiro256PlusPlus) -> Vec<usize> {
    let mut all = (0..rows).collect::<Vec<_>>();
    all.partial_shuffle(random, clusters).0.to_vec()
}

/// The index whose share of the sum holds `point` (0 to 1); never one of weight 0 unless all are 0.
fn draw(weights: &[f64], point: f64) -> usize {
    let target = point * weights.iter().sum::<f64>();
    let mut passed = 0.0;
    let mut last = 0;
    for (index, &weight) in weights.iter().enumerate() {
        if weight > 0.0 {
            passed += weight;
            last = index;
            if passed > target {
                break;
            }
        }
    }
    last
}

/// The squared distances to the nearest chosen row, and what they would be with one more.
struct Search<'a> {
    rows: &'a Single,
    weights: Option<&'a [f64]>,
    trials: usize,
    closest: Vec<f32>,
    /// The weighted sum of `closest` in each chunk.
    potentials: Vec<f64>,
    /// For each chunk and trial, what `closest` becomes.
    tried: Vec<f32>,
    tried_potentials: Vec<Vec<f64>>,
}

impl<'a> Search<'a> {
    fn new(rows: &'a Single, weights: Option<&'a [f64]>, trials: usize) -> Self {
        let closest = vec![f32::INFINITY; rows.rows];
        let tried = vec![0.0; rows.rows * trials];
        Self { rows, weights, trials, closest, potentials: Vec::new(), tried, tried_potentials: Vec::new() }
    }

    /// A row, with probability proportional to its part of the potential; any row when all of it is 0.
    fn draw(&self, random: &mut Xoshiro256PlusPlus) -> usize {
        if !self.potentials.iter().any(|potential| *potential > 0.0) {
            return random.random_range(0..self.rows.rows);
        }
        let chunk = draw(&self.potentials, random.random::<f64>());
        let start = chunk * CHUNK;
        let part = &self.closest[start..(start + CHUNK).min(self.rows.rows)];
        let weight = |row: usize| self.weights.map_or(1.0, |weights| weights[row]);
        let parts = part.iter().enumerate().map(|(row, closest)| f64::from(*closest) * weight(start + row));
        start + draw(&parts.collect::<Vec<_>>(), random.random::<f64>())
    }

    /// Tries each candidate and gives the potential that it would leave.
    fn update(&mut self, candidates: &[usize]) -> Vec<f64> {
        let features = self.rows.features;
        let centers = candidates.iter().flat_map(|&row| self.rows.row(row)).map(|value| -2.0 * value);
        let centers = centers.collect::<Vec<_>>();
        let norms = candidates.iter().map(|&row| self.rows.norms[row]).collect::<Vec<_>>();
        let (rows, weights, closest) = (self.rows, self.weights, &self.closest);
        let chunks = self.tried.chunks_mut(CHUNK * self.trials).enumerate();
        self.tried_potentials = parallel::map(chunks, |(chunk, tried)| {
            let start = chunk * CHUNK;
            let end = (start + CHUNK).min(rows.rows);
            let width = end - start;
            let tried = &mut tried[..width * norms.len()];
            vectorised(
                #[inline(always)]
                || {
                    for (number, tile) in rows.tiles.of(start..end).enumerate() {
                        let place = number * TILE..((number + 1) * TILE).min(width);
                        let centers = centers.chunks_exact(features).zip(&norms);
                        for (line, (center, norm)) in tried.chunks_exact_mut(width).zip(centers) {
                            let distances = distances(tile, center, *norm);
                            line[place.clone()].copy_from_slice(&distances[..place.len()]);
                        }
                    }
                },
            );
            let lines = tried.chunks_exact_mut(width);
            let potential = |line: &mut [f32]| {
                for ((value, own), closest) in line.iter_mut().zip(&rows.norms[start..end]).zip(&closest[start..end]) {
                    let distance = *value + own;
                    let distance = if distance > 0.0 { distance } else { 0.0 };
                    *value = if distance < *closest { distance } else { *closest };
                }
                match weights {
                    None => sum(line),
                    Some(weights) => {
                        line.iter().zip(&weights[start..end]).map(|(value, weight)| f64::from(*value) * weight).sum()
                    }
                }
            };
            lines.map(potential).collect::<Vec<f64>>()
        });
        (0..candidates.len()).map(|trial| self.tried_potentials.iter().map(|parts| parts[trial]).sum()).collect()
    }

    /// Takes the candidate of that number of the last [`Search::update`].
    fn accept(&mut self, trial: usize) {
        let tried = self.tried.chunks(CHUNK * self.trials);
        parallel::for_each(self.closest.chunks_mut(CHUNK).zip(tried), |(closest, tried)| {
            let width = closest.len();
            closest.copy_from_slice(&tried[trial * width..(trial + 1) * width]);
        });
        self.potentials = self.tried_potentials.iter().map(|parts| parts[trial]).collect();
    }
}

/// The sum in double precision, in eight lanes.
fn sum(values: &[f32]) -> f64 {
    let mut lanes = [0.0_f64; 8];
    let chunks = values.chunks_exact(8);
    let rest: f64 = chunks.remainder().iter().map(|value| f64::from(*value)).sum();
    for chunk in chunks {
        for lane in 0..8 {
            lanes[lane] += f64::from(chunk[lane]);
        }
    }
    lanes.iter().sum::<f64>() + rest
}
