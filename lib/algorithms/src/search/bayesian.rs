//! The next trial of a Bayesian search: a Gaussian process over the trials so far, and expected improvement.

use serde_json::{Map, Value};

use super::acquisition::Acquisition;
use super::error::SearchError;
use super::gaussian_process::{Data, GaussianProcess, fit_kernel};
use super::space::{SearchSpace, columns, features};
use super::trial::{Direction, Trial, TrialStatus};
use crate::probe::Probe;
use crate::seed;

/// Hyperparameters are fitted to at most so many trials, and the process conditioned on at most [`MOST`].
const FITTED: usize = 150;
const MOST: usize = 400;
/// How often the fit of the hyperparameters begins.
const STARTS: usize = 4;

/// What is known of one trial.
struct Seen {
    features: Vec<f64>,
    /// A place for every parameter.
    units: Vec<f64>,
    /// Lower is better.
    value: f64,
}

/// The parameters of highest expected improvement that no trial has yet; `None` when the model offers nothing new.
///
/// Failed trials count as bad as the worst, pruned ones as bad as what they showed last and as the median at least. Trials
/// that still run stand at the best value (the constant liar of Ginsbourger, Le Riche and Carraro, 2010), which keeps
/// trials that are asked for together apart.
pub(super) fn propose(
    space: &SearchSpace,
    trials: &[Trial],
    direction: Direction,
    random_seed: u64,
    probe: &dyn Probe,
) -> Result<Option<Map<String, Value>>, SearchError> {
    let mut seen = observations(space, trials, direction)?;
    if seen.len() < 2 {
        return Ok(None);
    }
    let mut values = seen.iter().map(|one| one.value).collect::<Vec<_>>();
    standardize(&mut values);
    for (one, value) in seen.iter_mut().zip(values) {
        one.value = value;
    }
    let data = |limit: usize| {
        let kept = keep(&seen, limit);
        let points = kept.iter().map(|one| one.features.clone()).collect();
        Data { columns: columns(space), points, values: kept.iter().map(|one| one.value).collect() }
    };
    let kernel = fit_kernel(&data(FITTED), seed::derive(random_seed, 3), STARTS, probe)?;
    let mut known = data(MOST);
    let best = known.values.iter().copied().fold(f64::INFINITY, f64::min);
    for trial in trials.iter().filter(|trial| trial.status == TrialStatus::Running) {
        known.points.push(features(space, &space.places(&trial.params)?));
        known.values.push(best);
    }
    let Some(process) = GaussianProcess::new(&known, &kernel) else { return Ok(None) };
    seen.sort_by(|a, b| a.value.total_cmp(&b.value));
    let centres = seen.into_iter().map(|one| one.units).collect::<Vec<_>>();
    let candidates = Acquisition { space, process: &process, best }.candidates(&centres, random_seed, probe)?;
    let mut tried = Vec::with_capacity(trials.len());
    for trial in trials {
        tried.push(features(space, &space.places(&trial.params)?));
    }
    Ok(candidates.into_iter().find(|candidate| !tried.contains(&candidate.features)).map(|candidate| candidate.params))
}

/// Every trial that has something to say, in its order.
fn observations(space: &SearchSpace, trials: &[Trial], direction: Direction) -> Result<Vec<Seen>, SearchError> {
    let complete = trials.iter().filter(|trial| trial.status == TrialStatus::Complete);
    let mut values = complete.filter_map(|trial| Some(direction.minimized(trial.value?))).collect::<Vec<_>>();
    values.sort_by(f64::total_cmp);
    let (Some(worst), Some(median)) = (values.last().copied(), values.get(values.len() / 2).copied()) else {
        return Ok(Vec::new());
    };
    let mut seen = Vec::with_capacity(trials.len());
    for trial in trials {
        let value = match (trial.status, trial.value, trial.intermediate.last()) {
            (TrialStatus::Complete, Some(value), _) => direction.minimized(value),
            (TrialStatus::Pruned, _, Some(last)) => direction.minimized(last.value).clamp(median, worst),
            (TrialStatus::Pruned | TrialStatus::Failed, _, _) => worst,
            _ => continue,
        };
        let places = space.places(&trial.params)?;
        let units = places.iter().map(|place| place.unwrap_or(0.5)).collect();
        seen.push(Seen { features: features(space, &places), units, value });
    }
    Ok(seen)
}

/// At most `limit` trials: the better half by value, the other half the latest.
fn keep(seen: &[Seen], limit: usize) -> Vec<&Seen> {
    if seen.len() <= limit {
        return seen.iter().collect();
    }
    let mut order = (0..seen.len()).collect::<Vec<_>>();
    order.sort_by(|a, b| seen[*a].value.total_cmp(&seen[*b].value));
    let mut chosen = order[..limit / 2].to_vec();
    chosen.extend((0..seen.len()).rev().filter(|at| !order[..limit / 2].contains(at)).take(limit - limit / 2));
    chosen.sort_unstable();
    chosen.into_iter().map(|at| &seen[at]).collect()
}

/// Brings the values to mean 0 and variance 1, after the bad end was drawn in: how bad a bad trial is teaches little about
/// where the good ones are.
fn standardize(values: &mut [f64]) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (least, median, greatest) = (sorted[0], sorted[sorted.len() / 2], sorted[sorted.len() - 1]);
    // Halves, so that the range of the largest numbers is a number.
    let range = 0.5 * greatest - 0.5 * least;
    if range <= 0.0 {
        values.fill(0.0);
        return;
    }
    let spread = (0.5 * median - 0.5 * least) / range;
    for value in values.iter_mut() {
        *value = (0.5 * *value - 0.5 * median) / range;
        if *value > 0.0 && spread > 0.0 {
            // As far above the median as the best lies below it, values grow by their logarithm.
            *value = spread * (*value / spread).ln_1p();
        }
    }
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
    for value in values {
        *value = (*value - mean) / deviation;
    }
}
