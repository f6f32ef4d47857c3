//! The journal of an execution: one line of JSON per event, written before anything follows from it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use jiff::Timestamp;
use mlops_core::ports::HistoryEvent;
use mlops_core::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::files::{failure, sync_folder};

/// One line: an event, and the state that follows on it where the history does not say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    #[serde(flatten)]
    pub(crate) event: HistoryEvent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// An event that is to be written.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewEvent {
    pub(crate) kind: String,
    pub(crate) state: Option<String>,
    pub(crate) details: Value,
    pub(crate) next: Option<String>,
}

/// A journal that this process alone writes to: it holds the lock of the execution.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    last: Option<(u64, Timestamp)>,
    _lock: File,
}

impl Journal {
    /// The journal at that path with the lines that it has. A line that was not written to its end is cut off.
    pub(crate) fn open(path: &Path, lock: File) -> Result<(Self, Vec<Line>)> {
        let failed = |error: io::Error| failure(error, "opened", path.display());
        let (lines, whole) = read(path)?;
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.len() > whole {
            file.set_len(whole).map_err(failed)?;
        }
        if let Some(folder) = path.parent().filter(|_| lines.is_empty()) {
            sync_folder(folder).map_err(failed)?;
        }
        let last = lines.last().map(|line| (line.event.id, line.event.timestamp));
        Ok((Self { file, last, _lock: lock }, lines))
    }

    /// Writes the event and makes it durable. Its time is not before that of the event before.
    pub(crate) fn append(&mut self, draft: NewEvent, now: Timestamp) -> Result<Line> {
        let (id, timestamp) = self.last.map_or((1, now), |(id, before)| (id + 1, now.max(before)));
        let NewEvent { kind, state, details, next } = draft;
        let line = Line { event: HistoryEvent { id, timestamp, kind, state, details }, next };
        let mut bytes = serde_json::to_vec(&line)
            .map_err(|error| Error::internal("an event could not be written as JSON").caused_by(error))?;
        bytes.push(b'\n');
        let written = self.file.write_all(&bytes).and_then(|()| self.file.sync_data());
        written.map_err(|error| failure(error, "written", "the journal of the execution"))?;
        self.last = Some((id, timestamp));
        Ok(line)
    }
}

/// The lines of the journal at that path and how many bytes they have; none when there is no journal yet.
pub(crate) fn read(path: &Path) -> Result<(Vec<Line>, u64)> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
        Err(error) => return Err(failure(error, "read", path.display())),
    };
    let mut lines = Vec::new();
    let mut whole = 0;
    for text in bytes.split_inclusive(|byte| *byte == b'\n') {
        let is_last = whole + text.len() == bytes.len();
        let line: Option<Line> = if text.ends_with(b"\n") { serde_json::from_slice(text).ok() } else { None };
        match line.filter(|line| line.event.id == lines.len() as u64 + 1) {
            Some(line) => lines.push(line),
            None if is_last => break,
            None => {
                return Err(Error::internal(format!("{} is damaged at line {}", path.display(), lines.len() + 1))
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

    fn open(folder: &Path) -> (Journal, Vec<Line>) {
        let lock = File::create(folder.join("lock")).unwrap();
        Journal::open(&folder.join("journal.jsonl"), lock).unwrap()
    }

    #[test]
    fn a_line_that_was_cut_off_is_dropped_and_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let now: Timestamp = "2024-05-01T00:00:00Z".parse().unwrap();
        let earlier: Timestamp = "2023-05-01T00:00:00Z".parse().unwrap();
        let (mut journal, lines) = open(folder.path());
        assert!(lines.is_empty());
        let first = journal.append(draft("ExecutionStarted"), now).unwrap();
        let second =
            journal.append(NewEvent { next: Some("B".to_owned()), ..draft("PassStateExited") }, earlier).unwrap();
        assert_eq!((second.event.id, second.event.timestamp), (2, now), "time does not go back");
        let whole = fs::read(&path).unwrap();
        let first_bytes = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for cut in first_bytes..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let (mut journal, lines) = open(folder.path());
            assert_eq!(lines, std::slice::from_ref(&first));
            let again =
                journal.append(NewEvent { next: Some("B".to_owned()), ..draft("PassStateExited") }, now).unwrap();
            assert_eq!(again, second);
            assert_eq!(fs::read(&path).unwrap(), whole);
        }
        assert_eq!(open(folder.path()).1, [first, second]);
    }

    #[test]
    fn damage_before_the_end_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let (mut journal, _) = open(folder.path());
        for _ in 0..3 {
            journal.append(draft("ExecutionStarted"), Timestamp::UNIX_EPOCH).unwrap();
        }
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("\"id\":2", "\"id\":7")).unwrap();
        let error = read(&path).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Internal);
        assert!(error.message.contains("line 2"), "{}", error.message);
        assert!(read(folder.path()).is_err());
    }
}
