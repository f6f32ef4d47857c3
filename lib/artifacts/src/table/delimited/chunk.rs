//! A stretch of delimited text as columns: its records are found first, then each column is read on its own.

use std::borrow::Cow;

use super::super::column::{Kinds, Piece};
use super::super::value::Cell;
use super::number;
use super::parse::lines;
use super::scanner::{Record, Scanner, closing_quote};
use super::texts::Texts;

/// What every stretch of a file has in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) delimiter: u8,
    /// The number of fields in the header.
    pub(super) width: usize,
}

/// Records that follow each other.
#[derive(Debug)]
pub(super) struct Chunk<'a> {
    text: &'a str,
    shape: Shape,
    /// For each row the byte before its first field, and then where each field ends.
    spans: Vec<u32>,
    /// Where the first record begins in the block.
    pub(super) from: usize,
    /// Where the text behind the last record begins in the block.
    pub(super) next: usize,
    /// Whether that text is a record that the block cuts off.
    pub(super) cut: bool,
    pub(super) rows: usize,
    pub(super) ragged: Ragged,
}

/// Rows that have another number of fields than the header.
#[derive(Debug, Default)]
pub(super) struct Ragged {
    pub(super) rows: usize,
    /// Where the first of them begin in the block, at most five.
    pub(super) examples: Vec<usize>,
    /// How many of them have more fields than the header.
    pub(super) longer: usize,
    /// How many fields those have beyond the header's; `None` when they differ, or when there are none.
    pub(super) surplus: Option<usize>,
}

/// What is wrong with the text, and where in the block.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    /// A byte is not UTF-8: its record, the index of its field, its place.
    Encoding { record: usize, field: usize, at: usize },
    /// A quoted field is never closed: its record, the index of its field.
    OpenQuote { record: usize, field: usize },
}

impl<'a> Chunk<'a> {
    /// Finds the records that begin in `from..until` of the block, at most `most` of them. A record that begins there is
    /// read to its end. `last` says that the file ends with the block.
    pub(super) fn find(
        block: &'a [u8],
        (from, until): (usize, usize),
        last: bool,
        shape: Shape,
        most: usize,
    ) -> Result<Self, Fault> {
        let bytes = block.get(from..).unwrap_or_default();
        let limit = until.saturating_sub(from).min(bytes.len());
        let mut scanner = Scanner::new(bytes, shape.delimiter);
        let mut spans = Vec::with_capacity(limit / 16);
        let (mut at, mut rows, mut cut, mut ragged) = (0, 0, false, Ragged::default());
        let mut open = None;
        while at < limit && rows < most {
            at = scanner.skip_blank(at);
            if at >= limit {
                break;
            }
            let first = spans.len() + 1;
            spans.push((at as u32).wrapping_sub(1));
            let record = scanner.record(at, last, &mut spans);
            let fields = spans.len() - first;
            match record {
                Record::Whole(next) => {
                    if fields != shape.width {
                        ragged.note(from + at, fields, shape.width);
                        // A field that is not there is as an empty one.
                        let end = spans[spans.len() - 1];
                        spans.truncate(first + shape.width);
                        spans.extend((fields..shape.width).map(|field| end.wrapping_add((field - fields) as u32 + 1)));
                    }
                    (at, rows) = (next, rows + 1);
                }
                Record::Cut | Record::Open => {
                    open = (last && record == Record::Open)
                        .then_some(Fault::OpenQuote { record: from + at, field: fields });
                    spans.truncate(first - 1);
                    cut = true;
                    break;
                }
            }
        }
        let text = std::str::from_utf8(&bytes[..at])
            .map_err(|error| encoding(bytes, shape.delimiter, last, error.valid_up_to()).behind(from))?;
        // What is wrong further in front is told first.
        if let Some(fault) = open {
            return Err(fault);
        }
        Ok(Self { text, shape, spans, from, next: from + at, cut, rows, ragged })
    }

    /// The number of lines that end in the chunk.
    pub(super) fn lines(&self) -> u64 {
        lines(self.text.as_bytes())
    }

    /// The column as numbers, or as text when it is not numbers alone or when `as_text` asks for it.
    pub(super) fn column(&self, column: usize, as_text: bool) -> Piece<'a> {
        let numbers = if as_text { None } else { self.numbers(column) };
        numbers.unwrap_or_else(|| {
            let mut texts = Texts::with_rows(self.rows);
            for row in 0..self.rows {
                texts.push(self.field(row, column));
            }
            texts.finish()
        })
    }

    /// The column as numbers; `None` when only text holds all of its values.
    fn numbers(&self, column: usize) -> Option<Piece<'a>> {
        let mut kinds = Kinds::default();
        let mut values = Vec::with_capacity(self.rows);
        for row in 0..self.rows {
            let (from, to) = self.span(row, column);
            let plain = number::read(self.text.as_bytes(), from, to);
            let cell = plain.unwrap_or_else(|| Cell::of_field(&content(self.field(row, column))));
            if cell == Cell::Text {
                return None;
            }
            kinds = kinds.with(Kinds::of(cell));
            values.push(cell.number());
        }
        kinds.may_be_numbers().then_some(Piece::Numbers { kinds, values })
    }

    fn span(&self, row: usize, column: usize) -> (usize, usize) {
        let at = row * (self.shape.width + 1) + column;
        (self.spans[at].wrapping_add(1) as usize, self.spans[at + 1] as usize)
    }

    /// The field as the file has it, with its quotes.
    fn field(&self, row: usize, column: usize) -> &'a str {
        let (from, to) = self.span(row, column);
        self.text.get(from..to).unwrap_or_default()
    }
}

/// The fields of the first record that is not blank, and where the text behind it begins. `None` when the text ends
/// before the record does.
pub(super) fn first_record(block: &[u8], delimiter: u8, last: bool) -> Result<Option<(Vec<String>, usize)>, Fault> {
    let mut scanner = Scanner::new(block, delimiter);
    let start = scanner.skip_blank(0);
    let mut ends = Vec::new();
    let next = match scanner.record(start, last, &mut ends) {
        Record::Whole(next) => next,
        Record::Open if last => return Err(Fault::OpenQuote { record: start, field: ends.len() }),
        Record::Cut | Record::Open => return Ok(None),
    };
    let text =
        std::str::from_utf8(&block[..next]).map_err(|error| encoding(block, delimiter, last, error.valid_up_to()))?;
    let mut from = start;
    let fields = ends.into_iter().map(|end| {
        let field = content(text.get(from..end as usize).unwrap_or_default()).into_owned();
        from = end as usize + 1;
        field
    });
    Ok(Some((fields.collect(), next)))
}

/// The text of a field without its quotes.
pub(super) fn content(field: &str) -> Cow<'_, str> {
    if !field.starts_with('"') {
        return Cow::Borrowed(field);
    }
    let close = closing_quote(field.as_bytes(), 0).unwrap_or(field.len());
    let quoted = field.get(1..close).unwrap_or_default();
    let behind = field.get(close + 1..).unwrap_or_default();
    if behind.is_empty() && !quoted.contains('"') {
        return Cow::Borrowed(quoted);
    }
    Cow::Owned(quoted.replace("\"\"", "\"") + behind)
}

/// In which record and field the byte at `at` is that is not UTF-8.
fn encoding(bytes: &[u8], delimiter: u8, last: bool, at: usize) -> Fault {
    let mut scanner = Scanner::new(bytes, delimiter);
    let (mut record, mut ends) = (0, Vec::new());
    loop {
        record = scanner.skip_blank(record);
        ends.clear();
        match scanner.record(record, last, &mut ends) {
            Record::Whole(next) if next <= at => record = next,
            _ => break,
        }
    }
    let field = ends.iter().filter(|&&end| (end as usize) < at).count();
    Fault::Encoding { record, field, at }
}

impl Fault {
    /// The fault of a text that begins so far behind.
    fn behind(self, by: usize) -> Self {
        match self {
            Self::Encoding { record, field, at } => Self::Encoding { record: record + by, field, at: at + by },
            Self::OpenQuote { record, field } => Self::OpenQuote { record: record + by, field },
        }
    }
}

impl Ragged {
    fn note(&mut self, at: usize, fields: usize, width: usize) {
        self.rows += 1;
        if self.examples.len() < 5 {
            self.examples.push(at);
        }
        if fields > width {
            let surplus = fields - width;
            self.surplus = (self.longer == 0 || self.surplus == Some(surplus)).then_some(surplus);
            self.longer += 1;
        }
    }

    /// Adds what was found behind; the examples are left to the caller.
    pub(super) fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        if other.longer > 0 {
            self.surplus = if self.longer == 0 || self.surplus == other.surplus { other.surplus } else { None };
            self.longer += other.longer;
        }
    }
}
