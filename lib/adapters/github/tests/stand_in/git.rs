//! The server's repositories: GitHub's git data API, its files and its pull requests.

use std::collections::BTreeMap;

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mlops_core::values::sha256_hex;
use serde_json::{Value, json};

use crate::server::{Answer, Asked, World};

/// A repository. Hashes are as long as git's, but of another kind.
#[derive(Default)]
pub(crate) struct Git {
    pub(crate) branches: BTreeMap<String, String>,
    /// Tree and parents by commit.
    commits: BTreeMap<String, (String, Vec<String>)>,
    /// Blobs by path, by tree.
    trees: BTreeMap<String, BTreeMap<String, String>>,
    blobs: BTreeMap<String, Vec<u8>>,
    /// A file from that size on has its content elsewhere.
    pub(crate) large: usize,
}

fn hash(bytes: &[u8]) -> String {
    sha256_hex(bytes)[..40].to_owned()
}

impl Git {
    /// A repository with one commit of those files in `main`.
    pub(crate) fn with(files: &[(&str, &[u8])]) -> Self {
        let mut git = Self { large: usize::MAX, ..Self::default() };
        let files = files.iter().map(|(path, bytes)| ((*path).to_owned(), git.blob(bytes.to_vec()))).collect();
        let tree = git.tree(files);
        let commit = git.commit(tree, Vec::new(), "The beginning");
        git.branches.insert("main".to_owned(), commit);
        git
    }

    fn blob(&mut self, bytes: Vec<u8>) -> String {
        let sha = hash(&bytes);
        self.blobs.insert(sha.clone(), bytes);
        sha
    }

    fn tree(&mut self, files: BTreeMap<String, String>) -> String {
        let sha = hash(format!("{files:?}").as_bytes());
        self.trees.insert(sha.clone(), files);
        sha
    }

    fn commit(&mut self, tree: String, parents: Vec<String>, message: &str) -> String {
        let sha = hash(format!("{tree} {parents:?} {message} {}", self.commits.len()).as_bytes());
        self.commits.insert(sha.clone(), (tree, parents));
        sha
    }

    /// Somebody else's commit on a branch.
    pub(crate) fn push(&mut self, branch: &str, path: &str, text: &str) {
        let parent = self.branches[branch].clone();
        let mut files = self.trees[&self.commits[&parent].0].clone();
        files.insert(path.to_owned(), self.blob(text.as_bytes().to_vec()));
        let tree = self.tree(files);
        let commit = self.commit(tree, vec![parent], "theirs");
        self.branches.insert(branch.to_owned(), commit);
    }

    fn follows(&self, commit: &str, earlier: &str) -> bool {
        let mut left = vec![commit.to_owned()];
        while let Some(commit) = left.pop() {
            if commit == earlier {
                return true;
            }
            left.extend(self.commits[&commit].1.iter().cloned());
        }
        false
    }
}

pub(crate) fn answer(world: &mut World, asked: &Asked, repo: &str, rest: &[&str]) -> Answer {
    if rest == ["pulls"] {
        return pulls(world, asked, repo);
    }
    let Some(git) = world.repositories.get_mut(repo) else { return Answer::not_found() };
    let text = |key: &str| asked.body[key].as_str().unwrap_or_default();
    let get = asked.method == Method::GET;
    match rest {
        [] => Answer::ok(json!({"full_name": repo, "default_branch": "main"})),
        ["git", ..] if git.branches.is_empty() => Answer::refused(409, "Git Repository is empty."),
        ["git", "ref", name] if get => match name.strip_prefix("heads/").and_then(|name| git.branches.get(name)) {
            Some(sha) => Answer::ok(json!({"ref": format!("refs/{name}"), "object": {"type": "commit", "sha": sha}})),
            None => Answer::not_found(),
        },
        ["git", "commits", sha] if get => match git.commits.get(*sha) {
            Some((tree, _)) => Answer::ok(json!({"sha": sha, "tree": {"sha": tree}})),
            None => Answer::not_found(),
        },
        ["git", "blobs", sha] if get => match git.blobs.get(*sha) {
            Some(bytes) => Answer::ok(json!({"sha": sha, "encoding": "base64", "content": in_lines(bytes)})),
            None => Answer::not_found(),
        },
        ["git", "blobs"] => {
            let sha = git.blob(STANDARD.decode(text("content")).unwrap());
            Answer::new(201, json!({"sha": sha}))
        }
        ["git", "trees"] => new_tree(git, &asked.body),
        ["git", "commits"] => {
            let parents = asked.body["parents"].as_array().unwrap();
            let parents = parents.iter().map(|sha| sha.as_str().unwrap().to_owned()).collect();
            let tree = text("tree").to_owned();
            let sha = git.commit(tree.clone(), parents, text("message"));
            Answer::new(201, json!({"sha": sha, "tree": {"sha": tree}}))
        }
        ["git", "refs"] => {
            let name = text("ref").strip_prefix("refs/heads/").unwrap().to_owned();
            if git.branches.contains_key(&name) {
                return Answer::refused(422, "Reference already exists");
            }
            git.branches.insert(name, text("sha").to_owned());
            Answer::new(201, json!({"object": {"sha": text("sha")}}))
        }
        ["git", "refs", name] => {
            assert_eq!(asked.body["force"], json!(false), "a branch is never forced");
            let name = name.strip_prefix("heads/").unwrap();
            let Some(head) = git.branches.get(name) else { return Answer::refused(422, "Reference does not exist") };
            if !git.follows(text("sha"), head) {
                return Answer::refused(422, "Update is not a fast forward");
            }
            git.branches.insert(name.to_owned(), text("sha").to_owned());
            Answer::ok(json!({"object": {"sha": text("sha")}}))
        }
        ["contents", path @ ..] => contents(git, &asked.query["ref"], &path.join("/")),
        _ => Answer::not_found(),
    }
}

fn new_tree(git: &mut Git, body: &Value) -> Answer {
    let mut files = git.trees[body["base_tree"].as_str().unwrap()].clone();
    for entry in body["tree"].as_array().unwrap() {
        assert_eq!((&entry["mode"], &entry["type"]), (&json!("100644"), &json!("blob")));
        let sha = match (entry["content"].as_str(), entry["sha"].as_str()) {
            (Some(content), None) => git.blob(content.as_bytes().to_vec()),
            (None, Some(sha)) if git.blobs.contains_key(sha) => sha.to_owned(),
            _ => return Answer::refused(422, "tree.sha is not valid"),
        };
        files.insert(entry["path"].as_str().unwrap().to_owned(), sha);
    }
    let sha = git.tree(files);
    Answer::new(201, json!({"sha": sha}))
}

/// Base64 in lines of 60 letters, as GitHub writes it.
fn in_lines(bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let lines: Vec<&str> = text.as_bytes().chunks(60).map(|line| std::str::from_utf8(line).unwrap()).collect();
    lines.join("\n")
}

fn contents(git: &Git, commit: &str, path: &str) -> Answer {
    let Some((tree, _)) = git.commits.get(commit) else { return Answer::not_found() };
    let files = &git.trees[tree];
    if let Some(sha) = files.get(path) {
        let bytes = &git.blobs[sha];
        let (encoding, content) =
            if bytes.len() < git.large { ("base64", in_lines(bytes)) } else { ("none", String::new()) };
        return Answer::ok(json!({"type": "file", "sha": sha, "encoding": encoding, "content": content, "path": path}));
    }
    let within: Vec<Value> = files
        .keys()
        .filter(|file| file.starts_with(&format!("{path}/")))
        .map(|file| json!({"type": "file", "path": file, "sha": files[file]}))
        .collect();
    if within.is_empty() { Answer::not_found() } else { Answer::ok(json!(within)) }
}

fn pulls(world: &mut World, asked: &Asked, repo: &str) -> Answer {
    let Some(git) = world.repositories.get(repo) else { return Answer::not_found() };
    let owner = repo.split('/').next().unwrap();
    if asked.method == Method::GET {
        let fits = |pull: &&Value| {
            let head = format!("{owner}:{}", pull["head"]["ref"].as_str().unwrap());
            asked.query["head"] == head && pull["base"]["ref"] == asked.query["base"].as_str()
        };
        return Answer::ok(json!(world.pulls.iter().filter(fits).collect::<Vec<_>>()));
    }
    let [head, base] = ["head", "base"].map(|key| asked.body[key].as_str().unwrap());
    if !git.branches.contains_key(head) {
        let errors = json!([{"resource": "PullRequest", "field": "head", "code": "invalid"}]);
        return Answer::new(422, json!({"message": "Validation Failed", "errors": errors}));
    }
    if world.pulls.iter().any(|pull| pull["head"]["ref"] == head && pull["base"]["ref"] == base) {
        let message = format!("A pull request already exists for {owner}:{head}.");
        return Answer::new(422, json!({"message": "Validation Failed", "errors": [{"message": message}]}));
    }
    let number = world.number();
    let url = format!("{}/{repo}/pull/{number}", world.address);
    let pull = json!({"number": number, "html_url": url, "head": {"ref": head}, "base": {"ref": base}});
    world.pulls.push(pull.clone());
    Answer::new(201, pull)
}
