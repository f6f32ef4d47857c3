//! From SVG to PNG, with an embedded font and nothing from the machine it runs on.

use std::sync::{Arc, LazyLock};

use mlops_core::{Error, Result};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};
use skrifa::{FontRef, MetadataProvider as _};

/// How many pixels a length of 1 becomes.
const SCALE: f32 = 2.0;
/// The largest side of a picture in pixels.
const LARGEST: f32 = 8192.0;

static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(epaint_default_fonts::UBUNTU_LIGHT.to_vec());
    let family = fonts.faces().next().and_then(|face| face.families.first()).map(|(name, _)| name.clone());
    if let Some(family) = family {
        fonts.set_sans_serif_family(family);
    }
    Arc::new(fonts)
});

/// The PNG of an SVG document at two pixels a unit.
pub fn png(svg: &str) -> Result<Vec<u8>> {
    let options = Options { fontdb: Arc::clone(&FONTS), font_family: "sans-serif".to_owned(), ..Options::default() };
    let tree = Tree::from_str(svg, &options)
        .map_err(|error| Error::internal("a plot is not a valid SVG document").caused_by(error))?;
    let size = tree.size();
    let scale = SCALE.min(LARGEST / size.width().max(size.height()));
    let side = |length: f32| (length * scale).ceil().max(1.0) as u32;
    let mut pixels = Pixmap::new(side(size.width()), side(size.height()))
        .ok_or_else(|| Error::internal("a plot has no size that a picture can have"))?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| Error::internal("a plot could not be written as PNG").caused_by(error))
}

/// Whether the embedded font has every character of the text. Pictures show a number in place of a name that it has not.
pub fn is_drawable(text: &str) -> bool {
    let Ok(font) = FontRef::new(epaint_default_fonts::UBUNTU_LIGHT) else { return false };
    let characters = font.charmap();
    text.chars().filter(|character| !character.is_control()).all(|character| characters.map(character).is_some())
}

/// Labels for a picture: as they are where the embedded font has their characters, else `#1`, `#2` … by position.
pub fn drawable_labels(labels: &[String]) -> Vec<String> {
    let shown = |(at, label): (usize, &String)| if is_drawable(label) { label.clone() } else { format!("#{}", at + 1) };
    labels.iter().enumerate().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plots::svg::{Style, Svg};

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
    fn names_in_other_scripts_become_numbers() {
        assert!(is_drawable("Adélie −1.5 × 2 % … – <b>") && is_drawable("Ελληνικά") && !is_drawable("ペンギン"));
        let labels = ["yes".to_owned(), "いいえ".to_owned()];
        assert_eq!(drawable_labels(&labels), ["yes", "#2"]);
    }
}
