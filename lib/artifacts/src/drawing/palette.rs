//! The colours of all plots.

/// Text.
pub const INK: &str = "#1f2933";
/// Text of less weight.
pub const MUTED: &str = "#5b6875";
/// Axes and frames.
pub const AXIS: &str = "#9aa5b1";
/// Lines of a grid.
pub const GRID: &str = "#e6eaee";
/// The background.
pub const PAPER: &str = "#ffffff";
/// What a plot is about.
pub const BLUE: &str = "#0072b2";
/// What is set against it.
pub const VERMILION: &str = "#d55e00";
/// Lines that are there for comparison only.
pub const FAINT: &str = "#c3cbd3";

/// Colours of categories, told apart with the common kinds of colour blindness (after Okabe and Ito, 2008).
pub const CATEGORIES: [&str; 7] = [BLUE, VERMILION, "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#5d3a9b"];

/// The stops of the scale from nothing to all, as red, green and blue.
const STOPS: [[f64; 3]; 5] =
    [[247.0, 250.0, 253.0], [198.0, 219.0, 239.0], [107.0, 174.0, 214.0], [33.0, 113.0, 181.0], [8.0, 48.0, 107.0]];

/// The share above which text on the scale's colour must be white.
pub const DARK_FROM: f64 = 0.5;

/// Below 1: small shares, such as rare confusions, are told from none.
const BEND: f64 = 0.75;

/// The colour of a share from 0 (nearly white) to 1 (dark blue); a share outside is taken as the nearest end.
pub fn sequential(share: f64) -> String {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let position = share.powf(BEND) * (STOPS.len() - 1) as f64;
    let below = (position.floor() as usize).min(STOPS.len() - 2);
    let fraction = position - below as f64;
    let mixed = |channel: usize| {
        let (from, to) = (STOPS[below][channel], STOPS[below + 1][channel]);
        (to - from).mul_add(fraction, from).round() as u8
    };
    format!("#{:02x}{:02x}{:02x}", mixed(0), mixed(1), mixed(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_runs_from_light_to_dark() {
        assert_eq!(sequential(0.0), "#f7fafd");
        assert_eq!(sequential(1.0), "#08306b");
        assert_ne!(sequential(0.01), sequential(0.0));
        assert_eq!(sequential(f64::NAN), sequential(-3.0));
        assert_eq!(sequential(7.0), sequential(1.0));
    }
}
