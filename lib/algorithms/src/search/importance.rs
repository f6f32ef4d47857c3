//! How much each parameter matters: functional analysis of variance on a forest over the trials.
//!
//! Hutter, Hoos and Leyton-Brown (2014). A tree is constant on boxes, so that its mean over all parameters but one is
//! computed exactly; the share of the variance that this mean has is the importance of that one.

use rand::RngExt;

use super::parameter::Domain;
use super::space::{SearchSpace, features};
use super::study::Study;
use super::trial::TrialStatus;
use crate::parallel;
use crate::seed;

const TREES: u64 = 64;
const LEAST_TO_SPLIT: usize = 4;
/// Fewer complete trials say nothing.
const LEAST_TRIALS: usize = 4;

/// A box of the space on which a tree is constant.
struct Leaf {
    /// The interval in each column, for a choice the half-open interval of codes.
    from: Vec<f64>,
    to: Vec<f64>,
    value: f64,
}

/// The ends of each column: `[from, to)` covers all of it.
type Ends = Vec<[f64; 2]>;

/// The share of each parameter in what the parameters explain one by one, in their order, summing to 1; `None` when there
/// are fewer than four complete trials or all have the same value.
///
/// A parameter without a value in some trials counts there as the middle of its range, or as a choice of its own.
pub fn importance(study: &Study) -> Option<Vec<(String, f64)>> {
    let space = &study.settings().search_space;
    let complete = study.trials().iter().filter(|trial| trial.status == TrialStatus::Complete);
    let rows = complete.filter_map(|trial| Some((features(space, &space.places(&trial.params).ok()?), trial.value?)));
    let (points, values): (Vec<Vec<f64>>, Vec<f64>) = rows.unzip();
    if points.len() < LEAST_TRIALS || values.iter().all(|value| *value == values[0]) {
        return None;
    }
    let ends = ends(space);
    let random_seed = seed::derive(study.settings().seed, 4);
    let trees = parallel::map(0..TREES, |tree| shares(&grow(&points, &values, &ends, random_seed, tree), &ends));
    let mut total = vec![0.0; space.len()];
    for shares in trees {
        for (sum, share) in total.iter_mut().zip(shares) {
            *sum += share;
        }
    }
    let sum: f64 = total.iter().sum();
    let named = space.parameters().iter().zip(total);
    (sum > 0.0).then(|| named.map(|(parameter, share)| (parameter.name.clone(), share / sum)).collect())
}

fn ends(space: &SearchSpace) -> Ends {
    let ends = space.parameters().iter().map(|parameter| match &parameter.domain {
        // No value is a code of its own, −1, where a condition can fail.
        Domain::Categorical { choices } if parameter.conditions.is_empty() => [0.0, choices.len() as f64],
        Domain::Categorical { choices } => [-1.0, choices.len() as f64],
        _ => [0.0, 1.0],
    });
    ends.collect()
}

/// The leaves of one tree, grown on rows that were drawn with repetition.
fn grow(points: &[Vec<f64>], values: &[f64], ends: &Ends, random_seed: u64, tree: u64) -> Vec<Leaf> {
    let mut rng = seed::rng(random_seed, tree);
    let rows = (0..points.len()).map(|_| rng.random_range(0..points.len())).collect::<Vec<_>>();
    let (from, to) = (ends.iter().map(|end| end[0]).collect(), ends.iter().map(|end| end[1]).collect());
    let mut open: Vec<(Vec<usize>, Vec<f64>, Vec<f64>)> = vec![(rows, from, to)];
    let mut leaves = Vec::new();
    while let Some((rows, from, to)) = open.pop() {
        let mean = rows.iter().map(|row| values[*row]).sum::<f64>() / rows.len() as f64;
        let chosen = if rows.len() < LEAST_TO_SPLIT { None } else { best_split(points, values, &rows, &mut rng) };
        let Some((column, cut)) = chosen else {
            leaves.push(Leaf { from, to, value: mean });
            continue;
        };
        let (left, right) = rows.into_iter().partition(|row: &usize| points[*row][column] < cut);
        let (mut left_to, mut right_from) = (to.clone(), from.clone());
        left_to[column] = cut;
        right_from[column] = cut;
        open.push((left, from, left_to));
        open.push((right, right_from, to));
    }
    leaves
}

/// The cut with the least squared error on two thirds of the columns, drawn anew; choices are cut by their codes.
fn best_split(points: &[Vec<f64>], values: &[f64], rows: &[usize], rng: &mut impl rand::Rng) -> Option<(usize, f64)> {
    let columns = points[0].len();
    let mut order = (0..columns).collect::<Vec<_>>();
    for at in (1..columns).rev() {
        order.swap(at, rng.random_range(0..=at));
    }
    let mut best: Option<(f64, usize, f64)> = None;
    for &column in &order[..(2 * columns).div_ceil(3)] {
        let mut sorted = rows.to_vec();
        sorted.sort_by(|a, b| points[*a][column].total_cmp(&points[*b][column]));
        let total: f64 = sorted.iter().map(|row| values[*row]).sum();
        let mut left = 0.0;
        for at in 1..sorted.len() {
            left += values[sorted[at - 1]];
            let (below, above) = (points[sorted[at - 1]][column], points[sorted[at]][column]);
            if below == above {
                continue;
            }
            let (n_left, n_right) = (at as f64, (sorted.len() - at) as f64);
            let gain =
                left * left / n_left + (total - left) * (total - left) / n_right - total * total / (n_left + n_right);
            if gain > best.map_or(1e-12 * total.abs(), |best| best.0) {
                // A code belongs to the interval that it begins.
                let cut = if above.fract() == 0.0 && below.fract() == 0.0 { above } else { 0.5 * (below + above) };
                best = Some((gain, column, cut));
            }
        }
    }
    best.map(|(_, column, cut)| (column, cut))
}

/// The share of each column alone in the variance of a tree; zeros for a tree of one leaf.
fn shares(leaves: &[Leaf], ends: &Ends) -> Vec<f64> {
    let width =
        |leaf: &Leaf, column: usize| (leaf.to[column] - leaf.from[column]) / (ends[column][1] - ends[column][0]);
    let columns = ends.len();
    let volume = |leaf: &Leaf| (0..columns).map(|column| width(leaf, column)).product::<f64>();
    let mean: f64 = leaves.iter().map(|leaf| volume(leaf) * leaf.value).sum();
    let variance: f64 = leaves.iter().map(|leaf| volume(leaf) * (leaf.value - mean).powi(2)).sum();
    if variance <= 0.0 {
        return vec![0.0; columns];
    }
    let share = |column: usize| {
        let mut cuts = leaves.iter().flat_map(|leaf| [leaf.from[column], leaf.to[column]]).collect::<Vec<_>>();
        cuts.sort_by(f64::total_cmp);
        cuts.dedup();
        let intervals = cuts.windows(2).map(|ends_of| {
            let inside = leaves.iter().filter(|leaf| leaf.from[column] <= ends_of[0] && leaf.to[column] >= ends_of[1]);
            let marginal: f64 = inside.map(|leaf| leaf.value * volume(leaf) / width(leaf, column)).sum();
            (ends_of[1] - ends_of[0]) / (ends[column][1] - ends[column][0]) * (marginal - mean).powi(2)
        });
        intervals.sum::<f64>() / variance
    };
    (0..columns).map(share).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::super::space::SearchSpace;
    use super::super::study::{Strategy, StudySettings};
    use super::super::trial::Outcome;
    use super::*;
    use crate::probe::Silent;

    fn study(given: &Value, trials: usize, objective: impl Fn(&Map<String, Value>) -> f64) -> Study {
        let space = SearchSpace::parse(given.as_object().unwrap()).unwrap();
        let mut study = Study::new(StudySettings { strategy: Strategy::Random, ..StudySettings::new(space) }).unwrap();
        for _ in 0..trials {
            let Some(trial) = study.ask(&Silent).unwrap() else { break };
            study.tell(trial.number, Outcome::Complete(objective(&trial.params))).unwrap();
        }
        study
    }

    #[test]
    fn a_parameter_matters_as_much_as_it_moves_the_value() {
        let space = json!({"a": {"float": [0, 1]}, "b": {"float": [0, 1]}, "c": {"int": [1, 9]}, "d": ["x", "y"]});
        let value = |params: &Map<String, Value>| {
            let choice = if params["d"] == "x" { 1.0 } else { 0.0 };
            3.0 * params["a"].as_f64().unwrap() + params["b"].as_f64().unwrap() + choice
        };
        // Variances: 9/12, 1/12, 0 and 1/4.
        let shares = importance(&study(&space, 128, value)).unwrap();
        let share = |at: usize| shares[at].1;
        assert!((shares.iter().map(|(_, share)| share).sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((share(0) - 0.69).abs() < 0.08 && (share(1) - 0.08).abs() < 0.05, "{shares:?}");
        assert!(share(2) < 0.02 && (share(3) - 0.23).abs() < 0.08, "{shares:?}");
    }

    #[test]
    fn too_little_says_nothing() {
        let space = json!({"a": {"float": [0, 1]}});
        assert!(importance(&study(&space, 3, |params| params["a"].as_f64().unwrap())).is_none());
        assert!(importance(&study(&space, 10, |_| 1.0)).is_none());
        let shares = importance(&study(&space, 10, |params| params["a"].as_f64().unwrap())).unwrap();
        assert_eq!(shares, [("a".to_owned(), 1.0)]);
    }
}
