//! A block of delimited text as chunks of columns, the same on any number of threads.

use mlops_core::Error;
use rayon::prelude::*;

use super::super::column::Piece;
use super::chunk::{Chunk, Fault, Shape};
use super::scanner::line_after;

/// What the header says, and which of the columns are read.
pub(super) struct Layout {
    pub(super) shape: Shape,
    /// For each column of the table its field in the file.
    pub(super) picked: Vec<usize>,
    pub(super) names: Vec<String>,
    /// How many bytes a thread reads at a time.
    pub(super) step: usize,
}

/// A chunk and its columns.
pub(super) struct Parsed<'a> {
    pub(super) chunk: Chunk<'a>,
    pub(super) pieces: Vec<Piece<'a>>,
    /// The number of lines that end in it.
    pub(super) lines: u64,
}

impl Layout {
    /// The records of a block that begins with one, at most `most` of them, without a last one that the block cuts off.
    /// `is_text` says of each column of the table whether it is known to be text.
    pub(super) fn parse<'a>(
        &self,
        block: &'a [u8],
        last: bool,
        most: usize,
        is_text: &[bool],
    ) -> Result<Vec<Parsed<'a>>, Fault> {
        let parse = |from, until, most| {
            let chunk = Chunk::find(block, (from, until), last, self.shape, most)?;
            let columns = self.picked.iter().zip(is_text);
            let pieces = columns.map(|(&column, &is_text)| chunk.column(column, is_text)).collect();
            Ok(Parsed { lines: chunk.lines(), pieces, chunk })
        };
        // Where a line begins is a guess: the line may lie within quotes.
        let guess = |index: usize| {
            let from = if index == 0 { 0 } else { line_after(block, index * self.step) };
            (from, parse(from, (index + 1) * self.step, most))
        };
        let guesses = (0..block.len().div_ceil(self.step)).into_par_iter().map(guess).collect::<Vec<_>>();
        let (mut found, mut at, mut left) = (Vec::with_capacity(guesses.len()), 0, most);
        for (index, (from, guess)) in guesses.into_iter().enumerate() {
            let until = ((index + 1) * self.step).min(block.len());
            if left == 0 {
                break;
            }
            if at >= until {
                continue;
            }
            let parsed = match guess {
                Ok(parsed) if from == at && parsed.chunk.rows <= left => parsed,
                _ => parse(at, until, left)?,
            };
            (at, left) = (parsed.chunk.next, left - parsed.chunk.rows);
            let cut = parsed.chunk.cut;
            found.push(parsed);
            if cut {
                break;
            }
        }
        Ok(found)
    }

    /// What is wrong, in words. The block begins in that line, counted from 1, and at that byte of the file.
    pub(super) fn wrong(&self, fault: Fault, block: &[u8], line: u64, offset: u64) -> Error {
        let line_of = |at: usize| line + lines(&block[..at.min(block.len())]);
        let field_of = |index: usize| match self.names.get(index) {
            Some(name) => format!("field {} (`{name}`)", index + 1),
            None => format!("field {}", index + 1),
        };
        match fault {
            Fault::Encoding { record, field, at } => {
                let (line, field, byte) = (line_of(record), field_of(field), offset + at as u64);
                let message = format!(
                    "the row in line {line} is not UTF-8: its {field} has a wrong byte, byte {byte} of the file"
                );
                Error::invalid_input(message).hint("save the file as UTF-8")
            }
            Fault::OpenQuote { record, field } => {
                let (line, field) = (line_of(record), field_of(field));
                let message = format!("a quote that is opened in the row of line {line}, {field}, is never closed");
                let hint = "close it, or write \"\" for a quote inside a quoted field";
                Error::invalid_input(message).hint(hint)
            }
        }
    }
}

/// The number of lines that end in those bytes.
pub(super) fn lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
