//! Repositories as bare git repositories on this machine.

mod git;
mod objects;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use mlops_core::masking::mask_text;
use mlops_core::ports::{
    Branch, Clock, NewCommit, NewPullRequest, PullRequest, Repositories, SystemClock, check_branch, check_commit,
    check_path, owner_and_name,
};
use mlops_core::values::ArtifactUri;
use mlops_core::{Error, Result};

use crate::files::{blocking, create_once, failure, hold};
use git::Git;

/// Repositories at `<home>/repositories/<owner>/<name>`: real ones, which `git -C` reads. One that is not there is made
/// by its first commit. A pull request is a file in `<home>/outbox/github/<owner>/<name>/pulls/`; whoever merges or
/// declines it takes the file away.
#[derive(Clone)]
pub struct FileRepositories {
    home: PathBuf,
    clock: Arc<dyn Clock>,
}

impl FileRepositories {
    /// The repositories of that home folder.
    pub fn new(home: impl Into<PathBuf>) -> Self {
        Self { home: home.into(), clock: Arc::new(SystemClock) }
    }

    /// With another clock: the same commits at the same times have the same hashes.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    fn git(&self, repo: &str) -> Result<Git> {
        let (owner, name) = owner_and_name(repo)?;
        let folder = self.home.join("repositories").join(owner).join(name);
        Ok(Git::new(&folder, &self.home.join("tmp")))
    }
}

#[async_trait]
impl Repositories for FileRepositories {
    async fn branch(&self, repo: &str, name: Option<&str>) -> Result<Option<Branch>> {
        let git = self.git(repo)?;
        let name = name.map(str::to_owned);
        name.as_deref().map_or(Ok(()), check_branch)?;
        blocking(move || {
            let name = name.map_or_else(|| git.default_branch(), Ok)?;
            let head = git.head(&name)?;
            Ok(head.map(|commit| branch(&git, name, commit)))
        })
        .await
    }

    async fn file(&self, repo: &str, commit: &str, path: &str) -> Result<Option<Bytes>> {
        let git = self.git(repo)?;
        check_commit(commit)?;
        check_path(path)?;
        let (commit, path) = (commit.to_owned(), path.to_owned());
        blocking(move || git.file(&commit, &path)).await
    }

    async fn commit(&self, repo: &str, commit: &NewCommit) -> Result<Branch> {
        let git = self.git(repo)?;
        commit.check()?;
        commit.parent.as_deref().map_or(Ok(()), check_commit)?;
        let (commit, now) = (commit.clone(), self.clock.now());
        blocking(move || {
            let made = git.commit(&commit, now)?;
            Ok(branch(&git, commit.branch, made))
        })
        .await
    }

    async fn pull_request(&self, repo: &str, request: &NewPullRequest) -> Result<PullRequest> {
        let git = self.git(repo)?;
        check_branch(&request.from)?;
        check_branch(&request.into)?;
        let (owner, name) = owner_and_name(repo)?;
        let folder = self.home.join("outbox/github").join(owner).join(name).join("pulls");
        let request =
            NewPullRequest { title: mask_text(&request.title), body: mask_text(&request.body), ..request.clone() };
        let home = self.home.clone();
        blocking(move || {
            for name in [&request.from, &request.into] {
                if git.head(name)?.is_none() {
                    return Err(Error::not_found(format!("there is no branch {name}")).at("branch"));
                }
            }
            open(&home, &folder, &request)
        })
        .await
    }
}

fn branch(git: &Git, name: String, commit: String) -> Branch {
    let url = format!("{}#{commit}", ArtifactUri::from_path(git.folder()));
    Branch { name, commit, url }
}

/// Finds the pull request between those branches, or writes it under the next number.
fn open(home: &Path, folder: &Path, request: &NewPullRequest) -> Result<PullRequest> {
    let failed = |error: io::Error| failure(error, "written", format!("a pull request in {}", folder.display()));
    let _lock = hold(&home.join("locks/github")).map_err(failed)?;
    let place = |number: u64| folder.join(format!("{number}.json"));
    let found = |number: u64, created| {
        let url = ArtifactUri::from_path(&place(number)).to_string();
        PullRequest { number, url, created }
    };
    let mut last = 0;
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries.collect::<io::Result<Vec<_>>>().map_err(failed)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(failed(error)),
    };
    for entry in entries {
        let path = entry.path();
        let Some(number) = path.file_stem().and_then(|name| name.to_str()?.parse().ok()) else { continue };
        last = last.max(number);
        let text = fs::read(&path).map_err(failed)?;
        let known = serde_json::from_slice::<NewPullRequest>(&text);
        if known.is_ok_and(|known| (&known.from, &known.into) == (&request.from, &request.into)) {
            return Ok(found(number, false));
        }
    }
    let text = serde_json::to_vec_pretty(request)
        .map_err(|error| Error::internal("a pull request could not be written as JSON").caused_by(error))?;
    create_once(&home.join("tmp"), &place(last + 1), &text).map_err(failed)?;
    Ok(found(last + 1, true))
}
