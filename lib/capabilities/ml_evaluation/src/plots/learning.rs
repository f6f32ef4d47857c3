//! How the loss fell while a model learnt, as a picture.

use mlops_core::Lang;

use super::axes::{Frame, Scale, heading};
use super::palette;
use super::svg::{Stroke, Svg};

/// The loss after one iteration on the training rows and on the validation rows.
pub type Losses = (usize, Option<f64>, Option<f64>);

/// Both losses as lines, as SVG; what is not known is left out.
pub fn draw(losses: &[Losses], loss: &str, lang: Lang) -> String {
    const SIZE: [f64; 2] = [560.0, 340.0];
    let title = lang.pick("Learning", "学習の経過");
    let both = losses.iter().any(|point| point.2.is_some());
    let line = if both {
        lang.pick("Blue: training rows; red: validation rows", "青: 学習データ、赤: 検証データ")
    } else {
        lang.pick("On the training rows", "学習データでの損失")
    };
    let mut svg = Svg::new(SIZE[0], SIZE[1], title);
    heading(&mut svg, SIZE[0], title, line);
    let x = Scale::around(losses.iter().map(|point| point.0 as f64), 6);
    let y = Scale::around(losses.iter().flat_map(|point| [point.1, point.2]).flatten(), 5);
    let frame = Frame::inside(SIZE, 62.0, x, y);
    frame.draw(&mut svg, lang.pick("Iteration", "反復"), loss);
    let way = |of: fn(&Losses) -> Option<f64>| {
        let point = |point: &Losses| Some(frame.at(point.0 as f64, of(point).filter(|loss| loss.is_finite())?));
        losses.iter().filter_map(point).collect::<Vec<_>>()
    };
    svg.polyline(&way(|point| point.2), Stroke::of(palette::VERMILION, 2.0));
    svg.polyline(&way(|point| point.1), Stroke::of(palette::BLUE, 2.0));
    svg.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_rows_has_its_line() {
        let lines = |losses: &[Losses]| draw(losses, "log loss", Lang::En).matches("<polyline").count();
        assert_eq!(lines(&[(1, Some(0.7), None), (2, Some(0.5), None)]), 1);
        assert_eq!(lines(&[(1, Some(0.7), Some(0.8)), (2, None, Some(0.7)), (3, Some(0.4), Some(f64::NAN))]), 2);
        assert!(draw(&[], "log loss", Lang::Ja).contains("学習の経過"));
    }
}
