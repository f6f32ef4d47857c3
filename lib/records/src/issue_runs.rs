//! The runs that an issue asked for, in order.
//!
//! Keys: `issue_runs/<owner>.<name>/<number>/00000001.json`, created once each.

use std::sync::Arc;

use mlops_core::ports::{Condition, ObjectStore, read_json, write_json};
use mlops_core::values::{ArtifactUri, IssueRef};
use mlops_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use crate::check_name;

/// Which runs belong to which issue.
#[derive(Clone)]
pub struct IssueRuns {
    store: Arc<dyn ObjectStore>,
    root: ArtifactUri,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct IssueRun {
    issue: IssueRef,
    run_id: String,
}

impl IssueRuns {
    /// The runs of issues below `root`.
    pub fn new(store: Arc<dyn ObjectStore>, root: &ArtifactUri) -> Self {
        Self { store, root: root.join("issue_runs") }
    }

    /// Remembers that the issue asked for the run. It is the issue's latest from then on; saying so again changes
    /// nothing.
    pub async fn add(&self, issue: &IssueRef, run_id: &str) -> Result<()> {
        check_name("run_id", run_id)?;
        let folder = self.folder(issue)?;
        let record = IssueRun { issue: issue.clone(), run_id: run_id.to_owned() };
        loop {
            let known = self.places(&folder).await?;
            if let Some(last) = known.last()
                && read_json::<IssueRun>(&*self.store, last).await?.1.run_id == run_id
            {
                return Ok(());
            }
            let place = folder.join(&format!("{:08}.json", known.len() + 1));
            match write_json(&*self.store, &place, &record, Condition::Absent).await {
                Ok(_) => return Ok(()),
                // Another run took the number: look again, it may be the same run.
                Err(error) if error.kind == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The run that the issue asked for last; `None` when it asked for none.
    pub async fn latest(&self, issue: &IssueRef) -> Result<Option<String>> {
        let Some(last) = self.places(&self.folder(issue)?).await?.pop() else { return Ok(None) };
        Ok(Some(read_json::<IssueRun>(&*self.store, &last).await?.1.run_id))
    }

    /// Every run that the issue asked for, each once, the one that it asked for last at the end.
    pub async fn all(&self, issue: &IssueRef) -> Result<Vec<String>> {
        let mut runs: Vec<String> = Vec::new();
        for place in self.places(&self.folder(issue)?).await? {
            let run = read_json::<IssueRun>(&*self.store, &place).await?.1.run_id;
            runs.retain(|known| *known != run);
            runs.push(run);
        }
        Ok(runs)
    }

    async fn places(&self, folder: &ArtifactUri) -> Result<Vec<ArtifactUri>> {
        let prefix = ArtifactUri::new(format!("{folder}/"))?;
        let (mut places, mut next) = (Vec::new(), None);
        loop {
            let page = self.store.list(&prefix, next).await?;
            places.extend(page.objects.into_iter().map(|object| object.uri));
            next = page.next;
            if next.is_none() {
                return Ok(places);
            }
        }
    }

    /// The folder of an issue. GitHub takes upper and lower case for the same repository.
    fn folder(&self, issue: &IssueRef) -> Result<ArtifactUri> {
        let is_owner = |owner: &str| {
            !owner.is_empty()
                && owner.len() <= 64
                && owner.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
        };
        let is_name = |name: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            !name.is_empty() && name.len() <= 128 && name.chars().all(fits)
        };
        match issue.repo.split_once('/') {
            Some((owner, name)) if is_owner(owner) && is_name(name) => {
                let repository = format!("{owner}.{name}").to_lowercase();
                Ok(self.root.join(&format!("{repository}/{}", issue.number)))
            }
            _ => Err(Error::invalid_input("`repo` must be `owner/name`").at("repo")),
        }
    }
}

#[cfg(test)]
mod tests {
    use mlops_local::{Access, FileStore};

    use super::*;

    fn runs() -> (IssueRuns, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(FileStore::new(folder.path(), folder.path().to_owned(), Access::Anywhere));
        (IssueRuns::new(store, &ArtifactUri::from_path(&folder.path().join("store"))), folder)
    }

    fn issue(repo: &str, number: u64) -> IssueRef {
        IssueRef { repo: repo.to_owned(), number }
    }

    #[tokio::test]
    async fn the_run_that_was_asked_for_last_is_the_latest() {
        let (runs, _folder) = runs();
        let five = issue("Octo/.github", 5);
        assert_eq!(runs.latest(&five).await.unwrap(), None);
        for run in ["a-1", "a-1", "b-2", "a-1"] {
            runs.add(&five, run).await.unwrap();
        }
        runs.add(&issue("octo/.github", 50), "c-3").await.unwrap();
        assert_eq!(runs.latest(&issue("octo/.GITHUB", 5)).await.unwrap().as_deref(), Some("a-1"));
        assert_eq!(runs.all(&five).await.unwrap(), ["b-2", "a-1"]);
    }

    #[tokio::test]
    async fn many_at_once_lose_none() {
        let (runs, _folder) = runs();
        let five = issue("o/n", 5);
        let adding = (0..12).map(|run| {
            let (runs, five) = (runs.clone(), five.clone());
            tokio::spawn(async move { runs.add(&five, &format!("run-{run}")).await })
        });
        for added in adding.collect::<Vec<_>>() {
            added.await.unwrap().unwrap();
        }
        assert_eq!(runs.all(&five).await.unwrap().len(), 12);
    }

    #[tokio::test]
    async fn what_is_no_repository_or_run_is_refused() {
        let (runs, _folder) = runs();
        for repo in ["", "o", "o/", "/n", "o/n/m", "../x", "o.o/n", "ペンギン/n"] {
            assert_eq!(runs.all(&issue(repo, 1)).await.unwrap_err().field.as_deref(), Some("repo"), "{repo}");
        }
        assert_eq!(runs.add(&issue("o/n", 1), "../x").await.unwrap_err().field.as_deref(), Some("run_id"));
    }
}
