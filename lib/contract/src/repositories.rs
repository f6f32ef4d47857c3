//! What every keeper of repositories keeps.

use bytes::Bytes;
use futures::future::join_all;
use mlops_core::ErrorKind;
use mlops_core::ports::{NewCommit, NewPullRequest, Repositories, RepositoryFile};

/// What there is before anything was promised.
#[derive(Debug, Clone, Copy)]
pub struct KnownRepository<'a> {
    /// A repository whose default branch has the file `README.md` in its last commit.
    pub repo: &'a str,
    /// The bytes of that file.
    pub readme: &'a [u8],
}

/// What a keeper of repositories promises.
pub async fn repositories(repositories: &dyn Repositories, known: KnownRepository<'_>) {
    let base = files_and_branches(repositories, known).await;
    commits(repositories, known, &base).await;
    races(repositories, known.repo, &base).await;
    what_is_no_commit(repositories, known.repo, &base).await;
    pull_requests(repositories, known.repo).await;
}

/// A commit of one file.
fn commit(branch: &str, parent: &str, makes_branch: bool, (path, content): (&str, &[u8])) -> NewCommit {
    NewCommit {
        branch: branch.to_owned(),
        parent: Some(parent.to_owned()),
        makes_branch,
        message: format!("Write {path}\n\nSaid by the contract."),
        files: vec![RepositoryFile { path: path.to_owned(), content: Bytes::copy_from_slice(content) }],
    }
}

async fn files_and_branches(repositories: &dyn Repositories, known: KnownRepository<'_>) -> String {
    let repo = known.repo;
    let default = repositories.branch(repo, None).await.unwrap().unwrap();
    assert!(default.commit.len() == 40 && !default.url.is_empty());
    let named = repositories.branch(repo, Some(&default.name)).await.unwrap().unwrap();
    assert_eq!(named, default, "the default branch has a name");
    assert_eq!(repositories.branch(repo, Some("contract/absent")).await.unwrap(), None);
    let readme = repositories.file(repo, &default.commit, "README.md").await.unwrap().unwrap();
    assert_eq!(readme, known.readme);
    for absent in ["absent.md", "no/such/folder/a.md", "README.md/a.md"] {
        assert_eq!(repositories.file(repo, &default.commit, absent).await.unwrap(), None, "{absent}");
    }
    for wrong in ["", "owner", "owner/..", "a/b/c"] {
        let error = repositories.branch(wrong, None).await.unwrap_err();
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("repo")), "{wrong:?}");
    }
    let error = repositories.branch(repo, Some("a..b")).await.unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("branch")));
    let error = repositories.file(repo, &default.commit, "../secrets").await.unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("path")));
    default.commit
}

async fn commits(repositories: &dyn Repositories, known: KnownRepository<'_>, base: &str) {
    let repo = known.repo;
    let page = "# 履歴\n\nAdelie & Gentoo\n".as_bytes();
    let made = repositories.commit(repo, &commit("contract/history", base, true, ("history/m/r 1/a.md", page))).await;
    let made = made.unwrap();
    assert_eq!(repositories.branch(repo, Some("contract/history")).await.unwrap().as_ref(), Some(&made));
    let read = async |commit: &str, path: &str| repositories.file(repo, commit, path).await.unwrap();
    assert_eq!(read(&made.commit, "history/m/r 1/a.md").await.unwrap(), page);
    assert_eq!(read(&made.commit, "README.md").await.unwrap(), known.readme, "other files stay");
    assert_eq!(read(base, "history/m/r 1/a.md").await, None, "the commit before is as it was");
    assert_eq!(repositories.branch(repo, None).await.unwrap().unwrap().commit, base, "no other branch has moved");

    let mut second = commit("contract/history", &made.commit, false, ("history/m/r 1/b.bin", &[0, 159, 146, 150]));
    second.files.push(RepositoryFile { path: "README.md".to_owned(), content: Bytes::from("changed\n") });
    let second = repositories.commit(repo, &second).await.unwrap();
    assert_eq!(read(&second.commit, "history/m/r 1/b.bin").await.unwrap(), &[0, 159, 146, 150][..]);
    assert_eq!(read(&second.commit, "history/m/r 1/a.md").await.unwrap(), page);
    assert_eq!(read(&second.commit, "README.md").await.unwrap(), "changed\n");
    let error = repositories.file(repo, &second.commit, "history/m").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidInput, "a folder is no file");

    let stale = commit("contract/history", &made.commit, false, ("lost.md", b"lost"));
    assert_eq!(repositories.commit(repo, &stale).await.unwrap_err().kind, ErrorKind::Conflict);
    let twice = commit("contract/history", base, true, ("lost.md", b"lost"));
    assert_eq!(repositories.commit(repo, &twice).await.unwrap_err().kind, ErrorKind::Conflict);
    let head = repositories.branch(repo, Some("contract/history")).await.unwrap().unwrap();
    assert_eq!(head, second, "what was refused changed nothing");
}

async fn races(repositories: &dyn Repositories, repo: &str, base: &str) {
    let attempts: Vec<NewCommit> = (0..8_u8).map(|at| commit("contract/races", base, true, ("a.md", &[at]))).collect();
    let made = join_all(attempts.iter().map(|attempt| repositories.commit(repo, attempt))).await;
    let kinds: Vec<ErrorKind> = made.iter().filter_map(|one| one.as_ref().err().map(|error| error.kind)).collect();
    assert_eq!(kinds, [ErrorKind::Conflict; 7], "of many that make a branch at once, one does");
    let made = made.into_iter().find_map(Result::ok).unwrap();
    let attempts: Vec<NewCommit> =
        (0..8_u8).map(|at| commit("contract/races", &made.commit, false, ("b.md", &[at]))).collect();
    let moved = join_all(attempts.iter().map(|attempt| repositories.commit(repo, attempt))).await;
    let winner = moved.iter().position(Result::is_ok).unwrap();
    assert_eq!(moved.iter().filter(|one| one.is_ok()).count(), 1, "of many that move a branch at once, one does");
    let head = repositories.branch(repo, Some("contract/races")).await.unwrap().unwrap();
    let kept = repositories.file(repo, &head.commit, "b.md").await.unwrap().unwrap();
    assert_eq!(kept, [winner as u8][..], "the branch has what the winner wrote");
}

async fn what_is_no_commit(repositories: &dyn Repositories, repo: &str, base: &str) {
    let sound = commit("contract/wrong", base, true, ("a.md", b"x"));
    for (wrong, field) in [
        (NewCommit { branch: "a..b".to_owned(), ..sound.clone() }, "branch"),
        (NewCommit { message: " ".to_owned(), ..sound.clone() }, "message"),
        (NewCommit { files: Vec::new(), ..sound.clone() }, "files"),
        (NewCommit { parent: Some("main".to_owned()), ..sound.clone() }, "commit"),
        (commit("contract/wrong", base, true, (".git/hooks/a", b"x")), "files[0].path"),
    ] {
        let error = repositories.commit(repo, &wrong).await.unwrap_err();
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some(field)));
    }
    assert_eq!(repositories.branch(repo, Some("contract/wrong")).await.unwrap(), None);
}

async fn pull_requests(repositories: &dyn Repositories, repo: &str) {
    let into = repositories.branch(repo, None).await.unwrap().unwrap().name;
    let request = NewPullRequest {
        from: "contract/history".to_owned(),
        into,
        title: "The history of a run".to_owned(),
        body: "See `history/`.".to_owned(),
    };
    let opened = repositories.pull_request(repo, &request).await.unwrap();
    assert!(opened.created && opened.number > 0 && !opened.url.is_empty());
    let again =
        repositories.pull_request(repo, &NewPullRequest { title: "Another".to_owned(), ..request.clone() }).await;
    let again = again.unwrap();
    assert_eq!((again.number, again.created), (opened.number, false), "there is one at a time");
    let other = NewPullRequest { from: "contract/races".to_owned(), ..request.clone() };
    let other = repositories.pull_request(repo, &other).await.unwrap();
    assert!(other.created && other.number != opened.number);
    let absent = NewPullRequest { from: "contract/absent".to_owned(), ..request };
    let error = repositories.pull_request(repo, &absent).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::NotFound | ErrorKind::InvalidInput), "{error:?}");
}
