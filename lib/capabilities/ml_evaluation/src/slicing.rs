//! The columns of the test data by whose values metrics are shown.

use mlops_algorithms::metrics::slices::SliceReport;
use mlops_algorithms::table::{Table, Values};
use mlops_artifacts::LoadedTable;
use mlops_core::{Error, Result};

/// The most columns to slice by.
const MOST: usize = 20;

/// The most slices in all whose intervals go into a result.
const MOST_WITH_INTERVALS: usize = 24;
/// The most slices in all that go into a result.
const MOST_IN_RESULT: usize = 120;

/// The values of each named column at the rows that were evaluated. `InvalidInput` for a column that is not there, with
/// the nearest name.
pub(crate) fn columns(data: &LoadedTable, names: &[String], rows: &[usize]) -> Result<Vec<(String, Values)>> {
    if names.len() > MOST {
        return Err(Error::invalid_input(format!("there are {} columns to slice by, at most {MOST}", names.len()))
            .at("slices")
            .hint("name fewer columns"));
    }
    let table = &data.table;
    let is_processed = data.manifest.as_ref().is_some_and(|manifest| manifest.preprocessor_sha256.is_some());
    let values = |name: &String| {
        let column = table.column(name).ok_or_else(|| {
            let error = Error::invalid_input(format!("the test data has no column `{name}`")).at("slices");
            let made_of = format!("{name}=");
            if is_processed || table.names().any(|column| column.starts_with(&made_of)) {
                return error.hint("these columns were made by a preprocessor; give the raw table as test data to slice by its columns");
            }
            match table.nearest_name(name) {
                Some(nearest) => error.hint(format!("did you mean `{nearest}`?")),
                None => error.hint(format!("the columns are {}", list(table))),
            }
        })?;
        Ok((name.clone(), column.values.take(rows)))
    };
    names.iter().map(values).collect()
}

/// What of the slices goes into a result, so that it stays small: intervals and reasons when there are few slices, and
/// of too many the first ones of each column. The document has everything.
pub(crate) fn for_result(mut reports: Vec<SliceReport>) -> Vec<SliceReport> {
    let all: usize = reports.iter().map(|report| report.slices.len()).sum();
    if all > MOST_WITH_INTERVALS {
        for slice in reports.iter_mut().flat_map(|report| &mut report.slices) {
            slice.intervals.clear();
            slice.undefined.clear();
        }
    }
    if all > MOST_IN_RESULT {
        let share = (MOST_IN_RESULT / reports.len().max(1)).max(1);
        for report in &mut reports {
            report.slices.truncate(share);
        }
    }
    reports
}

fn list(table: &Table) -> String {
    let shown: Vec<&str> = table.names().take(10).collect();
    let more = if table.num_columns() > shown.len() { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use mlops_algorithms::metrics::intervals::wilson;
    use mlops_algorithms::metrics::slices::{Slice, SliceKind};
    use mlops_algorithms::table::Column;
    use mlops_artifacts::{ReadNotes, Source, TableFormat};
    use mlops_core::values::ArtifactUri;

    use super::*;

    #[test]
    fn a_result_stays_small_with_many_slices() {
        let slice = |label: usize| Slice {
            kind: SliceKind::Value,
            label: format!("value {label}"),
            n: 10,
            small: false,
            metrics: (0..11).map(|at| (format!("metric_{at}"), 1.0 / 3.0)).collect(),
            intervals: [("accuracy".to_owned(), wilson(1, 3, 0.95).unwrap())].into(),
            undefined: [("ece".to_owned(), "no".to_owned())].into(),
        };
        let report = |slices: usize| SliceReport { column: "c".to_owned(), slices: (0..slices).map(slice).collect() };
        assert_eq!(for_result(vec![report(3)]), vec![report(3)]);
        let some = for_result(vec![report(20), report(20)]);
        assert!(some[1].slices.len() == 20 && some[1].slices[0].intervals.is_empty());
        let many = for_result(vec![report(21); 20]);
        assert!(many.iter().all(|report| report.slices.len() == 6));
        assert!(serde_json::to_string(&many).unwrap().len() < 60_000);
    }

    fn loaded(name: &str) -> LoadedTable {
        let values = Values::from_text([Some("a"), Some("b"), None]);
        LoadedTable {
            table: Table { columns: vec![Column { name: name.to_owned(), values }] },
            source: Source {
                uri: ArtifactUri::new("file:///test.csv").unwrap(),
                sha256: String::new(),
                bytes: 0,
                version_id: None,
                format: TableFormat::Csv,
                compression: None,
                rows: 3,
                notes: ReadNotes::default(),
            },
            manifest: None,
        }
    }

    #[test]
    fn a_column_is_taken_at_the_rows_and_a_wrong_name_gets_the_nearest() {
        let data = loaded("island");
        let found = columns(&data, &["island".to_owned()], &[1, 2]).unwrap();
        assert_eq!((found[0].1.label(0).as_deref(), found[0].1.is_missing(1)), (Some("b"), true));
        let error = columns(&data, &["iland".to_owned()], &[]).unwrap_err();
        assert!(error.hint.unwrap().contains("`island`"));
        let error = columns(&data, &["xyz".to_owned()], &[]).unwrap_err();
        assert!(error.hint.unwrap().contains("island"));
        assert!(columns(&data, &vec!["island".to_owned(); 21], &[]).is_err());
    }

    #[test]
    fn a_raw_column_that_was_encoded_asks_for_the_raw_table() {
        let error = columns(&loaded("Home=rent"), &["Home".to_owned()], &[]).unwrap_err();
        let hint = error.hint.unwrap();
        assert!(hint.contains("raw table") && !hint.contains("Home=rent"), "{hint}");
    }
}
