//! What limits the conclusions.

use mlops_core::Lang;

use super::document::Material;
use super::metric_words;
use super::oddities;
use super::sentence::{Argument, Sentence, Shown, say};
use super::structure;
use crate::evaluation::Evaluation;

/// Fewer test rows than this are few.
const FEW_ROWS: usize = 100;
/// Fewer test rows of a class than this are few.
const FEW_OF_A_CLASS: u64 = 10;
/// An interval of accuracy wider than this is wide.
const WIDE: f64 = 0.1;
/// A calibration error above this makes probabilities doubtful.
const POORLY_CALIBRATED: f64 = 0.1;

/// What limits the conclusions, the weightiest first.
pub(super) fn of(material: &Material<'_>) -> Vec<Sentence> {
    let (evaluation, lang) = (material.evaluation, material.lang);
    let mut found = Vec::new();
    match evaluation.task.supervised() {
        Some(_) => about_test_data(evaluation, lang, &mut found),
        None => structure::caveats(evaluation, lang, &mut found),
    }
    about_certainty(evaluation, lang, &mut found);
    about_classes(evaluation, lang, &mut found);
    about_metrics(evaluation, lang, &mut found);
    found.extend(oddities::of(&evaluation.data.read, lang));
    let imputed: u64 = material.data.imputed.values().sum();
    if imputed > 0 {
        let pattern = lang.pick(
            "{0} missing values were filled in before training, in {1}.",
            "学習前に{1}の欠損値 {0} 個を補完しました。",
        );
        let columns: Vec<&str> = material.data.imputed.keys().map(String::as_str).collect();
        found.push(say(pattern, &[counted(imputed), list(&columns, lang).as_str().into()]));
    }
    if let Some(dropped) = material.data.dropped_rows.filter(|&dropped| dropped > 0) {
        let pattern =
            lang.pick("{0} rows were left out while preparing the data.", "データ準備の際に {0} 行を除外しました。");
        found.push(say(pattern, &[counted(dropped)]));
    }
    found.extend(material.data.notes.iter().map(|note| say("{0}", &[note.as_str().into()])));
    found
}

fn counted(count: u64) -> Argument {
    Shown::count(usize::try_from(count).unwrap_or(usize::MAX)).into()
}

fn about_test_data(evaluation: &Evaluation, lang: Lang, found: &mut Vec<Sentence>) {
    let data = &evaluation.data;
    if data.sha256 == evaluation.model.train_sha256 || data.split_role.as_deref() == Some("train") {
        let text = lang.pick(
            "The model was tested on the rows it learnt from, so the numbers say little about new rows.",
            "学習に使った行で評価しているため、新しいデータでの性能はほとんど分かりません。",
        );
        found.push(say(text, &[]));
    }
    if data.split_role.as_deref() == Some("validation") {
        let text = lang.pick(
            "These are validation rows: choices made while training make the numbers a little too good.",
            "検証用の行での評価です。学習中の選択に使われたため、数値はやや良く出ます。",
        );
        found.push(say(text, &[]));
    }
    if data.evaluated < FEW_ROWS {
        let pattern = lang.pick(
            "There are only {0} test rows; a few rows more or less change the numbers.",
            "テスト行は {0} 行だけです。数行の違いで値が変わります。",
        );
        found.push(say(pattern, &[Shown::count(data.evaluated).into()]));
    }
    if data.dropped_rows > 0 {
        let pattern = lang.pick(
            "{0} of {1} test rows were left out because the target is missing or the model cannot take them.",
            "テスト {1} 行のうち {0} 行は、目的変数の欠損などのため除外しました。",
        );
        found.push(say(pattern, &[Shown::count(data.dropped_rows).into(), Shown::count(data.rows).into()]));
    }
    for (column, &values) in data.unseen.iter().filter(|(_, values)| **values > 0).take(5) {
        let pattern = lang.pick(
            "{0} values of “{1}” are categories that training had not seen.",
            "「{1}」の {0} 個の値は、学習時になかったカテゴリです。",
        );
        found.push(say(pattern, &[Shown::count(values).into(), column.as_str().into()]));
    }
}

fn about_certainty(evaluation: &Evaluation, lang: Lang, found: &mut Vec<Sentence>) {
    if let Some(interval) = evaluation.intervals.get("accuracy").filter(|at| at.upper - at.lower > WIDE) {
        let pattern = lang.pick(
            "The interval of accuracy is {0} percentage points wide: small differences mean nothing here.",
            "正解率の信頼区間の幅は {0} ポイントです。わずかな差に意味はありません。",
        );
        let width = interval.upper - interval.lower;
        let points = Shown { value: width, text: crate::plots::lettering::decimal(100.0 * width, 1) };
        found.push(say(pattern, &[points.into()]));
    }
    let relative = |name: &str| {
        let (interval, value) = (evaluation.intervals.get(name)?, evaluation.metrics.get(name).copied().flatten()?);
        (value > 0.0).then(|| (interval.upper - interval.lower) / value)
    };
    if let Some(width) = relative("rmse").filter(|width| *width > 0.5) {
        let pattern = lang.pick(
            "The interval of the RMSE is {0} of its value wide: a few large errors decide it.",
            "RMSE の信頼区間の幅は値の {0} に当たります。少数の大きな誤差に左右されています。",
        );
        found.push(say(pattern, &[Shown::percent(width).into()]));
    }
    let small = evaluation.slices.iter().flat_map(|report| &report.slices).filter(|slice| slice.small).count();
    if small > 0 {
        let pattern = lang.pick(
            "{0} slices have fewer than 10 rows; nothing can be concluded about them.",
            "{0} 個の部分集団は 10 行未満で、結論は出せません。",
        );
        found.push(say(pattern, &[Shown::count(small).into()]));
    }
}

fn about_classes(evaluation: &Evaluation, lang: Lang, found: &mut Vec<Sentence>) {
    let Some(detail) = &evaluation.classification else { return };
    let rows: u64 = detail.per_class.iter().map(|class| class.support).sum();
    if let Some(largest) = detail.per_class.iter().max_by_key(|class| class.support) {
        let share = largest.support as f64 / rows.max(1) as f64;
        if share >= 0.8 {
            let pattern = lang.pick(
                "The classes are out of balance: {0} of the test rows are “{1}”. Look at balanced accuracy and at each class rather than at accuracy.",
                "クラスに偏りがあります。テスト行の {0} が「{1}」です。正解率より均衡正解率やクラス別の値を見てください。",
            );
            found.push(say(pattern, &[Shown::percent(share).into(), largest.label.as_str().into()]));
        }
    }
    let rare: Vec<&str> = detail
        .per_class
        .iter()
        .filter(|class| (1..FEW_OF_A_CLASS).contains(&class.support))
        .map(|class| class.label.as_str())
        .collect();
    if !rare.is_empty() {
        let pattern = lang.pick(
            "Fewer than 10 test rows each: {0}. Their own scores are hardly more than anecdotes.",
            "テスト行が 10 行未満のクラス: {0}。個別の値は参考程度です。",
        );
        found.push(say(pattern, &[list(&rare, lang).as_str().into()]));
    }
    let absent: Vec<&str> =
        detail.per_class.iter().filter(|class| class.support == 0).map(|class| class.label.as_str()).collect();
    if !absent.is_empty() {
        let pattern = lang.pick("Not in the test data at all: {0}.", "テストデータに存在しないクラス: {0}。");
        found.push(say(pattern, &[list(&absent, lang).as_str().into()]));
    }
    if let Some(error) = evaluation.metrics.get("ece").copied().flatten().filter(|ece| *ece > POORLY_CALIBRATED) {
        let pattern = lang.pick(
            "Probabilities are off by {0} on average: do not read them as frequencies.",
            "予測確率は平均 {0} ずれています。頻度としては読めません。",
        );
        found.push(say(pattern, &[Shown::percent(error).into()]));
    }
    if let Some(threshold) = detail.threshold {
        let pattern = lang.pick(
            "The positive class is predicted from a probability of {0} on. If that was chosen on these rows, the numbers are a little too good.",
            "陽性クラスは確率 {0} 以上で予測しています。この行で選んだ閾値なら、数値はやや良く出ます。",
        );
        found.push(say(pattern, &[Shown::share(threshold).into()]));
    }
}

fn about_metrics(evaluation: &Evaluation, lang: Lang, found: &mut Vec<Sentence>) {
    if let Some(excluded) =
        evaluation.regression.as_ref().map(|detail| detail.mape_excluded_zero_targets).filter(|&rows| rows > 0)
    {
        let pattern = lang.pick(
            "{0} rows have a true value of 0 and are left out of MAPE.",
            "実測値が 0 の {0} 行は MAPE から除外しています。",
        );
        found.push(say(pattern, &[counted(excluded)]));
    }
    for (name, reason) in evaluation.undefined.iter().filter(|(name, _)| evaluation.metrics.contains_key(*name)) {
        let pattern = lang.pick("{0} is not defined here: {1}.", "{0} は定義できません: {1}。");
        let label = metric_words::label(name, lang);
        found.push(say(pattern, &[label.as_str().into(), reason.trim_end_matches('.').into()]));
    }
}

fn list(names: &[&str], lang: Lang) -> String {
    let shown: Vec<String> = names.iter().take(8).map(|name| quoted(name, lang)).collect();
    let more = if names.len() > shown.len() { lang.pick(", …", " など") } else { "" };
    format!("{}{more}", shown.join(lang.pick(", ", "、")))
}

fn quoted(name: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("“{name}”"),
        Lang::Ja => format!("「{name}」"),
    }
}
