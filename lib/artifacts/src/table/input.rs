//! The bytes of a table after decompression, with a guard against decompression bombs.

use std::io::{self, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;
use mlops_core::{Error, Result};

use super::{Compression, TableFormat};

/// How many bytes are looked at to tell what a file is.
const HEAD: u64 = 64 << 10;
/// So much may come out of any compressed file: 1 GiB.
const ALWAYS_ALLOWED: u64 = 1 << 30;
/// Beyond that, at most so many bytes may come out for each byte that went in.
const LARGEST_RATIO: u64 = 100;
/// The most bytes that are read from one table: 64 GiB.
const MOST_BYTES: u64 = 64 << 30;

/// The decompressed bytes of a table and what they begin with.
pub(super) struct Input {
    /// The first bytes, at most 64 KiB; the reader gives them again.
    pub(super) head: Vec<u8>,
    /// All bytes.
    pub(super) reader: BufReader<Box<dyn Read + Send>>,
    /// What the file is compressed with as a whole.
    pub(super) compression: Option<Compression>,
}

impl Input {
    /// The bytes of a file that may be compressed.
    pub(super) fn new(stored: impl Read + Send + 'static) -> Result<Self> {
        let consumed = Arc::new(AtomicU64::new(0));
        let mut stored = Counted { inner: stored, count: Arc::clone(&consumed) };
        let magic = take(&mut stored, 6)?;
        let compression = Compression::of_magic(&magic);
        let stored = Cursor::new(magic).chain(stored);
        let plain: Box<dyn Read + Send> = match compression {
            None => Box::new(stored),
            Some(Compression::Gzip) => Box::new(MultiGzDecoder::new(BufReader::with_capacity(HEAD as usize, stored))),
            Some(Compression::Zstd) => Box::new(zstd::Decoder::new(stored).map_err(|error| from_io(&error))?),
        };
        let mut plain = Guarded { inner: plain, produced: 0, consumed, compression };
        let head = take(&mut plain, HEAD)?;
        let reader: Box<dyn Read + Send> = Box::new(Cursor::new(head.clone()).chain(plain));
        Ok(Self { head, reader: BufReader::with_capacity(HEAD as usize, reader), compression })
    }

    /// The format, from the request, the magic bytes, the name or the first bytes, in this order.
    pub(super) fn format(&self, asked: Option<TableFormat>, name: &str) -> Result<TableFormat> {
        if self.head.trim_ascii().is_empty() {
            return Err(Error::invalid_input("the file is empty").hint("write a header line and at least one row"));
        }
        let magic = TableFormat::of_magic(&self.head);
        if let Some(asked) = asked
            && magic.is_none() == asked.is_text()
            && magic.is_none_or(|magic| magic == asked)
        {
            return self.check_text(asked);
        }
        if let Some(asked) = asked {
            let found = magic.map_or("is not of a binary format".to_owned(), |magic| format!("is {magic}"));
            let message = format!("`format` says {asked}, but the content {found}");
            return Err(Error::invalid_input(message).hint("leave `format` out, then it is found out"));
        }
        match magic.or_else(|| TableFormat::of_name(name)) {
            Some(format) if magic.is_some() || format.is_text() => self.check_text(format),
            Some(format) => {
                let message = format!("the name says {format}, but the content is not of that format");
                Err(Error::invalid_input(message).hint("check that the file is whole and has the right ending"))
            }
            None if self.head.trim_ascii_start().starts_with(b"{") => self.check_text(TableFormat::Jsonl),
            None => self.check_text(TableFormat::Csv),
        }
    }

    /// Refuses what is plainly no text where text is expected.
    fn check_text(&self, format: TableFormat) -> Result<TableFormat> {
        if !format.is_text() {
            return Ok(format);
        }
        let refuse = |what: &str, hint: &str| Err(Error::invalid_input(what).hint(hint));
        if self.head.starts_with(b"PK\x03\x04") {
            let what = "the file is a ZIP archive, as an Excel workbook is, and not a table that can be read";
            return refuse(what, "save it as CSV or Parquet");
        }
        if self.head.starts_with(&[0xff, 0xfe]) || self.head.starts_with(&[0xfe, 0xff]) {
            return refuse("the file is UTF-16 text; UTF-8 is expected", "save it as UTF-8");
        }
        if let Some(at) = self.head.iter().position(|&byte| byte == 0) {
            let what = format!("the file is no table: it holds a zero byte at offset {at}, as binary files do");
            return refuse(&what, "name a file of csv, tsv, jsonl, parquet or arrow");
        }
        Ok(format)
    }

    /// All bytes in memory, for the formats that are read from their end.
    pub(super) fn into_bytes(mut self) -> Result<bytes::Bytes> {
        let mut all = Vec::new();
        self.reader.read_to_end(&mut all).map_err(|error| from_io(&error))?;
        Ok(all.into())
    }
}

/// The error behind a failed read: one of our own, or that of a decompressor.
pub(super) fn from_io(error: &io::Error) -> Error {
    if let Some(own) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        let mut copy = Error::new(own.kind, own.message.clone());
        copy.hint.clone_from(&own.hint);
        return copy;
    }
    Error::invalid_input(format!("the file cannot be decompressed: {error}")).hint("compress it again")
}

fn take(reader: &mut impl Read, count: u64) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    reader.take(count).read_to_end(&mut head).map_err(|error| from_io(&error))?;
    Ok(head)
}

/// Counts the bytes that pass.
struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Ends a read that gives too much, and says in plain words when a compressed file is cut off.
struct Guarded {
    inner: Box<dyn Read + Send>,
    produced: u64,
    consumed: Arc<AtomicU64>,
    compression: Option<Compression>,
}

impl Read for Guarded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer).map_err(|error| match self.compression {
            Some(compression) if error.kind() == io::ErrorKind::UnexpectedEof => {
                let message = format!("the {compression} file is cut off");
                io::Error::other(Error::invalid_input(message).hint("copy or compress it again"))
            }
            _ => error,
        })?;
        self.produced += count as u64;
        let ratio = self.produced / self.consumed.load(Ordering::Relaxed).max(1);
        if self.produced > MOST_BYTES || (self.produced > ALWAYS_ALLOWED && ratio > LARGEST_RATIO) {
            let message = format!(
                "the file decompresses to more than is allowed: {} bytes so far, {ratio} for each stored byte",
                self.produced
            );
            let hint = "at most 64 GiB are read, and beyond 1 GiB at most 100 bytes for each stored byte";
            return Err(io::Error::other(Error::invalid_input(message).hint(hint)));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bomb_is_stopped() {
        let consumed = Arc::new(AtomicU64::new(10));
        let inner: Box<dyn Read + Send> = Box::new(io::repeat(b'0'));
        let mut bomb = Guarded { inner, produced: ALWAYS_ALLOWED, consumed, compression: Some(Compression::Gzip) };
        let error = from_io(&bomb.read(&mut [0; 8]).unwrap_err());
        assert!(error.message.contains("more than is allowed"), "{error}");
        assert!(error.hint.unwrap().contains("64 GiB"));
    }
}
