//! The journal of an execution with what it amounts to: whoever writes to it decides by all that was written before.

use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use mlops_core::Result;

use super::executions::{Executions, Record};
use super::journal::{Journal, Line, NewEvent};
use super::progress::Progress;

/// A journal with the progress that its lines make.
#[derive(Debug)]
pub(crate) struct Ledger {
    journal: Journal,
    progress: Shared,
    /// The lock of the walk goes along: when a walk is dropped in the middle of a write, nobody else begins before the
    /// write has ended.
    _walk: Option<File>,
}

/// The progress of an execution, which its walk reads while the ledger is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shared(Arc<Mutex<Progress>>);

impl Shared {
    pub(crate) fn get(&self) -> MutexGuard<'_, Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger {
    /// The ledger of an execution and the lines that it has.
    pub(crate) fn open(executions: &Executions, record: &Record, walk: Option<File>) -> Result<(Self, Vec<Line>)> {
        let (journal, lines) = Journal::open(&executions.journal(record))?;
        let progress = Shared(Arc::new(Mutex::new(record.progress(&lines))));
        Ok((Self { journal, progress, _walk: walk }, lines))
    }

    /// The progress, which goes on with every line that is written or followed.
    pub(crate) fn progress(&self) -> Shared {
        self.progress.clone()
    }

    /// What others wrote meanwhile.
    pub(crate) fn follow(&mut self) -> Result<Vec<Line>> {
        let lines = self.journal.follow()?;
        let mut progress = self.progress.get();
        for line in &lines {
            progress.apply(line);
        }
        drop(progress);
        Ok(lines)
    }

    /// Writes those events that can still happen. Gives the lines that are new, those of others included, and for each
    /// event whether it was written.
    pub(crate) fn write(&mut self, drafts: Vec<NewEvent>, now: Timestamp) -> Result<(Vec<Line>, Vec<bool>)> {
        let _lock = self.journal.lock()?;
        let mut lines = self.follow()?;
        let progress = self.progress.get();
        let accepted: Vec<bool> = drafts.iter().map(|draft| progress.accepts(draft)).collect();
        drop(progress);
        let kept = drafts.into_iter().zip(&accepted).filter(|(_, accepted)| **accepted).map(|(draft, _)| draft);
        lines.extend(self.append(kept.collect(), now)?);
        Ok((lines, accepted))
    }

    /// Writes the events that the decision gives. Nobody else writes between the decision and the events.
    pub(crate) fn decide(
        &mut self,
        now: Timestamp,
        decision: impl FnOnce(&Progress) -> Result<Vec<NewEvent>>,
    ) -> Result<()> {
        let _lock = self.journal.lock()?;
        self.follow()?;
        let drafts = decision(&self.progress.get())?;
        self.append(drafts, now).map(drop)
    }

    fn append(&mut self, drafts: Vec<NewEvent>, now: Timestamp) -> Result<Vec<Line>> {
        if drafts.is_empty() {
            return Ok(Vec::new());
        }
        let lines = self.journal.append(drafts, now)?;
        let mut progress = self.progress.get();
        for line in &lines {
            progress.apply(line);
        }
        Ok(lines)
    }
}
