//! Checks a request against the data that it names.

use std::collections::BTreeMap;

use mlops_algorithms::table::{Table, Values};
use mlops_core::values::{ArtifactUri, TaskType};
use mlops_core::{Error, ErrorKind, Lang};

use super::{Draft, Facts, Look, structure};
use crate::findings::Findings;

const AT: &str = "dataset_s3_uri";
/// How many names are listed beside an error.
const MOST_NAMES: usize = 30;
/// A class with fewer rows cannot be in each of three parts.
const ROWS_OF_CLASS: usize = 3;
/// Fewer rows have no structure.
const LEAST_ROWS: usize = 3;
/// How many classes of few rows are named.
const MOST_RARE: usize = 5;

/// Checks the request against what was seen of its data.
pub(crate) fn check_data(draft: &Draft, uri: &ArtifactUri, look: &Look, findings: &mut Findings<'_>) {
    let lang = findings.lang;
    match look {
        Look::Seen(facts) => check_facts(draft, facts, findings),
        Look::TooLarge(bytes) => findings.warn(
            AT,
            say!(
                lang,
                "the data has {bytes} bytes and is only looked at by the run itself",
                "データが {bytes} バイトあるため、内容の確認は実行時に行います"
            ),
        ),
        Look::Failed(error) => failed(uri, error, findings),
    }
}

fn failed(uri: &ArtifactUri, error: &Error, findings: &mut Findings<'_>) {
    let lang = findings.lang;
    // Whoever checks a request need not be allowed to read the bucket; the run is.
    if uri.is_s3() && error.kind != ErrorKind::InvalidInput {
        let text = &error.message;
        findings.warn(
            AT,
            say!(
                lang,
                "the data could not be looked at before the run: {text}",
                "実行前にデータを確認できませんでした: {text}"
            ),
        );
        return;
    }
    let hint = error.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
    let message = match (lang, error.kind) {
        (Lang::En, _) => format!("{}{hint}", error.message),
        (Lang::Ja, ErrorKind::NotFound) => format!("`{uri}` にデータがありません。パスを確認してください"),
        (Lang::Ja, _) => format!("`{uri}` のデータを読み取れません: {}{hint}", error.message),
    };
    findings.error(AT, message).of_kind(error.kind);
}

fn check_facts(draft: &Draft, facts: &Facts, findings: &mut Findings<'_>) {
    let table = &facts.table;
    if facts.is_complete && table.num_rows() == 0 {
        let message = findings.lang.pick("the data has no rows", "データに行がありません");
        findings.error(AT, message);
        return;
    }
    if let Some(target) = &draft.target
        && let Some(values) = column(table, "target_column", target, findings)
        && facts.is_complete
    {
        check_target(draft, target, values, findings);
    }
    if draft.task.is_some_and(|task| task.supervised().is_none()) {
        check_rows(draft, facts, findings);
    }
    if let Some(truth) = &draft.evaluation.truth_column {
        column(table, "evaluation.truth_column", truth, findings);
    }
    for (at, slice) in draft.evaluation.slices.iter().enumerate() {
        column(table, &format!("evaluation.slices[{at}]"), slice, findings);
    }
    if let Some(key) = draft.split.get("key").and_then(|key| key.as_str()) {
        column(table, "split.key", key, findings);
    }
    let dropped = draft.preprocessing.get("drop_columns").and_then(|names| names.as_array());
    let truth = draft.evaluation.truth_column.as_deref();
    for (at, name) in dropped.into_iter().flatten().enumerate() {
        if let Some(name) = name.as_str().filter(|name| Some(*name) != truth) {
            column(table, &format!("preprocessing_config.drop_columns[{at}]"), name, findings);
        }
    }
}

/// Structure takes rows that differ.
fn check_rows(draft: &Draft, facts: &Facts, findings: &mut Findings<'_>) {
    let rows = facts.table.num_rows();
    if facts.is_complete && rows < LEAST_ROWS {
        let message = say!(
            findings.lang,
            "the data has {rows} rows, and structure is looked for in at least {LEAST_ROWS}",
            "データは {rows} 行ですが、構造を調べるには {LEAST_ROWS} 行以上が必要です"
        );
        findings.error(AT, message);
    } else if facts.is_complete {
        structure::check_clusters(draft.algorithm.as_deref(), &draft.hyperparameters, rows, findings);
    }
}

/// The column of that name, or an error with the nearest name.
fn column<'a>(table: &'a Table, path: &str, name: &str, findings: &mut Findings<'_>) -> Option<&'a Values> {
    if let Some(column) = table.column(name) {
        return Some(&column.values);
    }
    let shown: String = name.chars().take(80).collect();
    let message = say!(findings.lang, "the data has no column `{shown}`", "データに `{shown}` という列はありません");
    let error = findings.error(path, message);
    error.allowing(table.names().take(MOST_NAMES)).suggesting(table.nearest_name(name));
    None
}

fn check_target(draft: &Draft, target: &str, values: &Values, findings: &mut Findings<'_>) {
    let lang = findings.lang;
    let at = "target_column";
    let (rows, missing) = (values.len(), values.missing());
    if missing == rows {
        let message = say!(lang, "every value of `{target}` is missing", "`{target}` の値がすべて欠損しています");
        findings.error(at, message);
        return;
    }
    match draft.task {
        Some(TaskType::Regression) => {
            if let Err(text) = values.numbers() {
                let shown: String = text.chars().take(40).collect();
                let message = say!(
                    lang,
                    "a regression predicts numbers, and `{target}` holds `{shown}`",
                    "regression の目的変数は数値でなければなりませんが、`{target}` に `{shown}` があります"
                );
                findings.error(at, message);
            }
        }
        Some(TaskType::Classification) => check_classes(draft, target, values, findings),
        // Neither has a target.
        Some(TaskType::Clustering | TaskType::DimensionalityReduction) | None => {}
    }
}

fn check_classes(draft: &Draft, target: &str, values: &Values, findings: &mut Findings<'_>) {
    let lang = findings.lang;
    let mut classes = BTreeMap::<String, usize>::new();
    for label in (0..values.len()).filter_map(|row| values.label(row)) {
        *classes.entry(label).or_default() += 1;
    }
    if let [only] = classes.keys().collect::<Vec<_>>()[..] {
        let message = say!(
            lang,
            "`{target}` holds one class only: `{only}`; a classification needs two",
            "`{target}` のクラスが `{only}` の一つしかありません。classification には二つ以上必要です"
        );
        findings.error("target_column", message);
        return;
    }
    let (count, rows) = (classes.len(), values.len() - values.missing());
    if count > 100 && count * 2 > rows {
        findings.warn(
            "target_column",
            say!(
                lang,
                "`{target}` has {count} classes in {rows} rows; is `task: regression` meant?",
                "`{target}` には {rows} 行に {count} 個のクラスがあります。`task: regression` ではありませんか"
            ),
        );
    }
    rare_classes(target, &classes, findings);
    let Some(label) = draft.evaluation.positive_class.as_ref().filter(|label| !classes.contains_key(*label)) else {
        return;
    };
    let message = say!(lang, "`{target}` has no class `{label}`", "`{target}` に `{label}` というクラスはありません");
    let near = mlops_core::arguments::nearest(label, classes.keys().map(String::as_str)).map(str::to_owned);
    let error = findings.error("evaluation.positive_class", message);
    error.allowing(classes.keys().take(MOST_NAMES).cloned()).suggesting(near);
}

/// Warns of classes that need not come into every part of the split, the rarest first.
fn rare_classes(target: &str, classes: &BTreeMap<String, usize>, findings: &mut Findings<'_>) {
    let lang = findings.lang;
    let mut rare = classes.iter().filter(|(_, rows)| **rows < ROWS_OF_CLASS).collect::<Vec<_>>();
    rare.sort_by_key(|(_, rows)| **rows);
    let count = rare.len();
    if count == 0 {
        return;
    }
    let named = rare.iter().take(MOST_RARE).map(|(label, rows)| {
        let shown: String = label.chars().take(40).collect();
        say!(lang, "`{shown}` ({rows})", "`{shown}`（{rows} 行）")
    });
    let mut named = named.collect::<Vec<_>>().join(lang.pick(", ", "、"));
    if count > MOST_RARE {
        named.push_str(lang.pick(", …", " など"));
    }
    let message = match lang {
        Lang::En => {
            let (classes, have) = if count == 1 { ("class", "has") } else { ("classes", "have") };
            format!(
                "{count} {classes} of `{target}` {have} fewer than {ROWS_OF_CLASS} rows and may be absent from a part of \
                 the data: {named}"
            )
        }
        Lang::Ja => format!(
            "`{target}` の {count} 個のクラスは {ROWS_OF_CLASS} 行未満のため、分割したデータの一部に含まれないことがあります: \
             {named}"
        ),
    };
    findings.warn("target_column", message);
}
