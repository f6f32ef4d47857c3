//! Whether predicted probabilities come true, as a picture.

use mlops_core::Lang;

use super::axes::{Frame, Scale, heading};
use super::palette;
use super::svg::{Stroke, Svg};

/// One bin of predictions: the mean probability, the share that came true, and the number of rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// The mean of the predicted probabilities.
    pub predicted: f64,
    /// The share of rows for which it came true.
    pub observed: f64,
    /// The number of rows.
    pub rows: u64,
}

/// The reliability diagram as SVG; a disc's area grows with the rows of its bin.
pub fn draw(bins: &[Bin], lang: Lang) -> String {
    const SIZE: [f64; 2] = [480.0, 420.0];
    let title = lang.pick("Calibration", "確率の較正");
    let line = lang.pick(
        "On the dashes, probabilities come true as often as they say",
        "破線上では、予測確率のとおりの割合で当たる",
    );
    let mut svg = Svg::new(SIZE[0], SIZE[1], title);
    heading(&mut svg, SIZE[0], title, line);
    let frame = Frame::inside(SIZE, 62.0, Scale::unit(), Scale::unit());
    frame.draw(
        &mut svg,
        lang.pick("Mean predicted probability", "予測確率の平均"),
        lang.pick("Share that came true", "実際の割合"),
    );
    svg.line(frame.at(0.0, 0.0), frame.at(1.0, 1.0), Stroke::dashes(palette::AXIS, 1.3));
    let points: Vec<[f64; 2]> = bins.iter().map(|bin| frame.at(bin.predicted, bin.observed)).collect();
    svg.polyline(&points, Stroke::of(palette::BLUE, 2.0));
    let most = bins.iter().map(|bin| bin.rows).max().unwrap_or(1).max(1) as f64;
    for (bin, point) in bins.iter().zip(&points) {
        svg.disc(*point, 4.0_f64.mul_add((bin.rows as f64 / most).sqrt() * 1.5, 3.0), palette::BLUE, 1.0);
    }
    svg.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bin_is_a_disc_on_the_line() {
        let bins = [Bin { predicted: 0.1, observed: 0.2, rows: 3 }, Bin { predicted: 0.9, observed: 0.8, rows: 30 }];
        let picture = draw(&bins, Lang::En);
        assert_eq!(picture.matches("<circle").count(), 2);
        assert_eq!(picture.matches("<polyline").count(), 1);
        assert!(draw(&[], Lang::Ja).contains("確率の較正"));
    }
}
