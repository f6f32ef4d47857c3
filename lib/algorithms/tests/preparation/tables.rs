//! Small tables for the tests.

use mlops_algorithms::table::{Column, NumberKind, Table, Values};

/// A column of floating point numbers.
pub(crate) fn float(name: &str, values: impl IntoIterator<Item = f64>) -> Column {
    number(name, values, NumberKind::Float)
}

/// A column of whole numbers.
pub(crate) fn integer(name: &str, values: impl IntoIterator<Item = f64>) -> Column {
    number(name, values, NumberKind::Integer)
}

/// A column of numbers of some kind.
pub(crate) fn number(name: &str, values: impl IntoIterator<Item = f64>, kind: NumberKind) -> Column {
    Column { name: name.to_owned(), values: Values::Number { values: values.into_iter().collect(), kind } }
}

/// A column of text; empty text is missing.
pub(crate) fn text<T: AsRef<str>>(name: &str, values: impl IntoIterator<Item = T>) -> Column {
    let values = values.into_iter().collect::<Vec<_>>();
    let present = values.iter().map(|value| Some(value.as_ref()).filter(|value| !value.is_empty()));
    Column { name: name.to_owned(), values: Values::from_text(present) }
}

/// A table of these columns.
pub(crate) fn table(columns: impl IntoIterator<Item = Column>) -> Table {
    Table { columns: columns.into_iter().collect() }
}
