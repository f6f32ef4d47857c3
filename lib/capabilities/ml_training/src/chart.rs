//! The frame of a plot: a title, a grid with ticks, lines and dots, as SVG. The same numbers give the same bytes.

use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 84.0;
const TOP: f64 = 44.0;
const RIGHT: f64 = 20.0;
const BOTTOM: f64 = 52.0;
const INK: &str = "#1f2933";
const GRID: &str = "#e4e7eb";

/// What a plot is about.
pub(crate) const BLUE: &str = "#0072b2";
/// What is set against it.
pub(crate) const VERMILION: &str = "#d55e00";
/// Single values.
pub(crate) const GREY: &str = "#9aa5b1";

/// A plot that grows.
pub(crate) struct Chart {
    svg: String,
    x: [f64; 2],
    y: [f64; 2],
}

impl Chart {
    /// An empty plot over whole numbers from `x[0]` to `x[1]` and values from `y[0]` to `y[1]`, each the lesser first.
    pub(crate) fn new(title: &str, x_title: &str, x: [f64; 2], y: [f64; 2]) -> Self {
        let x = [x[0], x[1].max(x[0] + 1.0)];
        let mut chart = Self { svg: String::new(), x, y };
        let [low, high] = y;
        chart.svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} \
             {HEIGHT}\" role=\"img\" aria-label=\"{title}\" font-family=\"Ubuntu, 'Noto Sans', sans-serif\">\n\
             <title>{title}</title>\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n\
             <text x=\"{LEFT}\" y=\"26\" font-size=\"15\" fill=\"{INK}\">{title}</text>\n"
        );
        for step in 0..=4 {
            let value = low + (high - low) * f64::from(step) / 4.0;
            let (at, end) = (chart.at(x[0], value)[1], WIDTH - RIGHT);
            let _ = writeln!(
                chart.svg,
                "<line x1=\"{LEFT}\" y1=\"{at:.2}\" x2=\"{end}\" y2=\"{at:.2}\" stroke=\"{GRID}\"/>\n<text x=\"{:.2}\" \
                 y=\"{:.2}\" font-size=\"11.5\" fill=\"{INK}\" text-anchor=\"end\">{}</text>",
                LEFT - 8.0,
                at + 4.0,
                label(value, high - low),
            );
        }
        let steps = ((x[1] - x[0]) as usize).clamp(1, 6);
        for step in 0..=steps {
            let number = (x[0] + (x[1] - x[0]) * step as f64 / steps as f64).round();
            let _ = writeln!(
                chart.svg,
                "<text x=\"{:.2}\" y=\"{:.2}\" font-size=\"11.5\" fill=\"{INK}\" text-anchor=\"middle\">{number}</text>",
                chart.at(number, low)[0],
                HEIGHT - BOTTOM + 18.0
            );
        }
        let _ = writeln!(
            chart.svg,
            "<text x=\"{:.2}\" y=\"{:.2}\" font-size=\"12.5\" fill=\"{INK}\" text-anchor=\"middle\">{x_title}</text>",
            f64::midpoint(LEFT, WIDTH - RIGHT),
            HEIGHT - 12.0
        );
        chart
    }

    /// The pixel of a pair of values; one above or below the frame lies on its edge.
    fn at(&self, x: f64, y: f64) -> [f64; 2] {
        let across = (x - self.x[0]) / (self.x[1] - self.x[0]);
        let up = ((y - self.y[0]) / (self.y[1] - self.y[0])).clamp(0.0, 1.0);
        [LEFT + across * (WIDTH - LEFT - RIGHT), TOP + (1.0 - up) * (HEIGHT - TOP - BOTTOM)]
    }

    /// A dot.
    pub(crate) fn dot(&mut self, x: f64, y: f64) {
        let [x, y] = self.at(x, y);
        let _ = writeln!(self.svg, "<circle cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"3\" fill=\"{GREY}\"/>");
    }

    /// A line through points.
    pub(crate) fn line(&mut self, points: &[[f64; 2]], colour: &str) {
        let mut places = String::new();
        for [x, y] in points.iter().map(|[x, y]| self.at(*x, *y)) {
            let _ = write!(places, "{x:.2},{y:.2} ");
        }
        let places = places.trim_end();
        let _ = writeln!(
            self.svg,
            "<polyline points=\"{places}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.2\"/>"
        );
    }

    /// A dashed line from top to bottom.
    pub(crate) fn mark(&mut self, x: f64) {
        let [x, _] = self.at(x, self.y[0]);
        let bottom = HEIGHT - BOTTOM;
        let _ = writeln!(
            self.svg,
            "<line x1=\"{x:.2}\" y1=\"{TOP}\" x2=\"{x:.2}\" y2=\"{bottom}\" stroke=\"{GREY}\" stroke-dasharray=\"5 4\"/>"
        );
    }

    /// What a colour stands for: the `place`-th entry, from the right.
    pub(crate) fn legend(&mut self, place: usize, colour: &str, text: &str) {
        let x = WIDTH - RIGHT - 130.0 * (place + 1) as f64;
        let _ = writeln!(
            self.svg,
            "<line x1=\"{x:.2}\" y1=\"22\" x2=\"{:.2}\" y2=\"22\" stroke=\"{colour}\" stroke-width=\"2.2\"/>\n<text \
             x=\"{:.2}\" y=\"26\" font-size=\"12.5\" fill=\"{INK}\">{text}</text>",
            x + 24.0,
            x + 30.0
        );
    }

    /// The whole document.
    pub(crate) fn finish(mut self) -> String {
        self.svg.push_str("</svg>\n");
        self.svg
    }
}

/// Ends that hold those values with a little room; 0 to 1 where there is none.
pub(crate) fn with_room(low: f64, high: f64) -> [f64; 2] {
    if !(low.is_finite() && high.is_finite() && low <= high) {
        return [0.0, 1.0];
    }
    let room = if high > low { 0.05 * (high - low) } else { low.abs().max(1.0) * 0.05 };
    [low - room, high + room]
}

/// A value with the digits that tell ticks apart.
fn label(value: f64, range: f64) -> String {
    let decimals = (2.0 - range.log10()).ceil().clamp(0.0, 9.0) as usize;
    if value.abs() >= 1e7 { format!("{value:.2e}") } else { format!("{value:.decimals$}") }
}
