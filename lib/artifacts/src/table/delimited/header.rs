//! The header line of a CSV or TSV file, and names that every column needs for itself.

use std::collections::HashSet;

use mlops_core::{Error, Result};

/// The names in a header. An empty name becomes `Unnamed: 0`, counted by position, as `pandas` has it.
pub(super) fn names_of(header: Vec<String>) -> Result<Vec<String>> {
    let name = |(index, name): (usize, String)| if name.trim().is_empty() { format!("Unnamed: {index}") } else { name };
    let names = header.into_iter().enumerate().map(name).collect::<Vec<_>>();
    check_unique(names.iter().map(String::as_str))?;
    Ok(names)
}

/// Refuses names that occur twice, naming them.
pub(in super::super) fn check_unique<'a>(names: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut seen = HashSet::new();
    let mut twice = Vec::new();
    for name in names {
        if !seen.insert(name) && !twice.contains(&name) && twice.len() < 10 {
            twice.push(name);
        }
    }
    if twice.is_empty() {
        return Ok(());
    }
    let named = twice.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let message = format!("column names occur more than once: {named}");
    Err(Error::invalid_input(message).hint("give every column a name of its own"))
}
