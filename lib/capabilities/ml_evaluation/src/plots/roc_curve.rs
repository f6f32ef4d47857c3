//! ROC and precision-recall curves as pictures.

use mlops_core::Lang;

use super::axes::{Frame, Scale, heading};
use super::svg::{Stroke, Style, Svg};
use super::{lettering, palette};

/// The size of the pictures.
const SIZE: [f64; 2] = [480.0, 440.0];
/// The most curves that have a colour of their own.
const COLOURED: usize = palette::CATEGORIES.len();

/// One curve of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// The class's name.
    pub label: String,
    /// The area under the curve, for the legend.
    pub area: Option<f64>,
    /// The points from left to right, each between 0 and 1.
    pub points: Vec<[f64; 2]>,
}

/// The ROC curves as SVG, with the diagonal of a guess.
pub fn draw_roc(curves: &[Curve], marked: Option<[f64; 2]>, lang: Lang) -> String {
    let title = lang.pick("ROC curve", "ROC 曲線");
    let line = lang
        .pick("The nearer to the upper left corner, the better; dashes: a guess", "左上に近いほど良い。破線は当て推量");
    let axes = [lang.pick("False positive rate", "偽陽性率"), lang.pick("True positive rate", "真陽性率")];
    let guess = [[0.0, 0.0], [1.0, 1.0]];
    draw([title, line], axes, curves, Some(guess), marked, ("AUC", more(lang)))
}

/// The precision-recall curves as SVG. With one curve, `prevalence` is the precision of a guess.
pub fn draw_precision_recall(curves: &[Curve], prevalence: Option<f64>, lang: Lang) -> String {
    let title = lang.pick("Precision-recall curve", "適合率-再現率曲線");
    let line = lang.pick("The nearer to the upper right corner, the better", "右上に近いほど良い");
    let axes = [lang.pick("Recall", "再現率"), lang.pick("Precision", "適合率")];
    let guess = prevalence.map(|share| [[0.0, share], [1.0, share]]);
    draw([title, line], axes, curves, guess, None, ("AP", more(lang)))
}

fn more(lang: Lang) -> &'static str {
    lang.pick("more, each with a larger area", "本（面積はいずれもより大きい）")
}

fn draw(
    [title, line]: [&str; 2],
    [x_title, y_title]: [&str; 2],
    curves: &[Curve],
    guess: Option<[[f64; 2]; 2]>,
    marked: Option<[f64; 2]>,
    (area_name, more): (&str, &str),
) -> String {
    let legend_lines = curves.len().min(COLOURED + 1) as f64;
    let size = [SIZE[0], SIZE[1] + 18.0 * legend_lines + 8.0];
    let mut svg = Svg::new(size[0], size[1], title);
    heading(&mut svg, size[0], title, line);
    let frame = Frame::inside(SIZE, 62.0, Scale::unit(), Scale::unit());
    frame.draw(&mut svg, x_title, y_title);
    if let Some([from, to]) = guess {
        svg.line(frame.at(from[0], from[1]), frame.at(to[0], to[1]), Stroke::dashes(palette::AXIS, 1.3));
    }
    // The curves with the smallest areas need looking at most, so they keep a colour when there are too many.
    let mut order: Vec<usize> = (0..curves.len()).collect();
    if curves.len() > COLOURED {
        order.sort_by(|&a, &b| area(&curves[a]).total_cmp(&area(&curves[b])).then(a.cmp(&b)));
    }
    let pixels = |curve: &Curve| curve.points.iter().map(|point| frame.at(point[0], point[1])).collect::<Vec<_>>();
    for &at in order.iter().skip(COLOURED) {
        svg.polyline(&pixels(&curves[at]), Stroke::of(palette::FAINT, 1.0));
    }
    for (place, &at) in order.iter().take(COLOURED).enumerate().rev() {
        svg.polyline(&pixels(&curves[at]), Stroke::of(palette::CATEGORIES[place], 2.2));
    }
    if let Some([x, y]) = marked {
        svg.disc(frame.at(x, y), 6.0, palette::PAPER, 1.0);
        svg.disc(frame.at(x, y), 4.5, palette::CATEGORIES[0], 1.0);
    }
    let mut y = SIZE[1] + 8.0;
    for (place, &at) in order.iter().take(COLOURED).enumerate() {
        let area =
            curves[at].area.map(|area| format!(" · {area_name} {}", lettering::decimal(area, 3))).unwrap_or_default();
        let label = lettering::fit_middle(&curves[at].label, 12.0, 290.0);
        draw_legend(&mut svg, [frame.left, y], palette::CATEGORIES[place], &format!("{label}{area}"));
        y += 18.0;
    }
    if curves.len() > COLOURED {
        draw_legend(&mut svg, [frame.left, y], palette::FAINT, &format!("{} {}", curves.len() - COLOURED, more));
    }
    svg.finish()
}

fn area(curve: &Curve) -> f64 {
    curve.area.unwrap_or(f64::INFINITY)
}

fn draw_legend(svg: &mut Svg, [x, y]: [f64; 2], colour: &'static str, label: &str) {
    svg.line([x, y - 4.0], [x + 22.0, y - 4.0], Stroke::of(colour, 3.0));
    svg.text([x + 30.0, y], label, Style::of(12.0));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(label: &str, area: f64) -> Curve {
        Curve { label: label.to_owned(), area: Some(area), points: vec![[0.0, 0.0], [0.1, 0.8], [1.0, 1.0]] }
    }

    #[test]
    fn a_curve_is_named_with_its_area() {
        let picture = draw_roc(&[curve("<yes>", 0.875)], Some([0.1, 0.8]), Lang::En);
        assert!(picture.contains("&lt;yes&gt; · AUC 0.875") && !picture.contains("<yes>"));
        let picture = draw_precision_recall(&[curve("yes", 0.5)], Some(0.3), Lang::Ja);
        assert!(picture.contains("適合率") && picture.contains("AP 0.500") && picture.contains("stroke-dasharray"));
    }

    #[test]
    fn of_many_curves_the_worst_keep_their_colour() {
        let curves: Vec<Curve> = (0..50).map(|at| curve(&format!("class {at}"), 0.5 + f64::from(at) / 100.0)).collect();
        let picture = draw_roc(&curves, None, Lang::En);
        assert!(picture.contains("class 0 ") && !picture.contains("class 49") && picture.contains("43 more"));
    }

    #[test]
    fn no_curve_is_an_empty_frame() {
        assert!(draw_roc(&[], None, Lang::En).contains("False positive rate"));
    }
}
