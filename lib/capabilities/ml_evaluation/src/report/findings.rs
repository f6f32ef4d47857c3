//! What was found, in plain words: how good, how sure, against guessing and against the champion.

use mlops_core::Lang;

use super::inputs::Decided;
use super::metric_words;
use super::sentence::{Argument, Sentence, Shown, say};
use super::structure;
use crate::evaluation::{ClassificationDetail, Evaluation};
use crate::plots::lettering::decimal;

/// What was found.
pub(super) fn of(evaluation: &Evaluation, decided: Option<&Decided>, lang: Lang) -> Vec<Sentence> {
    let mut found = if let Some(detail) = &evaluation.classification {
        of_classifier(evaluation, detail, lang)
    } else if let Some(detail) = &evaluation.clustering {
        structure::of_clustering(evaluation, detail, lang)
    } else if let Some(detail) = &evaluation.reduction {
        structure::of_reduction(evaluation, detail, lang)
    } else {
        of_regressor(evaluation, lang)
    };
    found.extend(against_champion(evaluation, decided, lang));
    found
}

fn of_classifier(evaluation: &Evaluation, detail: &ClassificationDetail, lang: Lang) -> Vec<Sentence> {
    let mut found = Vec::new();
    let value = |name: &str| evaluation.metrics.get(name).copied().flatten();
    let baseline = evaluation.baseline.as_ref();
    let guess = baseline.and_then(|guess| guess.metrics.get("accuracy").copied().flatten());
    let class = baseline.and_then(|guess| guess.predicts.as_str()).unwrap_or_default();
    if let Some(accuracy) = value("accuracy") {
        let rows = Shown::count(evaluation.data.evaluated);
        let pattern = lang.pick(
            "The model names the right class for {0} of the {1} test rows.",
            "テスト {1} 行のうち {0} を正しく分類しました。",
        );
        found.push(say(pattern, &[Shown::percent(accuracy).into(), rows.into()]));
        if let Some(guess) = guess {
            found.push(against_guess(evaluation, "accuracy", accuracy, guess, class, lang));
        }
    }
    if let Some(interval) = evaluation.intervals.get("accuracy") {
        let pattern = lang.pick(
            "On new rows of the same kind, expect between {0} and {1} (the {2} interval).",
            "同じ種類の新しいデータでは {0} から {1} と見込まれます（{2} 信頼区間）。",
        );
        let ends = [Shown::percent(interval.lower), Shown::percent(interval.upper), level(interval.confidence)];
        found.push(say(pattern, &ends.map(Argument::from)));
    }
    if let Some(area) = value("auc_roc") {
        let pattern = match (&detail.positive_class, detail.labels.len()) {
            (Some(_), 2) => lang.pick(
                "Given one row of “{0}” and one other, it ranks them the right way round in {1} of cases; a coin toss would in half of them.",
                "「{0}」の行とそれ以外の行を 1 つずつ比べると、{1} の場合に正しく順位付けします（偶然なら半分）。",
            ),
            _ => lang.pick(
                "Given one row of a class and one other, it ranks them the right way round in {1} of cases on average; a coin toss would in half of them.",
                "あるクラスの行とそれ以外の行を 1 つずつ比べると、平均 {1} の場合に正しく順位付けします（偶然なら半分）。",
            ),
        };
        let positive = detail.positive_class.as_deref().unwrap_or_default();
        found.push(say(pattern, &[positive.into(), Shown::percent(area).into()]));
    }
    found
}

fn against_guess(evaluation: &Evaluation, metric: &str, value: f64, guess: f64, class: &str, lang: Lang) -> Sentence {
    let clearly = evaluation.intervals.get(metric).is_some_and(|interval| interval.lower > guess);
    let pattern = match (clearly, value > guess) {
        (true, _) => lang.pick(
            "That is clearly better than guessing: always answering “{0}” would be right for {1}.",
            "当て推量より明らかに良い結果です。常に「{0}」と答えた場合の正解率は {1} です。",
        ),
        (false, true) => lang.pick(
            "That is not clearly better than guessing: always answering “{0}” would be right for {1}.",
            "当て推量より明らかに良いとは言えません。常に「{0}」と答えた場合の正解率は {1} です。",
        ),
        (false, false) => lang.pick(
            "That is no better than guessing: always answering “{0}” would be right for {1}.",
            "当て推量を上回りません。常に「{0}」と答えた場合の正解率は {1} です。",
        ),
    };
    say(pattern, &[class.into(), Shown::percent(guess).into()])
}

fn of_regressor(evaluation: &Evaluation, lang: Lang) -> Vec<Sentence> {
    let mut found = Vec::new();
    let value = |name: &str| evaluation.metrics.get(name).copied().flatten();
    let target = evaluation.model.target_column.as_deref().unwrap_or_default();
    if let (Some(mae), Some(rmse)) = (value("mae"), value("rmse")) {
        let pattern = lang.pick(
            "On {0} test rows, predictions of “{1}” are off by {2} on average (RMSE {3}), in the unit of “{1}”.",
            "テスト {0} 行で、「{1}」の予測は平均 {2} 外れます（RMSE {3}、単位は「{1}」と同じ）。",
        );
        let rows = Shown::count(evaluation.data.evaluated);
        found.push(say(
            pattern,
            &[rows.into(), target.into(), Shown::quantity(mae).into(), Shown::quantity(rmse).into()],
        ));
        let baseline = evaluation.baseline.as_ref();
        let guess = baseline.and_then(|guess| guess.metrics.get("rmse").copied().flatten());
        if let (Some(guess), Some(mean)) = (guess, baseline.and_then(|guess| guess.predicts.as_f64())) {
            let clearly = evaluation.intervals.get("rmse").is_some_and(|interval| interval.upper < guess);
            let pattern = match (clearly, rmse < guess) {
                (true, _) => lang.pick(
                    "That is clearly better than guessing: always answering the mean, {0}, would have an RMSE of {1}.",
                    "当て推量より明らかに良い結果です。常に平均値 {0} と答えた場合の RMSE は {1} です。",
                ),
                (false, true) => lang.pick(
                    "That is not clearly better than guessing: always answering the mean, {0}, would have an RMSE of {1}.",
                    "当て推量より明らかに良いとは言えません。常に平均値 {0} と答えた場合の RMSE は {1} です。",
                ),
                (false, false) => lang.pick(
                    "That is no better than guessing: always answering the mean, {0}, would have an RMSE of {1}.",
                    "当て推量を上回りません。常に平均値 {0} と答えた場合の RMSE は {1} です。",
                ),
            };
            found.push(say(pattern, &[Shown::quantity(mean).into(), Shown::quantity(guess).into()]));
        }
    }
    if let Some(interval) = evaluation.intervals.get("rmse") {
        let pattern = lang.pick(
            "On new rows of the same kind, expect an RMSE between {0} and {1} (the {2} interval).",
            "同じ種類の新しいデータでは、RMSE は {0} から {1} と見込まれます（{2} 信頼区間）。",
        );
        let ends = [Shown::quantity(interval.lower), Shown::quantity(interval.upper), level(interval.confidence)];
        found.push(say(pattern, &ends.map(Argument::from)));
    }
    if let Some(r2) = value("r2").filter(|r2| *r2 > 0.0) {
        let pattern =
            lang.pick("It explains {0} of the differences between rows.", "行ごとの違いの {0} を説明できます。");
        found.push(say(pattern, &[Shown::percent(r2).into()]));
    }
    found
}

fn against_champion(evaluation: &Evaluation, decided: Option<&Decided>, lang: Lang) -> Option<Sentence> {
    let comparison = evaluation.comparison.as_ref()?;
    let name = match decided.and_then(|decided| decided.champion_version) {
        Some(version) => match lang {
            Lang::En => format!("the champion (version {version})"),
            Lang::Ja => format!("現行モデル（バージョン {version}）"),
        },
        None => lang.pick("the other model", "比較対象のモデル").to_owned(),
    };
    let pattern = match (comparison.significant, comparison.gain >= 0.0) {
        (true, true) => lang.pick(
            "It is better than {0} on the same {1} rows: {2} changes by {3}, more than chance ({4}{5}{6}).",
            "同じ {1} 行で{0}より良い結果です。{2}の差は {3} で、偶然とは考えにくい差です（{4}{5}{6}）。",
        ),
        (true, false) => lang.pick(
            "It is worse than {0} on the same {1} rows: {2} changes by {3}, more than chance ({4}{5}{6}).",
            "同じ {1} 行で{0}より悪い結果です。{2}の差は {3} で、偶然とは考えにくい差です（{4}{5}{6}）。",
        ),
        (false, _) => lang.pick(
            "Against {0} on the same {1} rows, {2} changes by {3}, which may be chance ({4}{5}{6}).",
            "同じ {1} 行での{0}との{2}の差は {3} で、偶然の範囲です（{4}{5}{6}）。",
        ),
    };
    let change = comparison.deltas.get(&comparison.metric).copied().unwrap_or(0.0);
    let arguments: [Argument; 5] = [
        name.as_str().into(),
        Shown::count(comparison.n).into(),
        metric_words::label(&comparison.metric, lang).as_str().into(),
        metric_words::show(&comparison.metric, change).signed().into(),
        test_name(&comparison.test, lang).into(),
    ];
    let mut arguments = Vec::from(arguments);
    if let Some(p) = comparison.p_value.map(Shown::p_value) {
        arguments.push(if p.text.starts_with('<') { ", p " } else { ", p = " }.into());
        arguments.push(p.into());
    } else {
        arguments.extend(["".into(), "".into()]);
    }
    Some(say(pattern, &arguments))
}

fn test_name(test: &str, lang: Lang) -> &str {
    match (lang, test) {
        (Lang::Ja, "McNemar's test") => "マクネマー検定",
        (Lang::Ja, "paired t-test of squared errors") => "二乗誤差の対応のある t 検定",
        (Lang::Ja, "paired bootstrap of silhouettes") => "シルエットの対応のあるブートストラップ",
        _ => test,
    }
}

fn level(confidence: f64) -> Shown {
    let percent = 100.0 * confidence;
    let decimals = usize::from((percent - percent.round()).abs() > 1e-9);
    Shown { value: confidence, text: format!("{} %", decimal(percent, decimals)) }
}
