//! What is seen of the data when it is looked at before a run.

use mlops_algorithms::table::{Table, Values};
use mlops_algorithms::target::Target;
use mlops_core::ports::ObjectStore;
use mlops_core::values::ArtifactUri;
use mlops_core::{Call, Error};

use crate::Tables;

/// The most rows that are looked at.
const MOST_ROWS: usize = 50_000;
/// Data larger than this is not looked at: 256 MiB.
const LARGEST_LOOK: u64 = 256 << 20;

/// What came of looking at the data.
pub(crate) enum Look {
    /// It was read.
    Seen(Facts),
    /// It is too large to be read before a run; its size in bytes.
    TooLarge(u64),
    /// It could not be read.
    Failed(Error),
}

/// What was seen of the data.
pub(crate) struct Facts {
    /// The first rows.
    pub(crate) table: Table,
    /// Whether these are all.
    pub(crate) is_complete: bool,
    /// How many rows there are; reckoned from the size of the file when not all were read.
    pub(crate) rows: u64,
}

/// Looks at the first rows of the data.
pub(crate) async fn look(tables: &dyn Tables, store: &dyn ObjectStore, uri: &ArtifactUri, call: &Call) -> Look {
    // A failure here decides nothing: reading says better what is wrong.
    if let Ok(meta) = store.head(uri).await
        && meta.bytes > LARGEST_LOOK
    {
        return Look::TooLarge(meta.bytes);
    }
    match tables.first_rows(uri, MOST_ROWS, call).await {
        Ok(first) => Look::Seen(Facts::new(first.table, first.bytes)),
        Err(error) => Look::Failed(error),
    }
}

impl Facts {
    pub(crate) fn new(table: Table, bytes: u64) -> Self {
        let read = table.num_rows() as u64;
        let is_complete = table.num_rows() < MOST_ROWS;
        let rows = if is_complete { read } else { read.max(reckoned_rows(&table, bytes)) };
        Self { table, is_complete, rows }
    }

    /// About how many features the table becomes: one for a number, one for each of the first hundred categories of a
    /// text. The target is not counted.
    pub(crate) fn features(&self, target: Option<&str>) -> u64 {
        let columns = self.table.columns.iter().filter(|column| target != Some(column.name.as_str()));
        let width = |values: &Values| match values {
            Values::Number { .. } => 1,
            Values::Text { categories, .. } => 1 + categories.len().min(100) as u64,
        };
        columns.map(|column| width(&column.values)).sum()
    }

    /// How many classes the target has in the rows that were read; two where it cannot be one.
    pub(crate) fn classes(&self, target: Option<&str>) -> usize {
        let values = target.and_then(|name| self.table.column(name)).map(|column| &column.values);
        match values.map(|values| Target::classes(values, None)) {
            Some(Ok(Target::Classes { labels, .. })) => labels.len(),
            _ => 2,
        }
    }
}

/// The bytes of the file divided by the mean width of the first hundred rows, written as CSV.
fn reckoned_rows(table: &Table, bytes: u64) -> u64 {
    let rows = table.num_rows().min(100);
    let cell = |values: &Values, row: usize| 1 + values.label(row).map_or(0, |label| label.len());
    let width: usize =
        table.columns.iter().map(|column| (0..rows).map(|row| cell(&column.values, row)).sum::<usize>()).sum();
    (bytes as f64 * rows as f64 / width.max(1) as f64) as u64
}

#[cfg(test)]
mod tests {
    use mlops_algorithms::table::{Column, NumberKind};

    use super::*;

    fn column(name: &str, values: Vec<f64>) -> Column {
        Column { name: name.to_owned(), values: Values::Number { values, kind: NumberKind::Integer } }
    }

    #[test]
    fn rows_that_were_not_read_are_reckoned() {
        let table = Table { columns: vec![column("a", vec![7.0; MOST_ROWS]), column("b", vec![10.0; MOST_ROWS])] };
        let facts = Facts::new(table, 5 * 200_000);
        assert_eq!((facts.is_complete, facts.rows), (false, 200_000));
        assert_eq!((facts.features(Some("a")), facts.classes(Some("a")), facts.classes(None)), (1, 2, 2));
        let text = Column { name: "t".into(), values: Values::from_text([Some("x"), None, Some("y")]) };
        let facts = Facts::new(Table { columns: vec![column("a", vec![1.0; 3]), text] }, 1);
        assert_eq!((facts.is_complete, facts.rows, facts.features(None)), (true, 3, 4));
        let target = column("a", vec![1.0, 2.0, 5.0]);
        assert_eq!(Facts::new(Table { columns: vec![target] }, 1).classes(Some("a")), 3);
    }
}
