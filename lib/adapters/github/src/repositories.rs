//! Branches, files, commits of several files, and pull requests.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use mlops_core::masking::mask_text;
use mlops_core::ports::{
    Branch, NewCommit, NewPullRequest, PullRequest, Repositories, RepositoryFile, check_branch, check_commit,
    check_path, owner_and_name,
};
use mlops_core::{Error, ErrorKind, Result};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Github;
use crate::client::Ask;
use crate::issues::repository;
use crate::reply::Reply;

/// What stays as it is in a part of a path (RFC 3986, unreserved).
const UNRESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// A text up to this size is sent within the tree; anything else is sent before, as a blob.
const INLINE: usize = 256 * 1024;

/// The text as one part of a path, with its slashes encoded.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, &UNRESERVED).to_string()
}

#[derive(Deserialize)]
struct FoundRepository {
    default_branch: String,
}

#[derive(Deserialize)]
struct Reference {
    object: Object,
}

#[derive(Deserialize)]
struct Object {
    sha: String,
}

#[derive(Deserialize)]
struct GitCommit {
    sha: String,
    tree: Object,
}

#[derive(Deserialize)]
struct FoundPullRequest {
    number: u64,
    html_url: String,
}

/// What there is at a path: a file, or the entries of a folder.
#[derive(Deserialize)]
#[serde(untagged)]
enum Found {
    Folder(#[expect(dead_code, reason = "that it is a list says all")] Vec<Value>),
    File(FoundFile),
}

#[derive(Deserialize)]
struct FoundFile {
    #[serde(rename = "type")]
    kind: String,
    sha: String,
    #[serde(default)]
    encoding: Option<String>,
    #[serde(default)]
    content: Option<String>,
}

#[derive(Deserialize)]
struct Blob {
    content: String,
}

impl Github {
    fn branch_of(&self, repo: &str, name: &str, commit: String) -> Branch {
        let url = format!("{}/{repo}/commit/{commit}", self.client.web());
        Branch { name: name.to_owned(), commit, url }
    }

    /// The last commit of a branch; `None` when there is no such branch, or no commit at all.
    async fn head(&self, repo: &str, name: &str) -> Result<Option<String>> {
        let path = format!("{}/git/ref/heads%2F{}", repository(repo)?, encoded(name));
        let reply = self.client.ask(Ask::get(path)).await?;
        // GitHub calls a repository without a commit a conflict.
        if reply.is(404) || reply.is(409) {
            return Ok(None);
        }
        let found: Reference = reply.json(&format!("the branch {name} of {repo}"))?;
        Ok(Some(found.object.sha))
    }

    /// The entry of a file in a new tree.
    async fn entry(&self, repo: &str, file: &RepositoryFile) -> Result<Value> {
        let mut entry = json!({"path": file.path, "mode": "100644", "type": "blob"});
        match std::str::from_utf8(&file.content) {
            Ok(text) if text.len() <= INLINE => entry["content"] = json!(text),
            _ => {
                let body = json!({"content": STANDARD.encode(&file.content), "encoding": "base64"});
                let ask = Ask::post(format!("{}/git/blobs", repository(repo)?), body).repeats();
                let blob: Object = self.client.json(ask, &format!("the file {} for {repo}", file.path)).await?;
                entry["sha"] = json!(blob.sha);
            }
        }
        Ok(entry)
    }

    /// Puts the branch onto the commit, forward only.
    async fn move_branch(&self, repo: &str, commit: &NewCommit, made: &str) -> Result<()> {
        let repository = repository(repo)?;
        let ask = if commit.makes_branch {
            let body = json!({"ref": format!("refs/heads/{}", commit.branch), "sha": made});
            Ask::post(format!("{repository}/git/refs"), body)
        } else {
            let body = json!({"sha": made, "force": false});
            Ask::patch(format!("{repository}/git/refs/heads%2F{}", encoded(&commit.branch)), body)
        };
        let reply = self.client.ask(ask).await?;
        if reply.status.is_success() {
            return Ok(());
        }
        Err(refused_move(&reply, &format!("the branch {} of {repo}", commit.branch)))
    }

    async fn open_pull_request(&self, repo: &str, request: &NewPullRequest) -> Result<Option<PullRequest>> {
        let (owner, _) = owner_and_name(repo)?;
        let head = encoded(&format!("{owner}:{}", request.from));
        let path = format!("{}/pulls?state=open&head={head}&base={}", repository(repo)?, encoded(&request.into));
        let found: Vec<FoundPullRequest> =
            self.client.json(Ask::get(path), &format!("the pull requests of {repo}")).await?;
        let first = found.into_iter().next();
        Ok(first.map(|found| PullRequest { number: found.number, url: found.html_url, created: false }))
    }
}

/// Why a branch does not move: others were faster, a rule of the repository, or something that stays wrong.
fn refused_move(reply: &Reply, branch: &str) -> Error {
    let error = reply.error(branch);
    let said = reply.refusal().to_lowercase();
    let is_late = ["fast forward", "fast-forward", "already exists", "reference does not exist"]
        .iter()
        .any(|told| said.contains(told));
    let is_rule = ["protected branch", "rule violation", "required status"].iter().any(|told| said.contains(told));
    match reply.status.as_u16() {
        409 => error.hint("read the branch again, then decide"),
        422 if is_rule => {
            Error { kind: ErrorKind::Forbidden, ..error }.hint("open a pull request, or choose another branch")
        }
        422 if is_late => Error { kind: ErrorKind::Conflict, ..error }.hint("read the branch again, then decide"),
        _ => error,
    }
}

#[async_trait]
impl Repositories for Github {
    async fn branch(&self, repo: &str, name: Option<&str>) -> Result<Option<Branch>> {
        let place = repository(repo)?;
        let name = if let Some(name) = name {
            check_branch(name)?;
            name.to_owned()
        } else {
            let found: FoundRepository = self.client.json(Ask::get(place), &format!("the repository {repo}")).await?;
            found.default_branch
        };
        let head = self.head(repo, &name).await?;
        Ok(head.map(|commit| self.branch_of(repo, &name, commit)))
    }

    async fn file(&self, repo: &str, commit: &str, path: &str) -> Result<Option<Bytes>> {
        let repository = repository(repo)?;
        check_commit(commit)?;
        check_path(path)?;
        let parts: Vec<String> = path.split('/').map(encoded).collect();
        let ask = Ask::get(format!("{repository}/contents/{}?ref={commit}", parts.join("/")));
        let asked = format!("the file {path} of {repo}");
        let reply = self.client.ask(ask).await?;
        if reply.is(404) {
            return Ok(None);
        }
        let no_file =
            |what: &str| Error::invalid_input(format!("`{path}` in {repo} is {what}")).at("path").hint("name a file");
        let file = match reply.json(&asked)? {
            Found::Folder(_) => return Err(no_file("a folder")),
            Found::File(file) if file.kind != "file" => return Err(no_file(&format!("a {}", file.kind))),
            Found::File(file) => file,
        };
        let inline = file.content.filter(|_| file.encoding.as_deref() == Some("base64"));
        let content = if let Some(content) = inline {
            content
        } else {
            // A file of more than a megabyte has its content elsewhere.
            let ask = Ask::get(format!("{repository}/git/blobs/{}", file.sha));
            self.client.json::<Blob>(ask, &asked).await?.content
        };
        let compact: String = content.split_ascii_whitespace().collect();
        let bytes = STANDARD.decode(compact).map_err(|error| {
            Error::unavailable(format!("GitHub's answer to {asked} is not base64")).caused_by(error)
        })?;
        Ok(Some(bytes.into()))
    }

    async fn commit(&self, repo: &str, commit: &NewCommit) -> Result<Branch> {
        let repository = repository(repo)?;
        commit.check()?;
        let Some(parent) = &commit.parent else {
            return Err(Error::invalid_input(format!("{repo} has no commit yet, and GitHub adds none to nothing"))
                .at("repo")
                .hint("make a first commit in the repository, such as a README"));
        };
        check_commit(parent)?;
        if !commit.makes_branch {
            // GitHub only asks that the new commit follows the last one: a branch that was put back would take it too.
            let head = self.head(repo, &commit.branch).await?;
            if head.as_ref() != Some(parent) {
                let stands = head.map_or_else(|| "is not there".to_owned(), |head| format!("ends with {head}"));
                return Err(Error::conflict(format!("the branch {} of {repo} {stands}", commit.branch))
                    .hint("read the branch again, then decide"));
            }
        }
        let asked = format!("a commit on {} of {repo}", commit.branch);
        let before: GitCommit =
            self.client.json(Ask::get(format!("{repository}/git/commits/{parent}")), &asked).await?;
        let mut entries = Vec::with_capacity(commit.files.len());
        for file in &commit.files {
            entries.push(self.entry(repo, file).await?);
        }
        let body = json!({"base_tree": before.tree.sha, "tree": entries});
        let ask = Ask::post(format!("{repository}/git/trees"), body).repeats();
        let tree: Object = self.client.json(ask, &asked).await?;
        let body = json!({"message": commit.message, "tree": tree.sha, "parents": [parent]});
        // Made twice, one of the two commits belongs to no branch and is forgotten.
        let ask = Ask::post(format!("{repository}/git/commits"), body).repeats();
        let made: GitCommit = self.client.json(ask, &asked).await?;
        self.move_branch(repo, commit, &made.sha).await?;
        Ok(self.branch_of(repo, &commit.branch, made.sha))
    }

    async fn pull_request(&self, repo: &str, request: &NewPullRequest) -> Result<PullRequest> {
        check_branch(&request.from)?;
        check_branch(&request.into)?;
        if let Some(open) = self.open_pull_request(repo, request).await? {
            return Ok(open);
        }
        let body = json!({
            "title": mask_text(&request.title), "body": mask_text(&request.body), "head": request.from,
            "base": request.into,
        });
        let reply = self.client.ask(Ask::post(format!("{}/pulls", repository(repo)?), body)).await?;
        // Another caller may have opened it in between.
        if reply.is(422)
            && reply.refusal().contains("already exists")
            && let Some(open) = self.open_pull_request(repo, request).await?
        {
            return Ok(open);
        }
        let made: FoundPullRequest = reply.json(&format!("a pull request from {} in {repo}", request.from))?;
        Ok(PullRequest { number: made.number, url: made.html_url, created: true })
    }
}
