//! CSV and TSV files as columns, on all threads: a block of the file is cut into chunks where lines seem to begin, each
//! chunk is read on its own, and a chunk that began within quotes is read again from where the one before it has ended.

mod blocks;
mod chunk;
mod decimal;
mod header;
mod number;
mod parse;
mod reader;
mod scanner;
mod texts;

pub(super) use header::check_unique;
pub(super) use reader::{DelimitedReader, Sizes};

#[cfg(test)]
mod tests;
