//! The audit log as a file.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use mlops_core::{Audit, AuditLine};

/// Appends one line of JSON per call to `<home>/logs/audit.jsonl`. A line is written at once, so the lines of several
/// threads and processes do not mix. A line that cannot be written is counted and does not fail the call.
#[derive(Debug)]
pub struct JsonLines {
    path: PathBuf,
    lost: AtomicU64,
}

impl JsonLines {
    /// The audit log of that home folder, which need not exist yet.
    pub fn new(home: impl Into<PathBuf>) -> Self {
        Self { path: home.into().join("logs").join("audit.jsonl"), lost: AtomicU64::new(0) }
    }

    /// How many lines could not be written.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn append(&self, line: &AuditLine) -> std::io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        let open = || OpenOptions::new().create(true).append(true).open(&self.path);
        let mut file = match open() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                self.path.parent().map_or(Ok(()), fs::create_dir_all)?;
                open()?
            }
            result => result?,
        };
        file.write_all(&bytes)
    }
}

impl Audit for JsonLines {
    fn write(&self, line: &AuditLine) {
        if self.append(line).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}
