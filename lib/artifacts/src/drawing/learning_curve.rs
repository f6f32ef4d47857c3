//! How the loss fell while a model learnt.

use mlops_algorithms::models::CurvePoint;
use mlops_core::Lang;

use super::axes::{Frame, Scale, heading};
use super::palette;
use super::svg::{Stroke, Svg};

/// The size of the picture.
const SIZE: [f64; 2] = [560.0, 340.0];

/// The loss on the training and on the validation rows by iteration, as SVG; a loss that is not finite is left out. The
/// iteration that early stopping kept is marked.
pub fn draw(curve: &[CurvePoint], loss: &str, kept: Option<usize>, lang: Lang) -> String {
    let title = lang.pick("Learning curve", "学習曲線");
    let rows = if curve.iter().any(|point| point.validation.is_some()) {
        lang.pick("Blue: training rows; red: validation rows", "青: 学習データ、赤: 検証データ")
    } else {
        lang.pick("On the training rows", "学習データでの損失")
    };
    let dashes = kept.map_or("", |_| lang.pick("; dashed: the iteration that was kept", "、破線: 採用した反復"));
    let mut svg = Svg::new(SIZE[0], SIZE[1], title);
    heading(&mut svg, SIZE[0], title, &format!("{rows}{dashes}"));
    let x = Scale::around(curve.iter().map(|point| point.iteration as f64), 6);
    let losses = curve.iter().flat_map(|point| [Some(point.train), point.validation]);
    let frame = Frame::inside(SIZE, 62.0, x, Scale::around(losses.flatten(), 5));
    frame.draw(&mut svg, lang.pick("Iteration", "反復"), loss);
    if let Some(kept) = kept {
        let at = |y| frame.at(kept as f64, y);
        svg.line(at(frame.y.from), at(frame.y.to), Stroke::dashes(palette::MUTED, 1.4));
    }
    let way = |of: fn(&CurvePoint) -> Option<f64>| {
        let point =
            |point: &CurvePoint| Some(frame.at(point.iteration as f64, of(point).filter(|loss| loss.is_finite())?));
        curve.iter().filter_map(point).collect::<Vec<_>>()
    };
    svg.polyline(&way(|point| point.validation), Stroke::of(palette::VERMILION, 2.0));
    svg.polyline(&way(|point| Some(point.train)), Stroke::of(palette::BLUE, 2.0));
    svg.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(validation: Option<f64>, kept: Option<usize>) -> [usize; 2] {
        let point = |iteration: usize| CurvePoint { iteration, train: 1.0 / iteration as f64, validation };
        let picture = draw(&(1..9).map(point).collect::<Vec<_>>(), "log loss", kept, Lang::En);
        ["<polyline", "dasharray"].map(|shape| picture.matches(shape).count())
    }

    #[test]
    fn each_kind_of_rows_has_its_line_and_the_kept_iteration_is_marked() {
        assert_eq!(lines(None, None), [1, 0]);
        assert_eq!(lines(Some(0.5), Some(4)), [2, 1]);
        assert_eq!(lines(Some(f64::NAN), None), [1, 0]);
        assert!(draw(&[], "log loss", None, Lang::Ja).contains("学習曲線"));
    }
}
