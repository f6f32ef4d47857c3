//! Finding equal rows by hash.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::parallel;
use crate::table::{Table, Values};

/// How many rows are hashed at a time.
const ROWS: usize = 4096;

/// The hash of a missing value.
const MISSING_HASH: u64 = 0x6D69_7373_696E_6700;

/// A hash of 128 bits for each row over all columns but the excluded ones, so that equal rows have equal hashes and
/// different rows, for all purposes, different ones; `None` when no column is left.
pub(crate) fn row_hashes(table: &Table, excluded: &[&str]) -> Option<Vec<u128>> {
    let columns = table.columns.iter().filter(|column| !excluded.contains(&column.name.as_str()));
    let columns = columns.map(|column| Hashed::of(&column.values)).collect::<Vec<_>>();
    if columns.is_empty() {
        return None;
    }
    let mut hashes = vec![0; table.num_rows()];
    parallel::for_each(hashes.chunks_mut(ROWS).enumerate(), |(chunk, hashes)| {
        let from = chunk * ROWS;
        let mut rows = vec![(0, 0); hashes.len()];
        for column in &columns {
            column.add(&mut rows, from);
        }
        hashes.iter_mut().zip(rows).for_each(|(hash, (high, low))| *hash = u128::from(high) << 64 | u128::from(low));
    });
    Some(hashes)
}

/// A column with the hashes of its categories.
enum Hashed<'a> {
    Numbers(&'a [f64]),
    Text(&'a [u32], Vec<u64>),
}

impl<'a> Hashed<'a> {
    fn of(values: &'a Values) -> Self {
        match values {
            Values::Number { values, .. } => Self::Numbers(values),
            Values::Text { codes, categories } => Self::Text(codes, categories.iter().map(text_hash).collect()),
        }
    }

    /// Adds the values from that row on.
    fn add(&self, rows: &mut [(u64, u64)], from: usize) {
        match self {
            Self::Numbers(values) => {
                let hash = |value: &f64| if value.is_nan() { MISSING_HASH } else { (value + 0.0).to_bits() };
                rows.iter_mut().zip(&values[from..]).for_each(|(row, value)| add(row, hash(value)));
            }
            Self::Text(codes, categories) => {
                let hash = |code: &u32| categories.get(*code as usize).copied().unwrap_or(MISSING_HASH);
                rows.iter_mut().zip(&codes[from..]).for_each(|(row, code)| add(row, hash(code)));
            }
        }
    }
}

fn add(row: &mut (u64, u64), value: u64) {
    row.0 = crate::seed::derive(row.0, value);
    row.1 = crate::seed::derive(row.1 ^ 0xA5A5_A5A5_A5A5_A5A5, value.rotate_left(32));
}

fn text_hash(text: &String) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Column, NumberKind};

    #[test]
    fn equal_rows_have_equal_hashes_and_others_do_not() {
        let numbers = Values::Number { values: vec![0.0, -0.0, 1.0, f64::NAN, f64::NAN], kind: NumberKind::Float };
        let text = Values::from_text([Some("a"), Some("a"), Some("a"), None, None]);
        let columns = [("x", numbers), ("y", text)].map(|(name, values)| Column { name: name.to_owned(), values });
        let table = Table { columns: columns.to_vec() };
        let hashes = row_hashes(&table, &[]).unwrap();
        assert_eq!((hashes[0], hashes[3]), (hashes[1], hashes[4]));
        assert_ne!(hashes[0], hashes[2]);
        assert_ne!(hashes[2], hashes[3]);
        let without = row_hashes(&table, &["x"]).unwrap();
        assert_eq!(without[0], without[2]);
        assert_eq!(row_hashes(&table, &["x", "y"]), None);
    }
}
