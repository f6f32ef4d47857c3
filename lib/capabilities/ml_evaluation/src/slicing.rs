//! The columns of the test data by whose values metrics are shown.

use mlops_algorithms::table::{Table, Values};
use mlops_core::{Error, Result};

/// The most columns to slice by.
const MOST: usize = 20;

/// The values of each named column at the rows that were evaluated. `InvalidInput` for a column that is not there, with
/// the nearest name.
pub(crate) fn columns(table: &Table, names: &[String], rows: &[usize]) -> Result<Vec<(String, Values)>> {
    if names.len() > MOST {
        return Err(Error::invalid_input(format!("there are {} columns to slice by, at most {MOST}", names.len()))
            .at("slices")
            .hint("name fewer columns"));
    }
    let values = |name: &String| {
        let column = table.column(name).ok_or_else(|| {
            let error = Error::invalid_input(format!("the test data has no column `{name}`")).at("slices");
            match table.nearest_name(name) {
                Some(nearest) => error.hint(format!("did you mean `{nearest}`?")),
                None => error.hint(format!("the columns are {}", list(table))),
            }
        })?;
        Ok((name.clone(), column.values.take(rows)))
    };
    names.iter().map(values).collect()
}

fn list(table: &Table) -> String {
    let shown: Vec<&str> = table.names().take(10).collect();
    let more = if table.num_columns() > shown.len() { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use mlops_algorithms::table::Column;

    use super::*;

    #[test]
    fn a_column_is_taken_at_the_rows_and_a_wrong_name_gets_the_nearest() {
        let values = Values::from_text([Some("a"), Some("b"), None]);
        let table = Table { columns: vec![Column { name: "island".to_owned(), values }] };
        let found = columns(&table, &["island".to_owned()], &[1, 2]).unwrap();
        assert_eq!((found[0].1.label(0).as_deref(), found[0].1.is_missing(1)), (Some("b"), true));
        let error = columns(&table, &["iland".to_owned()], &[]).unwrap_err();
        assert!(error.hint.unwrap().contains("`island`"));
        let error = columns(&table, &["xyz".to_owned()], &[]).unwrap_err();
        assert!(error.hint.unwrap().contains("island"));
        assert!(columns(&table, &vec!["island".to_owned(); 21], &[]).is_err());
    }
}
