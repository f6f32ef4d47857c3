//! What the metrics are called, and what they mean in plain words.

use mlops_core::Lang;

use super::sentence::Shown;

/// How a metric is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// A number around 0 to 1.
    Share,
    /// A fraction that people read in percent.
    Percent,
    /// In the unit of the target.
    Quantity,
}

/// One metric in words.
pub(super) struct MetricWords {
    /// The metric's name in results.
    pub name: &'static str,
    label: [&'static str; 2],
    meaning: [&'static str; 2],
    /// How its values are read.
    pub reading: Reading,
    /// Whether more is better.
    pub more_is_better: bool,
}

impl MetricWords {
    /// What it is called.
    pub(super) fn label(&self, lang: Lang) -> &'static str {
        lang.pick(self.label[0], self.label[1])
    }

    /// What it means.
    pub(super) fn meaning(&self, lang: Lang) -> &'static str {
        lang.pick(self.meaning[0], self.meaning[1])
    }

    /// A value of it.
    pub(super) fn show(&self, value: f64) -> Shown {
        match self.reading {
            Reading::Share => Shown::share(value),
            Reading::Percent => Shown::percent(value),
            Reading::Quantity => Shown::quantity(value),
        }
    }
}

/// The metric of that name.
pub(super) fn find(name: &str) -> Option<&'static MetricWords> {
    CLASSIFIER.iter().chain(REGRESSOR).chain(CLUSTERING).chain(REDUCTION).find(|metric| metric.name == name)
}

/// What a metric of that name is called; the name itself when it is not known.
pub(super) fn label(name: &str, lang: Lang) -> String {
    find(name).map_or(name, |metric| metric.label(lang)).to_owned()
}

/// A value of the metric of that name.
pub(super) fn show(name: &str, value: f64) -> Shown {
    find(name).map_or_else(|| Shown::quantity(value), |metric| metric.show(value))
}

const fn share(
    name: &'static str,
    label: [&'static str; 2],
    meaning: [&'static str; 2],
    more_is_better: bool,
) -> MetricWords {
    MetricWords { name, label, meaning, reading: Reading::Share, more_is_better }
}

const fn quantity(name: &'static str, label: [&'static str; 2], meaning: [&'static str; 2]) -> MetricWords {
    MetricWords { name, label, meaning, reading: Reading::Quantity, more_is_better: false }
}

/// The metrics of a classifier in the order of a report.
pub(super) static CLASSIFIER: &[MetricWords] = &[
    share(
        "accuracy",
        ["Accuracy", "正解率"],
        ["The share of rows that are classified right.", "正しく分類された行の割合。"],
        true,
    ),
    share(
        "f1_score",
        ["F1 score", "F1 スコア"],
        ["Precision and recall in one number.", "適合率と再現率をまとめた値。"],
        true,
    ),
    share(
        "auc_roc",
        ["AUC (ROC)", "AUC (ROC)"],
        [
            "How often a row of a class is ranked above a row of another; 0.5 is a coin toss.",
            "あるクラスの行を他の行より上位に並べられる割合。0.5 は偶然と同じ。",
        ],
        true,
    ),
    share(
        "balanced_accuracy",
        ["Balanced accuracy", "均衡正解率"],
        [
            "The mean over classes of the share found: every class counts the same.",
            "クラスごとの再現率の平均。どのクラスも同じ重み。",
        ],
        true,
    ),
    share(
        "precision",
        ["Precision", "適合率"],
        [
            "Of the rows that are given a class, how many are of it.",
            "あるクラスと予測した行のうち、実際にそうである割合。",
        ],
        true,
    ),
    share(
        "recall",
        ["Recall", "再現率"],
        ["Of the rows of a class, how many are found.", "あるクラスの行のうち、見つけられた割合。"],
        true,
    ),
    share(
        "pr_auc",
        ["Average precision", "平均適合率"],
        ["Precision over all levels of recall.", "すべての再現率にわたる適合率の平均。"],
        true,
    ),
    share(
        "mcc",
        ["Matthews correlation", "マシューズ相関係数"],
        ["Agreement of prediction and truth: 1 is perfect, 0 is chance.", "予測と実際の一致。1 は完全、0 は偶然。"],
        true,
    ),
    share(
        "log_loss",
        ["Log loss", "対数損失"],
        [
            "How surprised the probabilities are by the truth; 0 is perfect.",
            "確率が実際とどれだけ食い違うか。0 が最良。",
        ],
        false,
    ),
    share(
        "brier",
        ["Brier score", "ブライアスコア"],
        [
            "The squared distance of the probabilities from the truth; 0 is perfect.",
            "確率と実際との二乗距離。0 が最良。",
        ],
        false,
    ),
    share(
        "ece",
        ["Calibration error", "較正誤差"],
        ["How far probabilities are from how often they come true.", "予測確率と、実際に起きた割合とのずれ。"],
        false,
    ),
];

/// The metrics of a regressor in the order of a report.
pub(super) static REGRESSOR: &[MetricWords] = &[
    quantity(
        "rmse",
        ["RMSE", "RMSE"],
        [
            "The typical error, large ones weighing more, in the unit of the target.",
            "典型的な誤差（大きな誤差を重視）。目的変数の単位。",
        ],
    ),
    quantity("mae", ["MAE", "MAE"], ["The mean error, in the unit of the target.", "誤差の平均。目的変数の単位。"]),
    share(
        "r2",
        ["R²", "R²"],
        [
            "The share of the differences between rows that is explained: 1 is perfect, 0 is the mean.",
            "行ごとの違いを説明できる割合。1 は完全、0 は平均値と同じ。",
        ],
        true,
    ),
    MetricWords {
        name: "mape",
        label: ["MAPE", "MAPE"],
        meaning: ["The mean error as a share of the true value.", "実測値に対する誤差の割合の平均。"],
        reading: Reading::Percent,
        more_is_better: false,
    },
    MetricWords {
        name: "smape",
        label: ["sMAPE", "sMAPE"],
        meaning: [
            "The mean error as a share of both values, at most 200 %.",
            "両方の値に対する誤差の割合の平均（最大 200 %）。",
        ],
        reading: Reading::Percent,
        more_is_better: false,
    },
    quantity(
        "median_ae",
        ["Median error", "誤差の中央値"],
        ["Half of the predictions are nearer than this.", "予測の半分はこれより近い。"],
    ),
    quantity(
        "max_error",
        ["Largest error", "最大誤差"],
        ["The worst prediction of all rows.", "全行で最も外れた予測。"],
    ),
    quantity(
        "pinball",
        ["Pinball loss", "ピンボール損失"],
        ["The error of a predicted quantile.", "予測した分位点の誤差。"],
    ),
];

/// The metrics of a clustering in the order of a report.
pub(super) static CLUSTERING: &[MetricWords] = &[
    share(
        "silhouette",
        ["Silhouette", "シルエット"],
        [
            "How much nearer rows are to their own cluster than to the next: 1 is far apart, 0 is on the border.",
            "隣のクラスタより自分のクラスタにどれだけ近いか。1 は明確に分離、0 は境界上。",
        ],
        true,
    ),
    quantity(
        "davies_bouldin",
        ["Davies–Bouldin index", "Davies–Bouldin 指標"],
        [
            "How wide clusters are for their distance from the most similar one; 0 is best.",
            "最も似たクラスタとの距離に対するクラスタの広がり。0 が最良。",
        ],
    ),
    MetricWords {
        name: "calinski_harabasz",
        label: ["Calinski–Harabasz index", "Calinski–Harabasz 指標"],
        meaning: [
            "The spread between clusters against that within them.",
            "クラスタ内の広がりに対するクラスタ間の広がり。",
        ],
        reading: Reading::Quantity,
        more_is_better: true,
    },
    share(
        "ari",
        ["Adjusted Rand index", "調整ランド指数"],
        [
            "Agreement with the known groups: 1 is the same groups, 0 is chance.",
            "既知のグループとの一致。1 は完全一致、0 は偶然。",
        ],
        true,
    ),
    share(
        "nmi",
        ["Mutual information", "相互情報量"],
        [
            "How much the clusters say about the known groups, 0 to 1.",
            "クラスタが既知のグループについて持つ情報量（0 から 1）。",
        ],
        true,
    ),
    MetricWords {
        name: "noise_ratio",
        label: ["Noise", "ノイズ"],
        meaning: ["The share of rows that belong to no cluster.", "どのクラスタにも属さない行の割合。"],
        reading: Reading::Percent,
        more_is_better: false,
    },
    quantity(
        "inertia",
        ["Inertia", "イナーシャ"],
        [
            "The sum of the squared distances of rows to the mean of their cluster; it falls with every further cluster.",
            "各行とクラスタ平均との二乗距離の和。クラスタを増やすほど小さくなる。",
        ],
    ),
];

/// The metrics of a reduction in the order of a report.
pub(super) static REDUCTION: &[MetricWords] = &[
    MetricWords {
        name: "explained_variance",
        label: ["Explained variance", "説明された分散"],
        meaning: [
            "The share of the differences between rows that the components keep.",
            "行の間の違いのうち、成分が保つ割合。",
        ],
        reading: Reading::Percent,
        more_is_better: true,
    },
    share(
        "trustworthiness",
        ["Trustworthiness", "信頼性"],
        [
            "Whether rows that are near on the map are near among the features; 1 is perfect.",
            "地図上で近い行が特徴量でも近いか。1 が最良。",
        ],
        true,
    ),
    share(
        "continuity",
        ["Continuity", "連続性"],
        [
            "Whether rows that are near among the features are near on the map; 1 is perfect.",
            "特徴量で近い行が地図上でも近いか。1 が最良。",
        ],
        true,
    ),
    share(
        "preservation",
        ["Neighbours kept", "近傍の保存率"],
        [
            "The share of the nearest rows among the features that are nearest on the map.",
            "特徴量で最も近い行のうち、地図上でも最も近い行の割合。",
        ],
        true,
    ),
    share(
        "kl_divergence",
        ["KL divergence", "KL ダイバージェンス"],
        [
            "How far the map is from the neighbourhoods among the features, in nats; 0 is perfect.",
            "地図と特徴量での近傍との差（ナット）。0 が最良。",
        ],
        false,
    ),
    quantity(
        "reconstruction_error",
        ["Reconstruction error", "復元誤差"],
        [
            "The mean squared difference between the features and what the components say of them.",
            "特徴量と、成分から復元した値との差の二乗平均。",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_named_and_explained_in_both_languages() {
        for metric in CLASSIFIER.iter().chain(REGRESSOR).chain(CLUSTERING).chain(REDUCTION) {
            for lang in [Lang::En, Lang::Ja] {
                assert!(!metric.label(lang).is_empty() && metric.meaning(lang).len() > 10, "{}", metric.name);
            }
        }
        assert_eq!(label("accuracy", Lang::Ja), "正解率");
        assert_eq!(label("my_metric", Lang::En), "my_metric");
        assert_eq!(show("mape", 0.1234).text, "12.3 %");
    }
}
