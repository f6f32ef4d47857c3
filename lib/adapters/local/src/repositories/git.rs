//! One bare git repository: its branches, the files of a commit, and new commits.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use jiff::Timestamp;
use mlops_core::ports::{NewCommit, RepositoryFile, check_commit};
use mlops_core::{Error, Result};

use super::objects::{Kind, Objects, TreeEntry, read_tree, write_tree};
use crate::files::{failure, hold, replace_whole};

/// The branch that a new repository begins with.
const FIRST_BRANCH: &str = "main";
/// Git leaves objects as they are, so that they can be read here.
const CONFIG: &str = "[core]\n\trepositoryformatversion = 0\n\tfilemode = false\n\tbare = true\n[gc]\n\tauto = 0\n";
/// Who commits.
const AUTHOR: &str = "mlops <mlops@localhost>";

/// A repository in a folder, which need not be there yet.
#[derive(Debug, Clone)]
pub(super) struct Git {
    folder: PathBuf,
    drafts: PathBuf,
    objects: Objects,
}

impl Git {
    /// The repository of that folder, or of the `.git` in it.
    pub(super) fn new(folder: &Path, drafts: &Path) -> Self {
        let inner = folder.join(".git");
        let folder = if inner.is_dir() { inner } else { folder.to_owned() };
        Self { objects: Objects::new(&folder, drafts), drafts: drafts.to_owned(), folder }
    }

    /// Where it lies.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The name of the default branch, whether or not it has a commit.
    pub(super) fn default_branch(&self) -> Result<String> {
        let head = self.read("HEAD")?.unwrap_or_default();
        Ok(head.trim().strip_prefix("ref: refs/heads/").unwrap_or(FIRST_BRANCH).to_owned())
    }

    /// The last commit of a branch; `None` when there is no such branch.
    pub(super) fn head(&self, branch: &str) -> Result<Option<String>> {
        let name = format!("refs/heads/{branch}");
        let commit = match self.read(&name)? {
            Some(text) => Some(text.trim().to_owned()),
            None => self.read("packed-refs")?.and_then(|packed| {
                let found = packed.lines().find_map(|line| line.strip_suffix(&name)?.strip_suffix(' '));
                found.map(str::to_owned)
            }),
        };
        match commit {
            Some(commit) if check_commit(&commit).is_err() => {
                Err(Error::internal(format!("the branch {branch} in {} is damaged", self.folder.display())))
            }
            commit => Ok(commit),
        }
    }

    fn read(&self, name: &str) -> Result<Option<String>> {
        match fs::read_to_string(self.folder.join(name)) {
            Ok(text) => Ok(Some(text)),
            // A branch can be the folder of others, and a part of its name a branch; then it is not there.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(failure(error, "read", self.folder.join(name).display())),
        }
    }

    /// The bytes of a file at a commit; `None` when there is none.
    pub(super) fn file(&self, commit: &str, path: &str) -> Result<Option<Bytes>> {
        let mut tree = self.tree_of(commit)?;
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            let Some(entry) = self.entries(&tree)?.into_iter().find(|entry| entry.name == part) else {
                return Ok(None);
            };
            match (parts.peek(), entry.is_folder()) {
                (None, false) => return self.objects.get(Kind::Blob, &entry.hash).map(|bytes| Some(bytes.into())),
                (None, true) => return Err(is_folder(path)),
                (Some(_), false) => return Ok(None),
                (Some(_), true) => tree = entry.hash,
            }
        }
        Ok(None)
    }

    fn tree_of(&self, commit: &str) -> Result<String> {
        let text = self.objects.get(Kind::Commit, commit)?;
        let text = String::from_utf8_lossy(&text);
        let tree = text.lines().next().and_then(|line| line.strip_prefix("tree "));
        tree.map(str::to_owned).ok_or_else(|| Error::internal(format!("the commit {commit} is damaged")))
    }

    fn entries(&self, tree: &str) -> Result<Vec<TreeEntry>> {
        let bytes = self.objects.get(Kind::Tree, tree)?;
        read_tree(&bytes).ok_or_else(|| Error::internal(format!("the tree {tree} is damaged")))
    }

    /// Makes the commit and moves the branch onto it; `Conflict` when the branch stands otherwise than expected.
    pub(super) fn commit(&self, new: &NewCommit, now: Timestamp) -> Result<String> {
        let failed = |error: io::Error| failure(error, "written", format!("the branch {}", new.branch));
        fs::create_dir_all(&self.folder).map_err(failed)?;
        // Held from the look at the branch to its move.
        let _lock = hold(&self.folder.join("mlops.lock")).map_err(failed)?;
        self.prepare().map_err(failed)?;
        let expected = if new.makes_branch { None } else { new.parent.clone() };
        let head = self.head(&new.branch)?;
        if head != expected {
            return Err(Error::conflict(match head {
                Some(head) => format!("the branch {} is there, and ends with {head}", new.branch),
                None => format!("there is no branch {} any more", new.branch),
            })
            .hint("read the branch again, then decide"));
        }
        let tree = match &new.parent {
            Some(parent) => Some(self.tree_of(parent)?),
            None if self.head(&self.default_branch()?)?.is_some() => {
                return Err(Error::conflict("the repository has a commit by now").hint("read its default branch"));
            }
            None => None,
        };
        let mut blobs = Vec::with_capacity(new.files.len());
        for RepositoryFile { path, content } in &new.files {
            blobs.push((path.as_str(), path.as_str(), self.objects.put(Kind::Blob, content)?));
        }
        let tree = self.with_files(tree.as_deref(), &blobs)?;
        let parent = new.parent.as_ref().map(|parent| format!("parent {parent}\n")).unwrap_or_default();
        let by = format!("{AUTHOR} {} +0000", now.as_second());
        let message = new.message.trim_end();
        let text = format!("tree {tree}\n{parent}author {by}\ncommitter {by}\n\n{message}\n");
        let commit = self.objects.put(Kind::Commit, text.as_bytes())?;
        let place = self.folder.join("refs/heads").join(&new.branch);
        replace_whole(&self.drafts, &place, format!("{commit}\n").as_bytes()).map_err(failed)?;
        Ok(commit)
    }

    /// What makes a folder a repository to git.
    fn prepare(&self) -> io::Result<()> {
        if self.folder.join("HEAD").is_file() {
            return Ok(());
        }
        for folder in ["objects", "refs/heads"] {
            fs::create_dir_all(self.folder.join(folder))?;
        }
        replace_whole(&self.drafts, &self.folder.join("config"), CONFIG.as_bytes())?;
        let head = format!("ref: refs/heads/{FIRST_BRANCH}\n");
        replace_whole(&self.drafts, &self.folder.join("HEAD"), head.as_bytes())
    }

    /// The folder with those files put in place: what is left of each path within it, the whole path, and the blob.
    fn with_files(&self, tree: Option<&str>, files: &[(&str, &str, String)]) -> Result<String> {
        let mut entries = tree.map_or_else(|| Ok(Vec::new()), |tree| self.entries(tree))?;
        let mut done: Vec<&str> = Vec::new();
        for (rest, whole, blob) in files {
            let (name, is_deeper) = rest.split_once('/').map_or((*rest, false), |(name, _)| (name, true));
            if done.contains(&name) {
                continue;
            }
            done.push(name);
            let there = entries.iter().position(|entry| entry.name == name).map(|at| entries.remove(at));
            let (mode, hash) = if is_deeper {
                let folder = there.filter(TreeEntry::is_folder).map(|entry| entry.hash);
                let within: Vec<(&str, &str, String)> = files
                    .iter()
                    .filter_map(|(rest, whole, blob)| {
                        let rest = rest.strip_prefix(name)?.strip_prefix('/')?;
                        Some((rest, *whole, blob.clone()))
                    })
                    .collect();
                ("40000", self.with_files(folder.as_deref(), &within)?)
            } else {
                if there.is_some_and(|entry| entry.is_folder()) {
                    return Err(is_folder(whole));
                }
                ("100644", blob.clone())
            };
            entries.push(TreeEntry { mode: mode.to_owned(), name: name.to_owned(), hash });
        }
        self.objects.put(Kind::Tree, &write_tree(entries))
    }
}

fn is_folder(path: &str) -> Error {
    Error::invalid_input(format!("`{path}` is a folder in the repository")).at("path").hint("name a file")
}
