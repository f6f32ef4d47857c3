//! The metrics by which a model can be judged: their names, their ranges, and which way is better.

use mlops_core::arguments::nearest;
use mlops_core::values::TaskType;

/// One metric of the test split.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// The name in requests, evaluations and reports.
    pub name: &'static str,
    /// Other names that are accepted for it.
    pub aliases: &'static [&'static str],
    /// The task whose models have it.
    pub task: TaskType,
    /// The least value it can have.
    pub least: Option<f64>,
    /// The greatest value it can have.
    pub greatest: Option<f64>,
    /// Whether more is better.
    pub more_is_better: bool,
}

const fn metric(
    task: TaskType,
    name: &'static str,
    aliases: &'static [&'static str],
    (least, greatest): (Option<f64>, Option<f64>),
    more_is_better: bool,
) -> Metric {
    Metric { name, aliases, task, least, greatest, more_is_better }
}

use TaskType::{Classification, Clustering, DimensionalityReduction, Regression};

const SHARE: (Option<f64>, Option<f64>) = (Some(0.0), Some(1.0));
const POSITIVE: (Option<f64>, Option<f64>) = (Some(0.0), None);

/// Every metric.
pub static METRICS: [Metric; 32] = [
    metric(Classification, "accuracy", &["acc"], SHARE, true),
    metric(Classification, "precision", &[], SHARE, true),
    metric(Classification, "recall", &["sensitivity", "tpr"], SHARE, true),
    metric(Classification, "f1_score", &["f1"], SHARE, true),
    metric(Classification, "auc_roc", &["auc", "roc_auc", "auroc"], SHARE, true),
    metric(Classification, "log_loss", &["logloss", "cross_entropy"], POSITIVE, false),
    // With more than two classes the Brier score reaches 2.
    metric(Classification, "brier", &["brier_score"], (Some(0.0), Some(2.0)), false),
    metric(Classification, "ece", &["expected_calibration_error"], SHARE, false),
    metric(Classification, "mcc", &["matthews_corrcoef"], (Some(-1.0), Some(1.0)), true),
    metric(Classification, "balanced_accuracy", &[], SHARE, true),
    metric(Classification, "pr_auc", &["auc_pr", "average_precision"], SHARE, true),
    metric(Regression, "rmse", &["root_mean_squared_error"], POSITIVE, false),
    metric(Regression, "mae", &["mean_absolute_error"], POSITIVE, false),
    metric(Regression, "r2", &["r2_score", "r_squared", "r^2"], (None, Some(1.0)), true),
    metric(Regression, "mape", &["mean_absolute_percentage_error"], POSITIVE, false),
    metric(Regression, "smape", &[], POSITIVE, false),
    metric(Regression, "median_ae", &["median_absolute_error", "medae"], POSITIVE, false),
    metric(Regression, "max_error", &[], POSITIVE, false),
    metric(Regression, "pinball", &["pinball_loss", "quantile_loss"], POSITIVE, false),
    metric(Clustering, "silhouette", &["silhouette_score"], (Some(-1.0), Some(1.0)), true),
    metric(Clustering, "davies_bouldin", &["davies_bouldin_score", "davies_bouldin_index"], POSITIVE, false),
    metric(Clustering, "calinski_harabasz", &["calinski_harabasz_score"], POSITIVE, true),
    metric(Clustering, "inertia", &[], POSITIVE, false),
    metric(Clustering, "noise_ratio", &["noise"], SHARE, false),
    metric(Clustering, "ari", &["adjusted_rand_index", "adjusted_rand_score"], (Some(-0.5), Some(1.0)), true),
    metric(Clustering, "nmi", &["normalized_mutual_information", "normalized_mutual_info_score"], SHARE, true),
    metric(DimensionalityReduction, "explained_variance", &["explained_variance_ratio"], SHARE, true),
    metric(DimensionalityReduction, "trustworthiness", &[], (None, Some(1.0)), true),
    metric(DimensionalityReduction, "continuity", &[], (None, Some(1.0)), true),
    metric(DimensionalityReduction, "preservation", &[], SHARE, true),
    metric(DimensionalityReduction, "kl_divergence", &["kl"], POSITIVE, false),
    metric(DimensionalityReduction, "reconstruction_error", &[], POSITIVE, false),
];

impl Metric {
    /// The metric of that name or alias.
    pub fn of(name: &str) -> Option<&'static Self> {
        let name = name.to_lowercase().replace(['-', ' '], "_");
        METRICS.iter().find(|metric| metric.name == name || metric.aliases.contains(&name.as_str()))
    }

    /// The metrics of a task.
    pub fn of_task(task: TaskType) -> impl Iterator<Item = &'static Self> {
        METRICS.iter().filter(move |metric| metric.task == task)
    }

    /// The name that was probably meant.
    pub(crate) fn nearest(name: &str, task: Option<TaskType>) -> Option<&'static str> {
        nearest(name, METRICS.iter().filter(|of| task.is_none_or(|task| of.task == task)).map(|of| of.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_aliases_are_those_of_one_metric() {
        assert_eq!(Metric::of("F1").unwrap().name, "f1_score");
        assert_eq!(Metric::of("roc-auc").unwrap().name, "auc_roc");
        assert_eq!(Metric::of("RMSE").unwrap().name, "rmse");
        assert!(Metric::of("speed").is_none());
        assert_eq!(Metric::nearest("acuracy", Some(Classification)), Some("accuracy"));
        let names = || METRICS.iter().flat_map(|metric| metric.aliases.iter().copied().chain([metric.name]));
        for name in names() {
            assert_eq!(names().filter(|other| *other == name).count(), 1, "{name}");
        }
    }
}
