//! Rows as points of a plane, with the colours of their groups.

use super::axes::{Frame, Scale, heading};
use super::palette;
use super::svg::{Anchor, Style, Svg};

/// The size of the picture.
const SIZE: [f64; 2] = [480.0, 440.0];
/// Above so many groups their numbers would cover the points.
const NUMBERED: usize = 30;

/// The words of a picture.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    /// The title.
    pub title: &'a str,
    /// What the picture says, in one line.
    pub line: &'a str,
    /// The title of the axis from left to right.
    pub x: &'a str,
    /// The title of the axis from bottom to top.
    pub y: &'a str,
}

/// A row as a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Where it lies.
    pub at: [f64; 2],
    /// Its group from 0 up, or -1 for none.
    pub group: i32,
}

/// The points as SVG. With more than one group each has a colour, and its number at its middle; points without a group are
/// faint then. Points that are not finite are left out.
pub fn draw(points: &[Point], words: Words<'_>) -> String {
    let points = points.iter().filter(|point| point.at.iter().all(|value| value.is_finite()));
    let points = points.copied().collect::<Vec<_>>();
    let mut groups = points.iter().map(|point| point.group).filter(|group| *group >= 0).collect::<Vec<_>>();
    groups.sort_unstable();
    groups.dedup();
    let is_grouped = points.iter().any(|point| point.group != points[0].group);
    let mut svg = Svg::new(SIZE[0], SIZE[1], words.title);
    heading(&mut svg, SIZE[0], words.title, words.line);
    let axis = |index: usize| Scale::around(points.iter().map(|point| point.at[index]), 5);
    let frame = Frame::inside(SIZE, 62.0, axis(0), axis(1));
    frame.draw(&mut svg, words.x, words.y);
    let (radius, opacity) = match points.len() {
        0..=200 => (3.6, 0.7),
        201..=1000 => (2.8, 0.6),
        _ => (2.0, 0.5),
    };
    let colour = |group: i32| match usize::try_from(group) {
        Ok(group) if is_grouped => palette::CATEGORIES[group % palette::CATEGORIES.len()],
        Err(_) if is_grouped => palette::FAINT,
        _ => palette::BLUE,
    };
    for point in &points {
        svg.disc(frame.at(point.at[0], point.at[1]), radius, colour(point.group), opacity);
    }
    if is_grouped && groups.len() <= NUMBERED {
        for &group in &groups {
            let own = points.iter().filter(|point| point.group == group).collect::<Vec<_>>();
            let middle = |index: usize| own.iter().map(|point| point.at[index] / own.len() as f64).sum::<f64>();
            let [x, y] = frame.at(middle(0), middle(1));
            svg.disc([x, y], 9.0, palette::PAPER, 0.85);
            let style = Style::of(12.5).coloured(colour(group)).anchored(Anchor::Middle).bold();
            svg.text([x, y + 4.5], &group.to_string(), style);
        }
    }
    svg.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: Words<'_> = Words { title: "Rows", line: "Each point is a row", x: "<x>", y: "y" };

    #[test]
    fn groups_have_colours_and_numbers_and_noise_is_faint() {
        let point = |x: f64, group| Point { at: [x, x * x], group };
        let points = [point(0.0, 0), point(1.0, 0), point(5.0, 1), point(9.0, -1), point(f64::NAN, 0)];
        let picture = draw(&points, WORDS);
        // Four points that can be drawn, and the ground of two numbers.
        assert_eq!(picture.matches("<circle").count(), 6);
        assert!(picture.contains(palette::FAINT) && picture.contains(">1</text>") && picture.contains("&lt;x&gt;"));
        assert_eq!(picture, draw(&points, WORDS));
    }

    #[test]
    fn one_group_has_no_number_and_nothing_is_a_picture_too() {
        let points = [Point { at: [0.0, 1.0], group: -1 }, Point { at: [1.0, 1.0], group: -1 }];
        let picture = draw(&points, WORDS);
        assert!(picture.contains(palette::BLUE) && !picture.contains(palette::FAINT), "{picture}");
        assert!(draw(&[], WORDS).contains("<svg"));
    }
}
