//! From the table of a file to the table that was asked for.

use std::collections::{BTreeMap, HashMap, HashSet};

use mlops_algorithms::seed;
use mlops_algorithms::table::{Column, Table, Values};
use mlops_core::{Error, Result};

use super::convert::{Misfit, convert};
use super::{ReadNotes, ReadOptions, Sample};
use crate::{ColumnType, Manifest};

/// What a reader asks for, checked, with what the manifest says.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) options: ReadOptions,
    /// The name of the file.
    pub(super) name: String,
    /// What columns hold as the request or else the manifest has it.
    pub(super) kinds: BTreeMap<String, ColumnType>,
}

impl Request {
    /// Refuses options that contradict themselves.
    pub(super) fn new(options: &ReadOptions, name: &str, manifest: Option<&Manifest>) -> Result<Self> {
        if let Some(columns) = &options.columns {
            let mut seen = HashSet::new();
            if columns.is_empty() {
                return Err(Error::invalid_input("`columns` names no column")
                    .at("columns")
                    .hint("leave it out for all"));
            }
            if let Some(twice) = columns.iter().find(|name| !seen.insert(name.as_str())) {
                let message = format!("`columns` names `{twice}` more than once");
                return Err(Error::invalid_input(message).at("columns").hint("name every column once"));
            }
        }
        if options.limit == Some(0) {
            return Err(Error::invalid_input("`limit` is 0").at("limit").hint("leave it out for all rows"));
        }
        if options.sample.is_some_and(|sample| sample.rows == 0) {
            return Err(Error::invalid_input("`sample.rows` is 0").at("sample.rows").hint("ask for at least one row"));
        }
        let written = manifest.iter().flat_map(|manifest| &manifest.columns);
        let mut kinds = written.map(|column| (column.name.clone(), column.kind)).collect::<BTreeMap<_, _>>();
        kinds.extend(options.schema.clone().unwrap_or_default());
        Ok(Self { options: options.clone(), name: name.to_owned(), kinds })
    }

    /// Whether that column is text by request or by its manifest.
    pub(super) fn is_text(&self, name: &str) -> bool {
        self.kinds.get(name) == Some(&ColumnType::Text)
    }

    /// The table that was asked for. `names` are all columns of the file, and `rows` its rows.
    pub(super) fn refine(&self, table: Table, rows: usize, names: &[String], notes: &mut ReadNotes) -> Result<Table> {
        self.check_names(names)?;
        let mut asked = self.options.schema.iter().flat_map(BTreeMap::keys);
        if let Some((name, found)) = asked.find_map(|name| notes.skipped_columns.get_key_value(name)) {
            let message = format!("the column `{name}` ({found}) is neither numbers nor text");
            return Err(Error::invalid_input(message).at("schema").hint("flatten it, or leave it out of `schema`"));
        }
        if names.is_empty() {
            return Err(Error::invalid_input("the table has no columns").hint("write at least one column"));
        }
        if rows == 0 {
            let message = format!("the table has {} columns but no rows", names.len());
            return Err(Error::invalid_input(message).hint("write at least one row below the header"));
        }
        let mut columns = self.in_order(table);
        for column in &mut columns {
            self.convert(column)?;
        }
        let mut table = Table { columns };
        if let Some(sample) = self.options.sample
            && sample.rows < rows
        {
            table = table.take(&draw(sample, rows));
            notes.sampled_from = Some(rows);
        }
        describe(&table, notes);
        if !self.options.keep_empty_columns && !notes.empty_columns.is_empty() {
            let empty = notes.empty_columns.iter().map(String::as_str).collect::<HashSet<_>>();
            table.columns.retain(|column| !empty.contains(column.name.as_str()));
            if table.columns.is_empty() {
                let message = format!("none of the {} columns has a value", empty.len());
                return Err(Error::invalid_input(message).hint("check that the file is the right one"));
            }
        }
        Ok(table)
    }

    /// Refuses names that the file does not have.
    fn check_names(&self, names: &[String]) -> Result<()> {
        let known = names.iter().map(String::as_str).collect::<HashSet<_>>();
        let columns = self.options.columns.iter().flatten().map(|name| ("columns", name));
        let schema = self.options.schema.iter().flat_map(BTreeMap::keys).map(|name| ("schema", name));
        let Some((field, name)) = columns.chain(schema).find(|(_, name)| !known.contains(name.as_str())) else {
            return Ok(());
        };
        let named = names.iter().map(|name| Column { name: name.clone(), values: Values::from_text([]) });
        let table = Table { columns: named.collect() };
        let hint = match table.nearest_name(name) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("the first columns are {}", names.iter().take(10).cloned().collect::<Vec<_>>().join(", ")),
        };
        Err(Error::invalid_input(format!("the table has no column `{name}`")).at(field).hint(hint))
    }

    /// The columns in the order of the request.
    fn in_order(&self, table: Table) -> Vec<Column> {
        let Some(names) = &self.options.columns else { return table.columns };
        let mut by_name =
            table.columns.into_iter().map(|column| (column.name.clone(), column)).collect::<HashMap<_, _>>();
        names.iter().filter_map(|name| by_name.remove(name)).collect()
    }

    fn convert(&self, column: &mut Column) -> Result<()> {
        let Some(&kind) = self.kinds.get(&column.name) else { return Ok(()) };
        let values = std::mem::replace(&mut column.values, Values::from_text([]));
        column.values = convert(values, kind).map_err(|Misfit { row, value }| {
            let value = value.chars().take(100).collect::<String>();
            let message = format!("the column `{}` is {kind}, but data row {} holds `{value}`", column.name, row + 1);
            if self.options.schema.as_ref().is_some_and(|schema| schema.contains_key(&column.name)) {
                let hint = "correct the value, or ask for text";
                return Error::invalid_input(message).at(format!("schema.{}", column.name)).hint(hint);
            }
            Error::invalid_input(message).hint("the manifest beside the table says so; write the table again")
        })?;
        Ok(())
    }
}

/// The rows of a sample, ascending: those whose hashes are the smallest, which is a draw without replacement.
fn draw(sample: Sample, rows: usize) -> Vec<usize> {
    let mut hashed = (0..rows).map(|row| (seed::derive(sample.seed, row as u64), row)).collect::<Vec<_>>();
    hashed.select_nth_unstable(sample.rows);
    let mut drawn = hashed[..sample.rows].iter().map(|&(_, row)| row).collect::<Vec<_>>();
    drawn.sort_unstable();
    drawn
}

/// Notes empty columns and infinite values.
fn describe(table: &Table, notes: &mut ReadNotes) {
    for column in &table.columns {
        if (0..column.values.len()).all(|row| column.values.is_missing(row)) {
            notes.empty_columns.push(column.name.clone());
        } else if let Values::Number { values, .. } = &column.values {
            let infinite = values.iter().filter(|value| value.is_infinite()).count();
            if infinite > 0 {
                notes.infinite.insert(column.name.clone(), infinite);
            }
        }
    }
}
