//! How much of the variance each principal component explains, as bars, with the running sum as a line.

use mlops_core::Lang;

use super::axes::{Frame, Scale, heading};
use super::palette;
use super::svg::{Stroke, Svg};

/// The size of the picture.
const SIZE: [f64; 2] = [480.0, 360.0];
/// The most components that are shown.
const MOST: usize = 30;

/// The shares of the variance, the largest first, as SVG.
pub fn draw(shares: &[f64], lang: Lang) -> String {
    let shares = &shares[..shares.len().min(MOST)];
    let title = lang.pick("Explained variance", "説明された分散");
    let line = lang.pick("Bars: each component; line: all up to it", "棒: 各成分、線: その成分までの合計");
    let mut svg = Svg::new(SIZE[0], SIZE[1], title);
    heading(&mut svg, SIZE[0], title, line);
    let count = shares.len().max(1) as f64;
    let ticks = (1..=shares.len().max(1)).map(|number| number as f64).collect();
    let x = Scale { from: 0.5, to: count + 0.5, ticks, decimals: 0 };
    let frame = Frame::inside(SIZE, 62.0, x, Scale::unit());
    frame.draw(&mut svg, lang.pick("Component", "成分"), lang.pick("Share of the variance", "分散の割合"));
    let mut sum = 0.0;
    let mut line = Vec::with_capacity(shares.len());
    for (index, &share) in shares.iter().enumerate() {
        let middle = index as f64 + 1.0;
        let ([left, top], [right, bottom]) = (frame.at(middle - 0.35, share), frame.at(middle + 0.35, 0.0));
        svg.rectangle([left, top, right - left, bottom - top], palette::BLUE, None);
        sum += share;
        line.push(frame.at(middle, sum.min(1.0)));
    }
    svg.polyline(&line, Stroke::of(palette::VERMILION, 2.0));
    for &point in &line {
        svg.disc(point, 3.2, palette::VERMILION, 1.0);
    }
    svg.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_component_is_a_bar_and_the_line_is_their_sum() {
        let picture = draw(&[0.6, 0.3, 0.1], Lang::Ja);
        // One more rectangle is the paper.
        assert_eq!((picture.matches("<rect").count(), picture.matches("<circle").count()), (4, 3));
        assert!(picture.contains("<polyline") && picture.contains("説明された分散"));
        assert!(!draw(&[], Lang::En).contains("NaN"));
    }
}
