//! How a search came to its best trial.

use mlops_algorithms::search::ConvergencePoint;
use mlops_core::Lang;

use super::axes::{Frame, Scale, heading};
use super::palette;
use super::svg::{Stroke, Svg};

/// The size of the picture.
const SIZE: [f64; 2] = [560.0, 340.0];

/// The value of each trial as a disc, and the best so far as a line, as SVG. The worst tenth of the trials does not stretch
/// the height, so that one very bad trial does not flatten the rest; what lies beyond it is drawn on the edge.
pub fn draw(points: &[ConvergencePoint], metric: &str, lang: Lang) -> String {
    let title = lang.pick("Search", "探索");
    let line = lang.pick("Dots: trials; line: the best so far", "点: 各試行、線: それまでの最良値");
    let mut svg = Svg::new(SIZE[0], SIZE[1], title);
    heading(&mut svg, SIZE[0], title, line);
    let x = Scale::around(points.iter().map(|point| point.trial as f64), 6);
    let frame = Frame::inside(SIZE, 62.0, x, Scale::around(without_the_worst(points), 5));
    frame.draw(&mut svg, lang.pick("Trial", "試行"), metric);
    let at = |trial: usize, value: f64| frame.at(trial as f64, value.clamp(frame.y.from, frame.y.to));
    let mut way = Vec::with_capacity(2 * points.len());
    let mut before: Option<f64> = None;
    for point in points {
        way.extend(before.map(|best| at(point.trial, best)));
        way.push(at(point.trial, point.best));
        before = Some(point.best);
    }
    svg.polyline(&way, Stroke::of(palette::BLUE, 2.0));
    for point in points {
        svg.disc(at(point.trial, point.value), 3.5, palette::VERMILION, 0.75);
    }
    svg.finish()
}

/// The values but for the worst tenth. Less is better where the best so far falls, or where a value is above it.
fn without_the_worst(points: &[ConvergencePoint]) -> Vec<f64> {
    let mut values = points.iter().map(|point| point.value).collect::<Vec<_>>();
    values.sort_by(f64::total_cmp);
    let falls = points.first().zip(points.last()).is_some_and(|(first, last)| last.best < first.best);
    if falls || points.iter().any(|point| point.value > point.best) {
        values.reverse();
    }
    values.split_off(values.len() / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trial_is_a_disc() {
        let point = |trial, value, best| ConvergencePoint { trial, value, best };
        let points = [point(0, 0.5, 0.5), point(1, 0.7, 0.7), point(4, 0.6, 0.7)];
        let picture = draw(&points, "F1", Lang::En);
        assert_eq!((picture.matches("<circle").count(), picture.matches("<polyline").count()), (3, 1));
        assert!(draw(&[], "F1", Lang::Ja).contains("探索"));
    }

    #[test]
    fn a_very_bad_trial_does_not_flatten_the_rest() {
        for sign in [1.0, -1.0] {
            let bad = ConvergencePoint { trial: 0, value: sign * 1e9, best: sign * 1e9 };
            let good =
                (1..12).map(|trial| ConvergencePoint { trial, value: sign / trial as f64, best: sign / trial as f64 });
            let points = std::iter::once(bad).chain(good).collect::<Vec<_>>();
            assert!(without_the_worst(&points).iter().all(|value| value.abs() <= 1.0));
            let picture = draw(&points, "loss", Lang::En);
            assert!(picture.matches("<circle").count() == 12 && !picture.contains("1e9"), "{picture}");
        }
    }
}
