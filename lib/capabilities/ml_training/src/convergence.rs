//! The plot of a search: the value of every trial, and the best so far.

use std::fmt::Write as _;

use mlops_algorithms::search::{Direction, Study, TrialStatus};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 84.0;
const TOP: f64 = 44.0;
const RIGHT: f64 = 20.0;
const BOTTOM: f64 = 52.0;
const INK: &str = "#1f2933";
const GRID: &str = "#e4e7eb";
const DOT: &str = "#9aa5b1";
const LINE: &str = "#0072b2";

/// The plot as SVG; the same study gives the same bytes. The middle nine tenths of the values fill its height, so that one
/// very bad trial does not flatten the rest.
pub(crate) fn draw(study: &Study, metric: &str) -> String {
    let complete = study.trials().iter().filter(|trial| trial.status == TrialStatus::Complete);
    let points = complete.filter_map(|trial| Some((trial.number as f64, trial.value?))).collect::<Vec<_>>();
    let [low, high] = range(&points, study.settings().direction);
    let last = (study.trials().len().max(2) - 1) as f64;
    let x = |number: f64| LEFT + number / last * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| {
        let share = ((value - low) / (high - low)).clamp(0.0, 1.0);
        TOP + (1.0 - share) * (HEIGHT - TOP - BOTTOM)
    };
    let title = format!("Convergence: {metric} by trial");
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         role=\"img\" aria-label=\"{title}\" font-family=\"Ubuntu, 'Noto Sans', sans-serif\">\n<title>{title}</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n\
         <text x=\"{LEFT}\" y=\"26\" font-size=\"15\" fill=\"{INK}\">{title}</text>\n"
    );
    for step in 0..=4 {
        let value = low + (high - low) * f64::from(step) / 4.0;
        let (at, text_at, end) = (y(value), y(value) + 4.0, WIDTH - RIGHT);
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" y1=\"{at:.2}\" x2=\"{end}\" y2=\"{at:.2}\" stroke=\"{GRID}\"/>\n<text x=\"{:.2}\" \
             y=\"{text_at:.2}\" font-size=\"11.5\" fill=\"{INK}\" text-anchor=\"end\">{}</text>",
            LEFT - 8.0,
            label(value, high - low),
        );
    }
    let steps = (last as usize).clamp(1, 6);
    for step in 0..=steps {
        let number = (last * step as f64 / steps as f64).round();
        let _ = writeln!(
            svg,
            "<text x=\"{:.2}\" y=\"{:.2}\" font-size=\"11.5\" fill=\"{INK}\" text-anchor=\"middle\">{number}</text>",
            x(number),
            HEIGHT - BOTTOM + 18.0
        );
    }
    let mut line = String::new();
    let mut best: Option<f64> = None;
    for (number, value) in &points {
        let _ = writeln!(svg, "<circle cx=\"{:.2}\" cy=\"{:.2}\" r=\"3\" fill=\"{DOT}\"/>", x(*number), y(*value));
        let before = best.unwrap_or(*value);
        let after = match study.settings().direction {
            Direction::Minimize => before.min(*value),
            Direction::Maximize => before.max(*value),
        };
        let _ = write!(line, "{:.2},{:.2} {:.2},{:.2} ", x(*number), y(before), x(*number), y(after));
        best = Some(after);
    }
    if let Some(best) = best {
        let _ = write!(line, "{:.2},{:.2}", x(last), y(best));
        let _ = writeln!(svg, "<polyline points=\"{line}\" fill=\"none\" stroke=\"{LINE}\" stroke-width=\"2.2\"/>");
    }
    let _ = writeln!(
        svg,
        "<text x=\"{:.2}\" y=\"{:.2}\" font-size=\"12.5\" fill=\"{INK}\" text-anchor=\"middle\">trial (line: best so \
         far)</text>\n</svg>",
        f64::midpoint(LEFT, WIDTH - RIGHT),
        HEIGHT - 12.0
    );
    svg
}

/// The values that the height shows: all of the better ones, and of the worse all but the last tenth.
fn range(points: &[(f64, f64)], direction: Direction) -> [f64; 2] {
    let mut values = points.iter().map(|(_, value)| *value).collect::<Vec<_>>();
    values.sort_by(f64::total_cmp);
    let Some(last) = values.len().checked_sub(1) else { return [0.0, 1.0] };
    let tenth = values.len() / 10;
    let [low, high] = match direction {
        Direction::Minimize => [values[0], values[last - tenth]],
        Direction::Maximize => [values[tenth], values[last]],
    };
    let room = if high > low { 0.05 * (high - low) } else { low.abs().max(1.0) * 0.05 };
    [low - room, high + room]
}

/// A value with the digits that tell ticks apart.
fn label(value: f64, range: f64) -> String {
    let decimals = (2.0 - range.log10()).ceil().clamp(0.0, 9.0) as usize;
    if value.abs() >= 1e7 { format!("{value:.2e}") } else { format!("{value:.decimals$}") }
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
