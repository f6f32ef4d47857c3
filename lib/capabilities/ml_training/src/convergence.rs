//! The plot of a search: the value of every trial, and the best so far.

use mlops_algorithms::search::{Direction, Study, TrialStatus};

use crate::chart::{BLUE, Chart, with_room};

/// The plot as SVG; the same study gives the same bytes. The middle nine tenths of the values fill its height, so that one
/// very bad trial does not flatten the rest.
pub(crate) fn draw(study: &Study, metric: &str) -> String {
    let complete = study.trials().iter().filter(|trial| trial.status == TrialStatus::Complete);
    let points = complete.filter_map(|trial| Some((trial.number as f64, trial.value?))).collect::<Vec<_>>();
    let last = (study.trials().len().max(2) - 1) as f64;
    let title = format!("Convergence: {metric} by trial");
    let range = range(&points, study.settings().direction);
    let mut chart = Chart::new(&title, "trial (line: best so far)", [0.0, last], range);
    let mut line = Vec::new();
    let mut best: Option<f64> = None;
    for (number, value) in &points {
        chart.dot(*number, *value);
        let before = best.unwrap_or(*value);
        let after = match study.settings().direction {
            Direction::Minimize => before.min(*value),
            Direction::Maximize => before.max(*value),
        };
        line.extend([[*number, before], [*number, after]]);
        best = Some(after);
    }
    if let Some(best) = best {
        line.push([last, best]);
        chart.line(&line, BLUE);
    }
    chart.finish()
}

/// The values that the height shows: all of the better ones, and of the worse all but the last tenth.
fn range(points: &[(f64, f64)], direction: Direction) -> [f64; 2] {
    let mut values = points.iter().map(|(_, value)| *value).collect::<Vec<_>>();
    values.sort_by(f64::total_cmp);
    let Some(last) = values.len().checked_sub(1) else { return [0.0, 1.0] };
    let tenth = values.len() / 10;
    match direction {
        Direction::Minimize => with_room(values[0], values[last - tenth]),
        Direction::Maximize => with_room(values[tenth], values[last]),
    }
}

#[cfg(test)]
mod tests {
    use mlops_algorithms::probe::Silent;
    use mlops_algorithms::search::{Outcome, SearchSpace, StudySettings};
    use serde_json::json;

    use super::*;

    #[test]
    fn every_complete_trial_is_a_dot_and_the_best_a_line() {
        let space = SearchSpace::parse(json!({"a": {"int": [1, 9]}}).as_object().unwrap()).unwrap();
        let mut study = Study::new(StudySettings::new(space)).unwrap();
        assert!(draw(&study, "loss").contains("</svg>"));
        for value in [3.0, 1e9, 1.0] {
            let trial = study.ask(&Silent).unwrap().unwrap();
            study.tell(trial.number, Outcome::Complete(value)).unwrap();
        }
        let picture = draw(&study, "loss");
        assert_eq!(picture.matches("<circle").count(), 3);
        assert!(picture.contains("<polyline") && !picture.contains("NaN") && !picture.contains("inf"));
    }
}
