//! The fleet's platform in this process, for tests that look at it without running it.

use std::path::Path;

use mlops::Platform;
use mlops_core::Settings;
use tempfile::TempDir;

/// The platform on an empty home. The folder lives as long as the test holds it.
pub(crate) fn platform() -> (Platform, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = Settings::from_variables(|_| None, folder.path()).expect("settings");
    let platform = Platform::new(settings, folder.path().to_owned(), mlops::Audience::Owner).expect("a platform");
    (platform, folder)
}

/// Every file of the repository below `folder` with that ending, except what is built.
pub(crate) fn files(folder: &Path, ending: &str) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            if !["target", "node_modules", ".git", ".venv", ".mlops"].contains(&name.as_str()) {
                found.extend(files(&path, ending));
            }
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}
