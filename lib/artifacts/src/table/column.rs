//! One column while it is read: numbers as long as all values are numbers, text from then on.

use std::borrow::Cow;
use std::collections::HashMap;

use mlops_algorithms::table::{Column, MISSING, NumberKind, Values};

use super::value::Cell;

/// The set of kinds that the values of a column have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Kinds(u8);

impl Kinds {
    pub(super) const INTEGER: Self = Self(1);
    pub(super) const FLOAT: Self = Self(2);
    pub(super) const BOOLEAN: Self = Self(4);
    pub(super) const TIMESTAMP: Self = Self(8);
    pub(super) const TEXT: Self = Self(16);
    /// Whole numbers of which one is beyond 2^53.
    pub(super) const LARGE: Self = Self(32 | 1);

    pub(super) fn of(cell: Cell) -> Self {
        match cell {
            Cell::Missing => Self::default(),
            Cell::Integer(_) => Self::INTEGER,
            Cell::Large(_) => Self::LARGE,
            Cell::Float(_) => Self::FLOAT,
            Cell::Boolean(_) => Self::BOOLEAN,
            Cell::Timestamp(_) => Self::TIMESTAMP,
            Cell::Text => Self::TEXT,
        }
    }

    #[must_use]
    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn bits(self) -> u8 {
        self.0
    }

    pub(super) fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The kind of number that holds all values; `None` when only text does, or when there is no value. Whole numbers
    /// beyond 2^53 lose digits as numbers, which matters unless a fraction beside them says that they are measured.
    pub(super) fn number(self) -> Option<NumberKind> {
        if self.has(Self::LARGE) && !self.has(Self::FLOAT) { None } else { self.nearest_number() }
    }

    /// The kind of number that holds all values or what is nearest to them.
    fn nearest_number(self) -> Option<NumberKind> {
        match Self(self.0 & !32) {
            Self::INTEGER => Some(NumberKind::Integer),
            Self::BOOLEAN => Some(NumberKind::Boolean),
            Self::TIMESTAMP => Some(NumberKind::Timestamp),
            Self(2 | 3) => Some(NumberKind::Float),
            _ => None,
        }
    }

    /// Whether numbers hold all values or what is nearest to them, or there is no value.
    pub(super) fn may_be_numbers(self) -> bool {
        self == Self::default() || self.nearest_number().is_some()
    }

    /// Whether only text holds all values.
    pub(super) fn is_text(self) -> bool {
        self != Self::default() && self.number().is_none()
    }

    /// What became of a column that holds several kinds, as `integer → text`.
    pub(super) fn widened(self) -> Option<String> {
        let named = [(Self::INTEGER, "integer"), (Self::FLOAT, "float"), (Self::BOOLEAN, "boolean")];
        let named = named.into_iter().chain([(Self::TIMESTAMP, "timestamp")]);
        let others = named.filter(|(kind, _)| self.has(*kind)).map(|(_, name)| name).collect::<Vec<_>>();
        if self.is_text() && !others.is_empty() {
            let why = if self.has(Self::LARGE) { ": numbers beyond 2^53 keep their digits as text" } else { "" };
            return Some(format!("{} → text{why}", others.join(", ")));
        }
        self.has(Self::LARGE).then(|| "integer → float".to_owned())
    }
}

/// Some values of a column of a CSV file.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    /// Numbers; `NaN` is missing.
    Numbers { kinds: Kinds, values: Vec<f64> },
    /// Text by codes into `categories`, where a text may be found more than once; `MISSING` is missing. Other kinds than
    /// text are among `kinds` when some of it reads as such.
    Texts { kinds: Kinds, codes: Vec<u32>, categories: Vec<Cow<'a, str>> },
}

/// One column while it is read.
pub(super) struct ColumnBuilder {
    pub(super) name: String,
    pub(super) kinds: Kinds,
    state: State,
}

enum State {
    /// So many missing values and nothing else.
    Empty(usize),
    Number(Vec<f64>),
    Text {
        codes: Vec<u32>,
        index: HashMap<String, u32>,
    },
    /// So many values of a column whose text must be read anew, because it began as numbers.
    Again(usize),
}

impl ColumnBuilder {
    /// A column that begins with `missing` missing values. `text` says that it is text, with all the kinds it holds.
    pub(super) fn new(name: String, missing: usize, text: Option<Kinds>) -> Self {
        let mut state = State::Empty(missing);
        if text.is_some() {
            state.become_text();
        }
        Self { name, kinds: text.unwrap_or_default(), state }
    }

    /// The number of values.
    pub(super) fn len(&self) -> usize {
        match &self.state {
            State::Empty(count) | State::Again(count) => *count,
            State::Number(values) => values.len(),
            State::Text { codes, .. } => codes.len(),
        }
    }

    /// Whether the column must be read again as text.
    pub(super) fn is_again(&self) -> bool {
        match self.state {
            State::Again(_) => true,
            State::Number(_) => self.kinds.is_text(),
            State::Empty(_) | State::Text { .. } => false,
        }
    }

    /// Whether the values are kept as text.
    pub(super) fn is_text(&self) -> bool {
        matches!(self.state, State::Text { .. })
    }

    /// Appends missing values until there are `length` values.
    pub(super) fn fill(&mut self, length: usize) {
        match &mut self.state {
            State::Empty(count) | State::Again(count) => *count = length,
            State::Number(values) => values.resize(length, f64::NAN),
            State::Text { codes, .. } => codes.resize(length, MISSING),
        }
    }

    /// Appends numbers of those kinds.
    pub(super) fn append_numbers(&mut self, kinds: Kinds, numbers: &[f64]) {
        self.kinds = self.kinds.with(kinds);
        let length = self.len() + numbers.len();
        if kinds == Kinds::default() {
            return self.fill(length);
        }
        if let State::Empty(count) = self.state {
            self.state = State::Number(vec![f64::NAN; count]);
        }
        match &mut self.state {
            State::Number(values) if self.kinds.nearest_number().is_some() => values.extend_from_slice(numbers),
            _ => self.state = State::Again(length),
        }
    }

    /// Appends text of those kinds.
    pub(super) fn append_text(&mut self, kinds: Kinds, texts: &mut dyn ExactSizeIterator<Item = Option<&str>>) {
        self.kinds = self.kinds.with(kinds);
        let length = self.len() + texts.len();
        if matches!(self.state, State::Empty(_)) {
            self.state.become_text();
        }
        let State::Text { codes, index } = &mut self.state else {
            self.state = State::Again(length);
            return;
        };
        // Equal values often follow each other.
        let (mut last, mut code) = (None, MISSING);
        for text in texts {
            if text != last {
                code = text.map_or(MISSING, |text| code_of(index, text));
                last = text;
            }
            codes.push(code);
        }
    }

    /// Appends pieces that follow each other. `as_text` reads the one at an index again, as text.
    pub(super) fn append_pieces<'a>(&mut self, pieces: Vec<Piece<'a>>, as_text: impl Fn(usize) -> Piece<'a>) {
        let all = pieces.iter().fold(self.kinds, |kinds, piece| kinds.with(piece.kinds()));
        let is_text = self.is_text() || !all.may_be_numbers();
        for (index, piece) in pieces.into_iter().enumerate() {
            let may_append = matches!(self.state, State::Empty(_) | State::Text { .. });
            match piece {
                Piece::Numbers { .. } if is_text && may_append => self.append_piece(as_text(index)),
                piece => self.append_piece(piece),
            }
        }
        self.kinds = all;
    }

    fn append_piece(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Numbers { kinds, values } => self.append_numbers(kinds, &values),
            Piece::Texts { kinds, codes, categories } => {
                self.kinds = self.kinds.with(kinds);
                let length = self.len() + codes.len();
                if matches!(self.state, State::Empty(_)) {
                    self.state.become_text();
                }
                let State::Text { codes: known, index } = &mut self.state else {
                    self.state = State::Again(length);
                    return;
                };
                let code = |text: &Cow<'_, str>| code_of(index, text);
                let moved = categories.iter().map(code).collect::<Vec<_>>();
                known.extend(codes.into_iter().map(|code| moved.get(code as usize).copied().unwrap_or(MISSING)));
            }
        }
    }

    /// Appends the strings of JSON documents and finds out what they are.
    pub(super) fn append_cells<'a, I>(&mut self, cells: &[Cell], kinds: Kinds, texts: I)
    where
        I: ExactSizeIterator<Item = Option<&'a str>>,
    {
        let all = self.kinds.with(kinds);
        if self.is_text() || (all != Kinds::default() && all.nearest_number().is_none()) {
            let texts = cells.iter().zip(texts).map(|(cell, text)| text.filter(|_| *cell != Cell::Missing));
            return self.append_text(kinds, &mut texts.collect::<Vec<_>>().into_iter());
        }
        self.append_numbers(kinds, &cells.iter().map(|cell| cell.number()).collect::<Vec<_>>());
    }

    /// The column. One without values is a column of floats.
    pub(super) fn finish(self) -> Column {
        let values = match self.state {
            State::Empty(count) | State::Again(count) => {
                Values::Number { values: vec![f64::NAN; count], kind: NumberKind::Float }
            }
            State::Number(values) => Values::Number { values, kind: self.kinds.number().unwrap_or(NumberKind::Float) },
            State::Text { codes, index } => {
                let mut categories = vec![String::new(); index.len()];
                for (text, code) in index {
                    categories[code as usize] = text;
                }
                Values::Text { codes, categories }
            }
        };
        Column { name: self.name, values }
    }
}

/// The code of a text; only a new one is copied.
fn code_of(index: &mut HashMap<String, u32>, text: &str) -> u32 {
    index.get(text).copied().unwrap_or_else(|| {
        let code = index.len() as u32;
        index.insert(text.to_owned(), code);
        code
    })
}

impl Piece<'_> {
    fn kinds(&self) -> Kinds {
        match self {
            Self::Numbers { kinds, .. } | Self::Texts { kinds, .. } => *kinds,
        }
    }
}

impl State {
    /// Missing values become missing text.
    fn become_text(&mut self) {
        if let Self::Empty(count) = self {
            *self = Self::Text { codes: vec![MISSING; *count], index: HashMap::new() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> [Kinds; 6] {
        [Kinds::INTEGER, Kinds::FLOAT, Kinds::BOOLEAN, Kinds::TIMESTAMP, Kinds::TEXT, Kinds::LARGE]
    }

    #[test]
    fn kinds_join_to_the_narrowest_that_holds_both() {
        for one in all() {
            for other in all() {
                assert_eq!(one.with(other), other.with(one));
            }
        }
        assert_eq!(Kinds::INTEGER.with(Kinds::FLOAT).number(), Some(NumberKind::Float));
        assert_eq!(Kinds::LARGE.with(Kinds::FLOAT).number(), Some(NumberKind::Float));
        assert!(Kinds::INTEGER.with(Kinds::LARGE).is_text());
        assert!(Kinds::INTEGER.with(Kinds::BOOLEAN).is_text());
        assert!(!Kinds::default().is_text());
    }

    #[test]
    fn widening_is_told() {
        assert_eq!(Kinds::INTEGER.with(Kinds::FLOAT).widened(), None);
        assert_eq!(Kinds::TEXT.widened(), None);
        assert_eq!(Kinds::LARGE.with(Kinds::FLOAT).widened().unwrap(), "integer → float");
        let digits = "integer → text: numbers beyond 2^53 keep their digits as text";
        assert_eq!(Kinds::LARGE.widened().unwrap(), digits);
        assert_eq!(Kinds::INTEGER.with(Kinds::BOOLEAN).widened().unwrap(), "integer, boolean → text");
    }

    #[test]
    fn numbers_that_meet_text_must_be_read_again() {
        let mut column = ColumnBuilder::new("a".to_owned(), 1, None);
        column.append_numbers(Kinds::INTEGER, &[1.0]);
        assert!(!column.is_again());
        column.append_text(Kinds::TEXT, &mut [Some("x")].into_iter());
        assert!(column.is_again());
        column.fill(5);
        assert_eq!(column.len(), 5);
    }
}
