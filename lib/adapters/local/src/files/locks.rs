//! Locks that processes share: a lock is a locked file, and a killed process lets go of it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use mlops_core::values::sha256_hex;

/// The locks of a store. 256 files serve all paths: two paths that share one wait for each other, and no lock file has
/// to be taken away, which could not be done without a race.
#[derive(Debug, Clone)]
pub(crate) struct Locks {
    folder: PathBuf,
}

impl Locks {
    /// The locks that lie in that folder.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Waits until nobody else changes that path. The lock is held until the file is dropped.
    pub(crate) fn hold(&self, path: &Path) -> io::Result<File> {
        let hash = sha256_hex(path.as_os_str().as_bytes());
        hold(&self.folder.join(&hash[..2]))
    }
}

/// Waits for the lock at that path. It is held until the file is dropped.
pub(crate) fn hold(path: &Path) -> io::Result<File> {
    let file = open(path)?;
    file.lock()?;
    Ok(file)
}

/// The lock at that path, or `None` when another holds it.
pub(crate) fn try_hold(path: &Path) -> io::Result<Option<File>> {
    let file = open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn open(path: &Path) -> io::Result<File> {
    let open = || OpenOptions::new().create(true).append(true).open(path);
    match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            open()
        }
        result => result,
    }
}
