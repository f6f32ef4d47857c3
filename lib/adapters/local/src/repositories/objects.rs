//! Git's objects, each a compressed file that is named by the SHA-1 hash of what it holds.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use mlops_core::{Error, Result};
use sha1::{Digest as _, Sha1};

use crate::files::{create_once, failure};

/// The largest object that is read, in bytes.
const LARGEST: u64 = 256 * 1024 * 1024;

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The bytes of a file.
    Blob,
    /// The entries of a folder.
    Tree,
    /// A commit.
    Commit,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Blob => "blob",
            Self::Tree => "tree",
            Self::Commit => "commit",
        }
    }
}

/// The objects of one repository.
#[derive(Debug, Clone)]
pub(super) struct Objects {
    folder: PathBuf,
    drafts: PathBuf,
}

impl Objects {
    /// The objects below that folder of git's; drafts are made in the other one.
    pub(super) fn new(git: &Path, drafts: &Path) -> Self {
        Self { folder: git.join("objects"), drafts: drafts.to_owned() }
    }

    fn place(&self, hash: &str) -> PathBuf {
        let (first, rest) = hash.split_at_checked(2).unwrap_or((hash, ""));
        self.folder.join(first).join(rest)
    }

    /// Keeps the object and gives its hash; an object that is there stays as it is.
    pub(super) fn put(&self, kind: Kind, content: &[u8]) -> Result<String> {
        let head = format!("{} {}\0", kind.name(), content.len());
        let hash = hexadecimal(&Sha1::new().chain_update(&head).chain_update(content).finalize());
        let failed = |error: io::Error| failure(error, "written", format!("the object {hash}"));
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(head.as_bytes()).and_then(|()| encoder.write_all(content)).map_err(failed)?;
        let bytes = encoder.finish().map_err(failed)?;
        create_once(&self.drafts, &self.place(&hash), &bytes).map_err(failed)?;
        Ok(hash)
    }

    /// The content of the object of that hash.
    pub(super) fn get(&self, kind: Kind, hash: &str) -> Result<Vec<u8>> {
        let file = match fs::File::open(self.place(hash)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(self.absent(kind, hash)),
            Err(error) => return Err(failure(error, "read", format!("the object {hash}"))),
        };
        let damaged = || Error::internal(format!("the object {hash} in {} is damaged", self.folder.display()));
        let mut bytes = Vec::new();
        let read = ZlibDecoder::new(file).take(LARGEST).read_to_end(&mut bytes);
        read.map_err(|error| damaged().caused_by(error))?;
        let end = bytes.iter().position(|byte| *byte == 0).ok_or_else(damaged)?;
        let head = format!("{} {}", kind.name(), bytes.len() - end - 1);
        if bytes[..end] != *head.as_bytes() {
            return Err(damaged());
        }
        Ok(bytes.split_off(end + 1))
    }

    fn absent(&self, kind: Kind, hash: &str) -> Error {
        let error = Error::not_found(format!("there is no {} {hash} in {}", kind.name(), self.folder.display()));
        let packs = fs::read_dir(self.folder.join("pack")).into_iter().flatten().flatten();
        if packs.count() == 0 {
            return error;
        }
        error.hint("packs of objects are not read here: take them apart with `git unpack-objects`")
    }
}

/// An entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TreeEntry {
    /// Git's mode: `100644` for a file, `40000` for a folder.
    pub(super) mode: String,
    /// Its name, without slashes.
    pub(super) name: String,
    /// Its object.
    pub(super) hash: String,
}

impl TreeEntry {
    /// Whether it is a folder.
    pub(super) fn is_folder(&self) -> bool {
        self.mode == "40000"
    }

    /// Git sorts a folder as if its name ended with a slash.
    fn order(&self) -> Vec<u8> {
        let mut name = self.name.clone().into_bytes();
        if self.is_folder() {
            name.push(b'/');
        }
        name
    }
}

/// The bytes of a folder with those entries.
pub(super) fn write_tree(mut entries: Vec<TreeEntry>) -> Vec<u8> {
    entries.sort_by_cached_key(TreeEntry::order);
    let mut bytes = Vec::new();
    for entry in entries {
        bytes.extend_from_slice(format!("{} {}\0", entry.mode, entry.name).as_bytes());
        let digits: Vec<u8> = entry.hash.bytes().map(|digit| (digit as char).to_digit(16).unwrap_or(0) as u8).collect();
        bytes.extend(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)));
    }
    bytes
}

/// The entries of a folder; `None` when the bytes are none of a folder.
pub(super) fn read_tree(mut bytes: &[u8]) -> Option<Vec<TreeEntry>> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let end = bytes.iter().position(|byte| *byte == 0)?;
        let (mode, name) = std::str::from_utf8(&bytes[..end]).ok()?.split_once(' ')?;
        let hash = bytes.get(end + 1..end + 21)?;
        entries.push(TreeEntry { mode: mode.to_owned(), name: name.to_owned(), hash: hexadecimal(hash) });
        bytes = &bytes[end + 21..];
    }
    Some(entries)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(40), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use mlops_core::ErrorKind;

    use super::*;

    fn entry(mode: &str, name: &str) -> TreeEntry {
        TreeEntry {
            mode: mode.to_owned(),
            name: name.to_owned(),
            hash: "0123456789abcdef0123456789abcdef01234567".into(),
        }
    }

    #[test]
    fn hashes_are_those_of_git() {
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::new(folder.path(), &folder.path().join("tmp"));
        // `git hash-object` of an empty file, and git's well-known empty tree.
        assert_eq!(objects.put(Kind::Blob, b"").unwrap(), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
        assert_eq!(objects.put(Kind::Tree, b"").unwrap(), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
        let hash = objects.put(Kind::Blob, "ペンギン".as_bytes()).unwrap();
        assert_eq!(objects.put(Kind::Blob, "ペンギン".as_bytes()).unwrap(), hash);
        assert_eq!(objects.get(Kind::Blob, &hash).unwrap(), "ペンギン".as_bytes());
        assert_eq!(objects.get(Kind::Tree, &hash).unwrap_err().kind, ErrorKind::Internal);
        let absent = objects.get(Kind::Blob, &"0".repeat(40)).unwrap_err();
        assert_eq!((absent.kind, absent.hint), (ErrorKind::NotFound, None));
        fs::create_dir_all(folder.path().join("objects/pack/a.pack")).unwrap();
        assert!(objects.get(Kind::Blob, &"0".repeat(40)).unwrap_err().hint.unwrap().contains("unpack-objects"));
        fs::write(objects.place(&hash), "damage").unwrap();
        assert_eq!(objects.get(Kind::Blob, &hash).unwrap_err().kind, ErrorKind::Internal);
    }

    #[test]
    fn a_folder_comes_back_in_gits_order() {
        let entries = vec![entry("100644", "a.b"), entry("40000", "a"), entry("100644", "a-b"), entry("100644", "z")];
        let read = read_tree(&write_tree(entries)).unwrap();
        let names: Vec<&str> = read.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["a-b", "a.b", "a", "z"], "a folder sorts as `a/`");
        assert_eq!(read[2], entry("40000", "a"));
        for damaged in [&b"100644"[..], b"100644 a\0short", b"100644a\0", b"\xff \0"] {
            assert_eq!(read_tree(damaged), None);
        }
    }
}
