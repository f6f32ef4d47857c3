//! Where a URI leads on this machine, and whether it may lead there.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use mlops_core::values::ArtifactUri;
use mlops_core::{Error, Result};

use super::failure::failure;

/// The longest part of a name that file systems take, in bytes.
const LONGEST_PART: usize = 255;

/// Which files outside the home folder can be read. Writes go below the home folder in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// All that this user can read: for the command line and stdio, whose caller is this user.
    Anywhere,
    /// None: for front doors that others can reach.
    HomeOnly,
}

/// What a place is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intent {
    Read,
    Write,
}

/// The folders of a store and the rules of access to them.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    pub(crate) home: PathBuf,
    pub(crate) working_directory: PathBuf,
    pub(crate) access: Access,
}

/// A URI on this machine.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The path without any symbolic link or `..`.
    pub(crate) path: PathBuf,
    /// The folder that stays when everything below is deleted.
    pub(crate) root: PathBuf,
    /// The absolute URI.
    pub(crate) uri: ArtifactUri,
}

impl Places {
    /// Where drafts are written.
    pub(crate) fn drafts(&self) -> PathBuf {
        self.home.join("tmp")
    }

    /// Where locks lie.
    pub(crate) fn locks(&self) -> PathBuf {
        self.home.join("locks")
    }

    /// Where that object lies, or why it must not be reached.
    pub(crate) fn object(&self, uri: &ArtifactUri, intent: Intent) -> Result<Place> {
        if let Some((bucket, key)) = uri.bucket_and_key() {
            if key.is_empty() {
                return Err(Error::invalid_input(format!("{uri} names a bucket and no object")).hint("add a key"));
            }
            return self.key(uri, bucket, key);
        }
        if uri.as_str().ends_with('/') {
            return Err(Error::invalid_input(format!("{uri} is a directory")).hint("name a file in it"));
        }
        self.local(uri, intent)
    }

    /// Where the objects of that prefix lie: the folder, and the beginning that their names in it have.
    pub(crate) fn prefix(&self, uri: &ArtifactUri) -> Result<(Place, String)> {
        let (folder, beginning) = match uri.bucket_and_key() {
            Some((_, key)) => key.rsplit_once('/').unwrap_or(("", key)),
            None => uri.as_str().rsplit_once('/').unwrap_or((".", uri.as_str())),
        };
        let place = match uri.bucket_and_key() {
            Some((bucket, _)) => self.key(uri, bucket, folder)?,
            None if matches!(folder, "" | "file:" | "file://") => {
                self.local(&ArtifactUri::new("file:///")?, Intent::Read)?
            }
            None => self.local(&ArtifactUri::new(folder)?, Intent::Read)?,
        };
        Ok((place, beginning.to_owned()))
    }

    fn key(&self, uri: &ArtifactUri, bucket: &str, key: &str) -> Result<Place> {
        let real_home = resolve(&self.home).map_err(|error| failure(error, "reached", uri))?;
        let root = real_home.join("s3").join(bucket);
        let mut path = root.clone();
        for part in key.split('/').filter(|_| !key.is_empty()) {
            if part.is_empty() || part == "." || part == ".." || part.contains('\0') {
                return Err(Error::invalid_input(format!("the key of {uri} has a part that is empty, `.` or `..`"))
                    .hint("write parts with names, joined by single slashes"));
            }
            if part.len() > LONGEST_PART {
                return Err(Error::invalid_input(format!("a part of the key of {uri} has {} bytes", part.len()))
                    .hint(format!("a part has at most {LONGEST_PART} bytes on files")));
            }
            path.push(part);
        }
        let real = resolve(&path).map_err(|error| failure(error, "reached", uri))?;
        if !real.starts_with(&root) {
            return Err(Error::forbidden(format!("{uri} leads out of its bucket by a symbolic link"))
                .hint("put the file itself there, or name it by its own path"));
        }
        Ok(Place { path: real, root, uri: uri.clone() })
    }

    fn local(&self, uri: &ArtifactUri, intent: Intent) -> Result<Place> {
        let real_home = resolve(&self.home).map_err(|error| failure(error, "reached", uri))?;
        let mut candidates = Vec::new();
        let mut refused = None;
        for written in self.spellings(uri) {
            match resolve(&written) {
                Ok(real) => candidates.push(real),
                Err(error) => refused = Some(error),
            }
        }
        let fits = |real: &&PathBuf| match intent {
            Intent::Read => fs::symlink_metadata(real).is_ok(),
            Intent::Write => real.starts_with(&real_home),
        };
        let Some(real) = candidates.iter().find(fits).or(candidates.first()).cloned() else {
            let error = refused.unwrap_or_else(|| io::ErrorKind::NotFound.into());
            return Err(failure(error, "reached", uri));
        };
        let inside = real.starts_with(&real_home);
        if !inside && (intent == Intent::Write || self.access == Access::HomeOnly) {
            let what = if intent == Intent::Write { "written to" } else { "read" };
            let home = self.home.display();
            return Err(Error::forbidden(format!("{uri} lies outside MLOPS_HOME ({home}) and must not be {what}"))
                .hint("name a place below MLOPS_HOME, or s3://bucket/key, which lies there too"));
        }
        if [self.drafts(), self.locks()]
            .iter()
            .any(|own| real.starts_with(real_home.join(own.file_name().unwrap_or_default())))
        {
            return Err(Error::forbidden(format!("{uri} lies in a folder that the store keeps for itself"))
                .hint("choose another folder of MLOPS_HOME"));
        }
        Ok(Place { uri: ArtifactUri::from_path(&real), path: real, root: real_home })
    }

    /// The path as it is written and, for a file URI with percent escapes, as it is meant.
    fn spellings(&self, uri: &ArtifactUri) -> Vec<PathBuf> {
        let written = uri.as_str().strip_prefix("file://");
        let path = written.unwrap_or(uri.as_str());
        let decoded = written.and_then(decode).filter(|decoded| decoded != path);
        [Some(path.to_owned()), decoded].into_iter().flatten().map(|path| self.working_directory.join(path)).collect()
    }
}

/// The text with its percent escapes resolved; `None` when one is not valid or the text would not be a path.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok().filter(|decoded| !decoded.chars().any(char::is_control))
}

/// The path without symbolic links and `..`, as far as it exists; what does not exist yet is appended as it is.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    for ancestor in path.ancestors() {
        match fs::canonicalize(ancestor) {
            Ok(mut real) => {
                for part in path.strip_prefix(ancestor).into_iter().flat_map(Path::components) {
                    match part {
                        Component::Normal(name) => real.push(name),
                        Component::CurDir => {}
                        _ => return Err(io::ErrorKind::NotFound.into()),
                    }
                }
                return Ok(real);
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_escapes_are_resolved_when_they_are_valid() {
        assert_eq!(decode("/a%20b/%E6%97%A5.csv").as_deref(), Some("/a b/日.csv"));
        for wrong in ["%", "%2", "%zz", "%ff", "%00", "%+1"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
        assert_eq!(decode("%2e%2e/x").as_deref(), Some("../x"));
    }
}
