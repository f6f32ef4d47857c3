//! From the SVG of [`svg`](super::svg) to PNG, with an embedded font and nothing from the machine it runs on.
//!
//! It knows the five shapes that [`Svg`](super::svg::Svg) writes, and refuses others. A renderer of all of SVG, which sets
//! text of every script, made each function that draws half a megabyte larger (docs/decisions/0014-sizes-of-the-zips.md).

use epaint_default_fonts::UBUNTU_LIGHT;
use mlops_core::{Error, Result};
use roxmltree::{Document, Node};
use tiny_skia::{
    Color, FillRule, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Shader, Stroke, StrokeDash, Transform,
};
use ttf_parser::{Face, OutlineBuilder};

/// How many pixels a length of 1 becomes.
const SCALE: f32 = 2.0;
/// The largest side of a picture in pixels.
const LARGEST: f32 = 8192.0;

/// The PNG of an SVG document at two pixels a unit.
pub fn png(svg: &str) -> Result<Vec<u8>> {
    let document =
        Document::parse(svg).map_err(|error| Error::internal("a plot is not a valid SVG document").caused_by(error))?;
    let root = document.root_element();
    let [width, height] = lengths(root, ["width", "height"])?;
    let scale = SCALE.min(LARGEST / width.max(height));
    let side = |length: f32| (length * scale).ceil().max(1.0) as u32;
    let pixels = Pixmap::new(side(width), side(height))
        .ok_or_else(|| Error::internal("a plot has no size that a picture can have"))?;
    let mut canvas = Canvas { pixels, scale: Transform::from_scale(scale, scale), font: font()? };
    for element in root.children().filter(Node::is_element) {
        canvas.draw(element)?;
    }
    canvas.pixels.encode_png().map_err(|error| Error::internal("a plot could not be written as PNG").caused_by(error))
}

/// Whether the embedded font has every character of the text. Pictures show a number in place of a name that it has not.
pub fn is_drawable(text: &str) -> bool {
    let Ok(font) = font() else { return false };
    text.chars().filter(|character| !character.is_control()).all(|character| font.glyph_index(character).is_some())
}

/// Labels for a picture: as they are where the embedded font has their characters, else `#1`, `#2` … by position.
pub fn drawable_labels(labels: &[String]) -> Vec<String> {
    let shown = |(at, label): (usize, &String)| if is_drawable(label) { label.clone() } else { format!("#{}", at + 1) };
    labels.iter().enumerate().map(shown).collect()
}

fn font() -> Result<Face<'static>> {
    Face::parse(UBUNTU_LIGHT, 0)
        .map_err(|error| Error::internal("the embedded font could not be read").caused_by(error))
}

struct Canvas {
    pixels: Pixmap,
    scale: Transform,
    font: Face<'static>,
}

impl Canvas {
    fn draw(&mut self, element: Node<'_, '_>) -> Result<()> {
        let mut shape = PathBuilder::new();
        match element.tag_name().name() {
            "title" => return Ok(()),
            "rect" => {
                let [x, y, width, height] = lengths(element, ["x", "y", "width", "height"])?;
                shape.push_rect(rectangle(x, y, width, height)?);
            }
            "circle" => {
                let [x, y, radius] = lengths(element, ["cx", "cy", "r"])?;
                shape.push_circle(x, y, radius);
            }
            "line" => {
                let [x1, y1, x2, y2] = lengths(element, ["x1", "y1", "x2", "y2"])?;
                shape.move_to(x1, y1);
                shape.line_to(x2, y2);
            }
            "polyline" => {
                let all = numbers(attribute(element, "points")?)?;
                for (at, point) in all.chunks_exact(2).enumerate() {
                    if at == 0 { shape.move_to(point[0], point[1]) } else { shape.line_to(point[0], point[1]) }
                }
            }
            "text" => return self.text(element),
            other => {
                return Err(Error::internal(format!("a plot has the element `{other}`, which pictures do not know")));
            }
        }
        self.paint(element, shape.finish(), self.scale)
    }

    /// A text in the embedded font. The font has pairs of letters that stand nearer to each other; they are left as they are.
    fn text(&mut self, element: Node<'_, '_>) -> Result<()> {
        let [x, y, size] = lengths(element, ["x", "y", "font-size"])?;
        let unit = size / f32::from(self.font.units_per_em());
        let text = element.text().unwrap_or_default();
        let glyphs = text.chars().map(|character| self.font.glyph_index(character).unwrap_or_default());
        let glyphs = glyphs.map(|glyph| (glyph, f32::from(self.font.glyph_hor_advance(glyph).unwrap_or(0)) * unit));
        let glyphs = glyphs.collect::<Vec<_>>();
        let width: f32 = glyphs.iter().map(|(_, advance)| advance).sum();
        let begin = match element.attribute("text-anchor") {
            None => x,
            Some("middle") => x - width / 2.0,
            Some("end") => x - width,
            Some(other) => return Err(unknown("text-anchor", other)),
        };
        let mut pen = Pen { shape: PathBuilder::new(), x: begin, y, unit };
        for (glyph, advance) in glyphs {
            self.font.outline_glyph(glyph, &mut pen);
            pen.x += advance;
        }
        let turn = match element.attribute("transform") {
            None => Transform::identity(),
            Some(turn) => {
                let inner = turn.strip_prefix("rotate(").and_then(|rest| rest.strip_suffix(')'));
                let [degrees, x, y] = numbers(inner.ok_or_else(|| unknown("transform", turn))?)?[..] else {
                    return Err(unknown("transform", turn));
                };
                Transform::from_rotate_at(degrees, x, y)
            }
        };
        self.paint(element, pen.shape.finish(), self.scale.pre_concat(turn))
    }

    /// Fills the shape and draws its outline, as far as the element has colours for them.
    fn paint(&mut self, element: Node<'_, '_>, shape: Option<Path>, place: Transform) -> Result<()> {
        let Some(shape) = shape else { return Ok(()) };
        if let Some(paint) = colour(element, "fill")? {
            self.pixels.fill_path(&shape, &paint, FillRule::Winding, place, None);
        }
        if let Some(paint) = colour(element, "stroke")? {
            let [width] = lengths(element, ["stroke-width"])?;
            let mut stroke = Stroke { width, ..Stroke::default() };
            if element.attribute("stroke-linejoin").is_some() {
                stroke.line_join = LineJoin::Round;
            }
            if let Some(dashes) = element.attribute("stroke-dasharray") {
                stroke.dash = StrokeDash::new(numbers(dashes)?, 0.0);
            }
            self.pixels.stroke_path(&shape, &paint, &stroke, place, None);
        }
        Ok(())
    }
}

/// Writes outlines, whose y grows upwards, at a place of the picture.
struct Pen {
    shape: PathBuilder,
    x: f32,
    y: f32,
    unit: f32,
}

impl Pen {
    fn at(&self, x: f32, y: f32) -> [f32; 2] {
        [self.x + x * self.unit, self.y - y * self.unit]
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        let [x, y] = self.at(x, y);
        self.shape.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let [x, y] = self.at(x, y);
        self.shape.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ([x1, y1], [x, y]) = (self.at(x1, y1), self.at(x, y));
        self.shape.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ([x1, y1], [x2, y2], [x, y]) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.shape.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.shape.close();
    }
}

fn rectangle(x: f32, y: f32, width: f32, height: f32) -> Result<Rect> {
    Rect::from_xywh(x, y, width, height).ok_or_else(|| Error::internal("a plot has a rectangle that is none"))
}

/// The colour of an attribute such as `#0072b2`, with the opacity of the attribute beside it; `None` where nothing is painted.
fn colour(element: Node<'_, '_>, name: &str) -> Result<Option<Paint<'static>>> {
    let Some(text) = element.attribute(name).filter(|text| *text != "none") else { return Ok(None) };
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
    let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).ok_or_else(|| unknown(name, text))?;
    let [_, red, green, blue] = code.to_be_bytes();
    let opacity = match element.attribute(format!("{name}-opacity").as_str()) {
        Some(text) => numbers(text)?.first().map_or(1.0, |opacity| opacity.clamp(0.0, 1.0)),
        None => 1.0,
    };
    let mut colour = Color::from_rgba8(red, green, blue, 255);
    colour.set_alpha(opacity);
    Ok(Some(Paint { shader: Shader::SolidColor(colour), ..Paint::default() }))
}

fn lengths<const N: usize>(element: Node<'_, '_>, names: [&str; N]) -> Result<[f32; N]> {
    let mut found = [0.0; N];
    for (length, name) in found.iter_mut().zip(names) {
        let text = attribute(element, name)?;
        *length = text.parse().map_err(|_| unknown(name, text))?;
    }
    Ok(found)
}

fn numbers(text: &str) -> Result<Vec<f32>> {
    let words = text.split([' ', ',']).filter(|word| !word.is_empty());
    words.map(|word| word.parse().map_err(|_| unknown("number", word))).collect()
}

fn attribute<'a>(element: Node<'a, '_>, name: &str) -> Result<&'a str> {
    let missing = || Error::internal(format!("a plot has a `{}` without `{name}`", element.tag_name().name()));
    element.attribute(name).ok_or_else(missing)
}

fn unknown(name: &str, text: &str) -> Error {
    Error::internal(format!("a plot has the {name} `{text}`, which pictures do not know"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plots::palette;
    use crate::plots::svg::{Anchor, Stroke as Line, Style, Svg};

    /// The columns and rows of the picture between which it is not white.
    fn ink(svg: Svg) -> [u32; 4] {
        let picture = Pixmap::decode_png(&png(&svg.finish()).unwrap()).unwrap();
        let width = picture.width();
        let dark = picture.pixels().iter().enumerate().filter(|(_, pixel)| pixel.green() < 200);
        dark.map(|(at, _)| [at as u32 % width, at as u32 / width]).fold([u32::MAX, 0, u32::MAX, 0], |ends, [x, y]| {
            [ends[0].min(x), ends[1].max(x), ends[2].min(y), ends[3].max(y)]
        })
    }

    #[test]
    fn a_picture_has_two_pixels_a_unit_and_repeats_to_the_byte() {
        let mut svg = Svg::new(40.0, 20.0, "t");
        svg.text([2.0, 14.0], "Ag", Style::of(12.0));
        let svg = svg.finish();
        let one = png(&svg).unwrap();
        assert_eq!(&one[..4], b"\x89PNG");
        let side = |at: usize| u32::from_be_bytes(one[at..at + 4].try_into().unwrap());
        assert_eq!((side(16), side(20)), (80, 40));
        assert_eq!(one, png(&svg).unwrap());
        // Without its text the picture is another one: the embedded font was found.
        assert_ne!(one, png(&Svg::new(40.0, 20.0, "t").finish()).unwrap());
        assert!(png("<svg").is_err());
    }

    #[test]
    fn shapes_lie_where_they_should() {
        let drawn = |draw: &dyn Fn(&mut Svg)| {
            let mut svg = Svg::new(100.0, 60.0, "t");
            draw(&mut svg);
            ink(svg)
        };
        assert_eq!(drawn(&|svg| svg.rectangle([10.0, 20.0, 30.0, 5.0], palette::INK, None)), [20, 79, 40, 49]);
        assert_eq!(drawn(&|svg| svg.line([10.0, 20.0], [40.0, 20.0], Line::of(palette::INK, 2.0))), [20, 79, 38, 41]);
        let points = [[10.0, 10.0], [30.0, 10.0], [30.0, 40.0]];
        let [left, right, top, bottom] = drawn(&|svg| svg.polyline(&points, Line::of(palette::INK, 2.0)));
        assert!(left == 20 && right == 61 && (17..=18).contains(&top) && bottom == 79);
        let disc = drawn(&|svg| svg.disc([50.0, 30.0], 10.0, palette::INK, 1.0));
        assert!(disc[0].abs_diff(80) < 3 && disc[1].abs_diff(119) < 3 && disc[2].abs_diff(40) < 3, "{disc:?}");
        let dashed = drawn(&|svg| svg.line([0.0, 5.0], [7.0, 5.0], Line::dashes(palette::INK, 2.0)));
        assert_eq!(dashed[1], 9, "the gap after a dash of 5 is white");
    }

    #[test]
    fn text_begins_ends_or_turns_at_its_point() {
        let text = |style: Style| {
            let mut svg = Svg::new(100.0, 100.0, "t");
            svg.text([50.0, 50.0], "HHHH", style);
            ink(svg)
        };
        let plain = text(Style::of(12.0));
        assert!(plain[0] > 100 && plain[1] > 140 && plain[3].abs_diff(100) < 3, "{plain:?}");
        let width = plain[1] - plain[0];
        let end = text(Style::of(12.0).anchored(Anchor::End));
        assert!(end[1] < 100 && (end[1] - end[0]).abs_diff(width) < 3, "{end:?}");
        let middle = text(Style::of(12.0).anchored(Anchor::Middle));
        assert!((middle[0] + middle[1]).abs_diff(200) < 4, "{middle:?}");
        let turned = text(Style::of(12.0).turned(-90.0));
        assert!(turned[3] < 100 && (turned[3] - turned[2]).abs_diff(width) < 3, "{turned:?}");
        let bold = text(Style::of(12.0).bold());
        assert!(bold[1] - bold[0] >= width, "{bold:?}");
    }

    #[test]
    fn what_no_plot_writes_is_refused() {
        let picture = |inner: &str| png(&format!("<svg width=\"9\" height=\"9\">{inner}</svg>")).unwrap_err().message;
        assert!(picture("<path d=\"M 0 0\"/>").contains("`path`"));
        assert!(picture("<rect x=\"0\" y=\"0\" width=\"1\" height=\"1\" fill=\"red\"/>").contains("`red`"));
        assert!(picture("<line x1=\"0\" y1=\"0\" x2=\"1\"/>").contains("`y2`"));
        assert!(picture("<polyline points=\"0,zero\"/>").contains("`zero`"));
        assert!(picture("<text x=\"0\" y=\"0\" font-size=\"9\" transform=\"scale(2)\">a</text>").contains("scale"));
    }

    #[test]
    fn names_in_other_scripts_become_numbers() {
        assert!(is_drawable("Adélie −1.5 × 2 % … – <b>") && is_drawable("Ελληνικά") && !is_drawable("ペンギン"));
        let labels = ["yes".to_owned(), "いいえ".to_owned()];
        assert_eq!(drawable_labels(&labels), ["yes", "#2"]);
    }
}
