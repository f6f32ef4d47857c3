//! Writes that happen as a whole or not at all: a draft is written beside, and then takes the name.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

static NEXT: AtomicU64 = AtomicU64::new(0);

/// How often a folder is made again that a concurrent delete took away as empty.
const ATTEMPTS: usize = 100;

/// Bytes that have no name yet. The writer holds a lock on the file, by which leftovers of killed processes are known;
/// a draft that is dropped takes its bytes away.
#[derive(Debug)]
pub(crate) struct Draft {
    file: File,
    path: PathBuf,
}

impl Draft {
    /// An empty draft in that folder, which is on the file system of the later name.
    pub(crate) fn new(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        loop {
            let nanoseconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |age| age.as_nanos());
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("{}-{nanoseconds}-{number}", std::process::id()));
            let file = match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            };
            // A sweep can come between the creation and the lock; then the file is given up and made again.
            if file.try_lock().is_ok() && file.metadata()?.nlink() > 0 {
                return Ok(Self { file, path });
            }
        }
    }

    /// Adds bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Makes the bytes durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Gives the draft a modification time that is later than that of what it replaces, so that two versions of one
    /// name never look the same.
    pub(crate) fn follow(&self, replaced: Option<&Metadata>) -> io::Result<()> {
        let now = SystemTime::now();
        let Some(before) = replaced.map(Metadata::modified).transpose()? else {
            return self.file.set_modified(now);
        };
        // Not every file system keeps nanoseconds.
        let steps = [Duration::from_nanos(1), Duration::from_micros(1), Duration::from_secs(2)];
        for step in steps {
            self.file.set_modified(now.max(before + step))?;
            if self.file.metadata()?.modified()? > before {
                return Ok(());
            }
        }
        Err(io::Error::other("the file system keeps no modification times"))
    }

    /// Gives the draft its name, in place of what has it. The folder is made when it is not there.
    pub(crate) fn replace(self, path: &Path) -> io::Result<Metadata> {
        self.publish(path, |from| fs::rename(from, path))
    }

    /// Gives the draft its name, or fails with `AlreadyExists` when something has it, of whatever process.
    pub(crate) fn create(self, path: &Path) -> io::Result<Metadata> {
        self.publish(path, |from| fs::hard_link(from, path))
    }

    fn publish(self, path: &Path, give_name: impl Fn(&Path) -> io::Result<()>) -> io::Result<Metadata> {
        let metadata = self.file.metadata()?;
        let folder = path.parent().unwrap_or(Path::new("/"));
        let mut made = None;
        for attempt in 0.. {
            match give_name(&self.path) {
                Ok(()) => break,
                Err(error) if error.kind() == io::ErrorKind::NotFound && attempt < ATTEMPTS => {
                    made = made.or_else(|| first_existing(folder));
                    match fs::create_dir_all(folder) {
                        // A delete can take the folder away while it is made.
                        Err(error)
                            if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists) =>
                        {
                            return Err(error);
                        }
                        _ => {}
                    }
                }
                Err(error) => return Err(error),
            }
        }
        // A new folder is durable when the folder that names it is.
        for changed in folder.ancestors() {
            match sync_folder(changed) {
                // The object was deleted again, and its folder with it.
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            if made.as_deref().is_none_or(|first| first == changed) {
                break;
            }
        }
        Ok(metadata)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After a rename there is nothing at this path any more; after a link the other name keeps the bytes.
        let _ = fs::remove_file(&self.path);
    }
}

fn first_existing(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|ancestor| ancestor.is_dir()).map(Path::to_owned)
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Writes a file that is not there yet, as a whole; `false` when the name is taken, whoever took it.
pub(crate) fn create_once(drafts: &Path, path: &Path, bytes: &[u8]) -> io::Result<bool> {
    let mut draft = Draft::new(drafts)?;
    draft.write(bytes)?;
    draft.sync()?;
    match draft.create(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Writes a file as a whole, in place of what has its name.
pub(crate) fn replace_whole(drafts: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut draft = Draft::new(drafts)?;
    draft.write(bytes)?;
    draft.sync()?;
    draft.replace(path).map(drop)
}

/// Takes away the drafts of processes that are gone. What cannot be taken away is left for the next time.
pub(crate) fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let Ok(file) = OpenOptions::new().write(true).open(&path) else { continue };
        if file.try_lock().is_ok() {
            let _ = fs::remove_file(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_takes_leftovers_and_leaves_what_is_being_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut draft = Draft::new(folder.path()).unwrap();
        draft.write(b"mine").unwrap();
        fs::write(folder.path().join("1-2-3"), "of a killed process").unwrap();
        sweep(folder.path());
        let left: Vec<PathBuf> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(left, [draft.path.clone()]);
        drop(draft);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        sweep(&folder.path().join("nowhere"));
    }

    #[test]
    fn versions_of_one_name_have_rising_times_though_the_clock_stands_still() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut last: Option<Metadata> = None;
        for _ in 0..50 {
            let draft = Draft::new(folder.path()).unwrap();
            // As if the clock had been set back after the write before.
            let future = SystemTime::now() + Duration::from_hours(1);
            let before = last.as_ref().map_or(future, |last| last.modified().unwrap());
            draft.follow(last.as_ref()).unwrap();
            if last.is_none() {
                draft.file.set_modified(future).unwrap();
            } else {
                assert!(draft.file.metadata().unwrap().modified().unwrap() > before);
            }
            last = Some(draft.replace(&path).unwrap());
        }
    }
}
