//! Which features matter most, as bars.

use mlops_core::Lang;

use super::axes::heading;
use super::svg::{Anchor, Style, Svg};
use super::{lettering, palette};

/// The most features that are shown.
pub const MOST: usize = 15;

/// The features `(name, importance)` with the largest importance as bars, as SVG. The most important is first.
pub fn draw(features: &[(String, f64)], lang: Lang) -> String {
    const WIDTH: f64 = 480.0;
    const LINE: f64 = 25.0;
    let mut shown: Vec<&(String, f64)> = features.iter().filter(|feature| feature.1.is_finite()).collect();
    shown.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then_with(|| a.0.cmp(&b.0)));
    shown.truncate(MOST);
    let title = lang.pick("What matters most", "重要な特徴量");
    let line = lang.pick("The model's own importance of each feature", "モデル自身が示す各特徴量の重要度");
    let mut svg = Svg::new(WIDTH, (shown.len() as f64).mul_add(LINE, 74.0), title);
    heading(&mut svg, WIDTH, title, line);
    let labels: Vec<String> = shown.iter().map(|feature| lettering::fit_middle(&feature.0, 12.5, 190.0)).collect();
    let left = labels.iter().map(|label| lettering::width(label, 12.5)).fold(60.0, f64::max) + 26.0;
    let room = WIDTH - left - 74.0;
    let largest = shown.first().map_or(1.0, |feature| feature.1.abs()).max(f64::MIN_POSITIVE);
    for (at, (feature, label)) in shown.iter().zip(&labels).enumerate() {
        let y = (at as f64).mul_add(LINE, 62.0);
        let length = (feature.1.abs() / largest * room).max(1.0);
        svg.text([left - 8.0, y + 15.5], label, Style::of(12.5).anchored(Anchor::End));
        svg.rectangle([left, y + 3.0, length, LINE - 8.0], palette::BLUE, None);
        let style = Style::of(11.5).coloured(palette::MUTED);
        svg.text([left + length + 7.0, y + 15.5], &lettering::significant(feature.1, 3), style);
    }
    svg.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_important_comes_first_and_the_rest_is_left_out() {
        let mut features: Vec<(String, f64)> = (0..30).map(|at| (format!("feature {at:02}"), f64::from(at))).collect();
        features.push(("<b>".to_owned(), 100.0));
        features.push(("nothing".to_owned(), f64::NAN));
        let picture = draw(&features, Lang::En);
        let place = |name: &str| picture.find(name);
        assert!(place("&lt;b&gt;").unwrap() < place("feature 29").unwrap());
        assert!(place("feature 14").is_none() && place("nothing").is_none() && place("<b>").is_none());
        assert!(draw(&[], Lang::Ja).contains("重要な特徴量"));
    }
}
