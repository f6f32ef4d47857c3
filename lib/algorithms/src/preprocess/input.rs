//! Reading the columns of a table as a preprocessor expects them.

use std::borrow::Cow;
use std::collections::HashMap;

use super::PreprocessError;
use crate::table::{Column, MISSING, Table, Values};

/// The code of a category that was not seen in training.
pub(super) const UNSEEN: u32 = u32::MAX - 1;

/// Fails when columns differ in length or share a name; gives the columns by name.
pub(super) fn by_name(table: &Table) -> Result<HashMap<&str, &Column>, PreprocessError> {
    let rows = table.num_rows();
    let mut columns = HashMap::with_capacity(table.num_columns());
    for column in &table.columns {
        let found = column.values.len();
        if found != rows {
            return Err(PreprocessError::Ragged { column: column.name.clone(), found, rows });
        }
        if columns.insert(column.name.as_str(), column).is_some() {
            return Err(PreprocessError::DuplicateColumn { column: column.name.clone() });
        }
    }
    Ok(columns)
}

/// The values as numbers with infinite ones turned into missing ones, and how many these were.
pub(super) fn numbers<'a>(name: &str, values: &'a Values) -> Result<(Cow<'a, [f64]>, usize), PreprocessError> {
    let not_numbers = |value| PreprocessError::NotNumbers { column: name.to_owned(), value };
    let numbers = values.numbers().map_err(not_numbers)?;
    let infinite = numbers.iter().filter(|value| value.is_infinite()).count();
    if infinite == 0 {
        return Ok((numbers, 0));
    }
    let finite = numbers.iter().map(|&value| if value.is_infinite() { f64::NAN } else { value }).collect();
    Ok((Cow::Owned(finite), infinite))
}

/// The values as text; numbers are shown as a file shows them.
pub(super) fn text(values: &Values) -> Cow<'_, Values> {
    if matches!(values, Values::Text { .. }) {
        return Cow::Borrowed(values);
    }
    let shown = (0..values.len()).map(|row| values.label(row)).collect::<Vec<_>>();
    Cow::Owned(Values::from_text(shown.iter().map(Option::as_deref)))
}

/// The index of each row's text among `sorted`, [`MISSING`] or [`UNSEEN`].
pub(super) fn recode(values: &Values, sorted: &[String]) -> Vec<u32> {
    let Values::Text { codes, categories } = values else { return Vec::new() };
    let place = |category: &String| sorted.binary_search(category).map_or(UNSEEN, |index| index as u32);
    let places = categories.iter().map(place).collect::<Vec<_>>();
    codes.iter().map(|&code| places.get(code as usize).copied().unwrap_or(MISSING)).collect()
}
