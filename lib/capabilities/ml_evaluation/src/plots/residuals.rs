//! Where a regressor errs, as pictures: residuals, predictions against the truth, and how residuals are spread.

use mlops_core::Lang;

use super::axes::{Frame, Scale, heading};
use super::palette;
use super::svg::{Stroke, Svg};

/// The size of the pictures.
const SIZE: [f64; 2] = [480.0, 400.0];

/// The residual (actual minus predicted) over the prediction of each point `[predicted, actual]`.
pub fn draw_residuals(points: &[[f64; 2]], target: &str, lang: Lang) -> String {
    let title = lang.pick("Residuals", "残差");
    let line = lang.pick(
        "Actual minus predicted; a good model has an even band around 0",
        "実測値 − 予測値。良いモデルでは 0 の周りに均等に散らばる",
    );
    let residuals: Vec<[f64; 2]> = points.iter().map(|[predicted, actual]| [*predicted, actual - predicted]).collect();
    let x = Scale::around(residuals.iter().map(|point| point[0]), 5);
    let y = Scale::around(residuals.iter().map(|point| point[1]).chain([0.0]), 6);
    let mut svg = Svg::new(SIZE[0], SIZE[1], title);
    heading(&mut svg, SIZE[0], title, line);
    let frame = Frame::inside(SIZE, 62.0, x, y);
    frame.draw(&mut svg, &predicted_of(target, lang), lang.pick("Residual", "残差"));
    svg.line(frame.at(frame.x.from, 0.0), frame.at(frame.x.to, 0.0), Stroke::of(palette::VERMILION, 1.6));
    scatter(&mut svg, &frame, &residuals);
    svg.finish()
}

/// The prediction over the true value of each point `[predicted, actual]`.
pub fn draw_predicted_actual(points: &[[f64; 2]], target: &str, lang: Lang) -> String {
    let title = lang.pick("Predicted against actual", "予測値と実測値");
    let line = lang.pick("On the line, the prediction is exact", "線上の点では予測が実測と一致");
    let scale = Scale::around(points.iter().flatten().copied(), 5);
    let mut svg = Svg::new(SIZE[0], SIZE[1], title);
    heading(&mut svg, SIZE[0], title, line);
    let frame = Frame::inside(SIZE, 62.0, scale.clone(), scale);
    let actual = match lang {
        Lang::En => format!("Actual {target}"),
        Lang::Ja => format!("{target} の実測値"),
    };
    frame.draw(&mut svg, &actual, &predicted_of(target, lang));
    let (from, to) = (frame.x.from, frame.x.to);
    svg.line(frame.at(from, from), frame.at(to, to), Stroke::of(palette::VERMILION, 1.6));
    let turned: Vec<[f64; 2]> = points.iter().map(|[predicted, actual]| [*actual, *predicted]).collect();
    scatter(&mut svg, &frame, &turned);
    svg.finish()
}

/// How many residuals lie in each bin `[lower, upper, rows]`.
pub fn draw_histogram(bins: &[[f64; 3]], lang: Lang) -> String {
    let title = lang.pick("Spread of residuals", "残差の分布");
    let line = lang.pick("Actual minus predicted; red: no error", "実測値 − 予測値。赤線は誤差なし");
    let x = Scale::around(bins.iter().flat_map(|bin| [bin[0], bin[1]]).chain([0.0]), 6);
    let y = Scale::around(bins.iter().map(|bin| bin[2]).chain([0.0]), 5);
    let mut svg = Svg::new(SIZE[0], SIZE[1], title);
    heading(&mut svg, SIZE[0], title, line);
    let frame = Frame::inside(SIZE, 62.0, x, y);
    frame.draw(&mut svg, lang.pick("Residual", "残差"), lang.pick("Rows", "行数"));
    for [lower, upper, rows] in bins {
        let ([left, top], [right, bottom]) = (frame.at(*lower, *rows), frame.at(*upper, 0.0));
        let border = Some(Stroke::of(palette::PAPER, 0.8));
        svg.rectangle([left, top, right - left, bottom - top], palette::BLUE, border);
    }
    svg.line(frame.at(0.0, frame.y.from), frame.at(0.0, frame.y.to), Stroke::of(palette::VERMILION, 1.6));
    svg.finish()
}

fn predicted_of(target: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("Predicted {target}"),
        Lang::Ja => format!("{target} の予測値"),
    }
}

/// Discs that are smaller and fainter the more there are.
fn scatter(svg: &mut Svg, frame: &Frame, points: &[[f64; 2]]) {
    let (radius, opacity) = match points.len() {
        0..=200 => (3.6, 0.6),
        201..=1000 => (2.8, 0.45),
        _ => (2.0, 0.3),
    };
    for point in points.iter().filter(|point| point.iter().all(|value| value.is_finite())) {
        svg.disc(frame.at(point[0], point[1]), radius, palette::BLUE, opacity);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_is_a_disc_and_a_name_is_escaped() {
        let points = [[1.0, 2.0], [2.0, 2.5], [f64::NAN, 1.0]];
        for picture in [draw_residuals(&points, "<i>y", Lang::En), draw_predicted_actual(&points, "<i>y", Lang::En)] {
            assert_eq!(picture.matches("<circle").count(), 2);
            assert!(picture.contains("&lt;i&gt;y") && !picture.contains("<i>"));
            assert!(!picture.contains("NaN"));
        }
    }

    #[test]
    fn every_bin_is_a_bar() {
        let picture = draw_histogram(&[[-1.0, 0.0, 3.0], [0.0, 1.0, 4.0]], Lang::Ja);
        // One more rectangle is the paper.
        assert_eq!(picture.matches("<rect").count(), 3);
        assert!(draw_histogram(&[], Lang::En).contains("<svg"));
    }
}
