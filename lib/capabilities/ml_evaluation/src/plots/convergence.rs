//! How a search came to its best trial, as a picture.

use mlops_algorithms::search::ConvergencePoint;
use mlops_core::Lang;

use super::axes::{Frame, Scale, heading};
use super::palette;
use super::svg::{Stroke, Svg};

/// The value of each trial as a disc, and the best so far as a line, as SVG.
pub fn draw(points: &[ConvergencePoint], metric: &str, lang: Lang) -> String {
    const SIZE: [f64; 2] = [560.0, 340.0];
    let title = lang.pick("Search", "探索");
    let line = lang.pick("Dots: trials; line: the best so far", "点: 各試行、線: それまでの最良値");
    let mut svg = Svg::new(SIZE[0], SIZE[1], title);
    heading(&mut svg, SIZE[0], title, line);
    let x = Scale::around(points.iter().map(|point| point.trial as f64), 6);
    let y = Scale::around(points.iter().map(|point| point.value), 5);
    let frame = Frame::inside(SIZE, 62.0, x, y);
    frame.draw(&mut svg, lang.pick("Trial", "試行"), metric);
    let mut way = Vec::with_capacity(2 * points.len());
    let mut before: Option<f64> = None;
    for point in points {
        let number = point.trial as f64;
        way.extend(before.map(|best| frame.at(number, best)));
        way.push(frame.at(number, point.best));
        before = Some(point.best);
    }
    svg.polyline(&way, Stroke::of(palette::BLUE, 2.0));
    for point in points {
        svg.disc(frame.at(point.trial as f64, point.value), 3.5, palette::VERMILION, 0.75);
    }
    svg.finish()
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
}
