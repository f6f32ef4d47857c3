//! The fields of a text column as codes into the distinct ones.

use std::borrow::Cow;
use std::collections::HashMap;

use mlops_algorithms::table::MISSING;

use super::super::column::{Kinds, Piece};
use super::super::value::Cell;
use super::chunk::content;

/// How many fields are remembered in front of the map; a power of two.
const REMEMBERED: usize = 64;

/// The fields of a text column while they are read.
pub(super) struct Texts<'a> {
    kinds: Kinds,
    codes: Vec<u32>,
    categories: Vec<Cow<'a, str>>,
    /// The code of each distinct field as the file has it: quoted and plain ones of the same text have codes of their own
    /// until they meet the other chunks'. The keys come from strangers, so the map keeps its keyed hash.
    index: HashMap<&'a str, u32>,
    /// The last field of each slot and its code.
    recent: [(&'a str, u32); REMEMBERED],
}

impl<'a> Texts<'a> {
    pub(super) fn with_rows(rows: usize) -> Self {
        Self {
            kinds: Kinds::default(),
            codes: Vec::with_capacity(rows),
            categories: Vec::new(),
            index: HashMap::new(),
            recent: [("", MISSING); REMEMBERED],
        }
    }

    pub(super) fn push(&mut self, field: &'a str) {
        let slot = slot(field.as_bytes());
        let (known, code) = self.recent[slot];
        if known == field {
            return self.codes.push(code);
        }
        let code = self.index.get(field).copied().unwrap_or_else(|| self.add(field));
        self.recent[slot] = (field, code);
        self.codes.push(code);
    }

    fn add(&mut self, field: &'a str) -> u32 {
        let text = content(field);
        let cell = Cell::of_field(&text);
        self.kinds = self.kinds.with(Kinds::of(cell));
        let code = if cell == Cell::Missing {
            MISSING
        } else {
            self.categories.push(text);
            self.categories.len() as u32 - 1
        };
        self.index.insert(field, code);
        code
    }

    pub(super) fn finish(self) -> Piece<'a> {
        Piece::Texts { kinds: self.kinds, codes: self.codes, categories: self.categories }
    }
}

/// Where a field is remembered: by its length, its ends and its middle.
fn slot(field: &[u8]) -> usize {
    let byte = |at: usize| field.get(at).copied().map_or(0, usize::from);
    let length = field.len();
    let mixed = length + 31 * byte(0) + 7 * byte(length / 2) + 13 * byte(length.wrapping_sub(1));
    (mixed ^ (mixed >> 6)) % REMEMBERED
}
