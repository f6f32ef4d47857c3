//! Where the model errs.

use mlops_algorithms::metrics::slices::Slice;
use mlops_core::Lang;

use super::document::TableOfNumbers;
use super::metric_words;
use super::sentence::{Part, Sentence, Shown, say};
use super::structure;
use crate::evaluation::{ClassificationDetail, Evaluation, RegressionDetail};

/// The most classes in a table.
const CLASSES: usize = 30;
/// The most slices of a column in a table.
const SLICES: usize = 12;

/// Where the model errs, in plain words.
pub(super) fn sentences(evaluation: &Evaluation, lang: Lang) -> Vec<Sentence> {
    let mut found = Vec::new();
    if let Some(detail) = &evaluation.classification {
        of_classifier(detail, lang, &mut found);
    }
    if let Some(detail) = &evaluation.regression {
        of_regressor(evaluation, detail, lang, &mut found);
    }
    if let Some(detail) = &evaluation.clustering {
        found.extend(structure::weak_clusters(detail, lang));
    }
    found.extend(weakest_slice(evaluation, lang));
    found
}

fn of_classifier(detail: &ClassificationDetail, lang: Lang, found: &mut Vec<Sentence>) {
    let Some(worst) = detail.top_confusions.first() else {
        found.push(say(lang.pick("It makes no error on the test rows.", "テスト行での誤りはありません。"), &[]));
        return;
    };
    let pattern = lang.pick(
        "Its most frequent error is to take “{0}” for “{1}”: {2} rows, {3} of all “{0}”.",
        "最も多い誤りは「{0}」を「{1}」とするもので、{2} 行（「{0}」全体の {3}）です。",
    );
    let count = Shown::count(usize::try_from(worst.count).unwrap_or(usize::MAX));
    let share = Shown::percent(worst.share_of_actual);
    found.push(say(
        pattern,
        &[worst.actual.as_str().into(), worst.predicted.as_str().into(), count.into(), share.into()],
    ));
    let seen = detail.per_class.iter().filter(|class| class.support > 0);
    if let Some(weakest) = seen.min_by(|a, b| a.f1_score.total_cmp(&b.f1_score)) {
        let pattern = lang.pick(
            "The class it handles worst is “{0}” (F1 {1}): it finds {2} of its rows, and {3} of the rows it names so are.",
            "最も苦手なクラスは「{0}」（F1 {1}）です。該当行の {2} を見つけ、そう予測した行の {3} が正解です。",
        );
        let numbers =
            [Shown::share(weakest.f1_score), Shown::percent(weakest.recall), Shown::percent(weakest.precision)];
        let mut arguments = vec![weakest.label.as_str().into()];
        arguments.extend(numbers.map(super::sentence::Argument::from));
        found.push(say(pattern, &arguments));
    }
}

fn of_regressor(evaluation: &Evaluation, detail: &RegressionDetail, lang: Lang, found: &mut Vec<Sentence>) {
    let value = |name: &str| evaluation.metrics.get(name).copied().flatten();
    if let (Some(median), Some(largest)) = (value("median_ae"), value("max_error")) {
        let pattern = lang.pick(
            "Half of the predictions are within {0} of the truth; the worst is off by {1}.",
            "予測の半分は実測値との差が {0} 以内で、最大の誤差は {1} です。",
        );
        found.push(say(pattern, &[Shown::quantity(median).into(), Shown::quantity(largest).into()]));
    }
    let quantile = |probability: f64| {
        detail.residuals.quantiles.iter().find(|quantile| quantile.probability == probability).map(|found| found.value)
    };
    if let (Some(low), Some(high)) = (quantile(0.05), quantile(0.95)) {
        let pattern = lang.pick(
            "In nine of ten cases the true value lies between {0} and {1} of the prediction.",
            "10 件中 9 件で、実測値は予測値の {0} から {1} の範囲にあります。",
        );
        found.push(say(pattern, &[Shown::quantity(low).signed().into(), Shown::quantity(high).signed().into()]));
    }
    let spread = detail.residuals.standard_deviation.unwrap_or(0.0);
    if detail.mean_bias.abs() > 0.2 * spread && spread > 0.0 {
        let pattern = if detail.mean_bias > 0.0 {
            lang.pick("On average it predicts too much, by {0}.", "平均して {0} だけ高めに予測します。")
        } else {
            lang.pick("On average it predicts too little, by {0}.", "平均して {0} だけ低めに予測します。")
        };
        found.push(say(pattern, &[Shown::quantity(detail.mean_bias.abs()).into()]));
    }
}

fn weakest_slice(evaluation: &Evaluation, lang: Lang) -> Option<Sentence> {
    let (metric, more_is_better) =
        if evaluation.classification.is_some() { ("accuracy", true) } else { ("rmse", false) };
    let all = evaluation.slices.iter().flat_map(|report| report.slices.iter().map(move |slice| (report, slice)));
    let valued = all
        .filter(|(_, slice)| !slice.small)
        .filter_map(|(report, slice)| Some((report, slice, *slice.metrics.get(metric)?)));
    let rank = |value: f64| if more_is_better { value } else { -value };
    let (report, slice, value) = valued.min_by(|a, b| rank(a.2).total_cmp(&rank(b.2)))?;
    let overall = evaluation.metrics.get(metric).copied().flatten()?;
    let pattern = lang.pick(
        "Among the slices it is weakest where “{0}” is “{1}”: {2} {3} on {4} rows, against {5} overall.",
        "部分集団では「{0}」が「{1}」のとき最も弱く、{4} 行で{2} {3}（全体では {5}）です。",
    );
    let arguments = [
        report.column.as_str().into(),
        slice.label.as_str().into(),
        metric_words::label(metric, lang).as_str().into(),
        metric_words::show(metric, value).into(),
        Shown::count(usize::try_from(slice.n).unwrap_or(usize::MAX)).into(),
        metric_words::show(metric, overall).into(),
    ];
    Some(say(pattern, &arguments))
}

/// Tables about errors.
pub(super) fn tables(evaluation: &Evaluation, lang: Lang) -> Vec<TableOfNumbers> {
    let mut tables = Vec::new();
    if let Some(detail) = &evaluation.classification {
        tables.push(per_class(detail, lang));
        if !detail.top_confusions.is_empty() {
            tables.push(confusions(detail, lang));
        }
    }
    if let Some(detail) = &evaluation.regression {
        tables.push(worst_rows(detail, lang));
    }
    if let Some(detail) = &evaluation.clustering {
        tables.extend(structure::tables(detail, lang));
    }
    tables.extend(evaluation.slices.iter().map(|report| slices(evaluation, &report.column, &report.slices, lang)));
    tables
}

fn words(text: &str) -> Part {
    Part { text: text.to_owned(), value: None }
}

fn number(shown: Shown) -> Part {
    Part { text: shown.text, value: Some(shown.value) }
}

fn count(count: u64) -> Part {
    number(Shown::count(usize::try_from(count).unwrap_or(usize::MAX)))
}

fn table(name: &str, title: String, columns: &[&str], lines: Vec<Vec<Part>>) -> TableOfNumbers {
    let columns = columns.iter().map(|&column| column.to_owned()).collect();
    TableOfNumbers { name: name.to_owned(), title, columns, lines }
}

fn per_class(detail: &ClassificationDetail, lang: Lang) -> TableOfNumbers {
    let mut classes: Vec<_> = detail.per_class.iter().collect();
    let left = classes.len().saturating_sub(CLASSES);
    if left > 0 {
        classes.sort_by(|a, b| a.f1_score.total_cmp(&b.f1_score));
        classes.truncate(CLASSES);
    }
    let title = match (left, lang) {
        (0, _) => lang.pick("By class", "クラス別").to_owned(),
        (_, Lang::En) => format!("By class: the {CLASSES} with the lowest F1"),
        (_, Lang::Ja) => format!("クラス別（F1 の低い {CLASSES} クラス）"),
    };
    let columns = [
        lang.pick("Class", "クラス"),
        lang.pick("Precision", "適合率"),
        lang.pick("Recall", "再現率"),
        "F1",
        lang.pick("Rows", "行数"),
        lang.pick("Predicted", "予測数"),
    ];
    let line = |class: &&crate::evaluation::ClassResult| {
        vec![
            words(&class.label),
            number(Shown::share(class.precision)),
            number(Shown::share(class.recall)),
            number(Shown::share(class.f1_score)),
            count(class.support),
            count(class.predicted),
        ]
    };
    table("per_class", title, &columns, classes.iter().map(line).collect())
}

fn confusions(detail: &ClassificationDetail, lang: Lang) -> TableOfNumbers {
    let columns = [
        lang.pick("True class", "実際"),
        lang.pick("Predicted as", "予測"),
        lang.pick("Rows", "行数"),
        lang.pick("Of the true class", "実際のクラスに占める割合"),
    ];
    let line = |pair: &crate::evaluation::ConfusedClasses| {
        vec![
            words(&pair.actual),
            words(&pair.predicted),
            count(pair.count),
            number(Shown::percent(pair.share_of_actual)),
        ]
    };
    let title = lang.pick("Most frequent errors", "多い誤り").to_owned();
    table("top_confusions", title, &columns, detail.top_confusions.iter().map(line).collect())
}

fn worst_rows(detail: &RegressionDetail, lang: Lang) -> TableOfNumbers {
    let columns = [
        lang.pick("Row", "行"),
        lang.pick("Actual", "実測値"),
        lang.pick("Predicted", "予測値"),
        lang.pick("Difference", "差"),
    ];
    let line = |row: &crate::evaluation::WorstRow| {
        vec![
            number(Shown::count(row.row)),
            number(Shown::quantity(row.actual)),
            number(Shown::quantity(row.predicted)),
            number(Shown::quantity(row.residual).signed()),
        ]
    };
    let title = lang.pick("Largest errors (rows counted from 0)", "誤差の大きい行（0 から数えた行番号）").to_owned();
    table("worst_rows", title, &columns, detail.worst.iter().map(line).collect())
}

fn slices(evaluation: &Evaluation, column: &str, all: &[Slice], lang: Lang) -> TableOfNumbers {
    let names: [&str; 3] =
        if evaluation.classification.is_some() { ["accuracy", "f1_score", "auc_roc"] } else { ["rmse", "mae", "r2"] };
    let labels = names.map(|name| metric_words::label(name, lang));
    let columns = [column, lang.pick("Rows", "行数"), &labels[0], &labels[1], &labels[2]];
    let line = |slice: &Slice| {
        let value = |name: &str| {
            slice.metrics.get(name).map_or_else(|| words("–"), |&value| number(metric_words::show(name, value)))
        };
        let mark = if slice.small { lang.pick(" (few rows)", "（行数少）") } else { "" };
        let mut cells = vec![words(&format!("{}{mark}", slice.label)), count(slice.n)];
        cells.extend(names.map(value));
        cells
    };
    let title = match lang {
        Lang::En => format!("By {column}"),
        Lang::Ja => format!("「{column}」別"),
    };
    table(&format!("slice_{column}"), title, &columns, all.iter().take(SLICES).map(line).collect())
}
