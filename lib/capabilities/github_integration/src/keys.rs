//! The names that a request may hold, and the headings of the issue form that stand for them.

/// How a field of the issue form is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    /// The text as it is.
    Text,
    /// Names, separated by commas or as a list.
    Names,
    /// YAML or JSON.
    Settings,
}

/// A name that a request may hold at its top.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) field: Field,
    /// Lower-case headings of the issue form, in English and Japanese.
    headings: &'static [&'static str],
}

const fn key(name: &'static str, field: Field, headings: &'static [&'static str]) -> Key {
    Key { name, field, headings }
}

/// Every name.
pub(crate) static KEYS: [Key; 16] = [
    key("task", Field::Text, &["task type", "タスク", "タスクの種類", "学習の種類"]),
    key("dataset_s3_uri", Field::Text, &["dataset", "dataset uri", "data", "データセット", "データ"]),
    key("target_column", Field::Text, &["target", "目的変数", "予測する列", "目的列"]),
    key("algorithm", Field::Text, &["アルゴリズム"]),
    key("model_name", Field::Text, &["model", "モデル名"]),
    key("hyperparameters", Field::Settings, &["ハイパーパラメータ", "ハイパーパラメーター"]),
    key("split", Field::Settings, &["data split", "分割", "データの分割", "データ分割"]),
    key("preprocessing_config", Field::Settings, &["preprocessing", "前処理", "前処理の設定"]),
    key(
        "hyperparameter_optimization",
        Field::Settings,
        &["ハイパーパラメータ最適化", "ハイパーパラメーター最適化", "ハイパーパラメータの最適化"],
    ),
    key("evaluation", Field::Settings, &["評価", "評価の設定"]),
    key("gates", Field::Settings, &["quality gates", "合格基準", "合格条件"]),
    key("execution", Field::Text, &["実行方法"]),
    key("deployment", Field::Settings, &["デプロイ", "配備"]),
    key("notify", Field::Names, &["notifications", "notification", "通知", "通知先"]),
    key("lang", Field::Text, &["language", "言語"]),
    key("seed", Field::Settings, &["random seed", "乱数シード", "シード"]),
];

/// The names of which a request has at least one.
pub(crate) const REQUIRED: [&str; 4] = ["task", "dataset_s3_uri", "target_column", "algorithm"];

/// The headings of a field whose YAML or JSON belongs at the top of the request.
const SETTINGS: [&str; 6] = ["settings", "further settings", "configuration", "設定", "その他の設定", "詳細設定"];

/// What a heading of the issue form stands for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Heading {
    /// The value of one name.
    Key(&'static Key),
    /// More names with their values.
    Settings,
}

impl Heading {
    /// What that heading stands for. Case, spacing, a trailing colon and a note in parentheses do not matter.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let text = text.split(['(', '（']).next().unwrap_or_default();
        let text = text.trim().trim_end_matches([':', '：', '*', ' ', '#']).to_lowercase();
        let spaced = text.replace(['_', '-'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
        if SETTINGS.contains(&spaced.as_str()) {
            return Some(Self::Settings);
        }
        let is_meant = |key: &&Key| key.name.replace('_', " ") == spaced || key.headings.contains(&spaced.as_str());
        KEYS.iter().find(is_meant).map(Self::Key)
    }
}

/// Every name, in the order of the documentation.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|key| key.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_of(heading: &str) -> Option<&'static str> {
        match Heading::of(heading)? {
            Heading::Key(key) => Some(key.name),
            Heading::Settings => Some("*"),
        }
    }

    #[test]
    fn headings_in_both_languages_stand_for_names() {
        assert_eq!(name_of("Target column (required)"), Some("target_column"));
        assert_eq!(name_of("  dataset_s3_uri: "), Some("dataset_s3_uri"));
        assert_eq!(name_of("目的変数（必須）"), Some("target_column"));
        assert_eq!(name_of("Further settings"), Some("*"));
        assert_eq!(name_of("Why do you need this?"), None);
    }

    #[test]
    fn no_heading_stands_for_two_names() {
        let headings = || KEYS.iter().flat_map(|key| key.headings.iter().copied().chain([key.name])).chain(SETTINGS);
        for heading in headings() {
            assert_eq!(headings().filter(|other| *other == heading).count(), 1, "{heading}");
            assert!(Heading::of(heading).is_some(), "{heading}");
        }
    }
}
