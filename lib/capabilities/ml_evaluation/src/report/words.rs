//! The words of the page itself: headings and titles of columns.

use std::collections::BTreeMap;

use mlops_core::Lang;
use mlops_core::values::TaskType;

/// Each word with its English and its Japanese form.
const WORDS: &[(&str, &str, &str)] = &[
    ("asked", "What was asked", "依頼内容"),
    ("found", "What was found", "結果"),
    ("decided", "What was decided, and why", "判定とその理由"),
    ("gates", "Gates", "ゲート"),
    ("gate_what", "Metric", "指標"),
    ("gate_required", "Required", "基準"),
    ("gate_observed", "Observed", "測定値"),
    ("gate_result", "Result", "結果"),
    ("passed", "passed", "合格"),
    ("failed", "failed", "不合格"),
    ("metrics", "All metrics", "すべての指標"),
    ("metric", "Metric", "指標"),
    ("value", "Value", "値"),
    ("interval", "Interval", "信頼区間"),
    ("guessing", "Guessing", "当て推量"),
    ("champion", "Champion", "現行モデル"),
    ("change", "Change", "差"),
    ("to", "to", "–"),
    ("higher", "higher is better", "大きいほど良い"),
    ("lower", "lower is better", "小さいほど良い"),
    ("weak", "Where it errs", "苦手なところ"),
    ("matters", "What matters most", "重要な特徴量"),
    (
        "matters_text",
        "How much the model relies on each feature. It says nothing about cause and effect.",
        "モデルが各特徴量にどれだけ頼っているかを示します。因果関係を示すものではありません。",
    ),
    ("feature", "Feature", "特徴量"),
    ("importance", "Importance", "重要度"),
    ("search", "Search", "探索"),
    ("search_best", "The best hyperparameters", "最良のハイパーパラメータ"),
    ("learning_curve", "How it learnt", "学習の経過"),
    ("caveats", "Mind this", "注意点"),
    ("no_caveats", "Nothing stands out that would limit these conclusions.", "結論を左右する点は特に見当たりません。"),
    ("identity", "Exactly what was evaluated", "評価対象の詳細"),
    ("run", "Run", "実行"),
    ("undefined", "not defined", "定義なし"),
    (
        "numbers",
        "Every number of this page is in report.json beside it.",
        "このページの数値はすべて同じ場所の report.json にあります。",
    ),
    ("report", "Full report", "レポート全文"),
];

/// The words that are others for clusterings.
const CLUSTERS: &[(&str, &str, &str)] = &[("weak", "What the clusters are", "クラスタの内容")];

/// The words that are others for reductions.
const REDUCTIONS: &[(&str, &str, &str)] = &[
    ("weak", "What the coordinates show", "座標が示すもの"),
    (
        "matters_text",
        "How much each feature weighs in the components. It says nothing about cause and effect.",
        "各特徴量が成分に占める重みを示します。因果関係を示すものではありません。",
    ),
];

/// The words in that language, for a report about that kind of learning.
pub(super) fn of(lang: Lang, task: TaskType) -> BTreeMap<&'static str, &'static str> {
    let own = match task {
        TaskType::Classification | TaskType::Regression => &[][..],
        TaskType::Clustering => CLUSTERS,
        TaskType::DimensionalityReduction => REDUCTIONS,
    };
    WORDS.iter().chain(own).map(|&(name, en, ja)| (name, lang.pick(en, ja))).collect()
}
