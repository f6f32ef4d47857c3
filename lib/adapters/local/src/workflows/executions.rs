//! Executions as folders: `<home>/executions/<machine>/<name>/` with `input.json`, `journal.jsonl` and `lock`.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mlops_core::ports::{Execution, ExecutionStatus, check_execution_name};
use mlops_core::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::journal::{self, Line};
use super::progress::Progress;
use crate::files::{create_once, failure, try_hold};

/// What is written when an execution is started, and never changed. The definition is a part of it, so an execution
/// ends by the definition that it began with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) machine: String,
    pub(crate) name: String,
    pub(crate) started: Timestamp,
    pub(crate) input: Value,
    pub(crate) definition: Value,
}

/// The executions of a home folder.
#[derive(Debug, Clone)]
pub(crate) struct Executions {
    home: PathBuf,
}

impl Record {
    /// The name under which Step Functions would know the execution; the region says that it is not there.
    pub(crate) fn arn(&self) -> String {
        arn(&self.machine, &self.name)
    }

    /// The name under which Step Functions would know the state machine.
    pub(crate) fn machine_arn(&self) -> String {
        format!("arn:aws:states:local:000000000000:stateMachine:{}", self.machine)
    }

    /// How far the execution is after those events.
    pub(crate) fn progress(&self, lines: &[Line]) -> Progress {
        let mut progress = Progress::starting(self.definition["StartAt"].as_str().unwrap_or_default(), &self.input);
        for line in lines {
            progress.apply(line);
        }
        progress
    }

    /// The execution as it stands.
    pub(crate) fn describe(self, progress: &Progress) -> Execution {
        let status = progress.status();
        let failure = progress.ended.as_ref().and_then(|ended| ended.failure.clone());
        let (error, cause) = failure.map(|failure| (failure.error, failure.cause)).unzip();
        Execution {
            execution_arn: self.arn(),
            status,
            ended: progress.ended.as_ref().map(|ended| ended.at),
            output: (status == ExecutionStatus::Succeeded).then(|| Value::clone(&progress.root.data)),
            error: error.filter(|text| !text.is_empty()),
            cause: cause.filter(|text| !text.is_empty()),
            name: self.name,
            machine: self.machine,
            started: self.started,
            input: self.input,
        }
    }
}

fn arn(machine: &str, name: &str) -> String {
    format!("arn:aws:states:local:000000000000:execution:{machine}:{name}")
}

impl Executions {
    pub(crate) fn new(home: PathBuf) -> Self {
        Self { home }
    }

    fn root(&self) -> PathBuf {
        self.home.join("executions")
    }

    /// Where drafts are written.
    pub(crate) fn drafts(&self) -> PathBuf {
        self.home.join("tmp")
    }

    /// Where it is kept whose token has that hash.
    pub(crate) fn token(&self, hash: &str) -> PathBuf {
        self.home.join("tokens").join(format!("{hash}.json"))
    }

    fn folder(&self, machine: &str, name: &str) -> PathBuf {
        self.root().join(machine).join(name)
    }

    /// Keeps the record, unless there is one of that name: then it gives that one.
    pub(crate) fn create(&self, record: &Record) -> Result<Option<Record>> {
        if let Some(existing) = self.find(&record.name)? {
            return Ok(Some(existing));
        }
        let path = self.folder(&record.machine, &record.name).join("input.json");
        let json = serde_json::to_vec_pretty(record)
            .map_err(|error| Error::internal("an execution could not be written as JSON").caused_by(error))?;
        let created = create_once(&self.drafts(), &path, &json)
            .map_err(|error| failure(error, "started", format!("the execution {}", record.name)))?;
        if created { Ok(None) } else { read(&path).map(Some) }
    }

    /// The record of the execution of that name, of whatever machine.
    pub(crate) fn find(&self, name: &str) -> Result<Option<Record>> {
        check_execution_name(name)?;
        for machine in folders(&self.root())? {
            let path = self.root().join(machine).join(name).join("input.json");
            if fs::exists(&path).map_err(|error| failure(error, "read", path.display()))? {
                return read(&path).map(Some);
            }
        }
        Ok(None)
    }

    /// The record of the execution of that name; `NotFound` when there is none.
    pub(crate) fn get(&self, name: &str) -> Result<Record> {
        self.find(name)?.ok_or_else(|| Error::not_found(format!("there is no execution {name}")).hint("list the runs"))
    }

    /// The records of a machine, the newest first.
    pub(crate) fn of_machine(&self, machine: &str) -> Result<Vec<Record>> {
        check_execution_name(machine)?;
        let mut records = Vec::new();
        for name in folders(&self.root().join(machine))? {
            let path = self.folder(machine, &name).join("input.json");
            // A folder without a record is that of an execution that is being started.
            if fs::exists(&path).map_err(|error| failure(error, "read", path.display()))? {
                records.push(read(&path)?);
            }
        }
        records.sort_by(|a, b| (b.started, &b.name).cmp(&(a.started, &a.name)));
        Ok(records)
    }

    /// The journal of an execution.
    pub(crate) fn journal(&self, record: &Record) -> PathBuf {
        self.folder(&record.machine, &record.name).join("journal.jsonl")
    }

    /// The events of an execution so far.
    pub(crate) fn lines(&self, record: &Record) -> Result<Vec<Line>> {
        journal::read(&self.journal(record))
    }

    /// The lock of an execution, or `None` when another walks it.
    pub(crate) fn try_lock(&self, record: &Record) -> Result<Option<File>> {
        let path = self.folder(&record.machine, &record.name).join("lock");
        try_hold(&path).map_err(|error| failure(error, "locked", format!("the execution {}", record.name)))
    }
}

fn read(path: &Path) -> Result<Record> {
    let bytes = fs::read(path).map_err(|error| failure(error, "read", path.display()))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Error::internal(format!("{} is damaged", path.display())).caused_by(error))
}

fn folders(path: &Path) -> Result<Vec<String>> {
    match fs::read_dir(path) {
        Ok(entries) => Ok(entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failure(error, "listed", path.display())),
    }
}
