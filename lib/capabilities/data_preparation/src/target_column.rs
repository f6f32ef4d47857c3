//! The column to predict: found by its name, or by what the data set's manifest says.

use mlops_algorithms::table::Column;
use mlops_artifacts::LoadedTable;
use mlops_core::{Error, Result};

/// The column of that name; `InvalidInput` with the nearest name when there is none.
pub(crate) fn find<'a>(data: &'a LoadedTable, name: &str, field: &str) -> Result<&'a Column> {
    data.table.column(name).ok_or_else(|| missing(data, name, field))
}

/// The column that was named, else the one that the manifest names, else none.
pub(crate) fn find_or_manifest<'a>(data: &'a LoadedTable, name: Option<&str>) -> Result<Option<&'a Column>> {
    let noted = || data.manifest.as_ref().and_then(|manifest| manifest.target_column.as_deref());
    name.or_else(noted).map(|name| find(data, name, "target_column")).transpose()
}

/// Refuses a column whose source held infinite numbers, which are nowhere a target.
pub(crate) fn refuse_infinite(data: &LoadedTable, name: &str) -> Result<()> {
    match data.source.notes.infinite.get(name) {
        Some(count) if *count > 0 => Err(Error::invalid_input(format!(
            "the target column `{name}` holds {count} infinite values in {}",
            data.source.uri
        ))
        .at("target_column")
        .hint("correct these rows in the source, or take them out")),
        _ => Ok(()),
    }
}

fn missing(data: &LoadedTable, name: &str, field: &str) -> Error {
    if let Some(found) = data.source.notes.skipped_columns.get(name) {
        let message = format!(
            "`{field}` names the column `{name}` of {}, whose {found} is neither a number nor text",
            data.source.uri
        );
        return Error::invalid_input(message).at(field).hint("flatten it into columns of numbers or text");
    }
    let names = data.table.names().take(20).collect::<Vec<_>>().join(", ");
    let more = if data.table.num_columns() > 20 { ", …" } else { "" };
    let error = Error::invalid_input(format!(
        "`{field}` names the column `{name}`, which is not in {}; its columns are: {names}{more}",
        data.source.uri
    ));
    match data.table.nearest_name(name) {
        Some(nearest) => error.at(field).hint(format!("did you mean `{nearest}`?")),
        None => error.at(field),
    }
}
