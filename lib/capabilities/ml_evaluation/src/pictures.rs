//! The pictures of an evaluation.

use mlops_algorithms::metrics::calibration::Calibration;
use mlops_artifacts::drawing::scatter::{Point, Words};
use mlops_artifacts::drawing::{k_search, scatter, scree};
use mlops_core::{Lang, Result};

use crate::evaluation::{ClassCurve, ClassificationDetail, Evaluation, RegressionDetail};
use crate::plots::calibration::Bin;
use crate::plots::condensed::condensed;
use crate::plots::confusion_matrix::{self, ConfusionPlot};
use crate::plots::roc_curve::{self, Curve};
use crate::plots::{calibration, importance, raster, residuals};
use crate::structure::{ClusteringDetail, ReductionDetail};

/// A picture of an evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    /// What it shows, as `confusion_matrix`; the name of its files.
    pub name: &'static str,
    /// The picture.
    pub svg: String,
}

impl Picture {
    /// The picture as PNG.
    pub(crate) fn png(&self) -> Result<Vec<u8>> {
        raster::png(&self.svg)
    }
}

/// Whether names may be in any script, or only in those of the embedded font.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// As they are: for SVG.
    All,
    /// A number in place of a name that the embedded font cannot draw: for PNG.
    Drawable,
}

/// Every picture of the evaluation, in the order in which a report shows them.
pub(crate) fn of(evaluation: &Evaluation, names: Names, lang: Lang) -> Vec<Picture> {
    let mut pictures = Vec::new();
    if let Some(detail) = &evaluation.classification {
        of_classifier(detail, names, lang, &mut pictures);
    }
    if let Some(detail) = &evaluation.regression {
        let target = name(evaluation.model.target_column.as_deref().unwrap_or_default(), names, "target");
        of_regressor(detail, &target, lang, &mut pictures);
    }
    if let Some(detail) = &evaluation.clustering {
        of_clustering(detail, lang, &mut pictures);
    }
    if let Some(detail) = &evaluation.reduction {
        of_reduction(detail, &evaluation.model.algorithm, lang, &mut pictures);
    }
    if !evaluation.model.feature_importance.is_empty() {
        let features: Vec<(String, f64)> =
            evaluation.model.feature_importance.iter().map(|(name, value)| (name.clone(), *value)).collect();
        let shown = labels(&features.iter().map(|feature| feature.0.clone()).collect::<Vec<_>>(), names);
        let features: Vec<(String, f64)> = shown.into_iter().zip(features.iter().map(|feature| feature.1)).collect();
        pictures.push(Picture { name: "feature_importance", svg: importance::draw(&features, lang) });
    }
    pictures
}

fn of_classifier(detail: &ClassificationDetail, names: Names, lang: Lang, pictures: &mut Vec<Picture>) {
    let shown = labels(&detail.labels, names);
    if !detail.confusion_matrix.is_empty() {
        let svg = confusion(&shown, &detail.confusion_matrix, lang);
        pictures.push(Picture { name: "confusion_matrix", svg });
    }
    if detail.curves.iter().any(|curve| !curve.roc.is_empty()) {
        let curves = curves(&detail.curves, names);
        let prevalence = if let [only] = &detail.curves[..] { Some(only.prevalence) } else { None };
        pictures.push(Picture { name: "roc_curve", svg: roc_curve::draw_roc(&curves.0, None, lang) });
        let svg = roc_curve::draw_precision_recall(&curves.1, prevalence, lang);
        pictures.push(Picture { name: "precision_recall_curve", svg });
    }
    if let Some(table) = &detail.calibration {
        pictures.push(Picture { name: "calibration", svg: calibration::draw(&bins(table), lang) });
    }
}

fn of_regressor(detail: &RegressionDetail, target: &str, lang: Lang, pictures: &mut Vec<Picture>) {
    let histogram = &detail.residuals.histogram;
    let edges = histogram.edges.windows(2).zip(&histogram.counts);
    let bins: Vec<[f64; 3]> = edges.map(|(ends, &count)| [ends[0], ends[1], count as f64]).collect();
    let svg = residuals::draw_predicted_actual(&detail.points, target, lang);
    pictures.push(Picture { name: "predicted_vs_actual", svg });
    pictures.push(Picture { name: "residuals", svg: residuals::draw_residuals(&detail.points, target, lang) });
    pictures.push(Picture { name: "residual_histogram", svg: residuals::draw_histogram(&bins, lang) });
}

fn of_clustering(detail: &ClusteringDetail, lang: Lang, pictures: &mut Vec<Picture>) {
    if !detail.points.is_empty() {
        let points = detail.points.iter().zip(&detail.point_clusters);
        let points = points.map(|(&at, &group)| Point { at, group }).collect::<Vec<_>>();
        let words = Words {
            title: lang.pick("The clusters", "クラスタ"),
            line: lang
                .pick("Each point is a row; grey rows belong to none", "点は行。灰色はどのクラスタにも属さない行"),
            x: lang.pick("Principal component 1", "第 1 主成分"),
            y: lang.pick("Principal component 2", "第 2 主成分"),
        };
        pictures.push(Picture { name: "clusters", svg: scatter::draw(&points, words) });
    }
    if let Some(search) = &detail.k_search {
        pictures.push(Picture { name: "k_search", svg: k_search::draw(search, lang) });
    }
}

fn of_reduction(detail: &ReductionDetail, algorithm: &str, lang: Lang, pictures: &mut Vec<Picture>) {
    let points = detail.points.iter().map(|&at| Point { at, group: -1 }).collect::<Vec<_>>();
    let title = match lang {
        Lang::En => format!("The rows on a map of {algorithm}"),
        Lang::Ja => format!("{algorithm} による行の配置"),
    };
    let words = Words {
        title: &title,
        line: lang.pick("Each point is a row", "点は行"),
        x: lang.pick("Component 1", "成分 1"),
        y: if detail.num_components > 1 { lang.pick("Component 2", "成分 2") } else { "" },
    };
    pictures.push(Picture { name: "scatter", svg: scatter::draw(&points, words) });
    if let Some(shares) = &detail.explained_variance_ratio {
        pictures.push(Picture { name: "explained_variance", svg: scree::draw(shares, lang) });
    }
}

/// The confusion matrix, coloured by the share of each true class.
pub(crate) fn confusion(labels: &[String], counts: &[Vec<u64>], lang: Lang) -> String {
    let (labels, counts) = &condensed(labels, counts, lang.pick("others", "その他"));
    let share = |line: &Vec<u64>| {
        let sum = line.iter().sum::<u64>().max(1) as f64;
        line.iter().map(|&count| count as f64 / sum).collect()
    };
    let shares: Vec<Vec<f64>> = counts.iter().map(share).collect();
    let share_of = lang.pick("Share of the true class", "実際のクラスに占める割合");
    confusion_matrix::draw(&ConfusionPlot { labels, counts, shares: &shares, share_of }, lang)
}

/// ROC and precision-recall curves for drawing.
pub(crate) fn curves(curves: &[ClassCurve], names: Names) -> (Vec<Curve>, Vec<Curve>) {
    let shown = labels(&curves.iter().map(|curve| curve.label.clone()).collect::<Vec<_>>(), names);
    let roc = curves.iter().zip(&shown).map(|(curve, label)| Curve {
        label: label.clone(),
        area: curve.auc_roc,
        points: curve.roc.iter().map(|point| [point.false_positive_rate, point.true_positive_rate]).collect(),
    });
    let recall = curves.iter().zip(&shown).map(|(curve, label)| Curve {
        label: label.clone(),
        area: curve.average_precision,
        points: curve.precision_recall.iter().map(|point| [point.recall, point.precision]).collect(),
    });
    (roc.collect(), recall.collect())
}

fn bins(table: &Calibration) -> Vec<Bin> {
    let bin = |bin: &mlops_algorithms::metrics::calibration::ReliabilityBin| {
        Some(Bin { predicted: bin.mean_probability?, observed: bin.observed?, rows: bin.n })
    };
    table.bins.iter().filter_map(bin).collect()
}

/// The names as they can be drawn.
pub(crate) fn labels(all: &[String], names: Names) -> Vec<String> {
    match names {
        Names::All => all.to_vec(),
        Names::Drawable => raster::drawable_labels(all),
    }
}

/// One name as it can be drawn, else the word for what it is.
fn name(text: &str, names: Names, word: &str) -> String {
    if names == Names::All || raster::is_drawable(text) { text.to_owned() } else { word.to_owned() }
}
