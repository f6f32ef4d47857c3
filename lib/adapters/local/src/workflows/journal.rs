//! The journal of an execution: one line of JSON per event, written before anything follows from it.
//!
//! The walk of an execution is not its only writer: answers to tasks and the end of a stopped execution are written by
//! those who give them. Each holds the journal's lock while it writes, and reads first what others wrote.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mlops_core::ports::HistoryEvent;
use mlops_core::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::errors::Failure;
use crate::files::{failure, hold, sync_folder};

/// A sign of life of a task. It is a line of the journal and no event of the history: it has the number of the event
/// before.
pub(crate) const HEARTBEAT: &str = "TaskHeartbeat";

/// One line: an event, and what follows from it where the history does not say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    #[serde(flatten)]
    pub(crate) event: HistoryEvent,
    #[serde(flatten)]
    pub(crate) more: More,
}

/// What the history does not show of an event.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct More {
    /// The state that follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
    /// The states that the branches begin with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) begins: Vec<String>,
    /// The items of a map; or the one input of branches, or of an item, where it is not that of the state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) data: Vec<Value>,
    /// Whether an item sees no variables from outside.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) isolated: bool,
    /// How many items are walked at the same time, and how many may fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) limits: Option<Limits>,
    /// Why the items of a map could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unread: Option<Failure>,
    /// The token of the task's attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
    /// The failure that made the state begin again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<Failure>,
}

/// The limits of the items of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Limits {
    pub(crate) concurrency: usize,
    pub(crate) tolerated: usize,
}

/// An event that is to be written.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewEvent {
    pub(crate) kind: String,
    pub(crate) path: String,
    pub(crate) state: Option<String>,
    pub(crate) details: Value,
    pub(crate) more: More,
}

/// A journal that is open for writing.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    whole: u64,
    last: Option<(u64, Timestamp)>,
}

impl Line {
    /// Whether the history shows it.
    pub(crate) fn is_event(&self) -> bool {
        self.event.kind != HEARTBEAT
    }
}

impl Journal {
    /// The journal at that path with the lines that it has.
    pub(crate) fn open(path: &Path) -> Result<(Self, Vec<Line>)> {
        let failed = |error: io::Error| failure(error, "opened", path.display());
        let file = OpenOptions::new().create(true).read(true).append(true).open(path).map_err(failed)?;
        if let Some(folder) = path.parent().filter(|_| file.metadata().is_ok_and(|metadata| metadata.len() == 0)) {
            sync_folder(folder).map_err(failed)?;
        }
        let mut journal = Self { path: path.to_owned(), file, whole: 0, last: None };
        let lines = journal.follow()?;
        Ok((journal, lines))
    }

    /// The lock that everybody holds who writes. It is let go when the file is dropped.
    pub(crate) fn lock(&self) -> Result<File> {
        let path = self.path.with_extension("lock");
        hold(&path).map_err(|error| failure(error, "locked", path.display()))
    }

    /// The lines that were written since this was asked last.
    pub(crate) fn follow(&mut self) -> Result<Vec<Line>> {
        let failed = |error: io::Error| failure(error, "read", self.path.display());
        if self.file.metadata().map_err(failed)?.len() <= self.whole {
            return Ok(Vec::new());
        }
        let mut bytes = Vec::new();
        let mut file = &self.file;
        file.seek(SeekFrom::Start(self.whole)).map_err(failed)?;
        file.read_to_end(&mut bytes).map_err(failed)?;
        let (lines, whole) = parse(&bytes, self.last.map_or(0, |(id, _)| id), &self.path)?;
        self.whole += whole;
        if let Some(line) = lines.last() {
            self.last = Some((line.event.id, line.event.timestamp));
        }
        Ok(lines)
    }

    /// Writes the events and makes them durable. No time is before that of the event before. The caller holds the lock
    /// and has followed: what is behind the last whole line was not written to its end, and is cut off.
    pub(crate) fn append(&mut self, drafts: Vec<NewEvent>, now: Timestamp) -> Result<Vec<Line>> {
        let failed = |error: io::Error| failure(error, "written", "the journal of the execution");
        let mut bytes = Vec::new();
        let mut lines = Vec::with_capacity(drafts.len());
        let mut last = self.last;
        for NewEvent { kind, path, state, details, more } in drafts {
            let (before, timestamp) = last.map_or((0, now), |(id, before)| (id, now.max(before)));
            let id = before + u64::from(kind != HEARTBEAT);
            let path = Some(path).filter(|path| !path.is_empty());
            let line = Line { event: HistoryEvent { id, timestamp, kind, state, path, details }, more };
            serde_json::to_writer(&mut bytes, &line)
                .map_err(|error| Error::internal("an event could not be written as JSON").caused_by(error))?;
            bytes.push(b'\n');
            last = Some((id, timestamp));
            lines.push(line);
        }
        if self.file.metadata().map_err(failed)?.len() > self.whole {
            self.file.set_len(self.whole).map_err(failed)?;
        }
        self.file.write_all(&bytes).and_then(|()| self.file.sync_data()).map_err(failed)?;
        self.whole += bytes.len() as u64;
        self.last = last;
        Ok(lines)
    }
}

/// The lines of the journal at that path; none when there is no journal yet.
pub(crate) fn read(path: &Path) -> Result<Vec<Line>> {
    match fs::read(path) {
        Ok(bytes) => Ok(parse(&bytes, 0, path)?.0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failure(error, "read", path.display())),
    }
}

/// The whole lines, and how many bytes they have. A last line that was not written to its end is left out.
fn parse(bytes: &[u8], before: u64, path: &Path) -> Result<(Vec<Line>, u64)> {
    let mut lines: Vec<Line> = Vec::new();
    let (mut whole, mut last) = (0, before);
    for text in bytes.split_inclusive(|byte| *byte == b'\n') {
        let is_last = whole + text.len() == bytes.len();
        let line: Option<Line> = if text.ends_with(b"\n") { serde_json::from_slice(text).ok() } else { None };
        match line.filter(|line| line.event.id == last + u64::from(line.is_event())) {
            Some(line) => {
                last = line.event.id;
                lines.push(line);
            }
            None if is_last => break,
            None => {
                return Err(Error::internal(format!("{} is damaged after event {last}", path.display()))
                    .hint("start the run under another name"));
            }
        }
        whole += text.len();
    }
    Ok((lines, whole as u64))
}

#[cfg(test)]
mod tests {
    use mlops_core::ErrorKind;
    use serde_json::json;

    use super::*;

    fn draft(kind: &str) -> NewEvent {
        NewEvent { kind: kind.to_owned(), details: json!({"input": [1.5, "日本"]}), ..NewEvent::default() }
    }

    fn leaving() -> NewEvent {
        let more = More { next: Some("B".to_owned()), data: vec![Value::Null], ..More::default() };
        NewEvent { more, path: "Fan.0".to_owned(), ..draft("PassStateExited") }
    }

    fn open(folder: &Path) -> (Journal, Vec<Line>) {
        Journal::open(&folder.join("journal.jsonl")).unwrap()
    }

    #[test]
    fn a_line_that_was_cut_off_is_dropped_and_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let now: Timestamp = "2024-05-01T00:00:00Z".parse().unwrap();
        let earlier: Timestamp = "2023-05-01T00:00:00Z".parse().unwrap();
        let (mut journal, lines) = open(folder.path());
        assert!(lines.is_empty());
        let first = journal.append(vec![draft("ExecutionStarted")], now).unwrap().remove(0);
        let second = journal.append(vec![leaving()], earlier).unwrap().remove(0);
        assert_eq!((second.event.id, second.event.timestamp), (2, now), "time does not go back");
        let whole = fs::read(&path).unwrap();
        let first_bytes = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for cut in first_bytes..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let (mut journal, lines) = open(folder.path());
            assert_eq!(lines, std::slice::from_ref(&first));
            assert_eq!(journal.append(vec![leaving()], now).unwrap(), std::slice::from_ref(&second));
            assert_eq!(fs::read(&path).unwrap(), whole);
        }
        assert_eq!(open(folder.path()).1, [first, second]);
    }

    #[test]
    fn writers_see_what_others_wrote_and_signs_of_life_have_no_number() {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let (mut one, _) = open(folder.path());
        let (mut other, _) = open(folder.path());
        let written = one.append(vec![draft("ExecutionStarted"), draft(HEARTBEAT)], now).unwrap();
        assert_eq!(written.iter().map(|line| line.event.id).collect::<Vec<_>>(), [1, 1]);
        assert_eq!(other.follow().unwrap(), written);
        assert!(other.follow().unwrap().is_empty());
        let last = other.append(vec![draft("ExecutionSucceeded")], now).unwrap();
        assert_eq!(last[0].event.id, 2);
        assert_eq!(one.follow().unwrap(), last);
        let lock = one.lock().unwrap();
        assert!(File::options().append(true).open(folder.path().join("journal.lock")).unwrap().try_lock().is_err());
        drop(lock);
        drop(other.lock().unwrap());
    }

    #[test]
    fn damage_before_the_end_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let (mut journal, _) = open(folder.path());
        for _ in 0..3 {
            journal.append(vec![draft("ExecutionStarted")], Timestamp::UNIX_EPOCH).unwrap();
        }
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("\"id\":2", "\"id\":7")).unwrap();
        let error = read(&path).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Internal);
        assert!(error.message.contains("after event 1"), "{}", error.message);
        assert!(read(folder.path()).is_err());
    }
}
