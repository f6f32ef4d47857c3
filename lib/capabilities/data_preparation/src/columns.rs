//! The columns of a table, as a manifest lists them.

use mlops_algorithms::table::Table;
use mlops_artifacts::ManifestColumn;

/// The names and types of the columns in their order.
pub(crate) fn of(table: &Table) -> Vec<ManifestColumn> {
    let column = |column: &mlops_algorithms::table::Column| ManifestColumn {
        name: column.name.clone(),
        kind: column.values.kind(),
    };
    table.columns.iter().map(column).collect()
}
