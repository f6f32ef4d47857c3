//! A CSV or TSV file into a table, block by block.

use std::collections::HashSet;
use std::io::Read;

use mlops_core::{Call, Error, Result};

use super::super::builder::TableBuilder;
use super::super::input::{Input, from_io};
use super::super::{ReadNotes, TableFormat, delimiter};
use super::blocks::{Block, Blocks};
use super::chunk::{Ragged, Shape, first_record};
use super::header::names_of;
use super::parse::{Layout, lines};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The most bytes of one row: 256 MiB.
const LONGEST_ROW: usize = 256 << 20;

/// How many bytes are read at a time.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Sizes {
    /// By a thread for each column, so that what belongs to a column is worth its while.
    pub(super) column: usize,
    /// By a thread at least and at most: what is noted of them fits a core's cache.
    pub(super) step: (usize, usize),
    /// At first: when some rows are asked for, and when all are, which tells early of columns that begin as numbers and
    /// are text.
    pub(super) first: [usize; 2],
    /// From the file. Two blocks are in memory: one is parsed while the next one comes.
    pub(super) block: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { column: 2 << 10, step: (64 << 10, 1 << 20), first: [256 << 10, 16 << 20], block: 8 << 20 }
    }
}

/// Reads a CSV or TSV file.
pub(in super::super) struct DelimitedReader {
    sizes: Sizes,
    blocks: Blocks,
    block: Block,
    layout: Layout,
    /// The line that the block begins in, counted from 1.
    line: u64,
    /// Where in the file the block begins.
    offset: u64,
    rows: usize,
    ragged: Ragged,
    notes: ReadNotes,
}

impl DelimitedReader {
    /// Reads the header. `columns` are those to read; a name that is not in the header is left to the caller. `limit` is
    /// the number of rows that will be read at most; `sizes` change the speed alone.
    pub(in super::super) fn new(
        mut input: Input,
        format: TableFormat,
        columns: Option<&HashSet<&str>>,
        limit: usize,
        sizes: Sizes,
    ) -> Result<Self> {
        let mut notes = ReadNotes { byte_order_mark: input.head.starts_with(BYTE_ORDER_MARK), ..Default::default() };
        let mut offset = 0;
        if notes.byte_order_mark {
            input.reader.read_exact(&mut [0; BYTE_ORDER_MARK.len()]).map_err(|error| from_io(&error))?;
            input.head.drain(..BYTE_ORDER_MARK.len());
            offset = BYTE_ORDER_MARK.len() as u64;
        }
        notes.carriage_returns = input.head.windows(2).any(|pair| pair == b"\r\n");
        let delimiter = if format == TableFormat::Tsv { b'\t' } else { delimiter::sniff(&input.head) };
        if format == TableFormat::Csv && delimiter != b',' {
            notes.delimiter = Some(char::from(delimiter).to_string());
        }
        let shape = Shape { delimiter, width: 0 };
        let mut layout = Layout { shape, step: 0, picked: Vec::new(), names: Vec::new() };
        let (mut blocks, mut block) = (Blocks::new(input.reader), Block::default());
        blocks.fill(&mut block, sizes.first[usize::from(limit == usize::MAX)])?;
        let (fields, next) = loop {
            if block.last && block.bytes().trim_ascii().is_empty() {
                return Err(Error::invalid_input("the file is empty").hint("write a header line and at least one row"));
            }
            let found = first_record(block.bytes(), delimiter, block.last);
            match found.map_err(|fault| layout.wrong(fault, block.bytes(), 1, offset))? {
                Some(found) => break found,
                None if block.bytes().len() > LONGEST_ROW => return Err(too_long(1)),
                None => blocks.extend(&mut block, sizes.block)?,
            }
        };
        layout.names = names_of(fields)?;
        layout.shape.width = layout.names.len();
        layout.step = (sizes.column * layout.names.len()).clamp(sizes.step.0, sizes.step.1);
        let is_picked = |name: &str| columns.is_none_or(|columns| columns.contains(name));
        layout.picked = (0..layout.names.len()).filter(|&index| is_picked(&layout.names[index])).collect();
        let line = 1 + lines(&block.bytes()[..next]);
        block.skip(next);
        offset += next as u64;
        Ok(Self { sizes, blocks, block, layout, line, offset, rows: 0, ragged: Ragged::default(), notes })
    }

    /// Reads at most `limit` rows into the table.
    pub(in super::super) fn read(&mut self, table: &mut TableBuilder, limit: usize, call: &Call) -> Result<()> {
        table.expect(self.layout.picked.iter().map(|&index| self.layout.names[index].as_str()));
        let (mut block, mut spare) = (std::mem::take(&mut self.block), Block::default());
        let mut size = self.sizes.block;
        loop {
            call.check()?;
            let (left, is_text) = (limit - self.rows, table.are_texts());
            let Self { blocks, layout, .. } = &mut *self;
            let (mut parsed, mut filled) = (Ok(Vec::new()), Ok(()));
            // This thread waits for the next block while the others read the last one: none of theirs ever waits for a store.
            rayon::in_place_scope(|scope| {
                scope.spawn(|_| parsed = layout.parse(block.bytes(), block.last, left, &is_text));
                if !block.last {
                    filled = blocks.fill(&mut spare, size);
                }
            });
            let wrong = |fault| self.layout.wrong(fault, block.bytes(), self.line, self.offset);
            let mut parsed = parsed.map_err(wrong)?;
            filled?;
            let next = parsed.last().map_or(0, |parsed| parsed.chunk.next);
            let (mut rows, mut line) = (0, self.line);
            for one in &parsed {
                let examples = one.chunk.ragged.examples.iter();
                let line_of = |&at: &usize| line + lines(&block.bytes()[one.chunk.from..at]);
                let room = 5 - self.notes.ragged_examples.len();
                self.notes.ragged_examples.extend(examples.map(line_of).take(room));
                self.ragged.add(&one.chunk.ragged);
                rows += one.chunk.rows;
                line += one.lines;
            }
            let pieces = parsed.iter_mut().map(|parsed| std::mem::take(&mut parsed.pieces)).collect();
            let picked = &self.layout.picked;
            table.append_pieces(pieces, rows, |chunk, column| parsed[chunk].chunk.column(picked[column], true))?;
            drop(parsed);
            self.rows += rows;
            self.offset += next as u64;
            self.line = line;
            if block.last || self.rows >= limit {
                return Ok(());
            }
            let rest = &block.bytes()[next..];
            if rest.len() > LONGEST_ROW {
                return Err(too_long(self.line));
            }
            // A row that is longer than a block is read anew with each one, so the blocks grow with it.
            size = self.sizes.block.max(rest.len());
            spare.put_in_front(rest);
            std::mem::swap(&mut block, &mut spare);
        }
    }

    /// The names of all columns, read or not.
    pub(in super::super) fn names(&self) -> Vec<String> {
        self.layout.names.clone()
    }

    /// What was found; this refuses a header that is too short for every row.
    pub(in super::super) fn finish(mut self) -> Result<ReadNotes> {
        if let Some(surplus) = self.ragged.surplus
            && self.ragged.longer == self.rows
        {
            let (width, fields) = (self.layout.names.len(), self.layout.names.len() + surplus);
            let message = format!("the header has {width} names, but every row has {fields} fields");
            return Err(Error::invalid_input(message).hint("name every column in the header"));
        }
        self.notes.ragged_rows = self.ragged.rows;
        Ok(self.notes)
    }
}

fn too_long(line: u64) -> Error {
    let message = format!("the row in line {line} is longer than 256 MiB");
    Error::invalid_input(message).hint("look for a quote that is opened and never closed")
}
