//! How a study has come to its best trial, in few points.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::study::Study;
use super::trial::{Direction, Trial, TrialStatus};

/// One complete trial on the way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConvergencePoint {
    /// The number of the trial.
    pub trial: usize,
    /// Its value.
    pub value: f64,
    /// The best value so far.
    pub best: f64,
}

/// The complete trials in their order, at most `most` of them: with more, those that improve on the best come first, the
/// latest of them where even these are too many, and the others are taken at even distances.
pub fn convergence(study: &Study, most: usize) -> Vec<ConvergencePoint> {
    let direction = study.settings().direction;
    let mut best: Option<f64> = None;
    let mut points = Vec::new();
    let mut improves = Vec::new();
    let value = |trial: &Trial| if trial.status == TrialStatus::Complete { trial.value } else { None };
    for (trial, value) in study.trials().iter().filter_map(|trial| Some((trial.number, value(trial)?))) {
        let is_better = |best: f64| match direction {
            Direction::Minimize => value < best,
            Direction::Maximize => value > best,
        };
        let better = best.is_none_or(is_better);
        let reached = if better { value } else { best.unwrap_or(value) };
        best = Some(reached);
        points.push(ConvergencePoint { trial, value, best: reached });
        improves.push(better);
    }
    if points.len() <= most {
        return points;
    }
    let of_kind = |kind: bool| (0..points.len()).filter(|&at| improves[at] == kind).collect::<Vec<_>>();
    let (better, others) = (of_kind(true), of_kind(false));
    let mut kept = better[better.len().saturating_sub(most)..].to_vec();
    let room = most - kept.len();
    kept.extend((0..room).filter_map(|at| others.get(at * others.len() / room)));
    kept.sort_unstable();
    kept.dedup();
    kept.into_iter().map(|at| points[at]).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::probe::Silent;
    use crate::search::{Outcome, SearchSpace, StudySettings};

    fn study(values: &[f64]) -> Study {
        let space = SearchSpace::parse(json!({"a": {"float": [0, 1]}}).as_object().unwrap()).unwrap();
        let mut settings = StudySettings::new(space);
        settings.strategy = crate::search::Strategy::Random;
        let mut study = Study::new(settings).unwrap();
        for value in values {
            let trial = study.ask(&Silent).unwrap().unwrap();
            study.tell(trial.number, Outcome::Complete(*value)).unwrap();
        }
        study
    }

    #[test]
    fn every_point_says_the_best_so_far() {
        let points = convergence(&study(&[3.0, 4.0, 1.0, 2.0]), 10);
        let best = points.iter().map(|point| point.best).collect::<Vec<_>>();
        assert_eq!(best, [3.0, 3.0, 1.0, 1.0]);
        assert!(convergence(&study(&[]), 10).is_empty());
    }

    #[test]
    fn of_many_trials_the_improvements_are_kept() {
        let values = (0..200).map(|at| if at == 150 { -1.0 } else { f64::from(at % 7) + 1.0 }).collect::<Vec<_>>();
        let points = convergence(&study(&values), 20);
        assert_eq!(points.len(), 20);
        assert!(points.iter().any(|point| point.trial == 150 && point.value == -1.0));
        assert!(points.windows(2).all(|pair| pair[0].trial < pair[1].trial && pair[0].best >= pair[1].best));
    }
}
