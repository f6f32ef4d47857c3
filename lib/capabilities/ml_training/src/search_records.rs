//! A search in the store: what it is about, which trials were given out, and what came of them.
//!
//! Keys below the folder of the search, each created once: `study.json`, `asked/00000000.json` (trials that were given
//! out together, named by the first) and `trials/00000000.json` (a trial that ended). So a search that was cut off goes
//! on with the trials that have no end, and two callers of one search end each trial once.

use mlops_algorithms::search::{Study, Trial, TrialStatus};
use mlops_artifacts::Artifacts;
use mlops_core::ports::{Condition, ObjectStore, find_json, read_json, write_json};
use mlops_core::values::ArtifactUri;
use mlops_core::{Error, ErrorKind, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::fault;

/// The version of the format of these documents.
const FORMAT: u32 = 1;

/// A search as it began.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Header {
    format: u32,
    /// SHA-256 of everything that decides the trials.
    fingerprint: String,
    /// The study before its first trial; it holds what was known beforehand.
    study: Study,
}

/// The records of one search.
pub(crate) struct SearchRecords<'a> {
    store: &'a dyn ObjectStore,
    folder: ArtifactUri,
}

impl<'a> SearchRecords<'a> {
    pub(crate) fn new(artifacts: &'a Artifacts, folder: ArtifactUri) -> Self {
        Self { store: &**artifacts.store(), folder }
    }

    pub(crate) const fn folder(&self) -> &ArtifactUri {
        &self.folder
    }

    /// The study as far as it has come, and whether it had begun before; another search in the same place is a conflict.
    pub(crate) async fn open(&self, fingerprint: &str, begin: Study) -> Result<(Study, bool)> {
        let place = self.folder.join("study.json");
        let header = Header { format: FORMAT, fingerprint: fingerprint.to_owned(), study: begin };
        let header = match write_json(self.store, &place, &header, Condition::Absent).await {
            Ok(_) => return Ok((header.study, false)),
            Err(error) if error.kind == ErrorKind::AlreadyExists => read_json::<Header>(self.store, &place).await?.1,
            Err(error) => return Err(error),
        };
        if header.format != FORMAT || header.fingerprint != fingerprint {
            let message = format!("{} holds a search with other data or settings", self.folder);
            return Err(Error::conflict(message).at("training_job_name").hint(
                "only max_trials and time_limit_seconds may differ when a search goes on; give another \
                 training_job_name for another search",
            ));
        }
        let mut trials = header.study.trials().to_vec();
        for asked in self.all::<Vec<Trial>>("asked").await?.into_iter().flatten() {
            put(&mut trials, asked)?;
        }
        for ended in self.all::<Trial>("trials").await? {
            put(&mut trials, ended)?;
        }
        let study = Study::restore(header.study.settings().clone(), trials).map_err(fault::of_search)?;
        Ok((study, true))
    }

    /// Writes down that those trials were given out.
    pub(crate) async fn asked(&self, trials: &[Trial]) -> Result<()> {
        let Some(first) = trials.first() else { return Ok(()) };
        let place = self.folder.join(&format!("asked/{:08}.json", first.number));
        match write_json(self.store, &place, &trials, Condition::Absent).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind == ErrorKind::AlreadyExists => {
                Err(Error::conflict(format!("the search in {} is being run elsewhere", self.folder))
                    .at("training_job_name")
                    .hint("wait until that call ends, then call again: finished trials are kept"))
            }
            Err(error) => Err(error),
        }
    }

    /// Writes down how a trial ended; the end that was there before counts.
    pub(crate) async fn ended(&self, trial: Trial) -> Result<Trial> {
        let place = self.folder.join(&format!("trials/{:08}.json", trial.number));
        match write_json(self.store, &place, &trial, Condition::Absent).await {
            Ok(_) => Ok(trial),
            Err(error) if error.kind == ErrorKind::AlreadyExists => {
                Ok(find_json(self.store, &place).await?.map_or(trial, |(_, found)| found))
            }
            Err(error) => Err(error),
        }
    }

    async fn all<T: DeserializeOwned>(&self, part: &str) -> Result<Vec<T>> {
        let prefix = ArtifactUri::new(format!("{}/", self.folder.join(part)))?;
        let mut found = Vec::new();
        let mut next = None;
        loop {
            let page = self.store.list(&prefix, next).await?;
            for object in page.objects {
                found.push(read_json(self.store, &object.uri).await?.1);
            }
            next = page.next;
            if next.is_none() {
                return Ok(found);
            }
        }
    }
}

/// Puts a trial into its place.
fn put(trials: &mut Vec<Trial>, trial: Trial) -> Result<()> {
    let number = trial.number;
    if number > trials.len() {
        return Err(Error::invalid_input(format!("the search has lost the trials before number {number}")));
    }
    match trials.get_mut(number) {
        Some(place) => *place = trial,
        None => trials.push(trial),
    }
    Ok(())
}

/// The trials that were given out and have no end.
pub(crate) fn open_trials(study: &Study) -> Vec<Trial> {
    study.trials().iter().filter(|trial| trial.status == TrialStatus::Running).cloned().collect()
}
