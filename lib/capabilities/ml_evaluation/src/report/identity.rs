//! What was asked for, and exactly which model and data the report is about.

use mlops_core::Lang;
use mlops_core::values::TaskType;
use serde_json::{Map, Value};

use super::document::{Fact, FactGroup, Material};
use super::sentence::Shown;

/// What was asked for.
pub(super) fn asked(material: &Material<'_>) -> Vec<Fact> {
    let (lang, evaluation, requested) = (material.lang, material.evaluation, material.requested);
    let task = match evaluation.task {
        TaskType::Classification => lang.pick("Classification", "分類"),
        TaskType::Regression => lang.pick("Regression", "回帰"),
        TaskType::Clustering => lang.pick("Clustering", "クラスタリング"),
        TaskType::DimensionalityReduction => lang.pick("Dimensionality reduction", "次元削減"),
    };
    let mut facts = vec![Fact::words(lang.pick("Task", "課題"), task)];
    if let Some(target) = &evaluation.model.target_column {
        facts.push(Fact::words(lang.pick("Predict", "予測対象"), target.as_str()));
    }
    let optional = [
        (lang.pick("Issue", "Issue"), &requested.issue, false),
        (lang.pick("Model name", "モデル名"), &requested.named(lang), false),
        (lang.pick("Data set", "データセット"), &requested.dataset_s3_uri, true),
        (lang.pick("Algorithm", "アルゴリズム"), &requested.algorithm, false),
    ];
    for (label, text, code) in optional {
        if let Some(text) = text {
            facts.push(Fact { code, ..Fact::words(label, text.as_str()) });
        }
    }
    if let Some(classes) = &evaluation.model.classes {
        let shown: Vec<&str> = classes.iter().take(12).map(String::as_str).collect();
        let more = if classes.len() > shown.len() { format!(" … ({})", classes.len()) } else { String::new() };
        facts.push(Fact::words(lang.pick("Classes", "クラス"), format!("{}{more}", shown.join(", "))));
    }
    for (label, map) in [
        (lang.pick("Split", "分割"), &requested.split),
        (lang.pick("Preparation", "前処理"), &requested.preprocessing_config),
    ] {
        if !map.is_empty() {
            facts.push(Fact::words(label, settings(map)));
        }
    }
    facts
}

fn settings(map: &Map<String, Value>) -> String {
    map.iter().map(|(name, value)| format!("{name}: {}", plain(value))).collect::<Vec<_>>().join(" · ")
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The model, its hyperparameters, the data.
pub(super) fn groups(material: &Material<'_>) -> Vec<FactGroup> {
    let lang = material.lang;
    let mut groups = vec![FactGroup { title: lang.pick("Model", "モデル").to_owned(), facts: model(material) }];
    let hyperparameters = &material.evaluation.model.hyperparameters;
    if !hyperparameters.is_empty() {
        let fact = |(name, value): (&String, &Value)| Fact { value: value.as_f64(), ..Fact::words(name, plain(value)) };
        let facts = hyperparameters.iter().map(fact).collect();
        groups.push(FactGroup { title: lang.pick("Hyperparameters", "ハイパーパラメータ").to_owned(), facts });
    }
    groups.push(FactGroup { title: lang.pick("Data", "データ").to_owned(), facts: data(material) });
    if !material.data.imputed.is_empty() {
        let count = |count: u64| Shown::count(usize::try_from(count).unwrap_or(usize::MAX));
        let facts = material.data.imputed.iter().map(|(column, &values)| Fact::number(column, count(values))).collect();
        groups.push(FactGroup {
            title: lang.pick("Missing values filled in", "補完した欠損値").to_owned(), facts
        });
    }
    groups
}

fn model(material: &Material<'_>) -> Vec<Fact> {
    let (lang, model) = (material.lang, &material.evaluation.model);
    let mut facts = vec![
        Fact::words(lang.pick("Algorithm", "アルゴリズム"), model.algorithm.as_str()),
        Fact::number(lang.pick("Features", "特徴量の数"), Shown::count(model.features)),
        Fact::words(lang.pick("Seed", "シード"), model.seed.to_string()),
        Fact::words(lang.pick("Library", "ライブラリ"), model.library_version.as_str()),
        Fact::code("SHA-256", model.sha256.as_str()),
        Fact::code(lang.pick("Place", "場所"), model.uri.as_str()),
    ];
    if let Some(hash) = &model.preprocessor_sha256 {
        facts.push(Fact::code(lang.pick("Preprocessor SHA-256", "前処理の SHA-256"), hash.as_str()));
    }
    if let Some(seconds) = material.data.training_time_seconds {
        let shown = Shown { value: seconds, text: format!("{} s", crate::plots::lettering::decimal(seconds, 2)) };
        facts.push(Fact::number(lang.pick("Training time", "学習時間"), shown));
    }
    facts
}

fn data(material: &Material<'_>) -> Vec<Fact> {
    let (lang, evaluation) = (material.lang, material.evaluation);
    let mut facts = Vec::new();
    let known = ["train", "validation", "test"];
    for part in known {
        if let Some(&rows) = material.data.rows.get(part) {
            facts.push(rows_of(part, rows, lang));
        }
    }
    for (part, &rows) in material.data.rows.iter().filter(|(part, _)| !known.contains(&part.as_str())) {
        facts.push(rows_of(part, rows, lang));
    }
    if let Some(dropped) = material.data.dropped_rows {
        let shown = Shown::count(usize::try_from(dropped).unwrap_or(usize::MAX));
        facts.push(Fact::number(lang.pick("Rows left out in preparation", "準備で除外した行数"), shown));
    }
    facts.push(Fact::number(lang.pick("Rows evaluated", "評価した行数"), Shown::count(evaluation.data.evaluated)));
    let [place, hash] = match evaluation.task.supervised() {
        Some(_) => [lang.pick("Test data", "テストデータ"), lang.pick("Test SHA-256", "テストの SHA-256")],
        None => [lang.pick("Rows", "データ"), lang.pick("SHA-256 of the rows", "データの SHA-256")],
    };
    facts.push(Fact::code(place, evaluation.data.uri.as_str()));
    facts.push(Fact::code(hash, evaluation.data.sha256.as_str()));
    facts.push(Fact::code(
        lang.pick("Training SHA-256", "学習データの SHA-256"),
        evaluation.model.train_sha256.as_str(),
    ));
    let source = material.data.source_sha256.as_ref().or(evaluation.data.source_sha256.as_ref());
    if let Some(source) = source {
        facts.push(Fact::code(lang.pick("Source SHA-256", "元データの SHA-256"), source.as_str()));
    }
    facts
}

fn rows_of(part: &str, rows: u64, lang: Lang) -> Fact {
    let label = match (lang, part) {
        (Lang::En, part) => format!("Rows ({part})"),
        (Lang::Ja, "train") => "行数（学習）".to_owned(),
        (Lang::Ja, "validation") => "行数（検証）".to_owned(),
        (Lang::Ja, "test") => "行数（テスト）".to_owned(),
        (Lang::Ja, part) => format!("行数（{part}）"),
    };
    Fact::number(&label, Shown::count(usize::try_from(rows).unwrap_or(usize::MAX)))
}
