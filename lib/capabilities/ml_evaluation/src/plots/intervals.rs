//! Metrics with their intervals side by side, against guessing and against the champion.

use mlops_core::Lang;

use super::axes::heading;
use super::svg::{Anchor, Stroke, Style, Svg};
use super::{lettering, palette};

/// One line of the picture; all values lie between 0 and 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The metric's name for people.
    pub label: String,
    /// The model's value.
    pub value: f64,
    /// The ends of its interval.
    pub interval: Option<[f64; 2]>,
    /// What guessing reaches.
    pub baseline: Option<f64>,
    /// What the champion reaches.
    pub champion: Option<f64>,
}

/// The metrics as SVG: a disc for the value, a bar for its interval.
pub fn draw(lines: &[Line], lang: Lang) -> String {
    const WIDTH: f64 = 480.0;
    const LINE: f64 = 34.0;
    let title = lang.pick("How sure the numbers are", "数値の確かさ");
    let line = lang.pick("Disc: value on the test data; bar: its interval", "点はテストデータでの値、棒は信頼区間");
    let height = (lines.len() as f64).mul_add(LINE, 62.0);
    let mut svg = Svg::new(WIDTH, height + 54.0, title);
    heading(&mut svg, WIDTH, title, line);
    let labels: Vec<String> = lines.iter().map(|line| lettering::fit(&line.label, 12.5, 150.0)).collect();
    let left = labels.iter().map(|label| lettering::width(label, 12.5)).fold(60.0, f64::max) + 28.0;
    let room = WIDTH - left - 70.0;
    let at = |value: f64| value.clamp(0.0, 1.0).mul_add(room, left);
    for tick in [0.0, 0.25, 0.5, 0.75, 1.0] {
        svg.line([at(tick), 60.0], [at(tick), height], Stroke::of(palette::GRID, 1.0));
        let style = Style::of(11.0).coloured(palette::MUTED).anchored(Anchor::Middle);
        svg.text([at(tick), height + 15.0], &lettering::decimal(tick, 2), style);
    }
    for (place, (line, label)) in lines.iter().zip(&labels).enumerate() {
        let y = (place as f64 + 0.5).mul_add(LINE, 60.0);
        svg.text([left - 12.0, y + 4.5], label, Style::of(12.5).anchored(Anchor::End));
        if let Some(baseline) = line.baseline {
            svg.line([at(baseline), y - 9.0], [at(baseline), y + 9.0], Stroke::of(palette::MUTED, 2.0));
        }
        if let Some(champion) = line.champion {
            svg.line([at(champion), y - 9.0], [at(champion), y + 9.0], Stroke::of(palette::VERMILION, 2.5));
        }
        if let Some([lower, upper]) = line.interval {
            svg.line([at(lower), y], [at(upper).max(at(lower) + 1.0), y], Stroke::of("#7fb8d8", 6.0));
        }
        svg.disc([at(line.value), y], 5.5, palette::BLUE, 1.0);
        svg.text([WIDTH - 14.0, y + 4.5], &lettering::decimal(line.value, 3), Style::of(12.5).anchored(Anchor::End));
    }
    let mut x = left;
    let mut legend = |svg: &mut Svg, colour: &'static str, label: &str| {
        svg.line([x, height + 27.0], [x, height + 41.0], Stroke::of(colour, 2.5));
        svg.text([x + 7.0, height + 38.0], label, Style::of(11.5).coloured(palette::MUTED));
        x += lettering::width(label, 11.5) + 26.0;
    };
    if lines.iter().any(|line| line.baseline.is_some()) {
        legend(&mut svg, palette::MUTED, lang.pick("guessing", "当て推量"));
    }
    if lines.iter().any(|line| line.champion.is_some()) {
        legend(&mut svg, palette::VERMILION, lang.pick("champion", "現行モデル"));
    }
    svg.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mark_is_drawn_and_explained() {
        let line = Line {
            label: "Accuracy".to_owned(),
            value: 0.9,
            interval: Some([0.8, 0.95]),
            baseline: Some(0.4),
            champion: None,
        };
        let picture = draw(std::slice::from_ref(&line), Lang::En);
        assert!(picture.contains("guessing") && !picture.contains("champion") && picture.contains("0.900"));
        let picture = draw(&[Line { champion: Some(0.85), interval: None, ..line }], Lang::Ja);
        assert!(picture.contains("現行モデル"));
    }
}
