//! A file as blocks of bytes, each with the record in front that the block before has cut off.

use std::io::{BufReader, ErrorKind, Read};

use mlops_core::Result;

use super::super::input::from_io;

/// This share of a block's size is kept free in front of it for what the one before leaves.
const ROOM: usize = 16;

/// The bytes of a file as they come.
pub(super) struct Blocks {
    reader: BufReader<Box<dyn Read + Send>>,
}

/// Some bytes of a file.
#[derive(Default)]
pub(super) struct Block {
    /// The bytes are those at `start..end`; the others are left from before, so that they need not be cleared anew.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Whether the file ends with it.
    pub(super) last: bool,
}

impl Blocks {
    pub(super) fn new(reader: BufReader<Box<dyn Read + Send>>) -> Self {
        Self { reader }
    }

    /// Replaces what is in the block by the next `size` bytes, or by fewer at the end of the file.
    pub(super) fn fill(&mut self, block: &mut Block, size: usize) -> Result<()> {
        block.start = size / ROOM;
        block.end = block.start;
        self.extend(block, size)
    }

    /// Appends the next `size` bytes.
    pub(super) fn extend(&mut self, block: &mut Block, size: usize) -> Result<()> {
        let full = block.end + size;
        if block.buffer.len() < full {
            block.buffer.resize(full, 0);
        }
        while block.end < full {
            match self.reader.read(&mut block.buffer[block.end..full]) {
                Ok(0) => break,
                Ok(count) => block.end += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(from_io(&error)),
            }
        }
        block.last = block.end < full;
        Ok(())
    }
}

impl Block {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Leaves out the first `count` bytes.
    pub(super) fn skip(&mut self, count: usize) {
        self.start += count;
    }

    /// Puts bytes in front.
    pub(super) fn put_in_front(&mut self, bytes: &[u8]) {
        if bytes.len() > self.start {
            let missing = bytes.len() - self.start;
            self.buffer.splice(..0, std::iter::repeat_n(0, missing));
            (self.start, self.end) = (self.start + missing, self.end + missing);
        }
        let start = self.start - bytes.len();
        self.buffer[start..self.start].copy_from_slice(bytes);
        self.start = start;
    }
}
