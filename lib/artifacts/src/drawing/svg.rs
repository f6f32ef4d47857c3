//! A small SVG document that grows by typed shapes; every text in it is escaped.

use std::fmt::Write as _;

use super::palette;

/// The fonts of all plots; the first one is embedded for rasterising.
pub const FONTS: &str = "Ubuntu, 'Noto Sans', 'Noto Sans CJK JP', sans-serif";

/// An SVG document; lengths are pixels, and y grows downwards.
#[derive(Debug, Clone)]
pub struct Svg {
    width: f64,
    height: f64,
    title: String,
    body: String,
}

/// Where a text lies beside its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Anchor {
    /// It begins there.
    #[default]
    Start,
    /// It has its middle there.
    Middle,
    /// It ends there.
    End,
}

/// How a text looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    /// The font size.
    pub size: f64,
    /// The colour.
    pub colour: &'static str,
    /// Where the text lies beside its point.
    pub anchor: Anchor,
    /// The turn around its point in degrees, clockwise.
    pub turn: f64,
    /// Whether the letters are heavier.
    pub bold: bool,
}

impl Style {
    /// Upright text of that size, from its point to the right.
    pub const fn of(size: f64) -> Self {
        Self { size, colour: palette::INK, anchor: Anchor::Start, turn: 0.0, bold: false }
    }

    /// The style in that colour.
    #[must_use]
    pub const fn coloured(mut self, colour: &'static str) -> Self {
        self.colour = colour;
        self
    }

    /// The style with that anchor.
    #[must_use]
    pub const fn anchored(mut self, anchor: Anchor) -> Self {
        self.anchor = anchor;
        self
    }

    /// The style turned by that many degrees.
    #[must_use]
    pub const fn turned(mut self, degrees: f64) -> Self {
        self.turn = degrees;
        self
    }

    /// The style with heavier letters.
    #[must_use]
    pub const fn bold(mut self) -> Self {
        self.bold = true;
        self
    }
}

/// A line's look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stroke {
    /// The colour.
    pub colour: &'static str,
    /// The width.
    pub width: f64,
    /// Whether it is broken into dashes.
    pub dashed: bool,
}

impl Stroke {
    /// An unbroken line.
    pub const fn of(colour: &'static str, width: f64) -> Self {
        Self { colour, width, dashed: false }
    }

    /// A line of dashes.
    pub const fn dashes(colour: &'static str, width: f64) -> Self {
        Self { colour, width, dashed: true }
    }

    fn attributes(self) -> String {
        let dashes = if self.dashed { " stroke-dasharray=\"5 4\"" } else { "" };
        format!("stroke=\"{}\" stroke-width=\"{}\"{dashes}", self.colour, number(self.width))
    }
}

impl Svg {
    /// An empty document on white paper. The title is what a screen reader says.
    pub fn new(width: f64, height: f64, title: &str) -> Self {
        let mut svg = Self { width, height, title: title.to_owned(), body: String::new() };
        svg.rectangle([0.0, 0.0, width, height], palette::PAPER, None);
        svg
    }

    /// A filled rectangle `[x, y, width, height]`.
    pub fn rectangle(&mut self, [x, y, width, height]: [f64; 4], fill: &str, stroke: Option<Stroke>) {
        let stroke = stroke.map(|stroke| format!(" {}", stroke.attributes())).unwrap_or_default();
        self.push(&format!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"{stroke}/>",
            number(x),
            number(y),
            number(width.max(0.0)),
            number(height.max(0.0)),
            escape(fill),
        ));
    }

    /// A line from one point to another.
    pub fn line(&mut self, from: [f64; 2], to: [f64; 2], stroke: Stroke) {
        self.push(&format!(
            "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" {}/>",
            number(from[0]),
            number(from[1]),
            number(to[0]),
            number(to[1]),
            stroke.attributes(),
        ));
    }

    /// A line through the points; nothing for fewer than two.
    pub fn polyline(&mut self, points: &[[f64; 2]], stroke: Stroke) {
        if points.len() < 2 {
            return;
        }
        let mut places = String::new();
        for [x, y] in points {
            let _ = write!(places, "{},{} ", number(*x), number(*y));
        }
        let look = stroke.attributes();
        let places = places.trim_end();
        self.push(&format!("<polyline points=\"{places}\" fill=\"none\" stroke-linejoin=\"round\" {look}/>"));
    }

    /// A filled disc.
    pub fn disc(&mut self, centre: [f64; 2], radius: f64, fill: &str, opacity: f64) {
        let opacity = if opacity < 1.0 { format!(" fill-opacity=\"{}\"", number(opacity)) } else { String::new() };
        self.push(&format!(
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\"{opacity}/>",
            number(centre[0]),
            number(centre[1]),
            number(radius),
            escape(fill),
        ));
    }

    /// A text whose base line begins, ends or has its middle at the point.
    pub fn text(&mut self, [x, y]: [f64; 2], text: &str, style: Style) {
        let anchor = match style.anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let turn = if style.turn == 0.0 {
            String::new()
        } else {
            format!(" transform=\"rotate({} {} {})\"", number(style.turn), number(x), number(y))
        };
        // The embedded font has one weight: a thin outline of the same colour makes letters heavier there as well.
        let bold = if style.bold {
            format!(" font-weight=\"500\" stroke=\"{}\" stroke-width=\"0.35\"", style.colour)
        } else {
            String::new()
        };
        self.push(&format!(
            "<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{}\"{anchor}{bold}{turn}>{}</text>",
            number(x),
            number(y),
            number(style.size),
            style.colour,
            escape(text),
        ));
    }

    /// The whole document.
    pub fn finish(self) -> String {
        let (width, height, title) = (number(self.width), number(self.height), escape(&self.title));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} \
             {height}\" role=\"img\" aria-label=\"{title}\" font-family=\"{FONTS}\">\n<title>{title}</title>\n{}</svg>\n",
            self.body
        )
    }

    fn push(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }
}

/// A length with at most two decimals; what is not finite becomes 0, so that a document is always well formed.
fn number(value: f64) -> String {
    if !value.is_finite() {
        return "0".to_owned();
    }
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// The text with the characters that mean something in XML replaced, and control characters, which XML cannot hold,
/// left out.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => {}
            _ if character.is_control() => {}
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_escaped() {
        let mut svg = Svg::new(10.0, 10.0, "a \"<b>\" & c");
        svg.text([1.0, 2.0], "<script>alert('x')</script>\u{0}", Style::of(12.0).bold().turned(-45.0));
        let text = svg.finish();
        assert!(!text.contains("<b>") && !text.contains("<script>") && !text.contains('\u{0}'), "{text}");
        assert!(text.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
        assert!(text.contains("aria-label=\"a &quot;&lt;b&gt;&quot; &amp; c\""));
    }

    #[test]
    fn lengths_are_short_and_finite() {
        assert_eq!(number(1.0), "1");
        assert_eq!(number(1.239), "1.24");
        assert_eq!(number(-0.001), "0");
        assert_eq!(number(f64::INFINITY), "0");
        let mut svg = Svg::new(10.0, 10.0, "t");
        svg.rectangle([0.0, 0.0, -1.0, f64::NAN], "#fff", Some(Stroke::dashes("#000", 1.0)));
        svg.polyline(&[[0.0, 0.0]], Stroke::of("#000", 1.0));
        let text = svg.finish();
        assert!(!text.contains("NaN") && !text.contains("polyline"), "{text}");
    }
}
