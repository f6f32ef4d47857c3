//! What a reader of the report must know about the data: how many rows, and what was odd and how it was handled.

use std::collections::BTreeMap;

use mlops_core::Lang;
use mlops_data_preparation::tools::{
    LoadedDataset, Preprocessed, PreprocessedUnsupervised, SplitResult, ValidationResult,
};
use serde::{Deserialize, Serialize};

/// The most columns that a note names.
const NAMED: usize = 10;
/// The most columns whose filled values are counted by name.
const COLUMNS: usize = 50;
/// The most findings of the checks that are told.
const FINDINGS: usize = 10;

/// Facts of the data that the evaluation of a model cannot know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFacts {
    /// The rows of each part.
    pub rows: BTreeMap<String, u64>,
    /// How many rows the preparation left out.
    pub dropped_rows: u64,
    /// How many missing values were filled, by column.
    pub imputed: BTreeMap<String, u64>,
    /// SHA-256 of the raw table.
    pub source_sha256: String,
    /// What was odd, in sentences.
    pub notes: Vec<String>,
}

/// The facts of a prepared data set, in the language of the run.
pub(crate) fn facts(
    dataset: &LoadedDataset,
    validation: &ValidationResult,
    split: &SplitResult,
    parts: &[&Preprocessed],
    lang: Lang,
) -> DataFacts {
    let mut imputed = BTreeMap::new();
    for (column, count) in parts.iter().flat_map(|part| &part.imputed) {
        *imputed.entry(column.clone()).or_insert(0) += *count as u64;
    }
    while imputed.len() > COLUMNS {
        imputed.pop_last();
    }
    let counts = [("train", split.counts.train), ("validation", split.counts.validation), ("test", split.counts.test)];
    let mut notes = reading(dataset, lang);
    notes.extend(split.warnings.iter().cloned());
    notes.extend(preparing(parts, lang));
    notes.extend(validation.findings().into_iter().take(FINDINGS));
    DataFacts {
        rows: counts.into_iter().map(|(part, rows)| (part.to_owned(), rows as u64)).collect(),
        dropped_rows: parts.iter().map(|part| part.dropped_rows as u64).sum(),
        imputed,
        source_sha256: dataset.sha256.clone(),
        notes,
    }
}

/// The facts of a data set of which every row is learnt from, in the language of the run.
pub(crate) fn facts_of_structure(
    dataset: &LoadedDataset,
    validation: &ValidationResult,
    prepared: &PreprocessedUnsupervised,
    lang: Lang,
) -> DataFacts {
    let imputed = prepared.imputed.iter().take(COLUMNS).map(|(column, count)| (column.clone(), *count as u64));
    let mut notes = reading(dataset, lang);
    if let Some(hopkins) = prepared.statistics.hopkins.value {
        notes.push(match lang {
            Lang::En => format!(
                "The Hopkins statistic of the prepared rows is {hopkins:.3}: near 0.5 they lie as if by chance, near 1 in \
                 clumps."
            ),
            Lang::Ja => format!(
                "前処理後の Hopkins 統計量は {hopkins:.3} です（0.5 付近は偶然と同じ散らばり、1 付近はまとまりがあることを\
                 示します）。"
            ),
        });
    }
    notes.extend(validation.findings().into_iter().take(FINDINGS));
    DataFacts {
        rows: BTreeMap::from([("all".to_owned(), dataset.num_rows as u64)]),
        dropped_rows: prepared.dropped_rows as u64,
        imputed: imputed.collect(),
        source_sha256: dataset.sha256.clone(),
        notes,
    }
}

/// What was odd in the file.
fn reading(dataset: &LoadedDataset, lang: Lang) -> Vec<String> {
    let found = &dataset.notes;
    let mut notes = Vec::new();
    let mut note = |en: String, ja: String| notes.push(if lang == Lang::Ja { ja } else { en });
    if found.byte_order_mark {
        note("The file begins with a byte order mark.".into(), "ファイルの先頭に BOM があります。".into());
    }
    if found.ragged_rows > 0 {
        let (rows, lines) = (found.ragged_rows, listed(found.ragged_examples.iter()));
        note(
            format!(
                "{rows} rows had more or fewer fields than the header; they were cut or filled up (lines {lines})."
            ),
            format!("見出しと項目数が異なる行が {rows} 行あり、切り詰めまたは補完しました ({lines} 行目)。"),
        );
    }
    if !found.widened.is_empty() {
        let columns = listed(found.widened.iter().map(|(column, what)| format!("{column}: {what}")));
        note(
            format!("Columns with mixed types were widened ({columns})."),
            format!("型が混在する列を広げました ({columns})。"),
        );
    }
    if !found.empty_columns.is_empty() {
        let columns = listed(found.empty_columns.iter());
        note(
            format!("Columns without any value were left out ({columns})."),
            format!("値のない列を除きました ({columns})。"),
        );
    }
    if !found.skipped_columns.is_empty() {
        let columns = listed(found.skipped_columns.iter().map(|(column, what)| format!("{column}: {what}")));
        note(format!("Nested columns were left out ({columns})."), format!("入れ子の列を除きました ({columns})。"));
    }
    if !found.infinite.is_empty() {
        let columns = listed(found.infinite.iter().map(|(column, count)| format!("{column}: {count}")));
        note(
            format!("Infinite values were taken as missing ({columns})."),
            format!("無限大の値を欠損として扱いました ({columns})。"),
        );
    }
    notes
}

/// What the preparation met in the parts.
fn preparing(parts: &[&Preprocessed], lang: Lang) -> Option<String> {
    let mut unseen = BTreeMap::new();
    for (column, count) in parts.iter().flat_map(|part| &part.unseen) {
        *unseen.entry(column).or_insert(0) += count;
    }
    let columns = listed(unseen.iter().map(|(column, count)| format!("{column}: {count}")));
    (!unseen.is_empty()).then(|| match lang {
        Lang::En => format!("Categories that training had not seen went into a bucket of their own ({columns})."),
        Lang::Ja => format!("学習時になかったカテゴリを専用の区分に入れました ({columns})。"),
    })
}

fn listed<T: ToString>(items: impl Iterator<Item = T>) -> String {
    let all: Vec<String> = items.map(|item| item.to_string()).collect();
    let more = if all.len() > NAMED { ", …" } else { "" };
    format!("{}{more}", all[..all.len().min(NAMED)].join(", "))
}
