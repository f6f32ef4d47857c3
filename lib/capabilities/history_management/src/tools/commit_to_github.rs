//! Commits files to a repository.

use bytes::Bytes;
use mlops_core::ports::{Branch, NewCommit, NewPullRequest, RepositoryFile, check_branch, owner_and_name};
use mlops_core::values::{ArtifactUri, sha256_hex};
use mlops_core::{Call, Effect, Error, ErrorKind, Lang, Report, Result, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::HistoryManagement;
use crate::secrets::line_with_secret;

/// How often the branch is read again when others commit to it at the same time.
const ATTEMPTS: u32 = 8;
/// The most bytes of one file.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Commit files to a repository on GitHub, all in one commit. A branch that is not there is made from the default
/// branch. Others' commits are never taken away: when they come in between, the branch is read again. Files that are
/// there with the same content make no commit. Files that hold a secret are refused, and nothing is committed then.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommitToGithub {
    /// The repository, `owner/name`.
    pub repo: String,
    /// The branch that gets the commit.
    pub branch: String,
    /// What was done: one line, then an empty line, then more.
    pub message: String,
    /// The files, 1 to 100.
    #[schemars(length(min = 1, max = 100))]
    pub files: Vec<FileToCommit>,
    /// Whether the branch alone gets the commit, or a pull request into the default branch is opened for it too.
    #[serde(default)]
    pub mode: CommitMode,
    /// The text of the pull request, Markdown; by default what the message says below its first line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_request_body: Option<String>,
    /// Say what would be committed and commit nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// A file and its content; give `text` or `uri`.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileToCommit {
    /// Where it lies in the repository: `history/penguins/run-1/history.md`.
    pub path: String,
    /// The content as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The artifact that is the content, at most 16 MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<ArtifactUri>,
}

/// How files come into the repository.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommitMode {
    /// A commit on the branch.
    #[default]
    Direct,
    /// A commit on the branch, and a pull request from it into the default branch.
    Pr,
}

/// The branch as it stands.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct CommittedToGithub {
    /// The repository.
    pub repo: String,
    /// The branch.
    pub branch: String,
    /// Whether there is a new commit, or would be in a dry run.
    pub changed: bool,
    /// The commit that has the files; null in a dry run that would make one.
    pub commit: Option<String>,
    /// Where people read that commit; null when there is none.
    pub url: Option<String>,
    /// The last commit of the branch as it was read afterwards; null when the branch is not there.
    pub head: Option<String>,
    /// The commit before; null when the repository had none.
    pub parent: Option<String>,
    /// What became of each file.
    pub files: Vec<CommittedFile>,
    /// The pull request; null when none was asked for, or when there is nothing in it.
    pub pull_request: Option<OpenPullRequest>,
    /// How often the branch was read until nobody else committed in between.
    pub attempts: u32,
    /// Whether nothing was written.
    pub dry_run: bool,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct CommittedFile {
    /// Where it lies in the repository.
    pub path: String,
    /// Whether it is new there, has another content, or had this one.
    pub change: FileChange,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

/// What a commit did to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileChange {
    /// It was not there.
    Created,
    /// It was there with another content.
    Updated,
    /// It was there with this content.
    Unchanged,
}

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct OpenPullRequest {
    /// Its number.
    pub number: u64,
    /// Where people read it.
    pub url: String,
    /// Whether it was opened now.
    pub created: bool,
}

/// What the commit is put onto.
struct Base {
    head: Option<Branch>,
    default: Option<Branch>,
}

impl Base {
    /// The commit that the new one follows.
    fn parent(&self) -> Option<&Branch> {
        self.head.as_ref().or(self.default.as_ref())
    }
}

impl CommitToGithub {
    /// A commit on that branch without files.
    pub fn onto(repo: impl Into<String>, branch: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            repo: repo.into(),
            branch: branch.into(),
            message: message.into(),
            files: Vec::new(),
            mode: CommitMode::Direct,
            pull_request_body: None,
            dry_run: false,
        }
    }

    /// The contents; `InvalidInput` names the file that has none, or that holds a secret.
    async fn contents(&self, room: &HistoryManagement) -> Result<Vec<RepositoryFile>> {
        let mut files = Vec::with_capacity(self.files.len());
        for (at, file) in self.files.iter().enumerate() {
            let content = match (&file.text, &file.uri) {
                (Some(text), None) => Bytes::from(text.clone()),
                (None, Some(uri)) => {
                    let found = async { room.runs.store().get(uri, None).await?.1.collect(LARGEST).await };
                    found.await.map_err(|error| error.at_or(format!("files[{at}].uri")))?
                }
                _ => {
                    return Err(Error::invalid_input(format!("give `text` or `uri` of `{}`", file.path))
                        .at(format!("files[{at}].text")));
                }
            };
            files.push(RepositoryFile { path: file.path.clone(), content });
        }
        Ok(files)
    }

    async fn base(&self, room: &HistoryManagement) -> Result<Base> {
        let head = room.repositories.branch(&self.repo, Some(&self.branch)).await?;
        let default = if head.is_none() || self.mode == CommitMode::Pr {
            room.repositories.branch(&self.repo, None).await?
        } else {
            None
        };
        if self.mode == CommitMode::Pr {
            match &default {
                None => {
                    return Err(Error::invalid_input("a pull request needs a default branch with a commit")
                        .at("mode")
                        .hint("make a first commit in the repository, or commit directly"));
                }
                Some(default) if default.name == self.branch => {
                    return Err(Error::invalid_input("a pull request comes from another branch than the default one")
                        .at("branch"));
                }
                Some(_) => {}
            }
        }
        Ok(Base { head, default })
    }

    /// What the commit would do to each file.
    async fn compare(
        &self,
        room: &HistoryManagement,
        base: &Base,
        files: &[RepositoryFile],
    ) -> Result<Vec<FileChange>> {
        let mut changes = Vec::with_capacity(files.len());
        for (at, file) in files.iter().enumerate() {
            let there = match base.parent() {
                Some(parent) => {
                    let found = room.repositories.file(&self.repo, &parent.commit, &file.path).await;
                    found.map_err(|error| match error.kind {
                        ErrorKind::InvalidInput => Error { field: Some(format!("files[{at}].path")), ..error },
                        _ => error,
                    })?
                }
                None => None,
            };
            changes.push(match there {
                None => FileChange::Created,
                Some(content) if content == file.content => FileChange::Unchanged,
                Some(_) => FileChange::Updated,
            });
        }
        Ok(changes)
    }

    fn pull_request(&self, into: &Branch) -> NewPullRequest {
        let message = self.message.trim();
        let (title, rest) = message.split_once('\n').unwrap_or((message, ""));
        let body = self.pull_request_body.as_deref().unwrap_or(rest).trim();
        NewPullRequest {
            from: self.branch.clone(),
            into: into.name.clone(),
            title: title.chars().take(250).collect(),
            body: body.chars().take(60_000).collect(),
        }
    }
}

impl Tool for CommitToGithub {
    const NAME: &'static str = "commit_to_github";
    const TITLE: &'static str = "Commit to GitHub";
    const EFFECT: Effect = Effect::Update;
    type Capability = HistoryManagement;
    type Output = CommittedToGithub;

    async fn run(self, room: &HistoryManagement, call: &Call) -> Result<CommittedToGithub> {
        owner_and_name(&self.repo)?;
        check_branch(&self.branch)?;
        let mut commit = NewCommit {
            branch: self.branch.clone(),
            parent: None,
            makes_branch: false,
            message: self.message.clone(),
            files: self.contents(room).await?,
        };
        commit.check()?;
        for (at, file) in commit.files.iter().enumerate() {
            if let Some(line) = line_with_secret(&file.content) {
                return Err(Error::invalid_input(format!("line {line} of `{}` holds a secret", file.path))
                    .at(format!("files[{at}]"))
                    .hint("take it out; a secret that others may have seen is revoked"));
            }
        }
        let files = commit.files.clone();
        let mut attempts = 0;
        let (base, changes, made) = loop {
            call.check()?;
            attempts += 1;
            let base = self.base(room).await?;
            let changes = self.compare(room, &base, &files).await?;
            let is_new = |at: usize| changes[at] != FileChange::Unchanged;
            commit.files = (0..files.len()).filter(|at| is_new(*at)).map(|at| files[at].clone()).collect();
            if commit.files.is_empty() || self.dry_run {
                break (base, changes, None);
            }
            commit.parent = base.parent().map(|parent| parent.commit.clone());
            commit.makes_branch = base.head.is_none();
            match room.repositories.commit(&self.repo, &commit).await {
                Ok(made) => break (base, changes, Some(made)),
                Err(error) if error.kind == ErrorKind::Conflict && attempts < ATTEMPTS => {}
                Err(error) => return Err(error),
            }
        };
        let changed = !commit.files.is_empty();
        let has = made.clone().or_else(|| base.parent().filter(|_| !changed).cloned());
        let parent = if changed { base.parent().map(|parent| parent.commit.clone()) } else { None };
        let head = if made.is_some() {
            room.repositories.branch(&self.repo, Some(&self.branch)).await?
        } else {
            base.head.clone()
        };
        let pull_request = match (&base.default, &head) {
            (Some(default), Some(head))
                if self.mode == CommitMode::Pr && !self.dry_run && default.commit != head.commit =>
            {
                let opened = room.repositories.pull_request(&self.repo, &self.pull_request(default)).await?;
                Some(OpenPullRequest { number: opened.number, url: opened.url, created: opened.created })
            }
            _ => None,
        };
        let committed = files.iter().zip(changes).map(|(file, change)| CommittedFile {
            path: file.path.clone(),
            change,
            bytes: file.content.len() as u64,
            sha256: sha256_hex(&file.content),
        });
        Ok(CommittedToGithub {
            files: committed.collect(),
            changed,
            commit: has.as_ref().map(|branch| branch.commit.clone()),
            url: has.map(|branch| branch.url),
            head: head.map(|branch| branch.commit),
            parent,
            pull_request,
            attempts,
            dry_run: self.dry_run,
            repo: self.repo,
            branch: self.branch,
        })
    }
}

impl Report for CommittedToGithub {
    fn summary(&self, lang: Lang) -> String {
        let place = format!("{} {}", self.repo, self.branch);
        let files = self.files.iter().filter(|file| file.change != FileChange::Unchanged).count();
        match (lang, self.changed, self.dry_run) {
            (Lang::En, false, _) => format!("{place} has these files already"),
            (Lang::Ja, false, _) => format!("{place} の内容は最新です"),
            (Lang::En, true, true) => format!("{files} file(s) would be committed to {place}"),
            (Lang::Ja, true, true) => format!("{place} に {files} 件のファイルがコミットされます（確認のみ）"),
            (Lang::En, true, false) => format!("{files} file(s) are committed to {place}"),
            (Lang::Ja, true, false) => format!("{place} に {files} 件のファイルをコミットしました"),
        }
    }
}

#[cfg(test)]
#[path = "commit_to_github_tests.rs"]
mod tests;
