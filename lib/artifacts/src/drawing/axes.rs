//! Axes: round ticks, a light grid, and the way from values to pixels.

use super::lettering;
use super::palette;
use super::svg::{Anchor, Stroke, Style, Svg};

/// The font size of the labels at ticks.
const TICK: f64 = 11.5;
/// The font size of the title of an axis.
const TITLE: f64 = 12.5;

/// The values along one axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    /// The value at the axis's beginning.
    pub from: f64,
    /// The value at its end.
    pub to: f64,
    /// Where the ticks are.
    pub ticks: Vec<f64>,
    /// How many decimals the ticks' labels have.
    pub decimals: usize,
}

impl Scale {
    /// A scale from 0 to 1.
    pub fn unit() -> Self {
        Self { from: 0.0, to: 1.0, ticks: vec![0.0, 0.2, 0.4, 0.6, 0.8, 1.0], decimals: 1 }
    }

    /// A scale with about `count` ticks at multiples of 1, 2 or 5 that holds all the values; values that are not finite
    /// are left out, and without any value it runs from 0 to 1.
    pub fn around(values: impl IntoIterator<Item = f64>, count: usize) -> Self {
        let (mut least, mut greatest) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.into_iter().filter(|value| value.is_finite()) {
            least = least.min(value);
            greatest = greatest.max(value);
        }
        if least > greatest {
            return Self::unit();
        }
        // Equal values, or values that differ by less than an axis can show, get a little room on both sides.
        if greatest - least <= least.abs().max(greatest.abs()) * 1e-9 {
            let room = if least == 0.0 { 1.0 } else { least.abs() * 0.5 };
            (least, greatest) = (least - room, greatest + room);
        }
        let step = round_step((greatest - least) / count.max(1) as f64);
        let (first, last) = ((least / step).floor(), (greatest / step).ceil());
        let ticks = (0..=(last - first).min(100.0) as usize).map(|at| (first + at as f64) * step).collect();
        let decimals = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
        Self { from: first * step, to: last * step, ticks, decimals }
    }

    /// The position of a value, 0 at the beginning and 1 at the end.
    pub fn position(&self, value: f64) -> f64 {
        (value - self.from) / (self.to - self.from)
    }

    /// The label of a tick.
    pub fn label(&self, tick: f64) -> String {
        let largest = self.from.abs().max(self.to.abs());
        if (1e-4..1e7).contains(&largest) {
            lettering::decimal(tick, self.decimals)
        } else {
            lettering::significant(tick, 3)
        }
    }
}

/// The step of 1, 2 or 5 times a power of ten that is nearest above.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= least * 0.999_999).unwrap_or(10.0);
    factor * power
}

/// The rectangle that two scales span.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The left edge.
    pub left: f64,
    /// The upper edge.
    pub top: f64,
    /// The width.
    pub width: f64,
    /// The height.
    pub height: f64,
    /// The scale from left to right.
    pub x: Scale,
    /// The scale from bottom to top.
    pub y: Scale,
}

impl Frame {
    /// A frame in a document of that size, with room for the labels of its y axis.
    pub fn inside(size: [f64; 2], top: f64, x: Scale, y: Scale) -> Self {
        let widest = y.ticks.iter().map(|&tick| lettering::width(&y.label(tick), TICK)).fold(0.0, f64::max);
        let left = (widest + 40.0).max(56.0);
        Self { left, top, width: size[0] - left - 22.0, height: size[1] - top - 54.0, x, y }
    }

    /// The pixel of a pair of values.
    pub fn at(&self, x: f64, y: f64) -> [f64; 2] {
        [self.x.position(x).mul_add(self.width, self.left), (1.0 - self.y.position(y)).mul_add(self.height, self.top)]
    }

    /// Draws the grid, the ticks' labels and the titles.
    pub fn draw(&self, svg: &mut Svg, x_title: &str, y_title: &str) {
        let (right, bottom) = (self.left + self.width, self.top + self.height);
        for &tick in &self.y.ticks {
            let [_, y] = self.at(self.x.from, tick);
            svg.line([self.left, y], [right, y], Stroke::of(palette::GRID, 1.0));
            let style = Style::of(TICK).coloured(palette::MUTED).anchored(Anchor::End);
            svg.text([self.left - 8.0, y + TICK * 0.35], &self.y.label(tick), style);
        }
        let widest = self.x.ticks.iter().map(|&tick| lettering::width(&self.x.label(tick), TICK)).fold(1.0, f64::max);
        let room = self.width / self.x.ticks.len().max(1) as f64;
        let every = ((widest + 10.0) / room).ceil().max(1.0) as usize;
        for (at, &tick) in self.x.ticks.iter().enumerate() {
            let [x, _] = self.at(tick, self.y.from);
            svg.line([x, self.top], [x, bottom], Stroke::of(palette::GRID, 1.0));
            if at % every == 0 {
                let style = Style::of(TICK).coloured(palette::MUTED).anchored(Anchor::Middle);
                svg.text([x, bottom + 18.0], &self.x.label(tick), style);
            }
        }
        svg.line([self.left, bottom], [right, bottom], Stroke::of(palette::AXIS, 1.0));
        svg.line([self.left, self.top], [self.left, bottom], Stroke::of(palette::AXIS, 1.0));
        let style = Style::of(TITLE).anchored(Anchor::Middle);
        let (middle, centre) = (self.left + self.width / 2.0, self.top + self.height / 2.0);
        svg.text([middle, bottom + 42.0], &lettering::fit(x_title, TITLE, self.width), style);
        svg.text([18.0, centre], &lettering::fit(y_title, TITLE, self.height), style.turned(-90.0));
    }
}

/// Draws the heading of a plot: its title, and under it what it says in one line.
pub fn heading(svg: &mut Svg, width: f64, title: &str, line: &str) {
    svg.text([16.0, 26.0], &lettering::fit(title, 16.0, width - 32.0), Style::of(16.0).bold());
    svg.text([16.0, 45.0], &lettering::fit(line, 12.0, width - 32.0), Style::of(12.0).coloured(palette::MUTED));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_hold_all_values() {
        let scale = Scale::around([0.13, 9.7], 5);
        assert_eq!(scale.ticks, [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        let scale = Scale::around([3000.0, 6300.0, f64::NAN], 4);
        assert_eq!((scale.from, scale.to), (3000.0, 7000.0));
        assert_eq!(scale.label(4000.0), "4,000");
        let scale = Scale::around([-0.02, 0.013], 5);
        assert_eq!(scale.label(scale.ticks[0]), "−0.02");
        assert!(scale.from <= -0.02 && scale.to >= 0.013);
    }

    #[test]
    fn odd_values_have_a_scale_too() {
        assert_eq!(Scale::around([], 5), Scale::unit());
        for values in [[0.0, 0.0], [5.0, 5.0], [1e-300, 2e-300], [1e300, 1.0], [1e9, 1e9 + 1e-3]] {
            let scale = Scale::around(values, 5);
            assert!(scale.to > scale.from && scale.ticks.len() > 1, "{values:?} {scale:?}");
            assert!(scale.position(values[0]).is_finite());
        }
    }
}
