//! Where files are kept with their history: branches, commits and pull requests.

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::masking::mask_text;
use crate::{Error, Result};

/// The most files of one commit.
const MOST_FILES: usize = 100;
/// The most bytes of all files of one commit.
const MOST_BYTES: usize = 32 * 1024 * 1024;
/// The longest path of a file, and the longest name of a branch, in bytes.
const LONGEST_NAME: usize = 1_000;

/// A branch as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    /// Its name, without `refs/heads/`.
    pub name: String,
    /// Its last commit: 40 hexadecimal digits.
    pub commit: String,
    /// Where people can read that commit.
    pub url: String,
}

/// A file of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryFile {
    /// Where it lies in the repository, with slashes: `history/penguins/run-1/history.md`.
    pub path: String,
    /// Its bytes.
    pub content: Bytes,
}

/// A commit that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCommit {
    /// The branch that it is put onto.
    pub branch: String,
    /// The commit that it follows, which gives it all files that are not named here. `None`: the repository has no
    /// commit yet.
    pub parent: Option<String>,
    /// Whether the branch is made by this; otherwise `parent` is its last commit.
    pub makes_branch: bool,
    /// What was done, in one line, then an empty line, then more.
    pub message: String,
    /// The files that are put in place.
    pub files: Vec<RepositoryFile>,
}

/// A pull request that there should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPullRequest {
    /// The branch that has the commits.
    pub from: String,
    /// The branch that they are for.
    pub into: String,
    /// The title, one line.
    pub title: String,
    /// What it is about, Markdown.
    pub body: String,
}

/// A pull request that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// Where people can read it.
    pub url: String,
    /// Whether there was none before.
    pub created: bool,
}

/// Reads and writes repositories. Where a repository is named that is none, `InvalidInput` names `repo`.
#[async_trait]
pub trait Repositories: Send + Sync {
    /// The branch of that name, or the default branch when none is named. `None` when there is no such branch, or no
    /// commit at all.
    async fn branch(&self, repo: &str, name: Option<&str>) -> Result<Option<Branch>>;

    /// The bytes of the file at that commit; `None` when there is none. `InvalidInput` when the path is a folder.
    async fn file(&self, repo: &str, commit: &str, path: &str) -> Result<Option<Bytes>>;

    /// Makes one commit of all those files and puts the branch onto it; [`NewCommit::check`] says what a commit is. It
    /// is `Conflict` when the branch does not end with the parent any more, or is there already though it should be
    /// made; then nothing has changed. No commit of others is ever taken away.
    async fn commit(&self, repo: &str, commit: &NewCommit) -> Result<Branch>;

    /// Makes sure that there is an open pull request from the one branch into the other. One that is open already stays
    /// as it is.
    async fn pull_request(&self, repo: &str, request: &NewPullRequest) -> Result<PullRequest>;
}

impl NewCommit {
    /// Checks the branch, the message and the files; `InvalidInput` names `branch`, `message` or `files[n].path`.
    pub fn check(&self) -> Result<()> {
        check_branch(&self.branch)?;
        if self.message.trim().is_empty() || self.message.len() > 64 * 1024 {
            return Err(Error::invalid_input("a commit needs a message of at most 64 KiB").at("message"));
        }
        if mask_text(&self.message) != self.message {
            return Err(Error::invalid_input("the message holds a secret").at("message"));
        }
        if self.files.is_empty() || self.files.len() > MOST_FILES {
            let message = format!("a commit has 1 to {MOST_FILES} files, and not {}", self.files.len());
            return Err(Error::invalid_input(message).at("files"));
        }
        for (at, file) in self.files.iter().enumerate() {
            check_path(&file.path).map_err(|error| Error { field: Some(format!("files[{at}].path")), ..error })?;
            let clashes = |other: &RepositoryFile| {
                other.path == file.path || other.path.strip_prefix(&file.path).is_some_and(|rest| rest.starts_with('/'))
            };
            if self.files[at + 1..].iter().chain(&self.files[..at]).any(clashes) {
                let message = format!("`{}` is named twice, or is a folder of another file", file.path);
                return Err(Error::invalid_input(message).at(format!("files[{at}].path")));
            }
        }
        let bytes: usize = self.files.iter().map(|file| file.content.len()).sum();
        if bytes > MOST_BYTES {
            let message = format!("the files have {bytes} bytes, and a commit has at most {MOST_BYTES}");
            return Err(Error::invalid_input(message).at("files"));
        }
        Ok(())
    }
}

/// Checks the name of a branch, by a part of git's own rules; `InvalidInput` names `branch`.
pub fn check_branch(name: &str) -> Result<()> {
    let is_part =
        |part: &str| !part.is_empty() && !part.starts_with(['.', '-']) && part.strip_suffix(".lock").is_none();
    let allowed = |c: char| c.is_alphanumeric() || "-_./+=".contains(c);
    let is_sound = name.len() <= 200 && name.split('/').all(is_part) && name.chars().all(allowed);
    if is_sound && !name.contains("..") && !name.ends_with('.') && mask_text(name) == name {
        return Ok(());
    }
    let shown: String = mask_text(name).chars().take(200).collect();
    Err(Error::invalid_input(format!("`{shown}` is not the name of a branch"))
        .at("branch")
        .hint("write letters, digits, dashes, underscores, dots and slashes, such as mlops-history"))
}

/// Checks the path of a file in a repository; `InvalidInput` names `path`.
pub fn check_path(path: &str) -> Result<()> {
    let is_part = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.eq_ignore_ascii_case(".git");
    let is_sound = path.len() <= LONGEST_NAME && path.split('/').all(is_part);
    if is_sound && !path.contains(|c: char| c.is_control() || c == '\\') && mask_text(path) == path {
        return Ok(());
    }
    let shown: String = mask_text(path).chars().take(200).collect();
    Err(Error::invalid_input(format!("`{shown}` is not a path in a repository"))
        .at("path")
        .hint("write folders and a name with slashes between them, such as history/penguins/history.md"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(branch: &str, message: &str, paths: &[&str]) -> NewCommit {
        let file = |path: &&str| RepositoryFile { path: (*path).to_owned(), content: Bytes::from("x") };
        NewCommit {
            branch: branch.to_owned(),
            parent: None,
            makes_branch: true,
            message: message.to_owned(),
            files: paths.iter().map(file).collect(),
        }
    }

    #[test]
    fn a_commit_names_what_is_wrong_with_it() {
        commit("mlops-history", "Add a run", &["history/ペンギン/run 1/history.md", "history/a"]).check().unwrap();
        let long = "x".repeat(1_001);
        for (branch, message, paths, field) in [
            ("", "m", &["a"][..], "branch"),
            ("a..b", "m", &["a"], "branch"),
            ("/a", "m", &["a"], "branch"),
            ("a.lock", "m", &["a"], "branch"),
            ("a b", "m", &["a"], "branch"),
            ("-a", "m", &["a"], "branch"),
            ("a/.b", "m", &["a"], "branch"),
            ("a:b", "m", &["a"], "branch"),
            ("b", " \n", &["a"], "message"),
            ("b", "use ghp_abcdefghijklmnop", &["a"], "message"),
            ("b", "m", &[], "files"),
            ("b", "m", &["a", ".git/config"], "files[1].path"),
            ("b", "m", &["../a"], "files[0].path"),
            ("b", "m", &["/a"], "files[0].path"),
            ("b", "m", &["a\\b"], "files[0].path"),
            ("b", "m", &["a\nb"], "files[0].path"),
            ("b", "m", &[&long], "files[0].path"),
            ("b", "m", &["a", "a"], "files[0].path"),
            ("b", "m", &["a/b", "a"], "files[1].path"),
        ] {
            let error = commit(branch, message, paths).check().unwrap_err();
            assert_eq!(error.field.as_deref(), Some(field), "{branch} {message} {paths:?}");
            assert!(!error.message.contains("abcdefghijklmnop"), "{error}");
        }
        let many: Vec<String> = (0..101).map(|at| format!("f{at}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(commit("b", "m", &many).check().unwrap_err().field.as_deref(), Some("files"));
    }

    #[test]
    fn a_commit_has_a_greatest_size() {
        let mut large = commit("b", "m", &["a"]);
        large.files[0].content = Bytes::from(vec![0; MOST_BYTES + 1]);
        assert_eq!(large.check().unwrap_err().field.as_deref(), Some("files"));
    }
}
