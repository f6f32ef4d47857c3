//! How much of a long list goes into a result. All of it lies in the store or in the table itself.

use std::collections::BTreeMap;

use serde::Serialize;

/// The most columns that a result describes.
pub(crate) const COLUMNS: usize = 300;
/// The most bytes of one list in a result, as JSON.
const BYTES: usize = 30_000;
/// The most columns in a preview.
pub(crate) const PREVIEW_COLUMNS: usize = 30;
/// The most rows in a preview.
pub(crate) const PREVIEW_ROWS: usize = 5;
/// The longest text in a preview, in characters.
const TEXT: usize = 60;

/// The first items, as many as fit into a result.
pub(crate) fn within<T: Serialize>(mut items: Vec<T>) -> Vec<T> {
    let mut bytes = 0;
    let fits = |item: &&T| {
        // An item that cannot be written is told when the result is.
        bytes += serde_json::to_string(item).map_or(0, |text| text.len() + 1);
        bytes <= BYTES
    };
    let kept = items.iter().take_while(fits).count();
    items.truncate(kept);
    items
}

/// The counts of the first columns by name.
pub(crate) fn first(counts: &BTreeMap<String, usize>) -> BTreeMap<String, usize> {
    counts.iter().take(COLUMNS).map(|(name, count)| (name.clone(), *count)).collect()
}

/// The text, cut where it is too long for a preview.
pub(crate) fn cut(text: &str) -> String {
    if text.chars().count() <= TEXT {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(TEXT).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_ends_where_a_result_is_full() {
        assert_eq!(within(vec![1, 2, 3]), [1, 2, 3]);
        let names = within(vec!["x".repeat(100); 10_000]);
        assert!(names.len() > 200 && names.len() * 103 <= BYTES, "{}", names.len());
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(cut("short"), "short");
        let long = cut(&"あ".repeat(200));
        assert_eq!(long.chars().count(), TEXT + 1);
        assert!(long.ends_with('…'));
    }
}
