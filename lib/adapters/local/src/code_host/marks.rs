//! Labels, permissions and checks as small JSON files.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use mlops_core::ports::{Checked, CommitCheck, Labelled, Permission, is_same_label};
use mlops_core::values::ArtifactUri;
use mlops_core::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::files::{failure, hold, replace_whole};

/// Gives and takes away labels.
pub(super) fn label(home: &Path, path: &Path, add: Vec<String>, remove: &[String]) -> Result<Labelled> {
    let known = |labels: &[String], name: &str| labels.iter().any(|label| is_same_label(label, name));
    change(home, path, |labels: &mut Vec<String>| {
        let before = labels.clone();
        labels.retain(|label| !known(remove, label));
        for name in add {
            if !known(labels, &name) {
                labels.push(name);
            }
        }
        labels.sort();
        Labelled { labels: labels.clone(), changed: *labels != before }
    })
}

/// What the file of collaborators says of a login in small letters; without the file nobody may do anything.
pub(super) fn permission(path: &Path, login: &str) -> Result<Permission> {
    let collaborators: BTreeMap<String, Permission> = read(path)?;
    let found = collaborators.into_iter().find(|(name, _)| name.to_lowercase() == login);
    Ok(found.map_or(Permission::None, |(_, permission)| permission))
}

/// Makes the check of its context stand so.
pub(super) fn check(home: &Path, path: &Path, check: &CommitCheck) -> Result<Checked> {
    let url = ArtifactUri::from_path(path).to_string();
    change(home, path, |checks: &mut BTreeMap<String, CommitCheck>| {
        let before = checks.insert(check.context.clone(), check.clone());
        Checked { url, changed: before.as_ref() != Some(check) }
    })
}

/// Reads the document, changes it and writes it back when it is another one; nobody else changes it meanwhile.
fn change<D, T>(home: &Path, path: &Path, by: impl FnOnce(&mut D) -> T) -> Result<T>
where
    D: Serialize + DeserializeOwned + Default + Clone + PartialEq,
{
    let failed = |error: io::Error| failure(error, "written", path.display());
    let _lock = hold(&home.join("locks/github")).map_err(failed)?;
    let mut document: D = read(path)?;
    let before = document.clone();
    let result = by(&mut document);
    if document != before {
        let text = serde_json::to_vec_pretty(&document)
            .map_err(|error| Error::internal("a document could not be written as JSON").caused_by(error))?;
        replace_whole(&home.join("tmp"), path, &text).map_err(failed)?;
    }
    Ok(result)
}

/// The document; the empty one when there is none.
fn read<D: DeserializeOwned + Default>(path: &Path) -> Result<D> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
            Error::invalid_input(format!("{} is not what it should be: {error}", path.display())).caused_by(error)
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(D::default()),
        Err(error) => Err(failure(error, "read", path.display())),
    }
}
