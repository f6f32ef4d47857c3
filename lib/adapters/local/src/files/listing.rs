//! Lists objects in the order of their keys.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mlops_core::ports::{ObjectMeta, Page};
use mlops_core::values::ArtifactUri;
use mlops_core::{Error, Result};

use super::failure::failure;
use super::place::Place;
use super::reading::describe;

/// The most objects on a page.
const PAGE: usize = 1000;

/// A walk over a folder that stops when a page is full.
struct Walk<'a> {
    base: String,
    beginning: &'a str,
    after: Option<&'a str>,
    hidden: &'a [PathBuf],
    found: Vec<(String, ObjectMeta)>,
}

/// The objects in the folder whose key begins with `beginning` and comes after the key `after`. Symbolic links are
/// passed over, and so are the `hidden` folders and names that are not UTF-8, which no URI can name.
pub(crate) fn list(folder: &Place, beginning: &str, after: Option<&str>, hidden: &[PathBuf]) -> Result<Page> {
    let base = match folder.uri.bucket_and_key() {
        Some((bucket, key)) => match key.rsplit_once('/') {
            Some((above, _)) => format!("s3://{bucket}/{above}/"),
            None => format!("s3://{bucket}/"),
        },
        None => format!("{}/", folder.uri.as_str().trim_end_matches('/')),
    };
    let mut walk = Walk { base, beginning, after, hidden, found: Vec::new() };
    walk.enter(&folder.path, "")?;
    let next = (walk.found.len() > PAGE).then(|| walk.found[PAGE - 1].0.clone());
    walk.found.truncate(PAGE);
    Ok(Page { objects: walk.found.into_iter().map(|(_, meta)| meta).collect(), next })
}

impl Walk<'_> {
    fn enter(&mut self, folder: &Path, above: &str) -> Result<()> {
        let failed = |error: io::Error| failure(error, "listed", folder.display());
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(());
            }
            Err(error) => return Err(failed(error)),
        };
        let mut keys = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && !self.hidden.contains(&entry.path()) {
                keys.push((format!("{above}{name}/"), entry.path()));
            } else if kind.is_file() {
                keys.push((format!("{above}{name}"), entry.path()));
            }
        }
        keys.sort_unstable();
        for (key, path) in keys {
            if self.found.len() > PAGE {
                break;
            }
            if key.ends_with('/') {
                if self.can_hold(&key) {
                    self.enter(&path, &key)?;
                }
            } else if key.starts_with(self.beginning) && self.after.is_none_or(|after| *key > *after) {
                self.add(key, &path)?;
            }
        }
        Ok(())
    }

    fn can_hold(&self, folder: &str) -> bool {
        let fits = folder.starts_with(self.beginning) || self.beginning.starts_with(folder);
        fits && self.after.is_none_or(|after| folder > after || after.starts_with(folder))
    }

    fn add(&mut self, key: String, path: &Path) -> Result<()> {
        // A name with a control character cannot be named by a URI.
        let Ok(uri) = ArtifactUri::new(format!("{}{key}", self.base)) else { return Ok(()) };
        match fs::symlink_metadata(path) {
            Ok(metadata) => self.found.push((key, describe(&uri, &metadata))),
            // It was deleted since the folder was read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err::<(), Error>(failure(error, "listed", uri)),
        }
        Ok(())
    }
}
