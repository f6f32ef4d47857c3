//! Objects as files.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use mlops_core::ErrorKind;
use mlops_core::ports::{Body, Condition, ObjectStore};
use mlops_core::values::ArtifactUri;
use mlops_local::{Access, FileStore};
use tempfile::TempDir;

fn uri(text: impl Into<String>) -> ArtifactUri {
    ArtifactUri::new(text).unwrap()
}

fn store(home: &TempDir, access: Access) -> FileStore {
    FileStore::new(home.path().join("home"), home.path(), access)
}

async fn text(store: &FileStore, uri: &ArtifactUri) -> String {
    let (_, body) = store.get(uri, None).await.unwrap();
    String::from_utf8(body.collect(1 << 20).await.unwrap().to_vec()).unwrap()
}

/// Every file below a folder, without the lock files.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().unwrap().is_dir() {
            if entry.file_name() != "locks" {
                found.extend(files(&entry.path()));
            }
        } else {
            found.push(entry.path().display().to_string());
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_a_bucket_keep_the_contract() {
    let home = TempDir::new().unwrap();
    mlops_contract::object_store(Arc::new(store(&home, Access::HomeOnly)), &uri("s3://bucket/base")).await;
    let left = fs::read_dir(home.path().join("home/tmp")).unwrap().count();
    assert_eq!(left, 0, "no draft is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn file_uris_below_the_home_folder_keep_the_contract() {
    let home = TempDir::new().unwrap();
    let base = ArtifactUri::from_path(&home.path().join("home/store"));
    mlops_contract::object_store(Arc::new(store(&home, Access::Anywhere)), &base).await;
}

#[tokio::test]
async fn a_key_maps_into_the_home_folder() {
    let home = TempDir::new().unwrap();
    let store = store(&home, Access::HomeOnly);
    store.put(&uri("s3://bucket/a/b.txt"), Body::from("x"), Condition::None).await.unwrap();
    assert_eq!(fs::read_to_string(home.path().join("home/s3/bucket/a/b.txt")).unwrap(), "x");
    let by_path = ArtifactUri::from_path(&home.path().join("home/s3/bucket/a/b.txt"));
    assert_eq!(text(&store, &by_path).await, "x");
}

#[tokio::test]
async fn a_key_never_leaves_its_bucket() {
    let home = TempDir::new().unwrap();
    let store = store(&home, Access::Anywhere);
    fs::write(home.path().join("secret.txt"), "secret").unwrap();
    store.put(&uri("s3://bucket/a.txt"), Body::from("x"), Condition::None).await.unwrap();
    let bucket = home.path().join("home/s3/bucket");
    symlink(home.path(), bucket.join("out")).unwrap();
    symlink(home.path().join("secret.txt"), bucket.join("file")).unwrap();
    symlink(bucket.join("a.txt"), bucket.join("inside")).unwrap();
    fs::create_dir_all(home.path().join("home/s3/other")).unwrap();
    symlink(home.path().join("home/s3/other"), bucket.join("other")).unwrap();
    for key in ["out/secret.txt", "file", "out/new.txt", "other/new.txt"] {
        let uri = uri(format!("s3://bucket/{key}"));
        let errors = [
            store.get(&uri, None).await.err().unwrap(),
            store.head(&uri).await.unwrap_err(),
            store.put(&uri, Body::from("y"), Condition::None).await.unwrap_err(),
            store.delete(&uri).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind, ErrorKind::Forbidden, "{key}: {}", error.message);
        }
    }
    assert_eq!(text(&store, &uri("s3://bucket/inside")).await, "x");
    assert_eq!(fs::read_to_string(home.path().join("secret.txt")).unwrap(), "secret");
    let listed = store.list(&uri("s3://bucket/"), None).await.unwrap().objects;
    assert_eq!(listed.len(), 1, "links are passed over: {listed:?}");
    assert_eq!(store.list(&uri("s3://bucket/out/"), None).await.unwrap_err().kind, ErrorKind::Forbidden);
    let too_long = "x".repeat(256);
    for key in ["", "a//b", "/a", "a/", &too_long] {
        let uri = uri(format!("s3://bucket/{key}"));
        assert_eq!(store.head(&uri).await.unwrap_err().kind, ErrorKind::InvalidInput, "{key}");
    }
}

#[tokio::test]
async fn writes_stay_below_the_home_folder() {
    let home = TempDir::new().unwrap();
    let store = store(&home, Access::Anywhere);
    fs::create_dir(home.path().join("home")).unwrap();
    symlink(home.path(), home.path().join("home/up")).unwrap();
    let inside = format!("{}/home/a/../../b.txt", home.path().display());
    for place in ["b.txt", "/b.txt", "home/../b.txt", "home/up/b.txt", &format!("file://{inside}"), &inside, "../b.txt"]
    {
        let error = store.put(&uri(place), Body::from("x"), Condition::None).await.unwrap_err();
        assert!(matches!(error.kind, ErrorKind::Forbidden | ErrorKind::NotFound), "{place}: {}", error.message);
        if error.kind == ErrorKind::Forbidden {
            assert!(error.message.contains("MLOPS_HOME"), "{}", error.message);
        }
    }
    for place in ["home/tmp/a", "home/locks/00"] {
        let error = store.put(&uri(place), Body::from("x"), Condition::None).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Forbidden, "{place}");
    }
    assert!(!home.path().join("b.txt").exists());
    store.put(&uri("home/b.txt"), Body::from("x"), Condition::None).await.unwrap();
    assert_eq!(fs::read_to_string(home.path().join("home/b.txt")).unwrap(), "x");
}

#[tokio::test]
async fn other_files_are_read_only_where_the_caller_is_the_user() {
    let home = TempDir::new().unwrap();
    fs::write(home.path().join("a b.csv"), "x,y").unwrap();
    fs::write(home.path().join("50%25.csv"), "as written").unwrap();
    let (anywhere, home_only) = (store(&home, Access::Anywhere), store(&home, Access::HomeOnly));
    let folder = home.path().display();
    for place in ["a b.csv".to_owned(), format!("{folder}/a b.csv"), format!("file://{folder}/a%20b.csv")] {
        assert_eq!(text(&anywhere, &uri(&place)).await, "x,y");
        let error = home_only.head(&uri(&place)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Forbidden);
        assert!(error.message.contains("MLOPS_HOME"));
        assert_eq!(home_only.list(&uri(&place), None).await.unwrap_err().kind, ErrorKind::Forbidden);
    }
    assert_eq!(text(&anywhere, &uri(format!("file://{folder}/50%25.csv"))).await, "as written");
    let listed = anywhere.list(&uri("a"), None).await.unwrap().objects;
    assert_eq!(listed.len(), 1);
    assert!(listed[0].uri.as_str().ends_with("/a b.csv"));
}

#[tokio::test]
async fn what_is_no_file_is_named_so() {
    let home = TempDir::new().unwrap();
    let store = store(&home, Access::Anywhere);
    fs::write(home.path().join("penguins.csv"), "x").unwrap();
    store.put(&uri("s3://bucket/a/b"), Body::from("x"), Condition::None).await.unwrap();
    for place in ["s3://bucket/a", ".", "home", "home/"] {
        let error = store.head(&uri(place)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidInput, "{place}");
        assert!(error.message.contains("is a directory"), "{}", error.message);
    }
    let error = store.put(&uri("s3://bucket/a"), Body::from("x"), Condition::None).await.unwrap_err();
    assert!(error.message.contains("is a directory"));
    let error = store.put(&uri("s3://bucket/a/b/c"), Body::from("x"), Condition::None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidInput, "{}", error.message);
    assert_eq!(store.delete(&uri("s3://bucket/a")).await.unwrap_err().kind, ErrorKind::InvalidInput);
    assert_eq!(store.head(&uri("/dev/null")).await.unwrap_err().kind, ErrorKind::InvalidInput);
    let error = store.head(&uri("pengiuns.csv")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert_eq!(error.hint.as_deref(), Some("did you mean `penguins.csv`?"));
    for place in ["nowhere/a.csv", "s3://empty/a.csv", "s3://bucket/a/zzz"] {
        let error = store.head(&uri(place)).await.unwrap_err();
        assert!(error.kind == ErrorKind::NotFound && error.hint.is_some(), "{place}");
    }
    assert_eq!(store.list(&uri("nowhere/"), None).await.unwrap().objects.len(), 0);
}

#[tokio::test]
async fn the_stores_own_files_are_never_listed() {
    let home = TempDir::new().unwrap();
    let store = store(&home, Access::HomeOnly);
    store.put(&uri("home/a.txt"), Body::from("x"), Condition::None).await.unwrap();
    fs::write(home.path().join("home/tmp/1-2-3"), "a draft").unwrap();
    let listed = store.list(&uri("home/"), None).await.unwrap().objects;
    assert_eq!(listed.len(), 1, "{listed:?}");
}

#[tokio::test]
async fn drafts_of_killed_processes_are_taken_away() {
    let home = TempDir::new().unwrap();
    fs::create_dir_all(home.path().join("home/tmp")).unwrap();
    let leftover = home.path().join("home/tmp/1-2-3");
    fs::write(&leftover, "a draft of a process that was killed").unwrap();
    store(&home, Access::HomeOnly).put(&uri("s3://bucket/a"), Body::from("x"), Condition::None).await.unwrap();
    assert!(!leftover.exists());
}

#[tokio::test]
async fn a_file_that_shrinks_while_it_is_read_is_noticed() {
    let home = TempDir::new().unwrap();
    let store = store(&home, Access::Anywhere);
    let path = home.path().join("a.bin");
    fs::write(&path, vec![0; 3 << 20]).unwrap();
    let (_, body) = store.get(&uri("a.bin"), None).await.unwrap();
    fs::write(&path, "short").unwrap();
    assert_eq!(body.collect(u64::MAX).await.unwrap_err().kind, ErrorKind::Conflict);
}

/// Runs a test of this binary once more, in a process of its own: it finds `TEST_HOME` set and plays the child.
fn child(test: &str, home: &Path, limit: &str) -> Command {
    let mut command = Command::new("sh");
    let script = format!("{limit} exec \"$0\" --exact \"$1\" --nocapture");
    command.arg("-c").arg(script).arg(std::env::current_exe().unwrap()).arg(test).env("TEST_HOME", home);
    // A limit on the size of files would cut off a coverage profile as well.
    command.env("LLVM_PROFILE_FILE", "/dev/null");
    command
}

/// The store of the parent, in a process that plays its child.
fn child_store() -> Option<FileStore> {
    let home = std::env::var("TEST_HOME").ok()?;
    Some(FileStore::new(format!("{home}/home"), home, Access::HomeOnly))
}

#[tokio::test]
async fn a_write_that_does_not_fit_leaves_what_was_there() {
    if let Some(store) = child_store() {
        return write_too_much(&store).await;
    }
    let home = TempDir::new().unwrap();
    let store = store(&home, Access::HomeOnly);
    store.put(&uri("s3://bucket/kept"), Body::from("before"), Condition::None).await.unwrap();
    let before = files(home.path());
    // Files of this process may have 8 blocks of 512 bytes, and the signal that would end it is ignored.
    let output =
        child("file_store::a_write_that_does_not_fit_leaves_what_was_there", home.path(), "trap '' XFSZ; ulimit -f 8;")
            .output()
            .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    assert_eq!(files(home.path()), before);
    assert_eq!(text(&store, &uri("s3://bucket/kept")).await, "before");
}

async fn write_too_much(store: &FileStore) {
    for (key, condition) in [("kept", Condition::None), ("new/file", Condition::Absent)] {
        let body = Body::from(vec![1_u8; 1 << 16]);
        let error = store.put(&uri(format!("s3://bucket/{key}")), body, condition).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable, "{}", error.message);
        assert!(error.hint.is_some());
    }
}

#[tokio::test]
async fn processes_lose_no_update_of_each_other() {
    if let Some(store) = child_store() {
        return count(&store).await;
    }
    let home = TempDir::new().unwrap();
    let store = store(&home, Access::HomeOnly);
    store.put(&uri("s3://bucket/count"), Body::from("0000"), Condition::None).await.unwrap();
    let children: Vec<_> = (0..4)
        .map(|_| child("file_store::processes_lose_no_update_of_each_other", home.path(), "").spawn().unwrap())
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(text(&store, &uri("s3://bucket/count")).await, "0100");
    assert_eq!(text(&store, &uri("s3://bucket/created")).await.len(), 1);
}

async fn count(store: &FileStore) {
    let counter = uri("s3://bucket/count");
    let mut raised = 0;
    while raised < 25 {
        let (meta, body) = store.get(&counter, None).await.unwrap();
        let count: u32 = std::str::from_utf8(&body.collect(10).await.unwrap()).unwrap().parse().unwrap();
        let swap = Condition::Matches(meta.etag);
        raised += i32::from(store.put(&counter, Body::from(format!("{:04}", count + 1)), swap).await.is_ok());
    }
    // Each adds its mark where it created: the object would have more than one if two could.
    let created = store.put(&uri("s3://bucket/created"), Body::from("x"), Condition::Absent).await;
    if let Err(error) = created {
        assert_eq!(error.kind, ErrorKind::AlreadyExists);
    }
}

#[tokio::test]
async fn a_folder_without_permission_is_forbidden() {
    let home = TempDir::new().unwrap();
    let locked = home.path().join("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o0)).unwrap();
    let readable = fs::read_dir(&locked).is_ok();
    let listed = store(&home, Access::Anywhere).list(&uri("locked/"), None).await;
    // The superuser may read everything.
    match listed {
        Ok(page) => assert!(readable && page.objects.is_empty()),
        Err(error) => assert!(!readable && error.kind == ErrorKind::Forbidden),
    }
}
