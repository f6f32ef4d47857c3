//! What a run will do, step by step, in words.

use std::collections::BTreeMap;

use mlops_core::Lang;
use mlops_core::markdown::{code, shorten};
use mlops_core::values::{Gate, SupervisedTask, TrainingConfig};
use mlops_github_integration::{SeenData, SeenTarget};
use serde_json::{Map, Value};

use crate::structure;

/// The most classes, gates or settings that a step lists.
const MOST: usize = 12;
/// The longest value that is shown, in characters.
const LONGEST: usize = 80;

/// The steps of the run that the request asks for, one line of Markdown each.
pub(super) fn of(config: &TrainingConfig, data: Option<&SeenData>, lang: Lang) -> Vec<String> {
    let first = match config.task.supervised() {
        Some(task) => [
            data_step(config, task, data, lang),
            split(config, lang),
            preparation(config, lang),
            training(config, lang),
            evaluation(config, lang),
        ],
        None => [
            structure::data_step(config, data, lang),
            structure::split(lang),
            structure::preparation(config, lang),
            structure::training(config, lang),
            structure::evaluation(config, lang),
        ],
    };
    let last = [decision(config, lang), registration(config, lang), approval(config, lang)];
    first.into_iter().chain(last).collect()
}

/// The column to predict.
fn target_of(config: &TrainingConfig) -> String {
    shown(config.target_column.as_deref().unwrap_or_default())
}

fn data_step(config: &TrainingConfig, task: SupervisedTask, data: Option<&SeenData>, lang: Lang) -> String {
    let (place, target) = (shown(config.dataset_s3_uri.as_str()), target_of(config));
    let Some((data, seen)) = data.and_then(|data| Some((data, data.target.as_ref()?))) else {
        return say!(
            lang,
            "**Data**: read {place} and predict {target}. Its contents are looked at when the run reads it.",
            "**データ**: {place} を読み込み、{target} を予測します。内容は読み込み時に確認します。"
        );
    };
    let (rows, columns) = (grouped(data.rows), data.columns);
    let rows = match (lang, data.complete) {
        (_, true) => rows,
        (Lang::En, false) => format!("about {rows}"),
        (Lang::Ja, false) => format!("約 {rows}"),
    };
    let mut text = say!(
        lang,
        "**Data**: read {place}: {rows} rows, {columns} columns. Predict {target}",
        "**データ**: {place} を読み込みます（{rows} 行、{columns} 列）。予測対象は {target}"
    );
    text.push_str(&target_words(task, seen, lang));
    if seen.missing > 0 {
        let missing = grouped(seen.missing);
        text.push_str(&say!(lang, "; it is missing in {missing} rows", "。{missing} 行で欠損しています"));
    }
    text.push_str(lang.pick(".", "。"));
    text
}

fn target_words(task: SupervisedTask, target: &SeenTarget, lang: Lang) -> String {
    match (task, target.minimum, target.maximum) {
        (SupervisedTask::Classification, ..) => {
            let class =
                |one: &mlops_github_integration::SeenClass| format!("{} ({})", shown(&one.label), grouped(one.rows));
            let listed = listed(target.classes.iter().map(class), target.distinct, lang);
            let count = target.distinct;
            say!(lang, ", one of {count} classes: {listed}", "（{count} クラス: {listed}）")
        }
        (SupervisedTask::Regression, Some(low), Some(high)) => {
            say!(lang, ", a number from {low} to {high}", "（{low} ～ {high} の数値）")
        }
        (SupervisedTask::Regression, ..) => lang.pick(", a number", "（数値）").to_owned(),
    }
}

fn split(config: &TrainingConfig, lang: Lang) -> String {
    let percent = |name: &str| {
        let share = config.split.get(name).and_then(Value::as_f64).unwrap_or_default();
        format!("{}", (share * 1e4).round() / 1e2)
    };
    let [train, validation, test] = ["train", "validation", "test"].map(percent);
    let text = |name: &str| config.split.get(name).and_then(Value::as_str);
    let key = shown(text("key").unwrap_or_default());
    let target = target_of(config);
    let how = match text("strategy") {
        Some("stratified") => say!(lang, "with equal shares of {target} in each", "{target} の割合をそろえて"),
        Some("group") => say!(lang, "rows of one {key} kept together", "{key} が同じ行を分けずに"),
        Some("time") => {
            say!(lang, "in the order of {key}, the latest for the test", "{key} の順（新しい行をテスト）に")
        }
        _ => lang.pick("at random", "無作為に").to_owned(),
    };
    let seed = config.split.get("seed").and_then(Value::as_u64).unwrap_or(config.seed);
    say!(
        lang,
        "**Split**: {train} % to train, {validation} % to validate, {test} % to test, {how}; seed {seed}.",
        "**分割**: {how}、学習 {train} %・検証 {validation} %・テスト {test} % に分けます（シード {seed}）。"
    )
}

fn preparation(config: &TrainingConfig, lang: Lang) -> String {
    let settings = settings(&config.preprocessing_config, lang);
    say!(
        lang,
        "**Preparation**: {settings}; fitted on the training rows only.",
        "**前処理**: {settings}。学習データだけで当てはめます。"
    )
}

fn training(config: &TrainingConfig, lang: Lang) -> String {
    let algorithm = shown(&config.algorithm);
    let given = settings(&config.hyperparameters, lang);
    let seed = config.seed;
    let has_validation = config.split.get("validation").and_then(Value::as_f64).is_none_or(|share| share > 0.0);
    let mut text = match (config.algorithm.as_str(), has_validation) {
        ("auto", true) => lang
            .pick(
                "**Training**: every algorithm for this task is tried; the best on the validation rows is kept",
                "**学習**: この課題に使えるアルゴリズムをすべて試し、検証データで最も良いものを採用します",
            )
            .to_owned(),
        ("auto", false) => lang
            .pick(
                "**Training**: every algorithm for this task is tried; the best in cross-validation is kept",
                "**学習**: この課題に使えるアルゴリズムをすべて試し、交差検証で最も良いものを採用します",
            )
            .to_owned(),
        _ => say!(lang, "**Training**: {algorithm}", "**学習**: {algorithm} を使います"),
    };
    if !config.hyperparameter_optimization.is_empty() {
        text.push_str(&search(config, &given, lang));
    } else if config.hyperparameters.is_empty() {
        text.push_str(lang.pick(" with default hyperparameters", "（ハイパーパラメータは既定値）"));
    } else {
        text.push_str(&say!(lang, " with {given}, the rest by default", "（{given}、その他は既定値）"));
    }
    text.push_str(&say!(lang, "; seed {seed}.", "。シード {seed}。"));
    text
}

/// How hyperparameters are searched; `fixed` are those that stay as they are.
fn search(config: &TrainingConfig, fixed: &str, lang: Lang) -> String {
    let asked = &config.hyperparameter_optimization;
    let text = |name: &str| shown(asked.get(name).and_then(Value::as_str).unwrap_or_default());
    let number = |name: &str| asked.get(name).and_then(Value::as_u64).unwrap_or_default();
    let (strategy, metric, trials, folds) = (text("strategy"), text("metric"), number("max_trials"), number("folds"));
    let mut text = say!(
        lang,
        " with hyperparameters that a {strategy} search finds: at most {trials} trials each, by {metric} on {folds} folds of \
         the training rows",
        "（ハイパーパラメータは {strategy} 探索で決定。それぞれ最大 {trials} 回、学習データの {folds} 分割交差検証の {metric} で\
         比較）"
    );
    if !fixed.is_empty() {
        text.push_str(&say!(lang, "; {fixed} stay as they are", "。{fixed} は固定です"));
    }
    text
}

fn evaluation(config: &TrainingConfig, lang: Lang) -> String {
    let name = shown(&config.model_name);
    let mut text = say!(
        lang,
        "**Evaluation**: on the test rows, which training never sees, beside the champion of {name} where there is one",
        "**評価**: 学習に使わないテストデータで評価し、{name} の現行モデル（チャンピオン）があれば同じ行で比べます"
    );
    let slices = &config.evaluation.slices;
    if !slices.is_empty() {
        let slices = listed(slices.iter().map(|slice| shown(slice)), slices.len() as u64, lang);
        text.push_str(&say!(lang, "; also by {slices}", "。{slices} ごとの値も示します"));
    }
    text.push_str(lang.pick(".", "。"));
    text
}

fn decision(config: &TrainingConfig, lang: Lang) -> String {
    if config.gates.is_empty() {
        let none = lang.pick(
            "**Decision**: no gates are set; the model is promoted unless it is worse than the champion.",
            "**判定**: ゲートはありません。現行モデルより悪くなければ採用します。",
        );
        return none.to_owned();
    }
    let gates = listed(rules(&config.gates, lang).into_iter(), config.gates.len() as u64, lang);
    say!(
        lang,
        "**Decision**: the gates are {gates}. A gate that blocks and is not passed rejects the model.",
        "**判定**: ゲートは {gates}。満たさないゲートがあれば不採用です（ブロックしないものを除く）。"
    )
}

fn rules(gates: &BTreeMap<String, Gate>, lang: Lang) -> Vec<String> {
    gates.iter().take(MOST).map(|(metric, gate)| rule(metric, gate, lang)).collect()
}

fn rule(metric: &str, gate: &Gate, lang: Lang) -> String {
    let percent = |share: f64| (share * 1e4).round() / 1e2;
    let mut rules = Vec::new();
    if let Some(least) = gate.min {
        rules.push(format!("≥ {least}"));
    }
    if let Some(most) = gate.max {
        rules.push(format!("≤ {most}"));
    }
    let changes = [
        (gate.min_change, "≥", ""),
        (gate.max_change, "≤", ""),
        (gate.min_relative_change.map(percent), "≥", " %"),
        (gate.max_relative_change.map(percent), "≤", " %"),
    ];
    for (change, sign, unit) in changes {
        if let Some(change) = change {
            rules.push(say!(lang, "change {sign} {change}{unit}", "現行モデルとの差 {sign} {change}{unit}"));
        }
    }
    let mut text = format!("{} {}", code(metric), rules.join(lang.pick(" and ", "、")));
    if let Some(slice) = &gate.slice {
        let slice = shown(slice);
        text.push_str(&say!(lang, " in each {slice}", "（{slice} ごとにも）"));
    }
    if !gate.blocking {
        text.push_str(lang.pick(" (does not block)", "（ブロックしない）"));
    }
    text
}

fn registration(config: &TrainingConfig, lang: Lang) -> String {
    let name = shown(&config.model_name);
    say!(
        lang,
        "**Registration**: a promoted model becomes the next version of {name} and its champion; a rejected one is not \
         registered, and the champion stays.",
        "**登録**: 採用したモデルは {name} の次のバージョンとなり、チャンピオンになります。不採用のモデルは登録せず、\
         チャンピオンは変わりません。"
    )
}

fn approval(config: &TrainingConfig, lang: Lang) -> String {
    let open: Vec<String> =
        config.gates.iter().filter(|(_, gate)| !gate.blocking).map(|(metric, _)| code(metric)).collect();
    let count = open.len() as u64;
    let gates = listed(open.into_iter(), count, lang);
    let also = match count {
        0 => String::new(),
        _ => say!(lang, ", or when {gates} is not passed", "、または {gates} を満たさないとき"),
    };
    say!(
        lang,
        "**Approval**: a person is asked when the difference to the champion may be chance or the two cannot be \
         compared{also}. Otherwise nothing needs approval.",
        "**承認**: 現行モデルとの差が偶然かもしれないとき、比較できないとき{also}に、人の承認を求めます。それ以外に承認は不要です。"
    )
}

/// Settings by name, in the order of the request.
pub(super) fn settings(map: &Map<String, Value>, lang: Lang) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let shown = map.iter().map(|(name, value)| format!("{} = {}", code(name), shown(&text(value))));
    listed(shown, map.len() as u64, lang)
}

/// The first of a list, and that there are more.
fn listed(items: impl Iterator<Item = String>, count: u64, lang: Lang) -> String {
    let mut text = items.take(MOST).collect::<Vec<_>>().join(lang.pick(", ", "、"));
    if count > MOST as u64 {
        text.push_str(lang.pick(", …", " など"));
    }
    text
}

pub(super) fn shown(text: &str) -> String {
    code(&shorten(text, LONGEST))
}

/// The number with its thousands apart.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let all = [0, 999, 1_000, 1_234_567].map(grouped);
        assert_eq!(all, ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn a_gate_is_said_with_all_its_rules() {
        let gate: Gate = serde_json::from_str(
            r#"{"min": 0.9, "min_change": 0.0, "max_relative_change": 0.05, "slice": "island", "blocking": false}"#,
        )
        .unwrap();
        assert_eq!(
            rule("accuracy", &gate, Lang::En),
            "`accuracy` ≥ 0.9 and change ≥ 0 and change ≤ 5 % in each `island` (does not block)"
        );
        assert!(rule("rmse", &gate, Lang::Ja).contains("現行モデルとの差 ≤ 5 %"));
    }
}
