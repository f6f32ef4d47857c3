//! The formats of tables and how a file's name and first bytes tell them apart.

use std::fmt;
use std::str::FromStr;

use mlops_core::Error;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The format of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TableFormat {
    /// Comma-separated values with a header line (RFC 4180); a semicolon, a tab or a bar instead of the comma is found
    /// out.
    Csv,
    /// Tab-separated values with a header line.
    Tsv,
    /// One JSON object a line.
    Jsonl,
    /// Apache Parquet.
    Parquet,
    /// Apache Arrow IPC, as a file or as a stream.
    Arrow,
}

/// What a file is compressed with as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// gzip, of one or more members.
    Gzip,
    /// Zstandard, of one or more frames.
    Zstd,
}

/// How the names of compressed files end.
const COMPRESSED: [(&str, Compression); 4] = [
    (".gz", Compression::Gzip),
    (".gzip", Compression::Gzip),
    (".zst", Compression::Zstd),
    (".zstd", Compression::Zstd),
];

impl TableFormat {
    /// Every format.
    pub const ALL: [Self; 5] = [Self::Csv, Self::Tsv, Self::Jsonl, Self::Parquet, Self::Arrow];

    /// The name in requests, which is the ending of file names too.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Jsonl => "jsonl",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
        }
    }

    /// The format that a file's name stands for, behind an ending such as `.gz`; `None` when it tells nothing.
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let plain = COMPRESSED.iter().find_map(|(ending, _)| name.strip_suffix(ending));
        let (_, ending) = plain.unwrap_or(&name).rsplit_once('.')?;
        match ending {
            "csv" => Some(Self::Csv),
            "tsv" | "tab" => Some(Self::Tsv),
            "jsonl" | "ndjson" | "json" => Some(Self::Jsonl),
            "parquet" | "pq" => Some(Self::Parquet),
            "arrow" | "arrows" | "feather" | "ipc" => Some(Self::Arrow),
            _ => None,
        }
    }

    /// The binary format that begins with those bytes.
    pub(super) fn of_magic(head: &[u8]) -> Option<Self> {
        if head.starts_with(b"PAR1") {
            Some(Self::Parquet)
        } else if head.starts_with(b"ARROW1") || head.starts_with(&[0xff, 0xff, 0xff, 0xff]) {
            Some(Self::Arrow)
        } else {
            None
        }
    }

    /// Whether the format is lines of text.
    pub(super) const fn is_text(self) -> bool {
        matches!(self, Self::Csv | Self::Tsv | Self::Jsonl)
    }
}

impl Compression {
    /// The compression that a file's name stands for; `None` when it stands for none.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        COMPRESSED.iter().find_map(|(ending, compression)| name.ends_with(ending).then_some(*compression))
    }

    /// The compression that begins with those bytes.
    pub(super) fn of_magic(head: &[u8]) -> Option<Self> {
        if head.starts_with(&[0x1f, 0x8b]) {
            Some(Self::Gzip)
        } else if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            Some(Self::Zstd)
        } else {
            None
        }
    }

    /// The name in results.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

impl fmt::Display for TableFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for TableFormat {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let known = Self::ALL.map(Self::as_str);
        let found = Self::ALL.into_iter().find(|format| format.as_str() == name);
        found.ok_or_else(|| {
            Error::invalid_input(format!("`{name}` is not a table format"))
                .hint(format!("the formats are {}", known.join(", ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_formats() {
        for format in TableFormat::ALL {
            assert_eq!(format.as_str().parse::<TableFormat>().unwrap(), format);
            assert_eq!(serde_json::to_value(format).unwrap(), format.to_string());
            assert_eq!(TableFormat::of_name(&format!("a.b.{format}.gz")), Some(format));
        }
        assert_eq!(TableFormat::of_name("A.NDJSON.ZST"), Some(TableFormat::Jsonl));
        assert_eq!(TableFormat::of_name("data"), None);
        assert_eq!(TableFormat::of_name("data.txt"), None);
        assert!("xlsx".parse::<TableFormat>().unwrap_err().hint.unwrap().contains("parquet"));
    }

    #[test]
    fn magic_bytes_tell_compressions() {
        assert_eq!(Compression::of_magic(&[0x1f, 0x8b, 8]), Some(Compression::Gzip));
        assert_eq!(Compression::of_magic(&[0x28, 0xb5, 0x2f, 0xfd]), Some(Compression::Zstd));
        assert_eq!(Compression::of_magic(b"a,b"), None);
        assert_eq!(format!("{} {}", Compression::Gzip, Compression::Zstd), "gzip zstd");
    }
}
