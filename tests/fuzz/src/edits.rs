//! Inputs that begin as something sensible: most bytes that are made up at random are refused at the first check.

use bolero::TypeGenerator;

/// What parsers stumble over.
const PIECES: [&str; 40] = [
    "```yaml mlops\n",
    "```",
    "\n",
    "---\n",
    "### ",
    "- ",
    ": ",
    "\t",
    "\u{feff}",
    "&a",
    "*a",
    "<<: *a\n",
    "!!binary ",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    "\\",
    "\\u0000",
    "\\ud800",
    "null",
    "true",
    "1e999",
    "-0",
    "9223372036854775808",
    "0x1f",
    ".nan",
    "%2e%2e/",
    "../",
    "file:///etc/passwd",
    "\u{202e}",
    "\u{0}",
    "é",
    "日本語",
    "/mlops ",
    "_No response_",
    "|\n  ",
    "gates",
];

/// An input: bytes as they are, or something sensible with mistakes.
#[derive(Debug, Clone, TypeGenerator)]
pub(crate) enum Input {
    /// Bytes that nobody meant.
    Bytes(Vec<u8>),
    /// A sample, edited.
    Edited(u8, Vec<Edit>),
}

/// One mistake. Places are shares of the length, so that they are always inside.
#[derive(Debug, Clone, TypeGenerator)]
pub(crate) enum Edit {
    /// One of the pieces comes in.
    Insert(u16, u8),
    /// Bytes go.
    Delete(u16, u8),
    /// A byte becomes another.
    Replace(u16, u8),
    /// A part stands there many times.
    Repeat(u16, u8, u8),
    /// The rest is missing.
    Truncate(u16),
}

impl Input {
    /// The bytes of the input, given what it may begin as.
    pub(crate) fn bytes(&self, samples: &[impl AsRef<[u8]>]) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Edited(sample, edits) => {
                let mut bytes = samples[usize::from(*sample) % samples.len()].as_ref().to_vec();
                edits.iter().take(64).for_each(|edit| edit.apply(&mut bytes));
                bytes
            }
        }
    }
}

impl Edit {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let place = |share: u16, length: usize| usize::from(share) * length / (usize::from(u16::MAX) + 1);
        let end = |from: usize, length: u8, of: usize| (from + usize::from(length) + 1).min(of);
        match *self {
            Self::Insert(at, piece) => {
                let at = place(at, bytes.len() + 1);
                let piece = PIECES[usize::from(piece) % PIECES.len()].bytes();
                drop(bytes.splice(at..at, piece));
            }
            Self::Truncate(at) => bytes.truncate(place(at, bytes.len() + 1)),
            _ if bytes.is_empty() => {}
            Self::Delete(at, length) => {
                let at = place(at, bytes.len());
                bytes.drain(at..end(at, length, bytes.len()));
            }
            Self::Replace(at, byte) => {
                let at = place(at, bytes.len());
                bytes[at] = byte;
            }
            Self::Repeat(at, length, times) => {
                let at = place(at, bytes.len());
                let part = bytes[at..end(at, length, bytes.len())].repeat(usize::from(times));
                drop(bytes.splice(at..at, part));
            }
        }
    }
}

#[test]
fn an_edited_sample_stays_near_it() {
    let samples = ["abcdef".to_owned()];
    let edited = |edits: Vec<Edit>| Input::Edited(7, edits).bytes(&samples);
    assert_eq!(edited(Vec::new()), b"abcdef");
    assert_eq!(edited(vec![Edit::Delete(0, 1)]), b"cdef");
    assert_eq!(edited(vec![Edit::Truncate(u16::MAX / 2)]), b"abc");
    assert_eq!(edited(vec![Edit::Repeat(0, 0, 2)]), b"aaabcdef");
    assert_eq!(edited(vec![Edit::Replace(u16::MAX, b'!')]), b"abcde!");
    assert_eq!(edited(vec![Edit::Insert(u16::MAX, 13)]), b"abcdef{");
}
