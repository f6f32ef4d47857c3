//! The numbers of clusters that were tried: the silhouette and the inertia of each, and the one that was chosen.

use mlops_algorithms::clustering::{KSearch, KTried};
use mlops_core::Lang;

use super::axes::{Frame, Scale, heading};
use super::palette;
use super::svg::{Stroke, Style, Svg};

/// The size of the picture.
const SIZE: [f64; 2] = [480.0, 560.0];
/// The height of each of its two halves.
const HALF: f64 = 264.0;

/// The search as SVG. Numbers that could not be fitted are left out.
pub fn draw(search: &KSearch, lang: Lang) -> String {
    let title = lang.pick("How many clusters", "クラスタ数の比較");
    let line = match lang {
        Lang::En => format!("{} clusters were chosen (dashed)", search.chosen),
        Lang::Ja => format!("{} 個を採用（破線）", search.chosen),
    };
    let mut svg = Svg::new(SIZE[0], SIZE[1], title);
    heading(&mut svg, SIZE[0], title, &line);
    let silhouette = lang.pick("Silhouette (higher is better)", "シルエット（大きいほど良い）");
    half(&mut svg, search, 62.0, (silhouette, lang), |tried| tried.silhouette.value);
    let below = 62.0 + HALF - 26.0;
    if search.tried.iter().any(|tried| tried.bic.is_some()) {
        let name = lang.pick("BIC (lower is better)", "BIC（小さいほど良い）");
        half(&mut svg, search, below, (name, lang), |tried| tried.bic);
    } else {
        half(&mut svg, search, below, (lang.pick("Inertia", "イナーシャ"), lang), |tried| tried.inertia.value);
    }
    svg.finish()
}

fn half(svg: &mut Svg, search: &KSearch, top: f64, (name, lang): (&str, Lang), value: impl Fn(&KTried) -> Option<f64>) {
    let pairs = search.tried.iter().filter_map(|tried| Some([tried.k as f64, value(tried)?])).collect::<Vec<_>>();
    let [first, last] =
        [search.tried.first(), search.tried.last()].map(|tried| tried.map_or(1.0, |tried| tried.k as f64));
    let ticks = search.tried.iter().map(|tried| tried.k as f64).collect();
    let x = Scale { from: first - 0.5, to: last + 0.5, ticks, decimals: 0 };
    let y = Scale::around(pairs.iter().map(|pair| pair[1]), 4);
    let frame = Frame::inside([SIZE[0], top + HALF - 26.0], top, x, y);
    frame.draw(svg, lang.pick("Number of clusters", "クラスタ数"), "");
    svg.text([frame.left + 6.0, top + 14.0], name, Style::of(12.0).bold());
    let chosen = search.chosen as f64;
    let dashes = Stroke::dashes(palette::VERMILION, 1.4);
    svg.line(frame.at(chosen, frame.y.from), frame.at(chosen, frame.y.to), dashes);
    let points = pairs.iter().map(|pair| frame.at(pair[0], pair[1])).collect::<Vec<_>>();
    svg.polyline(&points, Stroke::of(palette::BLUE, 2.0));
    for (point, pair) in points.iter().zip(&pairs) {
        let is_chosen = pair[0] == chosen;
        let colour = if is_chosen { palette::VERMILION } else { palette::BLUE };
        svg.disc(*point, if is_chosen { 5.0 } else { 3.4 }, colour, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use mlops_algorithms::clustering::SearchCriterion;
    use mlops_algorithms::metrics::Measure;

    use super::*;

    #[test]
    fn what_was_fitted_is_drawn_twice_and_what_failed_is_not() {
        let tried = |k: u64, silhouette: f64| KTried {
            k,
            inertia: Measure::of(100.0 / k as f64),
            silhouette: Measure::of(silhouette),
            davies_bouldin: Measure::of(1.0),
            bic: None,
            aic: None,
            failed: None,
        };
        let missing = || Measure::undefined("too few rows");
        let failed = KTried {
            inertia: missing(),
            silhouette: missing(),
            failed: Some("too few rows".to_owned()),
            ..tried(9, 0.0)
        };
        let search = KSearch {
            criterion: SearchCriterion::Silhouette,
            chosen: 3,
            reason: "the highest silhouette".to_owned(),
            silhouette_rows: 10,
            silhouette_sampled: false,
            tried: vec![tried(2, 0.4), tried(3, 0.6), failed],
        };
        let picture = draw(&search, Lang::En);
        assert_eq!(picture.matches("<circle").count(), 4);
        assert!(picture.contains("3 clusters were chosen") && !picture.contains("NaN"));
        assert!(draw(&search, Lang::Ja).contains("クラスタ数"));
    }
}
