//! Issues and comments as Markdown files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use mlops_core::ports::{
    Checked, CodeHost, Comment, CommentChange, Commented, CommitCheck, Issue, Labelled, Permission, Reaction,
    check_commit, check_labels, check_login, owner_and_name,
};
use mlops_core::values::{ArtifactUri, IssueRef};
use mlops_core::{Error, Result};

use crate::files::{blocking, create_once, failure, replace_whole};

mod marks;

/// The largest issue, in bytes. A body on GitHub has at most 65,536 characters.
const LARGEST: u64 = 1024 * 1024;

/// Reads issues at `<home>/issues/<owner>/<repository>/<number>.md`. The first heading is the title; a heading of the
/// first level at the top is the title alone and not a part of the body, and neither is front matter between `---`
/// lines.
///
/// Comments are written to `<home>/outbox/github/<owner>/<repository>/<number>/<marker>.md`; labels and reactions lie
/// beside them, and checks in `<home>/outbox/github/<owner>/<repository>/checks/`. Who may write in a repository stands
/// in `<home>/issues/<owner>/<repository>/collaborators.json`, as `{"login": "write"}`.
#[derive(Debug, Clone)]
pub struct FileCodeHost {
    home: PathBuf,
}

impl FileCodeHost {
    /// The issues of that home folder.
    pub fn new(home: impl Into<PathBuf>) -> Self {
        Self { home: home.into() }
    }

    /// The place of something that belongs to a repository; `InvalidInput` when it is none.
    fn repository(&self, folder: &str, repo: &str) -> Result<PathBuf> {
        let (owner, name) = owner_and_name(repo)?;
        Ok(self.home.join(folder).join(owner).join(name))
    }

    /// The place of something that belongs to an issue.
    fn place(&self, folder: &str, reference: &IssueRef) -> Result<PathBuf> {
        Ok(self.repository(folder, &reference.repo)?.join(reference.number.to_string()))
    }
}

#[async_trait]
impl CodeHost for FileCodeHost {
    async fn issue(&self, reference: &IssueRef) -> Result<Issue> {
        let mut path = self.place("issues", reference)?.into_os_string();
        path.push(".md");
        let path = PathBuf::from(path);
        let reference = reference.clone();
        blocking(move || {
            let failed = |error: std::io::Error| match error.kind() {
                std::io::ErrorKind::NotFound => {
                    Error::not_found(format!("there is no issue {} in {}", reference.number, reference.repo))
                        .hint(format!("write it to {}", path.display()))
                }
                _ => failure(error, "read", path.display()),
            };
            let bytes = fs::metadata(&path).map_err(failed)?.len();
            if bytes > LARGEST {
                return Err(Error::invalid_input(format!("the issue {reference} has {bytes} bytes"))
                    .hint(format!("an issue has at most {LARGEST} bytes")));
            }
            let text = String::from_utf8(fs::read(&path).map_err(failed)?)
                .map_err(|error| Error::invalid_input(format!("{} is not UTF-8", path.display())).caused_by(error))?;
            let (title, body) = split(&text);
            let title = title.unwrap_or_else(|| format!("Issue {}", reference.number));
            Ok(Issue { reference, title, body })
        })
        .await
    }

    async fn comment(&self, reference: &IssueRef, comment: &Comment) -> Result<Commented> {
        let folder = self.place("outbox/github", reference)?;
        let text = comment.to_text()?;
        let path = folder.join(format!("{}.md", comment.marker));
        let drafts = self.home.join("tmp");
        blocking(move || {
            let change = write(&drafts, &path, text.as_bytes())
                .map_err(|error| failure(error, "written", format!("the comment {}", path.display())))?;
            Ok(Commented { url: ArtifactUri::from_path(&path).to_string(), change })
        })
        .await
    }

    async fn label(&self, reference: &IssueRef, add: &[String], remove: &[String]) -> Result<Labelled> {
        let path = self.place("outbox/github", reference)?.join("labels.json");
        check_labels(add, remove)?;
        let (home, add, remove) = (self.home.clone(), add.to_vec(), remove.to_vec());
        blocking(move || marks::label(&home, &path, add, &remove)).await
    }

    async fn react(&self, reference: &IssueRef, comment_id: Option<u64>, reaction: Reaction) -> Result<bool> {
        let folder = self.place("outbox/github", reference)?;
        let below = comment_id.map_or_else(|| "issue".to_owned(), |id| id.to_string());
        let path = folder.join("reactions").join(below).join(reaction.as_str());
        let drafts = self.home.join("tmp");
        blocking(move || {
            create_once(&drafts, &path, b"").map_err(|error| failure(error, "written", format!("{}", path.display())))
        })
        .await
    }

    async fn permission(&self, repo: &str, login: &str) -> Result<Permission> {
        let path = self.repository("issues", repo)?.join("collaborators.json");
        check_login(login)?;
        let login = login.to_lowercase();
        blocking(move || marks::permission(&path, &login)).await
    }

    async fn check(&self, repo: &str, commit: &str, check: &CommitCheck) -> Result<Checked> {
        let folder = self.repository("outbox/github", repo)?.join("checks");
        check_commit(commit)?;
        let (home, path, check) = (self.home.clone(), folder.join(format!("{commit}.json")), check.to_sound()?);
        blocking(move || marks::check(&home, &path, &check)).await
    }
}

/// Makes the file hold these bytes, as a whole.
fn write(drafts: &Path, path: &Path, bytes: &[u8]) -> io::Result<CommentChange> {
    match fs::read(path) {
        Ok(known) if known == bytes => return Ok(CommentChange::Unchanged),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if create_once(drafts, path, bytes)? {
                return Ok(CommentChange::Created);
            }
            // Another process created it in between, perhaps with the same text.
            if fs::read(path)? == bytes {
                return Ok(CommentChange::Unchanged);
            }
        }
        Err(error) => return Err(error),
    }
    replace_whole(drafts, path, bytes)?;
    Ok(CommentChange::Updated)
}

/// Title and body of a file.
fn split(text: &str) -> (Option<String>, String) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let body = without_front_matter(text).unwrap_or(text).trim_start_matches(['\r', '\n']);
    let (first, rest) = body.split_once('\n').unwrap_or((body, ""));
    if let Some(title) = heading(first).filter(|_| !first.starts_with("##")) {
        return (Some(title), rest.trim_start_matches(['\r', '\n']).to_owned());
    }
    (body.lines().find_map(heading), body.to_owned())
}

fn without_front_matter(text: &str) -> Option<&str> {
    let after = text.strip_prefix("---\n").or_else(|| text.strip_prefix("---\r\n"))?;
    let mut at = 0;
    for line in after.split_inclusive('\n') {
        at += line.len();
        if line.trim_end() == "---" {
            return Some(&after[at..]);
        }
    }
    None
}

fn heading(line: &str) -> Option<String> {
    let level = line.len() - line.trim_start_matches('#').len();
    let text = line.trim_start_matches('#');
    let is_heading = (1..=6).contains(&level) && text.starts_with([' ', '\t']);
    let title = text.trim().trim_end_matches('#').trim_end();
    (is_heading && !title.is_empty()).then(|| title.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_heading_is_the_title() {
        let of = |text: &str| {
            let (title, body) = split(text);
            (title.unwrap_or_default(), body)
        };
        let pair = |title: &str, body: &str| (title.to_owned(), body.to_owned());
        assert_eq!(of("# A model #\n\nText\n"), pair("A model", "Text\n"));
        assert_eq!(of("\u{feff}---\r\nlabels: x\r\n---\r\n\r\n# 題\r\n本文"), pair("題", "本文"));
        assert_eq!(of("### Data\n\nx.csv\n"), pair("Data", "### Data\n\nx.csv\n"));
        assert_eq!(of("text\n\n## Later\n"), pair("Later", "text\n\n## Later\n"));
        assert_eq!(of("---\nno end"), pair("", "---\nno end"));
        assert_eq!(of("#hashtag\n#\n####### seven"), pair("", "#hashtag\n#\n####### seven"));
        assert_eq!(of(""), pair("", ""));
    }
}
