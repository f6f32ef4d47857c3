//! What was odd in the test data as it was read.

use std::collections::BTreeMap;

use mlops_artifacts::ReadNotes;
use mlops_core::Lang;

use super::sentence::{Argument, Sentence, Shown, say};

/// The most columns that are named in one sentence.
const NAMED: usize = 8;

/// A sentence for each oddity.
pub(super) fn of(notes: &ReadNotes, lang: Lang) -> Vec<Sentence> {
    let mut found = Vec::new();
    if notes.byte_order_mark {
        let text = lang.pick(
            "The test data begins with a byte order mark, which was skipped.",
            "テストデータの先頭にバイト順マーク (BOM) があり、読み飛ばしました。",
        );
        found.push(say(text, &[]));
    }
    if notes.ragged_rows > 0 {
        let pattern = lang.pick(
            "{0} test rows have fewer or more fields than the header: short ones were filled up with missing values, long ones were cut.",
            "テスト {0} 行の列数が見出しと異なります。不足分は欠損値とし、余分は切り捨てました。",
        );
        found.push(say(pattern, &[Shown::count(notes.ragged_rows).into()]));
    }
    let widened: Vec<String> = notes.widened.iter().map(|(column, change)| format!("{column} ({change})")).collect();
    let infinite: usize = notes.infinite.values().sum();
    let names = |columns: &BTreeMap<String, usize>| columns.keys().cloned().collect::<Vec<_>>();
    let skipped: Vec<String> = notes.skipped_columns.keys().cloned().collect();
    let lists = [
        (lang.pick("Columns of the test data with several types: {0}.", "複数の型が混在する列: {0}。"), widened),
        (
            lang.pick("Columns of the test data without any value: {0}.", "値がひとつもない列: {0}。"),
            notes.empty_columns.clone(),
        ),
        (
            lang.pick(
                "Columns that hold neither numbers nor text were left out: {0}.",
                "数値でも文字列でもないため除外した列: {0}。",
            ),
            skipped,
        ),
    ];
    for (pattern, columns) in lists.into_iter().filter(|(_, columns)| !columns.is_empty()) {
        found.push(say(pattern, &[listed(&columns)]));
    }
    if infinite > 0 {
        let pattern = lang.pick(
            "{0} infinite values of the test data count as missing, in {1}.",
            "テストデータの無限大の値 {0} 個（{1}）は欠損として扱いました。",
        );
        found.push(say(pattern, &[Shown::count(infinite).into(), listed(&names(&notes.infinite))]));
    }
    found
}

fn listed(columns: &[String]) -> Argument {
    let shown: Vec<&str> = columns.iter().take(NAMED).map(String::as_str).collect();
    let more = if columns.len() > shown.len() { ", …" } else { "" };
    Argument::Words(format!("{}{more}", shown.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_oddity_is_said_and_clean_data_says_nothing() {
        assert!(of(&ReadNotes::default(), Lang::En).is_empty());
        let notes = ReadNotes {
            byte_order_mark: true,
            ragged_rows: 3,
            widened: [("age".to_owned(), "integer → text".to_owned())].into(),
            empty_columns: vec!["note".to_owned()],
            infinite: [("mass".to_owned(), 2)].into(),
            ..ReadNotes::default()
        };
        let said: Vec<String> = of(&notes, Lang::En).into_iter().map(|sentence| sentence.text).collect();
        for words in ["byte order mark", "3 test rows", "age (integer → text)", "note", "2 infinite values"] {
            assert!(said.iter().any(|text| text.contains(words)), "{words}");
        }
        assert_eq!(of(&notes, Lang::Ja).len(), said.len());
    }
}
