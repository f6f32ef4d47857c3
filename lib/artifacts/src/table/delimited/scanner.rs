//! Where the fields and the records of delimited text end, found 64 bytes at a time.

use memchr::memchr;

/// How many bytes are looked at together.
const BLOCK: usize = 64;

/// What follows where a record was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Record {
    /// The record ends, and the next line begins there.
    Whole(usize),
    /// The text ends within the record.
    Cut,
    /// The text ends within a quoted field.
    Open,
}

/// Reads records from their beginnings on, by the rules of RFC 4180 and the lenient ones beside it: a line ends with LF,
/// CR LF or CR; a quote in the middle of a field is a quote; what follows a closing quote belongs to the field.
pub(super) struct Scanner<'a> {
    bytes: &'a [u8],
    delimiter: u8,
    /// Where the bytes begin that `marks` is of.
    block: usize,
    /// A bit for each byte from there on that is a delimiter, a quote or the end of a line and was not yet seen.
    marks: u64,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(bytes: &'a [u8], delimiter: u8) -> Self {
        let mut scanner = Self { bytes, delimiter, block: 0, marks: 0 };
        scanner.seek(0);
        scanner
    }

    /// Where the first line that is not blank begins, `at` being where a line begins.
    pub(super) fn skip_blank(&mut self, mut at: usize) -> usize {
        while matches!(self.bytes.get(at), Some(b'\n' | b'\r')) {
            self.next_mark();
            at += 1;
        }
        at
    }

    /// Appends where each field of the record ends whose first byte is at `start`, where the line before has ended.
    /// With `last` the end of the text is the end of the record too.
    pub(super) fn record(&mut self, start: usize, last: bool, ends: &mut Vec<u32>) -> Record {
        let mut field = start;
        loop {
            let at = self.next_mark();
            match self.bytes.get(at) {
                Some(&byte) if byte == self.delimiter => {
                    ends.push(at as u32);
                    field = at + 1;
                }
                Some(b'"') => {
                    if at == field {
                        let Some(close) = closing_quote(self.bytes, at) else { return Record::Open };
                        self.seek(close + 1);
                    }
                }
                Some(&byte) => {
                    ends.push(at as u32);
                    let pair = byte == b'\r' && self.bytes.get(at + 1) == Some(&b'\n');
                    if pair {
                        self.next_mark();
                    }
                    return Record::Whole(at + 1 + usize::from(pair));
                }
                None if last => {
                    ends.push(self.bytes.len() as u32);
                    return Record::Whole(self.bytes.len());
                }
                None => return Record::Cut,
            }
        }
    }

    /// Where the next mark is; the length of the text when there is none.
    #[inline]
    fn next_mark(&mut self) -> usize {
        while self.marks == 0 {
            self.block += BLOCK;
            if self.block >= self.bytes.len() {
                return self.bytes.len();
            }
            self.marks = self.marks_of(self.block);
        }
        let at = self.block + self.marks.trailing_zeros() as usize;
        self.marks &= self.marks - 1;
        at
    }

    /// Goes on at that byte.
    fn seek(&mut self, at: usize) {
        self.block = at / BLOCK * BLOCK;
        self.marks = self.marks_of(self.block) & (u64::MAX << (at % BLOCK));
    }

    #[inline]
    fn marks_of(&self, block: usize) -> u64 {
        let rest = self.bytes.get(block..).unwrap_or_default();
        if let Some(whole) = rest.first_chunk() {
            return marks(whole, self.delimiter);
        }
        let mut padded = [0; BLOCK];
        padded[..rest.len()].copy_from_slice(rest);
        marks(&padded, self.delimiter)
    }
}

/// Where the quoted field ends whose first quote is at `open`; two quotes in a row are a quote of the text.
pub(super) fn closing_quote(bytes: &[u8], open: usize) -> Option<usize> {
    let mut from = open + 1;
    loop {
        let at = from + memchr(b'"', bytes.get(from..)?)?;
        if bytes.get(at + 1) != Some(&b'"') {
            return Some(at);
        }
        from = at + 2;
    }
}

/// A bit for each byte that means something. Comparisons in a loop without branches become vector instructions.
#[inline]
fn marks(bytes: &[u8; BLOCK], delimiter: u8) -> u64 {
    let mut flags = [0_u8; BLOCK];
    for (flag, &byte) in flags.iter_mut().zip(bytes) {
        *flag =
            u8::from(byte == delimiter) | u8::from(byte == b'\n') | u8::from(byte == b'\r') | u8::from(byte == b'"');
    }
    let (eights, _) = flags.as_chunks::<8>();
    // The factor moves the lowest bit of byte i to bit 56 + i.
    let gather = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    eights.iter().rev().fold(0, |marks, eight| marks << 8 | gather(eight))
}

/// Where the first line begins at or behind `at`, when no quoted field is open there; the length when there is none.
pub(super) fn line_after(bytes: &[u8], at: usize) -> usize {
    let before = at.saturating_sub(1);
    let rest = bytes.get(before..).unwrap_or_default();
    let Some(end) = memchr::memchr2(b'\n', b'\r', rest) else { return bytes.len() };
    let pair = rest[end] == b'\r' && rest.get(end + 1) == Some(&b'\n');
    before + end + 1 + usize::from(pair)
}
