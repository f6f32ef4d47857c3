//! The store as front doors reach it: what others can call must not read whatever this machine can.

use std::borrow::Cow;
use std::ops::Range;
use std::path::{Component, Path};
use std::sync::Arc;

use async_trait::async_trait;
use mlops_core::ports::{Body, Condition, ObjectMeta, ObjectStore, Page};
use mlops_core::settings::{BUCKETS, STORE};
use mlops_core::values::ArtifactUri;
use mlops_core::{Error, Result, Settings};
use percent_encoding::percent_decode_str;

/// A store of which only some places can be reached: `s3://` URIs of the bucket of `MLOPS_STORE` and of those that
/// `MLOPS_BUCKETS` names, and files below `MLOPS_STORE` when that is a folder. All else is `Forbidden`, whether it is
/// there or not, and so is `approvals/`, which holds the tokens of runs that wait.
#[derive(Clone)]
pub struct GuardedStore {
    inner: Arc<dyn ObjectStore>,
    root: ArtifactUri,
    buckets: Vec<String>,
}

impl GuardedStore {
    /// The store with those places: everything below `root`, the bucket of `root`, and those buckets.
    pub fn new(inner: Arc<dyn ObjectStore>, root: ArtifactUri, buckets: Vec<String>) -> Self {
        Self { inner, root, buckets }
    }

    /// The store with the places that the settings name.
    pub fn of(inner: Arc<dyn ObjectStore>, settings: &Settings) -> Arc<dyn ObjectStore> {
        Arc::new(Self::new(inner, settings.store.clone(), settings.buckets.clone()))
    }

    /// An error when the place must not be reached.
    fn check(&self, uri: &ArtifactUri) -> Result<()> {
        let root = &self.root;
        if self.is_private(uri) {
            let message = format!("{uri} must not be reached from here: whoever reads it could answer for others");
            return Err(Error::forbidden(message).hint("see how a run stands: mlops status RUN"));
        }
        let Some((bucket, _)) = uri.bucket_and_key() else {
            return if self.is_below_root(uri) {
                Ok(())
            } else {
                Err(Error::forbidden(format!("{uri} must not be reached from here: it does not lie below {root}"))
                    .hint("write s3://bucket/key; plain paths and file:/// are for the command line and stdio"))
            };
        };
        let own = root.bucket_and_key().map(|(bucket, _)| bucket);
        if own == Some(bucket) || self.buckets.iter().any(|allowed| allowed == bucket) {
            return Ok(());
        }
        Err(Error::forbidden(format!("the bucket {bucket} must not be reached from here"))
            .hint(format!("add it to {}, or use the bucket of {}", BUCKETS.name, STORE.name)))
    }

    /// Whether the place holds the tokens by which runs go on. Records of approvals have a store of their own.
    fn is_private(&self, uri: &ArtifactUri) -> bool {
        let bare = |text: &str| text.strip_prefix("file://").unwrap_or(text).to_lowercase();
        let private = format!("{}/approvals", bare(self.root.as_str()).trim_end_matches('/'));
        let written = uri.as_str();
        let decoded: Cow<'_, str> = percent_decode_str(written).decode_utf8_lossy();
        [written, &decoded].into_iter().any(|text| bare(text).starts_with(&private))
    }

    /// Whether a path lies below the root in every way that it can be read.
    fn is_below_root(&self, uri: &ArtifactUri) -> bool {
        let path = |text: &str| text.strip_prefix("file://").unwrap_or(text).to_owned();
        let (written, root) = (path(uri.as_str()), path(self.root.as_str()));
        if self.root.is_s3() {
            return false;
        }
        let decoded: Cow<'_, str> = percent_decode_str(&written).decode_utf8_lossy();
        [written.as_str(), &decoded].into_iter().map(Path::new).all(|path| {
            let is_plain = path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
            is_plain && path.is_absolute() && path.starts_with(&root)
        })
    }

    /// The prefix of a listing, which never is the root without its slash: `…/store` would list `…/store-of-others`.
    fn prefix(&self, prefix: &ArtifactUri) -> Result<ArtifactUri> {
        self.check(prefix)?;
        let bare = |uri: &ArtifactUri| uri.as_str().trim_end_matches('/').to_owned();
        if prefix.is_s3() || bare(prefix) != bare(&self.root) {
            return Ok(prefix.clone());
        }
        ArtifactUri::new(format!("{}/", bare(prefix)))
    }
}

#[async_trait]
impl ObjectStore for GuardedStore {
    async fn head(&self, uri: &ArtifactUri) -> Result<ObjectMeta> {
        self.check(uri)?;
        self.inner.head(uri).await
    }

    async fn get(&self, uri: &ArtifactUri, range: Option<Range<u64>>) -> Result<(ObjectMeta, Body)> {
        self.check(uri)?;
        self.inner.get(uri, range).await
    }

    async fn put(&self, uri: &ArtifactUri, body: Body, condition: Condition) -> Result<ObjectMeta> {
        self.check(uri)?;
        self.inner.put(uri, body, condition).await
    }

    async fn list(&self, prefix: &ArtifactUri, next: Option<String>) -> Result<Page> {
        self.inner.list(&self.prefix(prefix)?, next).await
    }

    async fn delete(&self, uri: &ArtifactUri) -> Result<()> {
        self.check(uri)?;
        self.inner.delete(uri).await
    }
}

#[cfg(test)]
mod tests {
    use mlops_core::ErrorKind;
    use mlops_local::{Access, FileStore};

    use super::*;

    /// The files of the store are read on the runtime's own threads.
    fn block_on<F: Future>(work: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
    }

    fn uri(text: &str) -> ArtifactUri {
        ArtifactUri::new(text).unwrap()
    }

    #[test]
    fn only_named_buckets_and_the_root_are_reached() {
        let home = tempfile::tempdir().unwrap();
        let files: Arc<dyn ObjectStore> = Arc::new(FileStore::new(home.path(), home.path(), Access::Anywhere));
        let root = uri(&format!("file://{}/store", home.path().display()));
        let store = GuardedStore::new(Arc::clone(&files), root.clone(), vec!["data".to_owned()]);
        let shown = home.path().display();
        std::fs::create_dir(home.path().join("store-of-others")).unwrap();
        std::fs::write(home.path().join("store-of-others/secret.csv"), "x").unwrap();
        for refused in [
            "/etc/passwd".to_owned(),
            "data.csv".to_owned(),
            "file:///etc/passwd".to_owned(),
            format!("{shown}/store-of-others/secret.csv"),
            format!("{shown}/store/../store-of-others/secret.csv"),
            format!("file://{shown}/store/%2e%2e/store-of-others/secret.csv"),
            format!("{shown}/store/./../store-of-others/secret.csv"),
            "s3://private/key".to_owned(),
            format!("{shown}/store/approvals/run.json"),
            format!("file://{shown}/store/%61pprovals/run.json"),
            "s3://data-of-others/key".to_owned(),
        ] {
            let refused = uri(&refused);
            let kinds = block_on(async {
                let body = || Body::from("x".as_bytes());
                [
                    store.head(&refused).await.unwrap_err().kind,
                    store.get(&refused, None).await.err().unwrap().kind,
                    store.put(&refused, body(), Condition::None).await.unwrap_err().kind,
                    store.list(&refused, None).await.unwrap_err().kind,
                    store.delete(&refused).await.unwrap_err().kind,
                ]
            });
            assert_eq!(kinds, [ErrorKind::Forbidden; 5], "{refused}");
        }
        block_on(async {
            for allowed in [root.join("models/m.json"), uri("s3://data/table.csv"), uri(&format!("{shown}/store/a b"))]
            {
                store.put(&allowed, Body::from("x".as_bytes()), Condition::Absent).await.unwrap();
                assert_eq!(store.head(&allowed).await.unwrap().bytes, 1);
            }
            let listed = store.list(&root, None).await.unwrap();
            assert_eq!(listed.objects.len(), 2, "the root is a folder: {:?}", listed.objects);
        });
    }

    #[test]
    fn a_store_in_a_bucket_lets_no_path_through() {
        let home = tempfile::tempdir().unwrap();
        let files = Arc::new(FileStore::new(home.path(), home.path(), Access::Anywhere));
        let store = GuardedStore::new(files, uri("s3://fleet/store"), Vec::new());
        let path = uri(&format!("{}/s3/fleet/x", home.path().display()));
        assert_eq!(block_on(store.head(&path)).unwrap_err().kind, ErrorKind::Forbidden);
        assert_eq!(block_on(store.head(&uri("s3://fleet/x"))).unwrap_err().kind, ErrorKind::NotFound);
    }
}
