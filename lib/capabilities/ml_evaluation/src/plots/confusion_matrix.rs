//! The confusion matrix as a picture: the darker a cell, the larger its share.

use std::collections::BTreeSet;

use mlops_core::Lang;

use super::axes::heading;
use super::svg::{Anchor, Stroke, Style, Svg};
use super::{lettering, palette};

/// The widest label beside the matrix, in pixels.
const LONGEST_LABEL: f64 = 150.0;
/// The smallest cell that holds a number.
const NUMBERED: f64 = 30.0;
/// The smallest cell that holds a share under its number.
const SHARED: f64 = 54.0;

/// What a confusion matrix shows.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfusionPlot<'a> {
    /// The classes' names, in the order of the codes.
    pub labels: &'a [String],
    /// Rows by true class (lines) and predicted class (columns).
    pub counts: &'a [Vec<u64>],
    /// The shares that colour the cells, from 0 to 1, in the same layout.
    pub shares: &'a [Vec<f64>],
    /// What the shares are of, for the legend.
    pub share_of: &'a str,
}

/// The picture as SVG. From about 25 classes on, the cells have no numbers and only some classes are named.
pub fn draw(plot: &ConfusionPlot<'_>, lang: Lang) -> String {
    let classes = plot.labels.len().max(1);
    let cell = match classes {
        0..=2 => 104.0,
        3 => 84.0,
        4 => 68.0,
        5..=6 => 58.0,
        7..=12 => 44.0,
        13..=20 => 32.0,
        _ => (720.0 / classes as f64).max(3.0),
    };
    let size = if cell >= 40.0 { 12.5 } else { (cell * 0.68).clamp(8.5, 11.5) };
    let every = ((size + 2.0) / cell).ceil().max(1.0) as usize;
    let labels = shortened(plot.labels, size);
    let longest = labels.iter().map(|label| lettering::width(label, size)).fold(0.0, f64::max);
    let is_upright = longest <= cell - 6.0;
    let side = cell * classes as f64;
    let (left, top) = (longest + 48.0, 66.0);
    // Labels of narrow columns stand on end, so that they do not touch.
    let turn = if cell < 24.0 { -90.0 } else { -45.0 };
    let below = match (is_upright, cell < 24.0) {
        (true, _) => size + 34.0,
        (false, true) => longest + 34.0,
        (false, false) => longest.mul_add(0.72, size + 34.0),
    };
    // A turned label begins to the left of the matrix when the first ones are long.
    let left = if is_upright { left } else { left.max(longest * 0.72 + 30.0) };
    let width = (left + side + 96.0).max(360.0);
    let rows: u64 = plot.counts.iter().flatten().sum();
    let right: u64 = (0..classes).map(|at| count(plot, at, at)).sum();
    let title = lang.pick("Confusion matrix", "混同行列");
    let mut svg = Svg::new(width, top + side + below + 12.0, title);
    heading(&mut svg, width, title, &line(right, rows, lang));
    for truth in 0..classes {
        for predicted in 0..classes {
            let at = [predicted as f64 * cell + left, truth as f64 * cell + top];
            draw_cell(&mut svg, plot, (truth, predicted), at, cell);
        }
    }
    svg.rectangle([left, top, side, side], "none", Some(Stroke::of(palette::AXIS, 1.0)));
    for (at, label) in labels.iter().enumerate().filter(|(at, _)| at % every == 0) {
        let middle = (at as f64 + 0.5) * cell;
        let style = Style::of(size);
        svg.text([left - 8.0, top + middle + size * 0.35], label, style.anchored(Anchor::End));
        if is_upright {
            svg.text([left + middle, top + side + size + 6.0], label, style.anchored(Anchor::Middle));
        } else {
            let place = [left + middle + size * 0.35, top + side + if turn < -60.0 { 7.0 } else { size + 2.0 }];
            svg.text(place, label, style.anchored(Anchor::End).turned(turn));
        }
    }
    let style = Style::of(12.5).coloured(palette::MUTED).anchored(Anchor::Middle);
    svg.text([left + side / 2.0, top + side + below], lang.pick("Predicted class", "予測されたクラス"), style);
    svg.text([18.0, top + side / 2.0], lang.pick("True class", "実際のクラス"), style.turned(-90.0));
    draw_legend(&mut svg, [left + side + 22.0, top], side.min(220.0), plot.share_of);
    svg.finish()
}

/// The labels cut to what there is room for; where two become the same, all have their number in front.
fn shortened(labels: &[String], size: f64) -> Vec<String> {
    let cut: Vec<String> = labels.iter().map(|label| lettering::fit_middle(label, size, LONGEST_LABEL)).collect();
    let distinct: BTreeSet<&String> = cut.iter().collect();
    if distinct.len() == cut.len() {
        return cut;
    }
    let numbered = |(at, label): (usize, &String)| {
        let number = format!("{} ", at + 1);
        let room = LONGEST_LABEL - lettering::width(&number, size);
        format!("{number}{}", lettering::fit_middle(label, size, room))
    };
    labels.iter().enumerate().map(numbered).collect()
}

fn line(right: u64, rows: u64, lang: Lang) -> String {
    let (right_shown, rows_shown) = (lettering::decimal(right as f64, 0), lettering::decimal(rows as f64, 0));
    let share = lettering::decimal(100.0 * right as f64 / rows.max(1) as f64, 1);
    match lang {
        Lang::En => format!("{right_shown} of {rows_shown} rows on the diagonal ({share} %)"),
        Lang::Ja => format!("{rows_shown} 行のうち {right_shown} 行が対角線上（{share} %）"),
    }
}

fn count(plot: &ConfusionPlot<'_>, truth: usize, predicted: usize) -> u64 {
    plot.counts.get(truth).and_then(|line| line.get(predicted)).copied().unwrap_or(0)
}

fn draw_cell(svg: &mut Svg, plot: &ConfusionPlot<'_>, (truth, predicted): (usize, usize), [x, y]: [f64; 2], cell: f64) {
    let share = plot.shares.get(truth).and_then(|line| line.get(predicted)).copied().unwrap_or(0.0);
    let border = (cell >= 8.0).then_some(Stroke::of(palette::PAPER, 1.0));
    svg.rectangle([x, y, cell, cell], &palette::sequential(share), border);
    if cell < NUMBERED {
        return;
    }
    let rows = count(plot, truth, predicted);
    let number =
        if rows >= 100_000 { lettering::significant(rows as f64, 2) } else { lettering::decimal(rows as f64, 0) };
    let colour = match (share > palette::DARK_FROM, rows) {
        (true, _) => palette::PAPER,
        (false, 0) => palette::AXIS,
        _ => palette::INK,
    };
    let widest = lettering::width(&number, 1.0);
    let size = ((cell - 8.0) / widest).min(if cell >= 80.0 { 20.0 } else { cell * 0.3 }).clamp(7.0, 20.0);
    let style = Style::of(size).coloured(colour).anchored(Anchor::Middle);
    let (middle, centre) = (x + cell / 2.0, y + cell / 2.0);
    if cell < SHARED {
        svg.text([middle, centre + size * 0.35], &number, style);
        return;
    }
    svg.text([middle, centre + size * 0.1], &number, if truth == predicted { style.bold() } else { style });
    let small = (cell * 0.17).clamp(10.0, 13.0);
    let style = Style::of(small).coloured(colour).anchored(Anchor::Middle);
    svg.text(
        [middle, centre + size * 0.1 + small + 5.0],
        &format!("{} %", lettering::decimal(100.0 * share, 1)),
        style,
    );
}

fn draw_legend(svg: &mut Svg, [x, y]: [f64; 2], height: f64, share_of: &str) {
    const STEPS: usize = 50;
    let step = height / STEPS as f64;
    for at in 0..STEPS {
        let colour = palette::sequential(1.0 - (at as f64 + 0.5) / STEPS as f64);
        // Half a pixel more, so that no seam shows between two steps.
        svg.rectangle([x, y + at as f64 * step, 12.0, step + 0.5], &colour, None);
    }
    let style = Style::of(10.5).coloured(palette::MUTED);
    for (label, share) in [("100 %", 1.0), ("50 %", 0.5), ("0 %", 0.0)] {
        let at = (1.0_f64 - share).mul_add(height, y);
        svg.text([x + 17.0, at.clamp(y + 8.0, y + height) + if share == 0.5 { 3.5 } else { 0.0 }], label, style);
    }
    let title = lettering::fit(share_of, 10.5, height);
    svg.text([x + 57.0, y + height / 2.0], &title, style.anchored(Anchor::Middle).turned(90.0));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(classes: usize, name: &str) -> String {
        let labels: Vec<String> = (0..classes).map(|at| format!("{name} {at}")).collect();
        let counts: Vec<Vec<u64>> = (0..classes)
            .map(|i| (0..classes).map(|j| if i == j { 40 } else { ((i + j) % 3) as u64 }).collect())
            .collect();
        let sum = |line: &Vec<u64>| line.iter().sum::<u64>() as f64;
        let shares: Vec<Vec<f64>> =
            counts.iter().map(|line| line.iter().map(|&count| count as f64 / sum(line)).collect()).collect();
        draw(&ConfusionPlot { labels: &labels, counts: &counts, shares: &shares, share_of: "Share" }, Lang::En)
    }

    #[test]
    fn few_classes_have_numbers_and_many_have_none() {
        assert!(picture(2, "class").contains(">40<"));
        assert!(picture(12, "a rather long name of a class").contains(">40<"));
        assert!(!picture(50, "class").contains(">40<"));
    }

    #[test]
    fn names_that_are_cut_to_the_same_get_numbers() {
        let name = |middle: &str| format!("a very long name of a class {middle} that goes on for a while");
        let labels = [name("one"), name("two")];
        let cut = shortened(&labels, 12.5);
        assert!(cut[0].starts_with("1 a very") && cut[1].starts_with("2 a very"), "{cut:?}");
        assert_eq!(shortened(&["a".to_owned(), "b".to_owned()], 12.5), ["a", "b"]);
    }

    #[test]
    fn names_are_escaped_and_the_bytes_repeat() {
        let one = picture(3, "<b>&");
        assert!(!one.contains("<b>") && one.contains("&lt;b&gt;&amp; 2"));
        assert_eq!(one, picture(3, "<b>&"));
    }

    #[test]
    fn shapes_that_do_not_fit_draw_what_there_is() {
        let labels = ["a".to_owned(), "b".to_owned()];
        let picture = draw(&ConfusionPlot { labels: &labels, counts: &[], shares: &[], share_of: "" }, Lang::Ja);
        assert!(picture.contains("混同行列") && picture.contains(">0<"));
    }
}
